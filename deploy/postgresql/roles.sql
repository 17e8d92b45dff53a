-- The two roles of Strongroom, and its database. Run it once, with passwords of your own, as a superuser or, on a managed
-- PostgreSQL, as the role that it gives you, which has CREATEROLE and CREATEDB:
--
--   psql -v owner_password=… -v service_password=… -f roles.sql
--
-- strongroom_owner owns the tables: STRONGROOM_DATABASE__MIGRATE_URL, for `strongroom migrate` alone.
-- strongroom is the role of the service: STRONGROOM_DATABASE__URL. `strongroom migrate` grants it what it needs on each
-- table, and no more: audit records can be added and read, but neither changed nor removed.

CREATE ROLE strongroom_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE strongroom LOGIN PASSWORD :'service_password';
-- Who makes a role may not act as it without this, unless a superuser (PostgreSQL 16 and later).
GRANT strongroom_owner TO CURRENT_USER;
CREATE DATABASE strongroom OWNER strongroom_owner;

\connect strongroom

REVOKE ALL ON DATABASE strongroom FROM PUBLIC;
GRANT CONNECT ON DATABASE strongroom TO strongroom;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO strongroom_owner;
GRANT USAGE ON SCHEMA public TO strongroom;
