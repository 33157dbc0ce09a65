import type { Queryable } from './db.ts';
import { touched } from './rows.ts';

/** Uses up a TOTP time step (RFC 6238, 5.2: a code is accepted once). False when it, or a later one, was used before. */
export async function useStep(q: Queryable, operator: string, step: number, now: Date): Promise<boolean> {
  const rows = await touched(
    q,
    `insert into step_up_used (operator_id, step, used_at) select $1, $2, $3
     where not exists (select from step_up_used where operator_id = $1 and step >= $2)
     on conflict do nothing`,
    [operator, step, now],
  );
  return rows > 0;
}

/** Forgets steps used before, but never an operator's latest. */
export function purge(q: Queryable, before: Date): Promise<number> {
  return touched(
    q,
    `delete from step_up_used s where used_at < $1
       and exists (select from step_up_used n where n.operator_id = s.operator_id and n.step > s.step)`,
    [before],
  );
}
