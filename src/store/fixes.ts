import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { RUN_STATES } from '../core/run.ts';
import type { Queryable } from './db.ts';
import { at, first, int, jsonObject, many, optional, touched } from './rows.ts';

export const FIX_STATES = ['running', 'waiting', 'cleared', 'failed', 'dropped'] as const;
export type FixState = (typeof FIX_STATES)[number];

const label = z.object({ ru: z.string(), en: z.string() });

const attempt_ = z.object({
  runId: z.string(),
  incidentId: int,
  key: z.string(),
  label: optional(label),
  fingerprints: z.array(z.string()),
  clearsMinutes: z.number(),
  state: z.enum(FIX_STATES),
  why: optional(z.string()),
  createdAt: at,
  clearsBy: optional(at),
  endedAt: optional(at),
  // Of the run:
  number: int,
  operation: z.string(),
  actor: z.object({ kind: z.string(), id: z.string() }),
  runState: z.enum(RUN_STATES),
  percent: optional(z.coerce.number()),
  startedAt: optional(at),
  finishedAt: optional(at),
});

/** A run that was asked for as a fix, with what is to be known of that run. */
export type FixAttempt = z.output<typeof attempt_>;

const SELECT = `select f.run_id as "runId", f.incident_id as "incidentId", f.key, f.label, f.fingerprints,
    f.clears_minutes as "clearsMinutes", f.state, f.why, f.created_at as "createdAt", f.clears_by as "clearsBy",
    f.ended_at as "endedAt", r.number, r.operation, r.actor, r.state as "runState", r.progress ->> 'percent' as percent,
    r.started_at as "startedAt", r.finished_at as "finishedAt"
  from fix_attempts f join runs r on r.id = f.run_id`;

export interface NewFixAttempt {
  readonly runId: string;
  readonly incidentId: number;
  readonly key: string;
  readonly label?: z.output<typeof label> | undefined;
  readonly fingerprints: readonly string[];
  readonly clearsMinutes: number;
}

/** False when the same fix of the same incident is under way already. */
export async function insertAttempt(q: Queryable, attempt: NewFixAttempt, now: Date): Promise<boolean> {
  const inserted = await touched(
    q,
    `insert into fix_attempts (run_id, incident_id, key, label, fingerprints, clears_minutes, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (incident_id, key) where state in ('running', 'waiting') do nothing`,
    [
      attempt.runId,
      attempt.incidentId,
      attempt.key,
      attempt.label === undefined ? null : toJson(attempt.label),
      attempt.fingerprints,
      attempt.clearsMinutes,
      now,
    ],
  );
  return inserted === 1;
}

/** What was tried on an incident, newest first. */
export function attemptsOf(q: Queryable, incidentId: number, limit: number): Promise<FixAttempt[]> {
  return many(q, attempt_, `${SELECT} where f.incident_id = $1 order by f.created_at desc, r.number desc limit $2`, [
    incidentId,
    limit,
  ]);
}

/** Attempts that have not ended, oldest first. */
export function openAttempts(q: Queryable, limit = 500): Promise<FixAttempt[]> {
  return many(
    q,
    attempt_,
    `${SELECT} where f.state in ('running', 'waiting') order by f.created_at, r.number limit $1`,
    [limit],
  );
}

/** Moves an attempt if it still stands where `from` says. */
export async function moveAttempt(
  q: Queryable,
  runId: string,
  from: FixState,
  to: {
    readonly state: FixState;
    readonly why?: string | undefined;
    readonly clearsBy?: Date | undefined;
    readonly endedAt?: Date | undefined;
  },
): Promise<boolean> {
  const moved = await touched(
    q,
    `update fix_attempts set state = $3, why = $4, clears_by = coalesce($5, clears_by), ended_at = $6
     where run_id = $1 and state = $2`,
    [runId, from, to.state, to.why, to.clearsBy, to.endedAt],
  );
  return moved === 1;
}

const fresh_ = z.object({ id: int, data: jsonObject });

/** Incidents above this number that fire, oldest first: what began since somebody looked. */
export function firingSince(q: Queryable, id: number, limit = 200): Promise<z.output<typeof fresh_>[]> {
  return many(q, fresh_, `select id, data from incidents where id > $1 and state = 'firing' order by id limit $2`, [
    id,
    limit,
  ]);
}

/** The highest number of an incident; 0 when there is none. */
export async function newestIncident(q: Queryable): Promise<number> {
  const row = await first(q, z.object({ id: optional(int) }), 'select max(id) as id from incidents');
  return row?.id ?? 0;
}
