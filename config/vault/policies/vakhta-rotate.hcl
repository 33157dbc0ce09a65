# Added to the worker's role only when it shall rotate secrets. One line for each secret that it may write.

path "secret/data/apps/+/database" {
  capabilities = ["create", "read", "update"]
}
path "database/rotate-role/+" {
  capabilities = ["update"]
}
path "database/static-roles/+" {
  capabilities = ["read"]
}
path "database/static-creds/+" {
  capabilities = ["read"]
}
