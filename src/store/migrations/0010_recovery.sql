-- Up Migration
-- The ledger of restores that were tried out. The id is that of the run which did it. Never shortened below two years.
create table restore_drills (
  id         uuid primary key,
  number     bigint generated always as identity unique,
  target     text not null,
  trigger    text not null check (trigger in ('schedule', 'person')),
  actor      text not null,
  started_at timestamptz not null,
  ended_at   timestamptz,
  -- `failed`: something was seen to be wrong; `broken`: it could not be done, or somebody stopped it.
  state      text not null default 'running' check (state in ('running', 'passed', 'failed', 'broken')),
  -- Label of the backup, or id of the snapshot.
  source     text,
  rto_ms     bigint,
  rpo_ms     bigint,
  size_bytes bigint,
  versions   jsonb not null default '{}',
  steps      jsonb not null default '[]',
  proofs     jsonb not null default '[]',
  error      jsonb,
  check ((state = 'running') = (ended_at is null))
);
create index restore_drills_target on restore_drills (target, started_at desc);
create index restore_drills_time on restore_drills (started_at desc);
create index restore_drills_open on restore_drills (started_at) where state = 'running';

-- What checks of integrity have found, and whether they catch damage that was done on purpose to a copy (`decoy`).
create table integrity_checks (
  id         bigint generated always as identity primary key,
  target     text not null,
  kind       text not null check (kind in ('verify', 'decoy')),
  at         timestamptz not null,
  -- Of a decoy: `ok` means caught. `broken`: it could not be done.
  state      text not null check (state in ('ok', 'warning', 'failed', 'broken')),
  lines      jsonb not null default '[]',
  read_bytes bigint,
  of_bytes   bigint,
  run        uuid
);
create index integrity_checks_target on integrity_checks (target, kind, at desc);
create index integrity_checks_time on integrity_checks (at desc);
