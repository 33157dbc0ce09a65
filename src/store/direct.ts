import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { type Queryable, UNHURRIED } from './db.ts';
import type { InboxRow, ReceivedUpdate } from './inbox.ts';
import { at, int, many, only } from './rows.ts';
import type { OutboxRow, Parcel } from './outbox.ts';

/**
 * The short way from an update to its answer, for the process that leads both inbox and outbox: what was stored is handed
 * on in memory at once, instead of being looked for. After a crash the rows are found as any others.
 */

const received = z.object({
  seq: int,
  updateId: int,
  key: z.string(),
  receivedAt: at,
  payload: z.unknown(),
  attempts: int,
});

/** As `receive`, answering the rows that were not known, oldest first. */
export async function receiveRows(q: Queryable, updates: readonly ReceivedUpdate[], now: Date): Promise<InboxRow[]> {
  if (updates.length === 0) return [];
  const rows = await many(
    q,
    received,
    `insert into inbox (update_id, key, received_at, payload)
     select update_id, key, $2, payload from jsonb_to_recordset($1::jsonb) as r (update_id bigint, key text, payload jsonb)
     order by update_id on conflict (update_id) do nothing
     returning seq, update_id as "updateId", key, received_at as "receivedAt", payload, attempts`,
    [toJson(updates), now],
  );
  return rows.toSorted((a, b) => a.seq - b.seq);
}

/**
 * Queues a message that its sender takes at the same moment: `sending` under a lease, unless an older message of the chat
 * that is as urgent has to go first; then it is `queued`, and `undefined` is the answer. Nobody is notified.
 *
 * The commit does not wait for the disk: what this answers is in the inbox, safely stored and not settled, so that after a
 * crash of the machine it is answered again.
 */
export async function enqueueTaken(
  q: Queryable,
  parcel: Pick<Parcel, 'chat' | 'thread' | 'priority' | 'body'> & { readonly kind: 'message' },
  options: { readonly now: Date; readonly leaseMs: number },
): Promise<OutboxRow | undefined> {
  const { chat, thread, priority, kind, body } = parcel;
  const { now, leaseMs } = options;
  const leaseUntil = new Date(now.getTime() + leaseMs);
  const { id, taken } = await only(
    q,
    z.object({ id: int, taken: z.boolean() }),
    `insert into outbox (chat_id, thread_id, priority, kind, body, not_before, created_at, state, attempts, lease_until)
     select $1, $2, $3, $4, $5, $6, $6, case when free then 'sending' else 'queued' end,
       case when free then 1 else 0 end, case when free then $7::timestamptz end
     from (select not exists (
       select from outbox where chat_id = $1 and priority <= $3 and state in ('queued', 'sending')
         and (state = 'sending' or attempts > 0 or not_before <= $6)
     ) as free) as f
     where ${UNHURRIED}
     returning id, state = 'sending' as taken`,
    [chat, thread, priority, kind, toJson(body), now, leaseUntil],
  );
  if (!taken) return undefined;
  return {
    id,
    dedupeKey: undefined,
    coalesceKey: undefined,
    chat,
    thread,
    priority,
    kind,
    cardId: undefined,
    body,
    state: 'sending',
    attempts: 1,
    notBefore: now,
    leaseUntil,
    messageId: undefined,
    error: undefined,
    createdAt: now,
    settledAt: undefined,
    sound: undefined,
    waited: undefined,
  };
}
