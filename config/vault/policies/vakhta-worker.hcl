# What the worker may do. The bot has no policy and no login: it never speaks to Vault.

# Read the credentials that operations use.
path "secret/data/vakhta/*" {
  capabilities = ["read"]
}

# Names, ages and owners of secrets everywhere, never a value: the inventory.
path "secret/metadata/*" {
  capabilities = ["read", "list"]
}
path "secret/subkeys/*" {
  capabilities = ["read"]
}

# Is Vault sealed, which version, when does our own login end.
path "sys/health" {
  capabilities = ["read"]
}
path "sys/seal-status" {
  capabilities = ["read"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}

# Not here on purpose: sys/leases/revoke-prefix, sys/leases/revoke-force, sys/seal, sys/policies, auth/*, any write to secret/data.
