-- Up Migration
-- Times are timestamptz and always handed in by the program's clock, never now().

create table inbox (
  seq         bigint generated always as identity primary key,
  update_id   bigint not null unique,
  key         text not null,
  received_at timestamptz not null,
  payload     jsonb not null,
  state       text not null default 'new' check (state in ('new', 'done', 'failed')),
  attempts    integer not null default 0,
  handled_at  timestamptz,
  error       text
);
create index inbox_new on inbox (seq) where state = 'new';
create index inbox_handled on inbox (handled_at) where handled_at is not null;

-- What the transport knows of a chat, beside the configuration. `sends` are the instants of the last minute.
create table chat_state (
  chat_id         bigint primary key,
  blocked_until   timestamptz,
  sends           timestamptz[] not null default '{}',
  migrated_to     bigint,
  disabled_at     timestamptz,
  disabled_reason text,
  topics          jsonb not null default '{}'
);

-- A Telegram message kept equal to a state. `rev` is desired, `delivered_rev` what the chat shows.
create table cards (
  id             uuid primary key,
  kind           text not null,
  ref            text not null,
  chat_id        bigint not null,
  thread_id      bigint,
  reply_to       bigint,
  reader         text,
  view           text not null default '',
  priority       smallint not null default 2,
  message_id     bigint,
  rev            bigint not null default 1,
  delivered_rev  bigint not null default 0,
  delivered_hash text,
  delivered_at   timestamptz,
  created_at     timestamptz not null,
  gone_at        timestamptz,
  unique (kind, ref, chat_id)
);
create index cards_message on cards (chat_id, message_id);

create table outbox (
  id           bigint generated always as identity primary key,
  dedupe_key   text unique,
  coalesce_key text,
  chat_id      bigint not null,
  thread_id    bigint,
  priority     smallint not null check (priority between 0 and 3),
  kind         text not null check (kind in ('card', 'message', 'delete')),
  card_id      uuid references cards on delete cascade,
  body         jsonb,
  state        text not null default 'queued' check (state in ('queued', 'sending', 'sent', 'unknown', 'dropped', 'failed')),
  attempts     integer not null default 0,
  not_before   timestamptz not null,
  lease_until  timestamptz,
  message_id   bigint,
  error        text,
  created_at   timestamptz not null,
  settled_at   timestamptz
);
-- Only what is still to be sent: claiming costs the same with any amount of history.
create index outbox_live on outbox (chat_id, priority, id) where state in ('queued', 'sending');
create index outbox_leases on outbox (lease_until) where state = 'sending';
create index outbox_unknown on outbox (id) where state = 'unknown';
create unique index outbox_coalesce on outbox (coalesce_key) where state = 'queued' and coalesce_key is not null;
create index outbox_settled on outbox (settled_at) where settled_at is not null;
create index outbox_card on outbox (card_id) where card_id is not null;

-- What a button stands for. Single use (but for views), expiring, bound to a chat.
create table actions (
  token      text primary key,
  press      jsonb not null,
  spec_hash  text not null,
  card_id    uuid references cards on delete cascade,
  chat_id    bigint not null,
  only_for   text,
  state      text not null default 'open' check (state in ('open', 'claimed', 'expired')),
  expires_at timestamptz not null,
  created_at timestamptz not null,
  claimed_by text,
  claimed_at timestamptz,
  run_id     uuid
);
create unique index actions_open on actions (card_id, spec_hash) where state = 'open' and card_id is not null;
create index actions_expiry on actions (expires_at);
create index actions_card on actions (card_id) where card_id is not null;
create table callback_seen (
  callback_id text primary key,
  seen_at     timestamptz not null
);
create index callback_seen_at on callback_seen (seen_at);

