-- Up Migration
-- Webhooks as they came, until the reducer has applied them. A row that cannot be applied is set aside and kept.
create table webhook_log (
  seq          bigint generated always as identity primary key,
  body         text not null,
  bytes        integer not null,
  received_at  timestamptz not null,
  attempts     integer not null default 0,
  error        text,
  set_aside_at timestamptz
);
create index webhook_log_set_aside on webhook_log (set_aside_at) where set_aside_at is not null;
