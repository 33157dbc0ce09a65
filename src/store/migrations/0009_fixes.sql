-- Up Migration
-- A run that was asked for as a fix: it has helped only when the alerts it is for are over.
create table fix_attempts (
  run_id         uuid primary key references runs on delete cascade,
  incident_id    bigint not null references incidents on delete cascade,
  -- Equal for fixes that do the same.
  key            text not null,
  -- The button's text by language; null: the summary of the operation.
  label          jsonb,
  fingerprints   text[] not null,
  clears_minutes integer not null,
  -- running: the run goes on; waiting: it ended well, the alerts are waited for; then an end.
  state          text not null default 'running' check (state in ('running', 'waiting', 'cleared', 'failed', 'dropped')),
  why            text,
  created_at     timestamptz not null,
  clears_by      timestamptz,
  ended_at       timestamptz
);
create index fix_attempts_incident on fix_attempts (incident_id, created_at desc);
create unique index fix_attempts_active on fix_attempts (incident_id, key) where state in ('running', 'waiting');
create index fix_attempts_open on fix_attempts (created_at) where state in ('running', 'waiting');
