-- Up Migration
-- The watch, taken or given by command. The newest one that is in force wins over the rotation.
create table watch_overrides (
  id         bigint generated always as identity primary key,
  run_id     uuid not null unique,
  person     text not null,
  by_person  text not null,
  from_at    timestamptz not null,
  -- Null: until somebody else takes it.
  to_at      timestamptz,
  -- Before that time by somebody's command.
  ended_at   timestamptz,
  told_at    timestamptz
);
create index watch_overrides_open on watch_overrides (from_at) where ended_at is null;

-- Incidents that nobody has taken on: since when, and how many of the configured steps are done.
create table escalations (
  incident_id bigint primary key references incidents on delete cascade,
  since       timestamptz not null,
  -- Somebody is called again: the first step does not wait for its time.
  at_once     boolean not null default false,
  done        integer not null default 0,
  last_at     timestamptz
);

-- Calls of people to incidents, owed and told. Without a person: said again in the chat that shows the incident.
create table pages (
  id          bigint generated always as identity primary key,
  incident_id bigint not null references incidents on delete cascade,
  person      text,
  -- Of an escalation, which stops when somebody takes the incident on; null: meant for this person.
  step        integer,
  -- Key and arguments of the sentence that says why.
  why         jsonb not null,
  owed_at     timestamptz not null,
  told_at     timestamptz,
  -- It became needless before it was told.
  dropped_at  timestamptz,
  -- Told by the message of this other page.
  lead        bigint references pages on delete cascade
);
create unique index pages_owed on pages (incident_id, coalesce(person, '')) where told_at is null and dropped_at is null;
create index pages_incident on pages (incident_id, id);
create index pages_person on pages (person, told_at) where lead is null;
create index pages_lead on pages (lead) where lead is not null;
create index pages_time on pages (owed_at);

-- What a person's quiet hours hold back, until they end.
create table held (
  id          bigint generated always as identity primary key,
  person      text not null,
  incident_id bigint not null references incidents on delete cascade,
  held_at     timestamptz not null,
  until_at    timestamptz not null,
  -- When they were told what is left of it; all of one message have the same time.
  released_at timestamptz
);
create unique index held_open on held (person, incident_id) where released_at is null;
create index held_due on held (until_at) where released_at is null;
create index held_released on held (person, released_at) where released_at is not null;
create index held_incident on held (incident_id);

-- Calls and what quiet hours held back are kept equal to their incidents for a day.
create index cards_calls on cards (created_at) where kind in ('page', 'quiet') and gone_at is null;
