#!/bin/sh
# The image runs this on an empty data folder: the two roles, and the database.
set -eu
psql -v ON_ERROR_STOP=1 --username postgres \
  -v owner_password="$(cat /secrets/owner)" -v service_password="$(cat /secrets/service)" -f /roles.sql
