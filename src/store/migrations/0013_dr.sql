-- Up Migration
-- A walk through a disaster runbook, for real or as a drill. The id is that of the run which began it.
create table dr_sessions (
  id         uuid primary key,
  number     bigint generated always as identity unique,
  scenario   text not null,
  mode       text not null check (mode in ('drill', 'real')),
  state      text not null default 'running' check (state in ('running', 'finished', 'aborted')),
  started_by text not null,
  started_at timestamptz not null,
  ended_by   text,
  ended_at   timestamptz,
  -- Why it was given up.
  reason     text,
  -- The heads of the runbook by language, as it was then.
  title      jsonb not null,
  check ((state = 'running') = (ended_at is null))
);
create unique index dr_sessions_live on dr_sessions (scenario) where state = 'running';
create index dr_sessions_scenario on dr_sessions (scenario, started_at desc);

-- One step after the other: `current` is the one at work.
create table dr_steps (
  session    uuid not null references dr_sessions on delete cascade,
  n          integer not null,
  state      text not null default 'waiting' check (state in ('waiting', 'current', 'done', 'skipped')),
  minutes    integer not null,
  -- Title and text by language, as the runbook had them then.
  content    jsonb not null,
  -- What does it, as it is typed.
  operation  text,
  started_at timestamptz,
  ended_at   timestamptz,
  ended_by   text,
  reason     text,
  primary key (session, n)
);
create unique index dr_steps_current on dr_steps (session) where state = 'current';

-- What people said meanwhile.
create table dr_notes (
  id      bigint generated always as identity primary key,
  session uuid not null references dr_sessions on delete cascade,
  step    integer,
  at      timestamptz not null,
  by      text not null,
  text    text not null,
  chat_id bigint,
  message bigint
);
create unique index dr_notes_message on dr_notes (chat_id, message) where message is not null;
create index dr_notes_session on dr_notes (session, id);

-- Runs that were asked for on the card of a session.
create index runs_dr on runs ((origin->>'dr'), created_at) where origin ? 'dr';
