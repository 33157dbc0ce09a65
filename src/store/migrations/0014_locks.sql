-- Up Migration
-- Locks are paths from now on (src/core/locks.ts). What a run of before holds on a guest goes on to hold it.
update run_locks set key = regexp_replace(key, '^guest:([^:]+):([0-9]+)$', '\1/\2')
 where key ~ '^guest:[^:]+:[0-9]+$';

-- What is temporary outside, noted before it is made. The run may be forgotten before its thing is gone: no foreign key.
create table scratch_things (
  id          bigint generated always as identity primary key,
  run_id      uuid not null,
  kind        text not null,
  place       text not null,
  what        jsonb not null,
  claimed_at  timestamptz not null,
  released_at timestamptz,
  -- Of those who tried to remove it after its run.
  failures    integer not null default 0,
  next_try_at timestamptz,
  error       text,
  -- People were told of it by an incident that has not ended yet.
  told        boolean not null default false
);
create index scratch_things_open on scratch_things (id) where released_at is null;
create index scratch_things_run on scratch_things (run_id);
create index scratch_things_told on scratch_things (id) where told;
create index scratch_things_released on scratch_things (released_at) where released_at is not null;
