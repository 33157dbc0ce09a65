import { z } from 'zod';
import type { Queryable, Tx } from './db.ts';
import { first } from './rows.ts';
import { type Run, run } from './runs.ts';

export type LockOutcome = { readonly ok: true } | { readonly ok: false; readonly holder: Run; readonly key: string };

const lock = z.object({ key: z.string(), runId: z.string() });

/** Keys of two integers are nobody else's in this program: "vakh" and "lock" in bytes. */
const ONE_AT_A_TIME = 'select pg_advisory_xact_lock(1986095976, 1819239275)';

/**
 * Takes all the locks for this run, or none: then the run that holds one in their way is answered, with what it holds. A path is
 * in the way of itself, of what it is a part of, and of its parts (`conflict` in core/locks.ts). Asking again is fine.
 */
export async function acquireLocks(tx: Tx, runId: string, keys: readonly string[], now: Date): Promise<LockOutcome> {
  const wanted = [...new Set(keys)];
  if (wanted.length === 0) return { ok: true };
  // No unique index knows of ancestors: who takes locks does so one after the other, until the end of the transaction.
  await tx.query(ONE_AT_A_TIME);
  for (;;) {
    const other = await first(
      tx,
      lock,
      `select key, run_id as "runId" from run_locks l where run_id <> $1 and exists (
         select from unnest($2::text[]) as w (key)
         where l.key = w.key or starts_with(l.key, w.key || '/') or starts_with(w.key, l.key || '/'))
       order by length(key), key limit 1`,
      [runId, wanted],
    );
    if (!other) break;
    const holder = await run(tx, other.runId);
    if (holder) return { ok: false, holder, key: other.key };
    // The holder was forgotten between the two questions, and its locks with it: ask again.
  }
  await tx.query(
    `insert into run_locks (key, run_id, acquired_at) select key, $1, $3 from unnest($2::text[]) as w (key)
     on conflict (key) do nothing`,
    [runId, wanted, now],
  );
  return { ok: true };
}

export async function releaseLocks(q: Queryable, runId: string): Promise<void> {
  await q.query('delete from run_locks where run_id = $1', [runId]);
}
