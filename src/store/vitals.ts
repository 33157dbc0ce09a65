import { z } from 'zod';
import type { Queryable } from './db.ts';
import { lockKey } from './db-leader.ts';
import { at, first, only, optional } from './rows.ts';

/** Whether a living process leads `name` at this moment. */
export async function isLed(q: Queryable, name: string): Promise<boolean> {
  // A bigint key shows as two halves: its high bits as classid, its low bits as objid (PostgreSQL, pg_locks).
  const { led } = await only(
    q,
    z.object({ led: z.boolean() }),
    `select exists (
       select from pg_locks where locktype = 'advisory' and granted and objsubid = 1
         and database = (select oid from pg_database where datname = current_database())
         and (classid::bigint << 32 | objid::bigint) = $1::bigint
     ) as led`,
    [lockKey(name)],
  );
  return led;
}

/**
 * When the oldest critical message was queued that should be on its way: one that waits for its hour does not count, nor one to
 * a chat that Telegram told us to leave alone, or that cannot be written to at all (its messages go elsewhere), nor one behind
 * others to a chat that takes as many as it may: deliveries go on there.
 */
export async function oldestCritical(q: Queryable, now: Date): Promise<Date | undefined> {
  const found = await first(
    q,
    z.object({ oldest: optional(at) }),
    `select min(o.created_at) as oldest from outbox o left join chat_state s on s.chat_id = o.chat_id
     where o.state in ('queued', 'sending') and o.priority = 0
       and (o.attempts > 0 or o.not_before <= $1::timestamptz + interval '1 minute')
       and coalesce(s.blocked_until <= $1, true) and s.disabled_at is null
       and not (o.waited = 'budget' and exists (
         select from unnest(s.sends) as t where t > $1::timestamptz - interval '1 minute'
       ))`,
    [now],
  );
  return found?.oldest;
}

/** When the oldest webhook came that waits for being applied. */
export async function oldestWebhook(q: Queryable): Promise<Date | undefined> {
  const found = await first(
    q,
    z.object({ oldest: optional(at) }),
    'select min(received_at) as oldest from webhook_log where set_aside_at is null',
  );
  return found?.oldest;
}
