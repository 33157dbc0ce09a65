import { z } from 'zod';
import { type Clock, minutes, seconds } from '../../core/clock.ts';
import type { Config } from '../../config/schema.ts';
import type { Database } from '../../store/db.ts';
import { lastDrills } from '../../store/drills.ts';
import { currentIncidents } from '../../store/incidents.ts';
import { observation } from '../../store/observations.ts';
import { openScratch } from '../../store/scratch.ts';
import { setAsideKept } from '../../store/webhook-log.ts';
import { createProbeBoard } from './board.ts';
import { wayMs } from './drill-doc.ts';
import { HEARTBEAT, heartbeatSeen } from './heartbeat.ts';
import { WATCHDOG } from './signals.ts';
import { OWN_SOURCE, WATCHDOG_KEY } from './watchdog.ts';

/** How the watch over the watch itself stands; what is not configured is left out. */
export const watcherSchema = z.object({
  probes: z
    .object({
      up: z.number(),
      down: z.array(z.object({ name: z.string(), reason: z.string().optional() })),
      unknown: z.array(z.object({ name: z.string(), reason: z.string().optional() })),
    })
    .optional(),
  watchdog: z.object({ seenAt: z.coerce.date().optional(), missing: z.boolean() }).optional(),
  heartbeat: z
    .object({
      state: z.enum(['ok', 'failing', 'unreachable', 'unknown']),
      /** Why: faults, or what the network said. */
      why: z.string().optional(),
      faults: z.array(z.string()).default([]),
      reachedAt: z.coerce.date().optional(),
    })
    .optional(),
  /** Webhooks of Alertmanager that could not be applied, and are kept. */
  setAside: z.object({ n: z.number(), lastAt: z.coerce.date() }).optional(),
  /** Temporary things whose run is over and that could not be removed. */
  leftovers: z.array(z.object({ kind: z.string(), place: z.string() })).optional(),
  drill: z
    .object({
      number: z.number(),
      state: z.enum(['running', 'passed', 'failed']),
      failedLeg: z.enum(['received', 'shown', 'pressed']).optional(),
      startedAt: z.coerce.date(),
      wayMs: z.number().optional(),
    })
    .optional(),
});
export type WatcherData = z.output<typeof watcherSchema>;

export type WatcherConfig = Pick<Config, 'probes' | 'site' | 'watchdog' | 'heartbeat' | 'drill'>;

/** Out of the own records: nothing outside is asked. */
export async function watcherState(db: Database, clock: Clock, config: WatcherConfig): Promise<WatcherData> {
  const now = clock.now();
  const [leftovers, aside, probes, watchdog, heartbeat, drill] = await Promise.all([
    openScratch(db),
    setAsideKept(db),
    probesOf(db, clock, config),
    config.watchdog ? watchdogOf(db, now, config.watchdog) : undefined,
    config.heartbeat ? heartbeatOf(db, now, config.heartbeat) : undefined,
    config.drill ? drillOf(db) : undefined,
  ]);
  return {
    leftovers: leftovers.flatMap(({ failures, kind, place }) => (failures > 0 ? [{ kind, place }] : [])),
    ...(aside.last ? { setAside: { n: aside.n, lastAt: aside.last } } : {}),
    ...(probes ? { probes } : {}),
    ...(watchdog ? { watchdog } : {}),
    ...(heartbeat ? { heartbeat } : {}),
    ...(drill ? { drill } : {}),
  };
}

async function probesOf(db: Database, clock: Clock, config: WatcherConfig): Promise<WatcherData['probes']> {
  if (config.probes.length === 0) return undefined;
  const lines = await createProbeBoard({ db, clock, config }).list();
  const named = (state: 'down' | 'unknown') =>
    lines.filter((one) => one.state === state).map(({ name, reason }) => ({ name, ...(reason ? { reason } : {}) }));
  return { up: lines.filter(({ state }) => state === 'up').length, down: named('down'), unknown: named('unknown') };
}

async function watchdogOf(
  db: Database,
  now: Date,
  { missingMinutes }: NonNullable<Config['watchdog']>,
): Promise<WatcherData['watchdog']> {
  const [seen, own] = await Promise.all([observation(db, WATCHDOG), currentIncidents(db, OWN_SOURCE, [WATCHDOG_KEY])]);
  const isOld = seen !== undefined && now.getTime() - seen.at.getTime() > minutes(missingMinutes);
  const missing = isOld || own.get(WATCHDOG_KEY)?.state === 'firing';
  return { ...(seen ? { seenAt: seen.at } : {}), missing };
}

async function heartbeatOf(
  db: Database,
  now: Date,
  { everySeconds }: NonNullable<Config['heartbeat']>,
): Promise<WatcherData['heartbeat']> {
  const noted = await observation(db, HEARTBEAT);
  const known = heartbeatSeen.safeParse(noted?.data);
  if (!noted || !known.success) return { state: 'unknown', faults: [] };
  const { faults, error, reachedAt } = known.data;
  const reached = reachedAt ? { reachedAt } : {};
  if (now.getTime() - noted.at.getTime() > 3 * seconds(everySeconds) + seconds(30)) {
    return { state: 'unknown', faults: [], ...reached };
  }
  if (faults.length > 0) return { state: 'failing', faults, ...reached };
  if (error !== undefined) return { state: 'unreachable', why: error, faults: [], ...reached };
  return { state: 'ok', faults: [], ...reached };
}

async function drillOf(db: Database): Promise<WatcherData['drill']> {
  const [last] = await lastDrills(db, 1);
  if (!last) return undefined;
  const { number, state, failedLeg, startedAt } = last;
  const way = wayMs(last);
  return {
    number,
    state,
    startedAt,
    ...(failedLeg === undefined ? {} : { failedLeg }),
    ...(way === undefined ? {} : { wayMs: way }),
  };
}
