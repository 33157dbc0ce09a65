-- Up Migration

-- Silences of Alertmanager as last seen there, whoever made them, with what this program knows of its own beyond that.
create table silences (
  id             text primary key,
  state          text not null check (state in ('pending', 'active', 'expired')),
  matchers       jsonb not null,
  starts_at      timestamptz not null,
  ends_at        timestamptz not null,
  created_by     text not null,
  comment        text not null,
  -- The alerts that it mutes: how many, and the names of the first ones.
  covers         integer not null default 0,
  names          jsonb not null default '[]',
  -- other: not made by this program.
  purpose        text not null default 'other' check (purpose in ('incident', 'maintenance', 'work', 'other')),
  incident_id    bigint references incidents on delete set null,
  -- The run that made it; several silences of one maintenance share it.
  run_id         uuid references runs on delete set null,
  target         text,
  -- Renewed while the incident fires, ended when it is over.
  until_resolved boolean not null default false,
  -- The silence that was made in its place, to last longer.
  replaced_by    text,
  ended_by       text,
  warned_at      timestamptz,
  -- That it has ended was told.
  told_at        timestamptz,
  seen_at        timestamptz not null
);
create index silences_open on silences (ends_at) where state <> 'expired';
create index silences_of_incident on silences (incident_id) where incident_id is not null;
create index silences_of_run on silences (run_id) where run_id is not null;

-- Silences around the work of a run: its own noise is muted while it works.
create table quietings (
  run_id    uuid primary key references runs on delete cascade,
  -- failed: the alerts could not be muted, the work went on.
  state     text not null check (state in ('open', 'settling', 'closed', 'failed')),
  -- Lists of matchers, one silence each.
  scopes    jsonb not null,
  -- Names of what still fired when it ended.
  still     jsonb not null default '[]',
  -- Why it failed: key and arguments of a text.
  error     jsonb,
  opened_at timestamptz not null,
  close_at  timestamptz,
  closed_at timestamptz
);
create index quietings_open on quietings (run_id) where state in ('open', 'settling');
