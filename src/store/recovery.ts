import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Text } from '../core/i18n.ts';
import type { DrillReport } from '../core/recovery.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const text = z.object({
  key: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
});

const drillRow = z.object({
  id: z.string(),
  number: int,
  target: z.string(),
  trigger: z.enum(['schedule', 'person']),
  actor: z.string(),
  startedAt: at,
  endedAt: optional(at),
  state: z.enum(['running', 'passed', 'failed', 'broken']),
  source: optional(z.string()),
  rtoMs: optional(int),
  rpoMs: optional(int),
  sizeBytes: optional(int),
  versions: z.record(z.string(), z.string()),
  steps: z.array(z.object({ text, ms: z.number() })),
  proofs: z.array(z.object({ ok: z.boolean(), text })),
  error: optional(text),
});
/** A restore that was tried out, as the ledger keeps it. `actor` as `operator:anna` or `schedule:…`. */
export type RestoreDrill = z.output<typeof drillRow>;

const columns = `id, number, target, trigger, actor, started_at as "startedAt", ended_at as "endedAt", state, source,
  rto_ms as "rtoMs", rpo_ms as "rpoMs", size_bytes as "sizeBytes", versions, steps, proofs, error`;

/** Enters a drill into the ledger; the second time with the same id changes nothing. */
export async function beginRestoreDrill(
  q: Queryable,
  drill: Pick<RestoreDrill, 'id' | 'target' | 'trigger' | 'actor' | 'startedAt'>,
): Promise<void> {
  await q.query(
    `insert into restore_drills (id, target, trigger, actor, started_at) values ($1, $2, $3, $4, $5)
     on conflict (id) do nothing`,
    [drill.id, drill.target, drill.trigger, drill.actor, drill.startedAt],
  );
}

/** Ends a running drill with what was seen; `undefined` when it had ended before. */
export function endRestoreDrill(
  q: Queryable,
  id: string,
  state: 'passed' | 'failed',
  report: DrillReport,
  now: Date,
): Promise<RestoreDrill | undefined> {
  const { source, rtoMs, rpoMs, sizeBytes, versions, steps, proofs } = report;
  return first(
    q,
    drillRow,
    `update restore_drills set state = $2, ended_at = $3, source = $4, rto_ms = $5, rpo_ms = $6, size_bytes = $7,
       versions = $8, steps = $9, proofs = $10
     where id = $1 and state = 'running' returning ${columns}`,
    [
      id,
      state,
      now,
      source,
      Math.round(rtoMs),
      whole(rpoMs),
      whole(sizeBytes),
      toJson(versions),
      toJson(steps),
      toJson(proofs),
    ],
  );
}

/** Notes that a running drill could not be done; `undefined` when it had ended before. */
export function breakRestoreDrill(q: Queryable, id: string, error: Text, now: Date): Promise<RestoreDrill | undefined> {
  return first(
    q,
    drillRow,
    `update restore_drills set state = 'broken', ended_at = $2, error = $3
     where id = $1 and state = 'running' returning ${columns}`,
    [id, now, toJson(error)],
  );
}

export function restoreDrill(q: Queryable, id: string): Promise<RestoreDrill | undefined> {
  return first(q, drillRow, `select ${columns} from restore_drills where id = $1`, [id]);
}

/** The newest first. */
export function restoreDrills(
  q: Queryable,
  { target, since, limit = 500 }: { readonly target?: string; readonly since?: Date; readonly limit?: number } = {},
): Promise<RestoreDrill[]> {
  return many(
    q,
    drillRow,
    `select ${columns} from restore_drills
     where ($1::text is null or target = $1) and ($2::timestamptz is null or started_at >= $2)
     order by started_at desc, number desc limit $3`,
    [target, since, limit],
  );
}

/** Of each target the newest drill that has ended, or with `passed` the newest good one. */
export function newestRestoreDrills(q: Queryable, which: 'ended' | 'passed'): Promise<RestoreDrill[]> {
  return many(
    q,
    drillRow,
    `select distinct on (target) ${columns} from restore_drills
     where state ${which === 'passed' ? `= 'passed'` : `<> 'running'`} order by target, started_at desc, number desc`,
  );
}

