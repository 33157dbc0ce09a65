#!/bin/sh
# Runs once, when the database is made: a role for postgres_exporter that sees statistics and no table.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/postgres_exporter_password)" \
  --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
create role monitor login password :'password';
grant pg_monitor to monitor;
SQL
