import type { Queryable } from './db.ts';
import type { Attempt, Waited } from './outbox.ts';
import { touched } from './rows.ts';

/**
 * Gives a claimed row back because its time has not come (pacing, budget): not an attempt, so that it holds up nobody while
 * it waits. A newer row with the same coalesce key takes its place, and takes over how the next attempt has to differ. False
 * when somebody else has decided on the row since. `waited` says why, for what its reader is told when it comes late.
 */
export async function postpone(
  q: Queryable,
  { id, attempts }: Attempt,
  until: Date,
  waited?: Waited,
): Promise<boolean> {
  const rows = await touched(
    q,
    `with mine as (delete from outbox where id = $1 and state = 'sending' and attempts = $2 returning *)
     insert into outbox as o (id, dedupe_key, coalesce_key, chat_id, thread_id, priority, kind, card_id, body, attempts,
       not_before, error, created_at, message_id, sound, waited)
     overriding system value
     select id, dedupe_key, coalesce_key, chat_id, thread_id, priority, kind, card_id, body, greatest(attempts - 1, 0), $3,
       error, created_at, message_id, sound, coalesce(waited, $4)
     from mine
     on conflict (coalesce_key) where state = 'queued' and coalesce_key is not null do update set
       priority = least(o.priority, excluded.priority), error = coalesce(excluded.error, o.error),
       sound = coalesce(o.sound, excluded.sound), waited = coalesce(o.waited, excluded.waited)`,
    [id, attempts, until, waited],
  );
  return rows > 0;
}
