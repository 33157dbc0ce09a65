import { DateTime } from 'luxon';
import { z } from 'zod';
import { type Clock, days, seconds } from '../../core/clock.ts';
import { instanceOf } from '../../core/probe.ts';
import type { Config, Probe } from '../../config/schema.ts';
import type { Queryable } from '../../store/db.ts';
import { type ProbeDay, probeDays, type ProbeRow, probeStates } from '../../store/probes.ts';

export const probeLine = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['http', 'tcp', 'tls', 'icmp']),
  instance: z.string(),
  /** `unknown` also when nobody has looked for a while: silence is not green. */
  state: z.enum(['unknown', 'up', 'down']),
  since: z.coerce.date().optional(),
  checkedAt: z.coerce.date().optional(),
  latencyMs: z.number().optional(),
  reason: z.string().optional(),
  /** Failures in a row that are not an outage yet. */
  failures: z.number().default(0),
  /** Share of attempts that succeeded in the last seven days, 0–1; absent when there were none. */
  week: z.number().optional(),
});
export type ProbeLine = z.output<typeof probeLine>;

/** The declared probes as they stand, out of the own records. */
export interface ProbeBoard {
  list(): Promise<readonly ProbeLine[]>;
}

const WEEK_DAYS = 7;

export function createProbeBoard(options: {
  readonly db: Queryable;
  readonly clock: Clock;
  readonly config: Pick<Config, 'probes' | 'site'>;
}): ProbeBoard {
  const { db, clock, config } = options;
  return {
    list: async () => {
      if (config.probes.length === 0) return [];
      const now = clock.now();
      const from = DateTime.fromMillis(now.getTime() - days(WEEK_DAYS - 1), { zone: config.site.zone });
      const [rows, counted] = await Promise.all([probeStates(db), probeDays(db, from.toISODate() ?? '')]);
      return config.probes.map((probe) => {
        const row = rows.find(({ probe: id }) => id === probe.id);
        return lineOf(probe, row, shareOf(probe.id, counted), now);
      });
    },
  };
}

function lineOf(probe: Probe, row: ProbeRow | undefined, week: number | undefined, now: Date): ProbeLine {
  const known = { id: probe.id, name: probe.name, kind: probe.kind, instance: instanceOf(probe.kind, probe.target) };
  const share = week === undefined ? {} : { week };
  if (!row) return { ...known, ...share, state: 'unknown', failures: 0 };
  const staleMs = 3 * seconds(probe.everySeconds) + seconds(probe.timeoutSeconds) + seconds(60);
  const isStale = now.getTime() - row.checkedAt.getTime() > staleMs;
  return {
    ...known,
    ...share,
    // What was seen then says nothing about now, unless it was bad: an outage stays one until somebody has seen its end.
    state: isStale && row.state === 'up' ? 'unknown' : row.state,
    since: isStale && row.state === 'up' ? row.checkedAt : row.since,
    checkedAt: row.checkedAt,
    failures: row.failures,
    ...(row.latencyMs === undefined ? {} : { latencyMs: row.latencyMs }),
    ...(row.reason === undefined ? {} : { reason: row.reason }),
  };
}

function shareOf(probe: string, counted: readonly ProbeDay[]): number | undefined {
  const own = counted.filter((one) => one.probe === probe);
  const ok = own.reduce((sum, one) => sum + one.ok, 0);
  const all = own.reduce((sum, one) => sum + one.ok + one.failed, 0);
  return all === 0 ? undefined : ok / all;
}
