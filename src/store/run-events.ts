import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, jsonObject, many, optional } from './rows.ts';

const event_ = z.object({ at, kind: z.string(), actor: optional(z.string()), data: jsonObject });
export type RunEvent = z.output<typeof event_>;

export async function appendRunEvent(
  q: Queryable,
  id: string,
  event: {
    readonly kind: string;
    readonly actor?: string | undefined;
    readonly data?: Readonly<Record<string, unknown>>;
  },
  now: Date,
): Promise<void> {
  await q.query('insert into run_events (run_id, at, kind, actor, data) values ($1, $2, $3, $4, $5)', [
    id,
    now,
    event.kind,
    event.actor,
    toJson(event.data ?? {}),
  ]);
}

/** The history of a run, oldest first. */
export function runEvents(q: Queryable, id: string): Promise<RunEvent[]> {
  return many(q, event_, 'select at, kind, actor, data from run_events where run_id = $1 order by id', [id]);
}
