import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { RUN_STATES } from '../core/run.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const both = <T extends z.ZodType>(type: T) => z.object({ en: type, ru: type });

const sessionRow = z.object({
  id: z.string(),
  number: int,
  scenario: z.string(),
  mode: z.enum(['drill', 'real']),
  state: z.enum(['running', 'finished', 'aborted']),
  startedBy: z.string(),
  startedAt: at,
  endedBy: optional(z.string()),
  endedAt: optional(at),
  reason: optional(z.string()),
  title: both(z.string()),
});
/** A walk through a disaster runbook. */
export type DrSession = z.output<typeof sessionRow>;

const sessionColumns = `id, number, scenario, mode, state, started_by as "startedBy", started_at as "startedAt",
  ended_by as "endedBy", ended_at as "endedAt", reason, title`;

const stepRow = z.object({
  n: int,
  state: z.enum(['waiting', 'current', 'done', 'skipped']),
  minutes: int,
  content: both(z.object({ title: z.string(), text: z.string() })),
  operation: optional(z.string()),
  startedAt: optional(at),
  endedAt: optional(at),
  endedBy: optional(z.string()),
  reason: optional(z.string()),
});
export type DrStep = z.output<typeof stepRow>;

const stepColumns = `n, state, minutes, content, operation, started_at as "startedAt", ended_at as "endedAt",
  ended_by as "endedBy", reason`;

/** What is kept of the runbook, whatever becomes of the file. */
export interface NewDrSession {
  readonly id: string;
  readonly scenario: string;
  readonly mode: 'drill' | 'real';
  readonly by: string;
  readonly title: DrSession['title'];
  readonly steps: readonly Pick<DrStep, 'minutes' | 'content' | 'operation'>[];
}

/** Begins a session at its first step; false when it was begun before, or another one of this scenario is under way. */
export async function beginDrSession(q: Queryable, session: NewDrSession, now: Date): Promise<boolean> {
  const { id, scenario, mode, by, title, steps } = session;
  const begun = await touched(
    q,
    `insert into dr_sessions (id, scenario, mode, started_by, started_at, title) values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing`,
    [id, scenario, mode, by, now, toJson(title)],
  );
  if (begun === 0) return false;
  await q.query(
    `insert into dr_steps (session, n, state, minutes, content, operation, started_at)
     select $1, (s.value->>'n')::int, case when s.value->>'n' = '1' then 'current' else 'waiting' end,
       (s.value->>'minutes')::int, s.value->'content', s.value->>'operation', case when s.value->>'n' = '1' then $3::timestamptz end
     from jsonb_array_elements($2::jsonb) s`,
    [id, toJson(steps.map((step, at) => ({ ...step, n: at + 1 }))), now],
  );
  return true;
}

export function drSession(q: Queryable, id: string): Promise<DrSession | undefined> {
  return first(q, sessionRow, `select ${sessionColumns} from dr_sessions where id = $1`, [id]);
}

export function drSessionByNumber(q: Queryable, number: number): Promise<DrSession | undefined> {
  return first(q, sessionRow, `select ${sessionColumns} from dr_sessions where number = $1`, [number]);
}

/** The same, locked until the transaction ends. */
export function lockDrSession(q: Queryable, id: string): Promise<DrSession | undefined> {
  return first(q, sessionRow, `select ${sessionColumns} from dr_sessions where id = $1 for update`, [id]);
}

export function liveDrSession(q: Queryable, scenario: string): Promise<DrSession | undefined> {
  return first(q, sessionRow, `select ${sessionColumns} from dr_sessions where scenario = $1 and state = 'running'`, [
    scenario,
  ]);
}

/** Of each scenario the newest one that is under way, and the newest one that was finished. */
export function newestDrSessions(q: Queryable): Promise<DrSession[]> {
  return many(
    q,
    sessionRow,
    `select distinct on (scenario, state) ${sessionColumns} from dr_sessions where state <> 'aborted'
     order by scenario, state, started_at desc`,
  );
}

export function drSteps(q: Queryable, session: string): Promise<DrStep[]> {
  return many(q, stepRow, `select ${stepColumns} from dr_steps where session = $1 order by n`, [session]);
}

/** Ends the current step, if it is this one, and begins the next; false when somebody was faster. */
export async function endDrStep(
  q: Queryable,
  session: string,
  n: number,
  how: { readonly state: 'done' | 'skipped'; readonly by: string; readonly reason?: string },
  now: Date,
): Promise<boolean> {
  const ended = await touched(
    q,
    `update dr_steps set state = $3, ended_at = $4, ended_by = $5, reason = $6
     where session = $1 and n = $2 and state = 'current'`,
    [session, n, how.state, now, how.by, how.reason],
  );
  if (ended === 0) return false;
  await q.query(
    `update dr_steps set state = 'current', started_at = $3 where session = $1 and n = $2 and state = 'waiting'`,
    [session, n + 1, now],
  );
  return true;
}

/** Takes back the end of the step before the current one; false when there is none. */
export async function reopenDrStep(q: Queryable, session: string, n: number): Promise<boolean> {
  await q.query(
    `update dr_steps set state = 'waiting', started_at = null where session = $1 and n = $2 and state = 'current'`,
    [session, n + 1],
  );
  const opened = await touched(
    q,
    `update dr_steps set state = 'current', ended_at = null, ended_by = null, reason = null
     where session = $1 and n = $2 and state in ('done', 'skipped')`,
    [session, n],
  );
  return opened > 0;
}

/** Ends the session; `undefined` when it had ended before. */
export function endDrSession(
  q: Queryable,
  id: string,
  how: { readonly state: 'finished' | 'aborted'; readonly by: string; readonly reason?: string },
  now: Date,
): Promise<DrSession | undefined> {
  return first(
    q,
    sessionRow,
    `update dr_sessions set state = $2, ended_by = $3, ended_at = $4, reason = $5
     where id = $1 and state = 'running' returning ${sessionColumns}`,
    [id, how.state, how.by, now, how.reason],
  );
}

const noteRow = z.object({ step: optional(int), at, by: z.string(), text: z.string() });
export type DrNote = z.output<typeof noteRow>;

/** Keeps what somebody said; the same message once. */
export async function addDrNote(
  q: Queryable,
  session: string,
  note: { readonly by: string; readonly text: string; readonly chat?: number; readonly message?: number },
  now: Date,
): Promise<void> {
  await q.query(
    `insert into dr_notes (session, step, at, by, text, chat_id, message)
     select id, (select n from dr_steps where session = $1 and state = 'current'), $2, $3, $4, $5, $6
     from dr_sessions where id = $1 on conflict do nothing`,
    [session, now, note.by, note.text, note.chat, note.message],
  );
}

export function drNotes(q: Queryable, session: string): Promise<DrNote[]> {
  return many(q, noteRow, 'select step, at, by, text from dr_notes where session = $1 order by id', [session]);
}

const runRow = z.object({
  number: int,
  operation: z.string(),
  state: z.enum(RUN_STATES),
  createdAt: at,
  startedAt: optional(at),
  finishedAt: optional(at),
});
export type DrRun = z.output<typeof runRow>;

/** What was asked for on the card of the session, oldest first; its own steps are not among them. */
export function drRuns(q: Queryable, session: string): Promise<DrRun[]> {
  return many(
    q,
    runRow,
    `select number, operation, state, created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"
     from runs where origin ? 'dr' and origin->>'dr' = $1 and operation not like 'dr.%' order by created_at, number limit 100`,
    [session],
  );
}

/** Forgets sessions that ended before; how many. */
export function purgeDr(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from dr_sessions where ended_at < $1', [before]);
}