/**
 * Completes the ledger: drills that still run although their run has ended are broken, with the error of the run. How many.
 */
export function breakOrphanedDrills(q: Queryable, now: Date): Promise<number> {
  return touched(
    q,
    `update restore_drills d set state = 'broken', ended_at = coalesce(r.finished_at, $1),
       error = case when r.error is null then '{"key": "recovery-lost"}'::jsonb
         else jsonb_strip_nulls(jsonb_build_object('key', r.error->'text', 'args', r.error->'args')) end
     from restore_drills o left join runs r on r.id = o.id
     where d.id = o.id and d.state = 'running'
       and (r.id is null or r.state in ('succeeded', 'warning', 'failed', 'cancelled', 'rejected', 'expired'))`,
    [now],
  );
}

/** Enters drills of the clock that were refused before they began: a target that cannot be tried out is not proven. How many. */
export function enterRefusedDrills(q: Queryable, since: Date): Promise<number> {
  return touched(
    q,
    `insert into restore_drills (id, target, trigger, actor, started_at, ended_at, state, error)
     select r.id, r.args->>'target', 'schedule', 'schedule:' || (r.actor->>'id'), r.created_at, r.finished_at, 'broken',
       jsonb_strip_nulls(jsonb_build_object('key', coalesce(r.error->'text', '"recovery-lost"'), 'args', r.error->'args'))
     from runs r
     where r.operation = 'drill.restore' and r.actor->>'kind' = 'schedule' and r.state in ('failed', 'expired') and r.finished_at >= $1
     on conflict (id) do nothing`,
    [since],
  );
}

const checkRow = z.object({
  target: z.string(),
  kind: z.enum(['verify', 'decoy']),
  at,
  state: z.enum(['ok', 'warning', 'failed', 'broken']),
  lines: z.array(text),
  readBytes: optional(int),
  ofBytes: optional(int),
});
/** What a check of integrity has found. */
export type IntegrityCheck = z.output<typeof checkRow>;

const checkColumns = `target, kind, at, state, lines, read_bytes as "readBytes", of_bytes as "ofBytes"`;

export async function addIntegrityCheck(q: Queryable, check: IntegrityCheck, run?: string): Promise<void> {
  await q.query(
    `insert into integrity_checks (target, kind, at, state, lines, read_bytes, of_bytes, run)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      check.target,
      check.kind,
      check.at,
      check.state,
      toJson(check.lines),
      whole(check.readBytes),
      whole(check.ofBytes),
      run,
    ],
  );
}

/** Of each target and kind the newest check. */
export function newestIntegrityChecks(q: Queryable): Promise<IntegrityCheck[]> {
  return many(
    q,
    checkRow,
    `select distinct on (target, kind) ${checkColumns} from integrity_checks order by target, kind, at desc, id desc`,
  );
}

/** Of each target the newest planted damage that was caught. */
export function newestCaught(q: Queryable): Promise<IntegrityCheck[]> {
  return many(
    q,
    checkRow,
    `select distinct on (target) ${checkColumns} from integrity_checks where kind = 'decoy' and state = 'ok'
     order by target, at desc, id desc`,
  );
}

/** The newest first. */
export function integrityChecks(
  q: Queryable,
  { target, limit = 100 }: { readonly target?: string; readonly limit?: number } = {},
): Promise<IntegrityCheck[]> {
  return many(
    q,
    checkRow,
    `select ${checkColumns} from integrity_checks where ($1::text is null or target = $1) order by at desc, id desc limit $2`,
    [target, limit],
  );
}

/** Forgets what is older; the caller leaves at least two years. */
export async function purgeRecovery(q: Queryable, before: Date): Promise<number> {
  return (
    (await touched(q, `delete from restore_drills where ended_at < $1`, [before])) +
    (await touched(q, `delete from integrity_checks where at < $1`, [before]))
  );
}

const whole = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.round(value));
