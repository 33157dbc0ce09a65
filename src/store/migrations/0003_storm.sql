-- Up Migration
-- Many incidents of one chat at once, shown by one card. calm_at: nothing new for a while, those that still fire get their own.
create table storms (
  id         bigint generated always as identity primary key,
  chat_id    bigint not null,
  thread_id  bigint,
  topic      text,
  started_at timestamptz not null,
  last_at    timestamptz not null,
  calm_at    timestamptz,
  ended_at   timestamptz
);
create unique index storms_open on storms (chat_id) where ended_at is null;
create index storms_ended on storms (ended_at) where ended_at is not null;

create table storm_incidents (
  storm_id    bigint not null references storms on delete cascade,
  incident_id bigint not null references incidents on delete cascade,
  -- Has a card of its own, since when: at its beginning, or released once it was calm.
  own_card    boolean not null,
  released_at timestamptz,
  primary key (storm_id, incident_id)
);
create index storm_incidents_incident on storm_incidents (incident_id);
-- How many cards of incidents a chat got within the last minute.
create index cards_recent on cards (chat_id, created_at) where kind = 'incident';

alter table incidents
  -- It says that a node or a guest is down.
  add says_down   boolean not null default false,
  -- The incident that shows it, because it runs on what is down by that one.
  add folded_into bigint references incidents on delete set null;
create index incidents_down on incidents (id) where state = 'firing' and says_down;
create index incidents_folded on incidents (folded_into) where folded_into is not null;
