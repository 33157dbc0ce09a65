import { z } from 'zod';
import type { ProbeState } from '../core/probe.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const row = z.object({
  probe: z.string(),
  state: z.enum(['unknown', 'up', 'down']),
  since: at,
  checkedAt: at,
  latencyMs: optional(int),
  failures: int,
  successes: int,
  failingSince: optional(at),
  reason: optional(z.string()),
});
/** How one of the program's own probes stands. */
export type ProbeRow = z.output<typeof row>;

const columns = `probe, state, since, checked_at as "checkedAt", latency_ms as "latencyMs", failures, successes,
  failing_since as "failingSince", reason`;

/** In a transaction with `forUpdate` nobody else writes it meanwhile. */
export function probeState(
  q: Queryable,
  probe: string,
  options: { readonly forUpdate?: boolean } = {},
): Promise<ProbeRow | undefined> {
  return first(
    q,
    row,
    `select ${columns} from probe_states where probe = $1 ${options.forUpdate ? 'for update' : ''}`,
    [probe],
  );
}

export function probeStates(q: Queryable): Promise<ProbeRow[]> {
  return many(q, row, `select ${columns} from probe_states order by probe`);
}

/** Notes a state; one that is older than the known one is ignored. */
export async function saveProbeState(q: Queryable, probe: string, state: ProbeState): Promise<boolean> {
  const rows = await touched(
    q,
    `insert into probe_states as p
       (probe, state, since, checked_at, latency_ms, failures, successes, failing_since, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (probe) do update set state = excluded.state, since = excluded.since, checked_at = excluded.checked_at,
       latency_ms = excluded.latency_ms, failures = excluded.failures, successes = excluded.successes,
       failing_since = excluded.failing_since, reason = excluded.reason
     where p.checked_at <= excluded.checked_at`,
    [
      probe,
      state.state,
      state.since,
      state.checkedAt,
      state.latencyMs === undefined ? null : Math.round(state.latencyMs),
      state.failures,
      state.successes,
      state.failingSince,
      state.reason,
    ],
  );
  return rows > 0;
}

/** Counts one attempt for a day, `YYYY-MM-DD` of the site's calendar. */
export async function countProbe(q: Queryable, probe: string, day: string, ok: boolean): Promise<void> {
  await q.query(
    `insert into probe_days as d (probe, day, ok, failed) values ($1, $2::date, $3, $4)
     on conflict (probe, day) do update set ok = d.ok + excluded.ok, failed = d.failed + excluded.failed`,
    [probe, day, ok ? 1 : 0, ok ? 0 : 1],
  );
}

const dayRow = z.object({ probe: z.string(), day: z.string(), ok: int, failed: int });
export type ProbeDay = z.output<typeof dayRow>;

/** Attempts by day from this day on, oldest first. */
export function probeDays(q: Queryable, fromDay: string): Promise<ProbeDay[]> {
  return many(
    q,
    dayRow,
    `select probe, to_char(day, 'YYYY-MM-DD') as day, ok, failed from probe_days where day >= $1::date order by day, probe`,
    [fromDay],
  );
}

/** Forgets how probes stand that are not declared any more; their days stay until they are old. */
export function keepOnlyProbes(q: Queryable, probes: readonly string[]): Promise<number> {
  return touched(q, 'delete from probe_states where probe <> all ($1::text[])', [probes]);
}

/** Forgets the days before. */
export function purgeProbeDays(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from probe_days where day < $1::date', [before.toISOString().slice(0, 10)]);
}
