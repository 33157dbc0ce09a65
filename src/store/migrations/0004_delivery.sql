-- Up Migration
-- Pictures wait here until they are shown; bytes as Telegram takes them. Forgotten after a while, as a shown one is Telegram's.
create table pictures (
  id         uuid primary key,
  mime       text not null,
  bytes      bytea not null,
  width      integer not null,
  height     integer not null,
  created_at timestamptz not null
);
create index pictures_created on pictures (created_at);

alter table cards
  -- When the state was wanted that has not been shown yet at all, and when it was: apart by more than a moment, the card says so.
  add wanted_at          timestamptz,
  add first_delivered_at timestamptz,
  add delayed_by         text,
  -- Name of a topic that is looked up, or made, when the card is sent; it goes before thread_id.
  add topic              text,
  -- With or without a sound; null: by severity.
  add sound              boolean,
  -- The picture that the message itself shows; null: it is a text message.
  add shown_picture      uuid;

alter table outbox
  add sound  boolean,
  -- Why it waited last, for whoever wonders at its age.
  add waited text check (waited in ('unreachable', 'flood', 'budget'));
update cards set wanted_at = created_at, first_delivered_at = created_at where delivered_at is not null;

-- Who makes a missing topic, or that it may not be made: two senders never make two.
create table topic_claims (
  chat_id bigint not null,
  name    text not null,
  until   timestamptz not null,
  refused boolean not null default false,
  primary key (chat_id, name)
);
