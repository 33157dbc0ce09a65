import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, optional, touched } from './rows.ts';

/** What became of a due time: fired (in time or late), or only noted. */
export type FireOutcome = 'fired' | 'late' | 'missed' | 'skipped' | 'start';

/** Notes that a due time is dealt with. Of any number of replicas exactly one gets true, and does it in the same transaction. */
export async function fireOnce(
  q: Queryable,
  name: string,
  dueAt: Date,
  now: Date,
  outcome: FireOutcome,
): Promise<boolean> {
  const rows = await touched(
    q,
    'insert into schedule_fires (name, due_at, fired_at, outcome) values ($1, $2, $3, $4) on conflict (name, due_at) do nothing',
    [name, dueAt, now, outcome],
  );
  return rows > 0;
}

/** The latest due time that was dealt with; `undefined` when the schedule has never been started. */
export async function lastFire(q: Queryable, name: string): Promise<Date | undefined> {
  const row = await first(
    q,
    z.object({ due: optional(at) }),
    'select max(due_at) as due from schedule_fires where name = $1',
    [name],
  );
  return row?.due;
}

/** Forgets fires before, but never a schedule's latest: catching up starts there. */
export function purge(q: Queryable, before: Date): Promise<number> {
  return touched(
    q,
    `delete from schedule_fires f where due_at < $1
       and exists (select from schedule_fires n where n.name = f.name and n.due_at > f.due_at)`,
    [before],
  );
}
