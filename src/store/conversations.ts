import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { first, touched } from './rows.ts';

/** The state of the form, as its library keeps it; the key is chat:thread:user. */
export async function get(q: Queryable, key: string): Promise<unknown> {
  const row = await first(q, z.object({ state: z.unknown() }), 'select state from conversations where key = $1', [key]);
  return row?.state;
}

export async function set(q: Queryable, key: string, state: unknown, now: Date): Promise<void> {
  await q.query(
    `insert into conversations (key, state, updated_at) values ($1, $2, $3)
     on conflict (key) do update set state = excluded.state, updated_at = excluded.updated_at`,
    [key, toJson(state), now],
  );
}

/** True when there was one. */
export async function remove(q: Queryable, key: string): Promise<boolean> {
  return (await touched(q, 'delete from conversations where key = $1', [key])) > 0;
}

/** Forgets forms that nobody answered since. */
export function purge(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from conversations where updated_at < $1', [before]);
}
