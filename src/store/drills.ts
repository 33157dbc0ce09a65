import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const row = z.object({
  id: z.string(),
  number: int,
  via: z.enum(['alertmanager', 'direct']),
  state: z.enum(['running', 'passed', 'failed']),
  startedBy: z.string(),
  startedAt: at,
  postedAt: optional(at),
  receivedAt: optional(at),
  shownAt: optional(at),
  pressedAt: optional(at),
  pressedBy: optional(z.string()),
  answerBy: at,
  failedLeg: optional(z.enum(['received', 'shown', 'pressed'])),
  endedAt: optional(at),
});
/** A synthetic alert on its way to a person; each time is that at which a leg ended. */
export type Drill = z.output<typeof row>;

const columns = `id, number, via, state, started_by as "startedBy", started_at as "startedAt", posted_at as "postedAt",
  received_at as "receivedAt", shown_at as "shownAt", pressed_at as "pressedAt", pressed_by as "pressedBy",
  answer_by as "answerBy", failed_leg as "failedLeg", ended_at as "endedAt"`;

/** Begins a drill; the second time with the same id changes nothing. */
export async function beginDrill(
  q: Queryable,
  drill: Pick<Drill, 'id' | 'via' | 'startedBy' | 'startedAt' | 'answerBy'>,
): Promise<void> {
  await q.query(
    `insert into alert_drills (id, via, started_by, started_at, answer_by) values ($1, $2, $3, $4, $5)
     on conflict (id) do nothing`,
    [drill.id, drill.via, drill.startedBy, drill.startedAt, drill.answerBy],
  );
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

export function drill(q: Queryable, id: string): Promise<Drill | undefined> {
  // It may come from a label that somebody made up.
  return UUID.test(id)
    ? first(q, row, `select ${columns} from alert_drills where id = $1`, [id])
    : Promise.resolve(undefined);
}

/** The newest first. */
export function lastDrills(q: Queryable, limit: number): Promise<Drill[]> {
  return many(q, row, `select ${columns} from alert_drills order by started_at desc, number desc limit $1`, [limit]);
}

/** Those that still run, and those whose alert is still to be ended. */
export function openDrills(q: Queryable): Promise<Drill[]> {
  return many(
    q,
    row,
    `select ${columns} from alert_drills where state = 'running' or ended_at is null order by started_at limit 50`,
  );
}

export async function drillPosted(q: Queryable, id: string, now: Date): Promise<void> {
  await q.query('update alert_drills set posted_at = $2 where id = $1 and posted_at is null', [id, now]);
}

/** True the first time. */
export async function drillReceived(q: Queryable, id: string, now: Date): Promise<boolean> {
  return (
    (await touched(q, 'update alert_drills set received_at = $2 where id = $1 and received_at is null', [id, now])) > 0
  );
}

/** Takes the time at which its card was first seen in the chat from the card itself. */
export async function noteShown(q: Queryable): Promise<void> {
  await q.query(
    `update alert_drills d set shown_at = coalesce(c.first_delivered_at, c.delivered_at)
     from cards c where c.kind = 'drill' and c.ref = d.id::text and d.shown_at is null and c.delivered_at is not null`,
  );
}

/**
 * Somebody pressed: in time the drill has passed, too late it stays failed and the time is noted. `undefined` when somebody was
 * faster, or it had not arrived.
 */
export function drillPressed(q: Queryable, id: string, by: string, now: Date): Promise<Drill | undefined> {
  return first(
    q,
    row,
    `update alert_drills set pressed_at = $3, pressed_by = $2,
       state = case when state = 'running' and $3 <= answer_by then 'passed' else 'failed' end,
       failed_leg = case when state = 'running' and $3 <= answer_by then null else coalesce(failed_leg, 'pressed') end
     where id = $1 and pressed_at is null and received_at is not null returning ${columns}`,
    [id, by, now],
  );
}

/** Gives a running drill up at a leg; false when it went on meanwhile. */
export async function drillFailed(q: Queryable, id: string, leg: 'received' | 'shown' | 'pressed'): Promise<boolean> {
  const rows = await touched(
    q,
    `update alert_drills set state = 'failed', failed_leg = $2 where id = $1 and state = 'running' and pressed_at is null
       and ($2 <> 'received' or received_at is null) and ($2 <> 'shown' or shown_at is null)`,
    [id, leg],
  );
  return rows > 0;
}

export async function drillEnded(q: Queryable, id: string, now: Date): Promise<void> {
  await q.query('update alert_drills set ended_at = $2 where id = $1 and ended_at is null', [id, now]);
}

/** Forgets drills that were started before. */
export function purgeDrills(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from alert_drills where started_at < $1', [before]);
}
