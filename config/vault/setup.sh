#!/bin/sh
# What it needs: KV version 2, audit, policy, AppRole, on an initialised and unsealed OpenBao or Vault. May be run again.
# usage: BAO_ADDR=… BAO_TOKEN=… sh config/vault/setup.sh     (with Vault: BAO=vault VAULT_ADDR=… VAULT_TOKEN=…)
# Prints the role id. The secret id goes to standard output only when asked for: … setup.sh secret-id > secrets/vault_secret_id
set -eu
bao=${BAO:-bao}
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" = secret-id ]; then
  exec "$bao" write -f -field=secret_id auth/approle/role/vakhta-worker/secret-id
fi

"$bao" secrets list | grep -q '^secret/' || "$bao" secrets enable -path=secret -version=2 kv
"$bao" auth list | grep -q '^approle/' || "$bao" auth enable approle
# OpenBao takes its audit device from the server configuration (vault.hcl); Vault is told here.
"$bao" audit list | grep -q . || "$bao" audit enable file file_path=stdout
"$bao" policy write vakhta-worker "$here/policies/vakhta-worker.hcl"
"$bao" write auth/approle/role/vakhta-worker \
  token_policies=vakhta-worker token_ttl=20m token_max_ttl=1h secret_id_ttl=2160h secret_id_num_uses=0 >/dev/null
echo "vault.role_id: $("$bao" read -field=role_id auth/approle/role/vakhta-worker/role-id)"
