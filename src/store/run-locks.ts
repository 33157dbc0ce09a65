import { z } from 'zod';
import type { Queryable } from './db.ts';
import { many } from './rows.ts';
import { type Run, run } from './runs.ts';

export type LockOutcome = { readonly ok: true } | { readonly ok: false; readonly holder: Run; readonly key: string };

const lock = z.object({ key: z.string(), runId: z.string() });

/** Takes all the locks for this run, or none: then the run that holds one of them is answered. Asking again is fine. */
export async function acquireLocks(
  q: Queryable,
  runId: string,
  keys: readonly string[],
  now: Date,
): Promise<LockOutcome> {
  // Sorted, so that two runs with common keys never wait for each other.
  const wanted = [...new Set(keys)].sort();
  if (wanted.length === 0) return { ok: true };
  for (;;) {
    const taken = await many(
      q,
      lock,
      `insert into run_locks (key, run_id, acquired_at)
       select key, $1, $3 from unnest($2::text[]) with ordinality as w (key, n)
       where not exists (select from run_locks l where l.key = any ($2) and l.run_id <> $1) order by n
       on conflict (key) do nothing returning key, run_id as "runId"`,
      [runId, wanted, now],
    );
    const held = await many(q, lock, 'select key, run_id as "runId" from run_locks where key = any ($1) order by key', [
      wanted,
    ]);
    const other = held.find((each) => each.runId !== runId);
    if (!other && held.length === wanted.length) return { ok: true };
    const mine = taken.map(({ key }) => key);
    await q.query('delete from run_locks where run_id = $1 and key = any ($2)', [runId, mine]);
    const holder = other && (await run(q, other.runId));
    if (other && holder) return { ok: false, holder, key: other.key };
    // The holder let go between the two questions: ask again.
  }
}

export async function releaseLocks(q: Queryable, runId: string): Promise<void> {
  await q.query('delete from run_locks where run_id = $1', [runId]);
}
