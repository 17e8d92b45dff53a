#!/bin/sh
# Prepares a Vault or OpenBao for Strongroom: the Transit engine, a derived key that is neither exported nor deleted,
# a policy with the least rights, and an AppRole with a periodic token. Needs curl alone. May be run again: what is
# there stays, the policy and the role are written anew, and there is one more secret id.
#
#   VAULT_ADDR=https://vault:8200 VAULT_TOKEN=... deploy/vault/setup.sh FOLDER
#
# The role id and a secret id go into two files of FOLDER. Also read: VAULT_NAMESPACE, VAULT_CACERT; and MOUNT, KEY,
# ROLE, PERIOD, SECRET_TTL (how long the secret id may be used to log in, 2160h) and CIDRS (networks that may log in,
# separated by commas; give them wherever the service has addresses of its own).
set -eu
umask 077

folder=${1:?the folder for role-id and secret-id}
: "${VAULT_ADDR:?}" "${VAULT_TOKEN:?}"
MOUNT=${MOUNT:-transit} KEY=${KEY:-strongroom} ROLE=${ROLE:-strongroom} PERIOD=${PERIOD:-1h} CIDRS=${CIDRS:-}
SECRET_TTL=${SECRET_TTL:-2160h}
case "$MOUNT$KEY$ROLE$PERIOD$CIDRS$SECRET_TTL" in *[!A-Za-z0-9_./:,-]*)
  echo 'MOUNT, KEY, ROLE, PERIOD, SECRET_TTL and CIDRS take letters, digits and _ . / : , -' >&2; exit 2 ;;
esac
here=$(dirname "$0")

# The token goes through standard input: arguments are there for every user of the machine to see.
ask() { # method, path, JSON
  {
    printf 'header = "X-Vault-Token: %s"\n' "$VAULT_TOKEN"
    [ -z "${VAULT_NAMESPACE:-}" ] || printf 'header = "X-Vault-Namespace: %s"\n' "$VAULT_NAMESPACE"
    [ -z "${VAULT_CACERT:-}" ] || printf 'cacert = "%s"\n' "$VAULT_CACERT"
  } | curl --config - --silent --show-error --fail-with-body --max-time 20 --request "$1" \
    ${3:+--header 'Content-Type: application/json' --data "$3"} "${VAULT_ADDR%/}/v1/$2"
}

field() { # name, of the JSON on standard input
  sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"
}

enabled() { # path that lists, name
  ask GET "$1" | grep -q "\"$2/\":"
}

enabled sys/mounts "$MOUNT" || ask POST "sys/mounts/$MOUNT" '{"type":"transit"}'
ask POST "$MOUNT/keys/$KEY" '{"type":"aes256-gcm96","derived":true,"exportable":false}' >/dev/null
ask POST "$MOUNT/keys/$KEY/config" '{"deletion_allowed":false}' >/dev/null
properties=$(ask GET "$MOUNT/keys/$KEY")
for wanted in '"derived":true' '"exportable":false' '"deletion_allowed":false' '"type":"aes256-gcm96"'; do
  case "$properties" in *"$wanted"*) ;; *)
    echo "The key $KEY was there before and is not $wanted: take another KEY." >&2; exit 1 ;;
  esac
done

policy=$(sed -e '/^#/d' -e "s,\"transit/\([a-z]*\)/strongroom\",\"$MOUNT/\1/$KEY\"," "$here/strongroom-policy.hcl" |
  sed -e 's/"/\\"/g' | tr '\n' ' ')
ask PUT "sys/policies/acl/$ROLE" "{\"policy\":\"$policy\"}"

enabled sys/auth approle || ask POST sys/auth/approle '{"type":"approle"}'
bound=${CIDRS:+,\"token_bound_cidrs\":\"$CIDRS\",\"secret_id_bound_cidrs\":\"$CIDRS\"}
ask POST "auth/approle/role/$ROLE" \
  "{\"token_policies\":\"$ROLE\",\"token_no_default_policy\":true,\"token_period\":\"$PERIOD\",\"secret_id_ttl\":\"$SECRET_TTL\"$bound}"

mkdir -p "$folder"
ask GET "auth/approle/role/$ROLE/role-id" | field role_id >"$folder/role-id"
ask POST "auth/approle/role/$ROLE/secret-id" '{}' | field secret_id >"$folder/secret-id"
[ -s "$folder/role-id" ] && [ -s "$folder/secret-id" ] || { echo 'The role gave no ids.' >&2; exit 1; }

[ -n "$CIDRS" ] || echo 'CIDRS is not set: the secret id may be used from any address.' >&2
cat <<END
The secret id logs in for $SECRET_TTL from now on: run this again before that, and put the new one in place.

Ready. Strongroom uses it with:

  STRONGROOM_KEYWRAP__KIND=vault
  STRONGROOM_VAULT__URL=$VAULT_ADDR
${VAULT_NAMESPACE:+  STRONGROOM_VAULT__NAMESPACE=$VAULT_NAMESPACE
}${VAULT_CACERT:+  STRONGROOM_VAULT__CA_FILE=$VAULT_CACERT
}  STRONGROOM_VAULT__MOUNT=$MOUNT
  STRONGROOM_VAULT__KEY=$KEY
  STRONGROOM_VAULT__ROLE_ID_FILE=$folder/role-id
  STRONGROOM_VAULT__SECRET_ID_FILE=$folder/secret-id
END
