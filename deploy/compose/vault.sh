#!/bin/sh
# Initialises the OpenBao of deploy/compose.yaml and prepares it with deploy/vault/setup.sh, once.
#
#   VAULT_ADDR=http://openbao:8200 vault.sh OPERATOR IDS
#
# OPERATOR keeps the recovery key; IDS gets role-id and secret-id. The root token is revoked at the end.
set -eu
umask 077
: "${VAULT_ADDR:?}"
operator=${1:?the operator\'s folder} ids=${2:?the folder for role-id and secret-id}
setup=$(dirname "$0")/../vault/setup.sh
[ ! -s "$ids/secret-id" ] || exit 0

until curl --silent --fail --output /dev/null "$VAULT_ADDR/v1/sys/init"; do sleep 1; done
if [ ! -s "$operator/init.json" ]; then
  curl --silent --show-error --fail-with-body --request PUT \
    --data '{"recovery_shares":1,"recovery_threshold":1}' --output "$operator/init.new" "$VAULT_ADDR/v1/sys/init"
  mv "$operator/init.new" "$operator/init.json"
fi
VAULT_TOKEN=$(sed -n 's/.*"root_token":"\([^"]*\)".*/\1/p' "$operator/init.json")
export VAULT_TOKEN
until curl --silent --fail --output /dev/null "$VAULT_ADDR/v1/sys/health"; do sleep 1; done

rm -rf "$operator/ids"
sh "$setup" "$operator/ids" >/dev/null
printf 'header = "X-Vault-Token: %s"\n' "$VAULT_TOKEN" |
  curl --config - --silent --show-error --fail-with-body --request POST "$VAULT_ADDR/v1/auth/token/revoke-self"
mv "$operator/ids/role-id" "$operator/ids/secret-id" "$ids"
rm -rf "$operator/ids"
