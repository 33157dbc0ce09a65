#!/bin/sh
# Makes ./secrets for docker-compose.yml: random passwords, and empty files for what only you know. Never overwrites a file.
# usage: sh scripts/secrets.sh [FOLDER]
set -eu
dir=${1:-"$(dirname "$0")/../secrets"}
mkdir -p "$dir"
# The folder is closed to others; the files inside are readable, because each container's own user has to read them.
chmod 700 "$dir"
cd "$dir"
umask 022

random() { od -An -tx1 -N24 /dev/urandom | tr -d ' \n'; }
keep() { # keep NAME VALUE: writes it unless it is there already
  if [ -s "$1" ]; then echo "  kept     $1"; else
    printf '%s' "$2" >"$1"
    echo "  made     $1"
  fi
}

for name in postgres_password postgres_exporter_password redis_password alertmanager_webhook_token grafana_admin_password; do
  keep $name "$(random)"
done
# A base32 secret for step-up codes; type it into an authenticator app.
keep totp_owner "$(LC_ALL=C tr -dc A-Z2-7 </dev/urandom | head -c 32)"
keep database_url "postgresql://vakhta:$(cat postgres_password)@postgres:5432/vakhta"
keep redis_url "redis://:$(cat redis_password)@redis:6379"
keep redis_conf "requirepass $(cat redis_password)"
for name in telegram_token vault_secret_id ssh_key proxmox_token pve_exporter; do
  [ -e $name ] || : >$name
  [ -s $name ] && echo "  kept     $name" || echo "  FILL IN  $name   (leave empty when you do not use it)"
done
