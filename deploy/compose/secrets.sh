#!/bin/sh
# Makes the secrets of deploy/compose.yaml, once, each in the folder of the one who reads it: nobody has to invent a
# password, and none is the same twice. $1 is the folder of those folders; as root, they are given to their readers.
set -eu
umask 077
cd "${1:?the folder}"

random() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

give() { # folder, user
  [ "$(id -u)" -ne 0 ] || chown -R "$2" "$1"
}

if [ ! -e openbao/seal.key ]; then
  owner=$(random) service=$(random) redis=$(random)
  random >postgres/superuser
  printf %s "$owner" >postgres/owner
  printf %s "$service" >postgres/service
  printf 'save ""\nappendonly no\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\nrequirepass %s\n' "$redis" >redis/redis.conf
  printf 'postgresql://strongroom:%s@postgres/strongroom?sslmode=disable' "$service" >strongroom/database-url
  cp strongroom/database-url migrate/database-url
  printf 'postgresql://strongroom_owner:%s@postgres/strongroom?sslmode=disable' "$owner" >migrate/migrate-url
  printf 'redis://:%s@redis:6379/0' "$redis" >strongroom/redis-url
  head -c 32 /dev/urandom >openbao/seal.key # last: with it, all is there
fi
give postgres 999:999
give redis 999:999
give openbao 100:1000
give openbao-data 100:1000
give operator 65532:65532
give migrate 65532:65532
give strongroom 65532:65532
