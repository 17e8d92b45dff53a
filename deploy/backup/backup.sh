#!/bin/sh
# Backs up what Strongroom cannot do without into a new folder: PostgreSQL, Vault or OpenBao, the heads of the audit.
#
#   PGHOST=… PGUSER=strongroom_owner PGPASSWORD=… PGDATABASE=strongroom \
#   VAULT_ADDR=https://vault:8200 VAULT_TOKEN=… HEADS=/var/lib/strongroom/audit-heads.jsonl \
#   deploy/backup/backup.sh FOLDER
#
# PostgreSQL is found as libpq finds it. Of Vault it is a snapshot of its Raft storage (right: read on
# sys/storage/raft/snapshot); without VAULT_ADDR there is none, and you back Vault up in your own way, after this.
# Also read: VAULT_NAMESPACE, VAULT_CACERT. Without HEADS the heads are in your log. Needs pg_dump, curl, sha256sum.
set -eu
umask 077

folder=${1:?the folder to make}
mkdir "$folder"
cd "$folder"

# In this order: no head is younger than the database, and no data key is under a key version that Vault's copy lacks.
[ -z "${HEADS:-}" ] || cp "$HEADS" audit-heads.jsonl
pg_dump --format=custom --file=database.dump
if [ -n "${VAULT_ADDR:-}" ]; then
  {
    printf 'header = "X-Vault-Token: %s"\n' "${VAULT_TOKEN:?}"
    [ -z "${VAULT_NAMESPACE:-}" ] || printf 'header = "X-Vault-Namespace: %s"\n' "$VAULT_NAMESPACE"
    [ -z "${VAULT_CACERT:-}" ] || printf 'cacert = "%s"\n' "$VAULT_CACERT"
  } | curl --config - --silent --show-error --fail --max-time 600 --output vault.snapshot \
    "${VAULT_ADDR%/}/v1/sys/storage/raft/snapshot"
fi
sha256sum -- * >SHA256SUMS
pg_restore --list database.dump >/dev/null
echo "Backed up into $folder: $(ls | tr '\n' ' ')"
