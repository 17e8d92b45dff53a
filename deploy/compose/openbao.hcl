# OpenBao that unseals itself with a key from a file beside it: right for trying out, where both lie on one machine.
# In production the seal is a KMS, an HSM or people.
ui            = false
api_addr      = "http://127.0.0.1:8200"
cluster_addr  = "http://127.0.0.1:8201"
disable_mlock = true

storage "raft" {
  path    = "/openbao/file"
  node_id = "one"
}

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

seal "static" {
  current_key_id = "first"
  current_key    = "file:///secrets/seal.key"
}
