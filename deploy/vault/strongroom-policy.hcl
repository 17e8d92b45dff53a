# What Strongroom may do in Vault or OpenBao: use one transit key, and look after its own token. It cannot read,
# export, rotate, change or delete the key, and not make one: without `create`, encrypting under a name that does not
# exist is refused. Where the engine or the key is called otherwise, setup.sh puts those names here.

path "transit/encrypt/strongroom" {
  capabilities = ["update"]
}

path "transit/decrypt/strongroom" {
  capabilities = ["update"]
}

path "transit/rewrap/strongroom" {
  capabilities = ["update"]
}

# Its properties and versions, not the key itself.
path "transit/keys/strongroom" {
  capabilities = ["read"]
}

path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