create table incidents (
  id          bigint generated always as identity primary key,
  source      text not null,
  group_key   text not null,
  current     boolean not null default true,
  state       text not null check (state in ('firing', 'resolved')),
  severity    text not null check (severity in ('critical', 'warning', 'info')),
  title       text not null,
  data        jsonb not null,
  rev         integer not null default 1,
  owner       text,
  acked_at    timestamptz,
  silence     jsonb,
  started_at  timestamptz not null,
  updated_at  timestamptz not null,
  resolved_at timestamptz
);
create unique index incidents_current on incidents (source, group_key) where current;
create index incidents_firing on incidents (severity, started_at) where state = 'firing';
create index incidents_time on incidents (started_at desc);
create table incident_events (
  id          bigint generated always as identity primary key,
  incident_id bigint not null references incidents on delete cascade,
  at          timestamptz not null,
  kind        text not null,
  actor       text,
  data        jsonb not null default '{}'
);
create index incident_events_incident on incident_events (incident_id, id);
create index incident_events_at on incident_events (at);

-- One execution of an operation. This row is the truth; the queue only carries its id.
create table runs (
  id              uuid primary key,
  number          bigint generated always as identity unique,
  operation       text not null,
  args            jsonb not null,
  actor           jsonb not null,
  origin          jsonb not null default '{}',
  state           text not null check (state in ('planning', 'confirming', 'approving', 'queued', 'running', 'verifying',
                    'succeeded', 'warning', 'failed', 'cancelled', 'rejected', 'expired', 'reconciling')),
  rev             integer not null default 1,
  idempotency_key text unique,
  plan            jsonb,
  confirmed_by    text,
  approved_by     text,
  step_up         jsonb,
  cancel_asked_by text,
  progress        jsonb,
  external        jsonb,
  result          jsonb,
  verified        jsonb,
  error           jsonb,
  worker          text,
  heartbeat_at    timestamptz,
  not_before      timestamptz,
  expires_at      timestamptz,
  created_at      timestamptz not null,
  started_at      timestamptz,
  finished_at     timestamptz
);
create index runs_open on runs (state, created_at)
  where state in ('planning', 'confirming', 'approving', 'queued', 'running', 'verifying', 'reconciling');
create index runs_heartbeat on runs (heartbeat_at) where state in ('running', 'verifying');
create index runs_operation on runs (operation, created_at desc);
create index runs_time on runs (created_at desc);
create table run_events (
  id     bigint generated always as identity primary key,
  run_id uuid not null references runs on delete cascade,
  at     timestamptz not null,
  kind   text not null,
  actor  text,
  data   jsonb not null default '{}'
);
create index run_events_run on run_events (run_id, id);
create table run_locks (
  key         text primary key,
  run_id      uuid not null references runs on delete cascade,
  acquired_at timestamptz not null
);
create index run_locks_run on run_locks (run_id);

-- Every decision, chained: hash = sha256(prev_hash, seq, at, actor, action, subject, detail).
create table audit (
  seq       bigint primary key,
  at        timestamptz not null,
  actor     text not null,
  action    text not null,
  subject   text not null,
  detail    jsonb not null default '{}',
  prev_hash text not null,
  hash      text not null
);
create table audit_head (
  only_row boolean primary key default true check (only_row),
  seq      bigint not null,
  hash     text not null
);
insert into audit_head (seq, hash) values (0, repeat('0', 64));
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is append-only';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function audit_is_append_only();

create table schedule_fires (
  name     text not null,
  due_at   timestamptz not null,
  fired_at timestamptz not null,
  outcome  text not null,
  primary key (name, due_at)
);

create table operator_prefs (
  operator_id text primary key,
  language    text,
  updated_at  timestamptz not null
);

-- State of the one conversation (the form), keyed chat:thread:user.
create table conversations (
  key        text primary key,
  state      jsonb not null,
  updated_at timestamptz not null
);

create table step_up_used (
  operator_id text not null,
  step        bigint not null,
  used_at     timestamptz not null,
  primary key (operator_id, step)
);

-- The last handshake with each declared endpoint, and the nearest threshold that was announced for its serial.
create table certificates (
  endpoint     text primary key,
  seen         jsonb not null,
  checked_at   timestamptz not null,
  serial       text,
  announced    integer,
  announced_at timestamptz
);

-- The last answer of each outside system, for /status and the digest: shown with its age, so that silence is not green.
create table observations (
  source  text primary key,
  at      timestamptz not null,
  ok      boolean not null,
  data    jsonb not null
);

create table processes (
  id         text primary key,
  role       text not null,
  version    text not null,
  started_at timestamptz not null,
  seen_at    timestamptz not null
);
