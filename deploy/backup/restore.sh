#!/bin/sh
# Restores what backup.sh made, into a PostgreSQL where roles.sql was run and nothing else, and a Vault or OpenBao that
# was just initialised: from then on it has the unseal keys and tokens of the one that was backed up.
#
#   PGHOST=… PGUSER=postgres PGPASSWORD=… PGDATABASE=strongroom \
#   VAULT_ADDR=https://vault:8200 VAULT_TOKEN=… deploy/backup/restore.sh FOLDER
#
# PGUSER is a superuser. Without VAULT_ADDR Vault is left alone. Also read: VAULT_NAMESPACE, VAULT_CACERT.
# Hold signing until you have compared nonces with the chains: what was signed after the backup is not remembered.
set -eu

cd "${1:?the folder that backup.sh made}"
sha256sum --check --quiet SHA256SUMS

pg_restore --exit-on-error --single-transaction --dbname="${PGDATABASE:?}" database.dump
if [ -n "${VAULT_ADDR:-}" ]; then
  {
    printf 'header = "X-Vault-Token: %s"\n' "${VAULT_TOKEN:?}"
    [ -z "${VAULT_NAMESPACE:-}" ] || printf 'header = "X-Vault-Namespace: %s"\n' "$VAULT_NAMESPACE"
    [ -z "${VAULT_CACERT:-}" ] || printf 'cacert = "%s"\n' "$VAULT_CACERT"
  } | curl --config - --silent --show-error --fail --max-time 600 --request POST --data-binary @vault.snapshot \
    "${VAULT_ADDR%/}/v1/sys/storage/raft/snapshot-force"
fi
echo 'Restored. Unseal Vault with the keys of the one that was backed up; then run `strongroom audit verify`.'
