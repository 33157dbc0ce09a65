import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, many, touched } from './rows.ts';

const row = z.object({ id: z.string(), role: z.string(), version: z.string(), startedAt: at, seenAt: at });

/** One running Vakhta. */
export type ProcessRow = z.output<typeof row>;

/** Says that this process lives; the first call notes when it started. */
export async function heartbeat(
  q: Queryable,
  process: { readonly id: string; readonly role: string; readonly version: string },
  now: Date,
): Promise<void> {
  await q.query(
    `insert into processes (id, role, version, started_at, seen_at) values ($1, $2, $3, $4, $4)
     on conflict (id) do update set role = excluded.role, version = excluded.version, seen_at = excluded.seen_at`,
    [process.id, process.role, process.version, now],
  );
}

/** The processes that were seen since. */
export function processes(q: Queryable, seenSince: Date): Promise<ProcessRow[]> {
  return many(
    q,
    row,
    'select id, role, version, started_at as "startedAt", seen_at as "seenAt" from processes where seen_at >= $1 order by started_at, id',
    [seenSince],
  );
}

/** A process that ends by itself says so. */
export async function leave(q: Queryable, id: string): Promise<void> {
  await q.query('delete from processes where id = $1', [id]);
}

export function purge(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from processes where seen_at < $1', [before]);
}
