-- Up Migration
-- How each of the program's own probes stands. `failures` and `successes` count those in a row.
create table probe_states (
  probe         text primary key,
  state         text not null check (state in ('unknown', 'up', 'down')),
  since         timestamptz not null,
  checked_at    timestamptz not null,
  latency_ms    integer,
  failures      integer not null default 0,
  successes     integer not null default 0,
  failing_since timestamptz,
  reason        text
);

-- How often a probe succeeded and failed on each day of the site's calendar.
create table probe_days (
  probe  text not null,
  day    date not null,
  ok     integer not null default 0,
  failed integer not null default 0,
  primary key (probe, day)
);
create index probe_days_day on probe_days (day);

-- A synthetic alert on its way to a person, leg by leg. The id is that of the run which posted it.
create table alert_drills (
  id          uuid primary key,
  number      bigint generated always as identity unique,
  via         text not null check (via in ('alertmanager', 'direct')),
  state       text not null default 'running' check (state in ('running', 'passed', 'failed')),
  started_by  text not null,
  started_at  timestamptz not null,
  posted_at   timestamptz,
  received_at timestamptz,
  shown_at    timestamptz,
  pressed_at  timestamptz,
  pressed_by  text,
  answer_by   timestamptz not null,
  failed_leg  text check (failed_leg in ('received', 'shown', 'pressed')),
  -- When Alertmanager was told that it is over.
  ended_at    timestamptz
);
create index alert_drills_time on alert_drills (started_at desc);
create index alert_drills_open on alert_drills (started_at) where state = 'running' or ended_at is null;
