import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { type Queryable, UNHURRIED } from './db.ts';
import { at, int, many, only, touched } from './rows.ts';

const row = z.object({ seq: int, updateId: int, key: z.string(), receivedAt: at, payload: z.unknown(), attempts: int });

/** An update of Telegram that is kept, but not handled. */
export type InboxRow = z.output<typeof row>;

export interface ReceivedUpdate {
  readonly update_id: number;
  /** Updates with the same key are handled one after the other. */
  readonly key: string;
  readonly payload: unknown;
}

/** Keeps a batch of updates before they are confirmed to Telegram; answers how many were not known. */
export function receive(q: Queryable, updates: readonly ReceivedUpdate[], now: Date): Promise<number> {
  if (updates.length === 0) return Promise.resolve(0);
  return touched(
    q,
    `insert into inbox (update_id, key, received_at, payload)
     select update_id, key, $2, payload from jsonb_to_recordset($1::jsonb) as r (update_id bigint, key text, payload jsonb)
     order by update_id on conflict (update_id) do nothing`,
    [toJson(updates), now],
  );
}

/** What waits, oldest first, without the keys that are busy. */
export function pending(q: Queryable, limit: number, exceptKeys: readonly string[] = []): Promise<InboxRow[]> {
  return many(
    q,
    row,
    `select seq, update_id as "updateId", key, received_at as "receivedAt", payload, attempts from inbox
     where state = 'new' and key <> all ($2::text[]) order by seq limit $1`,
    [limit, exceptKeys],
  );
}

/** Counts an attempt before it is made; answers how many there were with this one. A crash while handling stays visible. */
export async function attempt(q: Queryable, seq: number): Promise<number> {
  const { attempts } = await only(
    q,
    z.object({ attempts: int }),
    `update inbox set attempts = attempts + 1 where seq = $1 and ${UNHURRIED} returning attempts`,
    [seq],
  );
  return attempts;
}

/** Takes one attempt back: it failed for a reason that is not the update's. */
export async function uncounted(q: Queryable, seq: number): Promise<void> {
  await q.query('update inbox set attempts = greatest(0, attempts - 1) where seq = $1', [seq]);
}

/** Ends an update; false when it was ended before. */
export async function settle(
  q: Queryable,
  seq: number,
  state: 'done' | 'failed',
  now: Date,
  error?: string,
): Promise<boolean> {
  const rows = await touched(
    q,
    "update inbox set state = $2, handled_at = $3, error = $4 where seq = $1 and state = 'new'",
    [seq, state, now, error],
  );
  return rows > 0;
}

/** How many wait, and since when. */
export async function backlog(q: Queryable): Promise<{ readonly waiting: number; readonly oldest?: Date }> {
  const { waiting, oldest } = await only(
    q,
    z.object({ waiting: int, oldest: at.nullable() }),
    "select count(*) as waiting, min(received_at) as oldest from inbox where state = 'new'",
  );
  return oldest === null ? { waiting } : { waiting, oldest };
}

/** Forgets what was handled before. */
export function purge(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from inbox where handled_at < $1', [before]);
}
