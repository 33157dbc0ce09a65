import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, first, many } from './rows.ts';

const row = z.object({ source: z.string(), at, ok: z.boolean(), data: z.unknown() });

/** The last answer of an outside system; shown with its age. */
export type Observation = z.output<typeof row>;

/** Notes an answer (or that there was none: `ok` false); one that is older than the known one is ignored. */
export async function observe(q: Queryable, source: string, ok: boolean, data: unknown, now: Date): Promise<void> {
  await q.query(
    `insert into observations as o (source, at, ok, data) values ($1, $2, $3, $4)
     on conflict (source) do update set at = excluded.at, ok = excluded.ok, data = excluded.data where o.at <= excluded.at`,
    [source, now, ok, toJson(data)],
  );
}

export function observation(q: Queryable, source: string): Promise<Observation | undefined> {
  return first(q, row, 'select source, at, ok, data from observations where source = $1', [source]);
}

/** Those whose source is like this pattern of SQL. */
export function observationsLike(q: Queryable, pattern: string): Promise<Observation[]> {
  return many(q, row, 'select source, at, ok, data from observations where source like $1 order by source', [pattern]);
}

export function allObservations(q: Queryable): Promise<Observation[]> {
  return many(q, row, 'select source, at, ok, data from observations order by source');
}
