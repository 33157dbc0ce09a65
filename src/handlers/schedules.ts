import { schedule as cron, type ScheduledTask } from 'node-cron';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type CatchUpPolicy, checkSchedule, decide, dueBetween, type ScheduleSpec } from '../core/schedule.ts';
import type { Database, Tx } from '../store/db.ts';
import { fireOnce, lastFire } from '../store/schedules.ts';

/** Something that happens by the clock, once whatever the number of replicas. */
export interface Schedule extends CatchUpPolicy {
  /** Unique and stable: what happened already is remembered under it. */
  readonly name: string;
  readonly spec: ScheduleSpec;
  /**
   * Does it, in the transaction that remembers it: both happen or neither. It only writes rows; what takes time is queued.
   * When it throws, it is tried again a minute later.
   */
  readonly run: (tx: Tx, dueAt: Date, how: { readonly late: boolean }) => Promise<void>;
  /** With `catchUp: 'report'`: tells of what did not happen. */
  readonly missed?: (tx: Tx, what: { readonly from: Date; readonly to: Date; readonly count: number }) => Promise<void>;
}

export interface Scheduler {
  /** Looks at the clock now and at every full minute. */
  start(): void;
  /** Waits for a look that is under way. */
  stop(): Promise<void>;
  /** Does what has become due by `now`; a schedule that fails does not keep the others. */
  tick(now: Date): Promise<void>;
}

/** Due times that are found after a longer absence than this are not even looked for. */
const LOOK_BACK_MS = 35 * 86_400_000;

/** Throws `usage` when a schedule cannot be read or two have one name. */
export function createScheduler(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly schedules: readonly Schedule[];
  readonly log: Log;
}): Scheduler {
  const { db, clock, schedules, log } = options;
  const names = new Set(schedules.map(({ name }) => name));
  if (names.size !== schedules.length) throw new Error('two schedules have the same name');
  for (const { spec } of schedules) checkSchedule(spec);
  let task: ScheduledTask | undefined;
  let looking: Promise<void> | undefined;

  const tick = async (now: Date): Promise<void> => {
    for (const each of schedules) {
      try {
        await look(db, each, now, log);
      } catch (error) {
        log.error({ schedule: each.name, error: String(error) }, 'a schedule failed; it is tried again in a minute');
      }
    }
  };
  const tickNow = () => {
    looking ??= tick(clock.now()).finally(() => {
      looking = undefined;
    });
    return looking;
  };

  return {
    tick,
    start() {
      task ??= cron('* * * * *', tickNow, {
        name: 'vakhta schedules',
        noOverlap: true,
        // A minute that was missed is found in the database at the next one.
        suppressMissedWarning: true,
        logger: {
          debug: (message) => log.debug({}, String(message)),
          info: (message) => log.debug({}, message),
          warn: (message) => log.debug({}, message),
          error: (message) => log.warn({}, String(message)),
        },
      });
      void tickNow();
    },
    async stop() {
      await task?.destroy();
      task = undefined;
      await looking;
    },
  };
}

async function look(db: Database, schedule: Schedule, now: Date, log: Log): Promise<void> {
  const { name, spec } = schedule;
  const last = await lastFire(db, name);
  if (last === undefined) {
    // The first start ever: what was due before is none of our business.
    await fireOnce(db, name, now, now, 'start');
    return;
  }
  const since = new Date(Math.max(last.getTime(), now.getTime() - LOOK_BACK_MS));
  const decisions = decide(schedule, dueBetween(spec, since, now), now);
  const missed = decisions.filter((one) => one.do === 'missed').map(({ dueAt }) => dueAt);
  const [from, to] = [missed[0], missed.at(-1)];
  if (from && to) {
    await db.tx(async (tx) => {
      const report = schedule.catchUp === 'report';
      // The newest stands for all of them.
      if (!(await fireOnce(tx, name, to, now, report ? 'missed' : 'skipped'))) return;
      log.warn({ schedule: name, from, to, count: missed.length }, 'due times passed while nobody was there');
      if (report) await schedule.missed?.(tx, { from, to, count: missed.length });
    });
  }
  for (const { dueAt, do: what } of decisions) {
    if (what === 'missed') continue;
    const late = what === 'late';
    await db.tx(async (tx) => {
      if (!(await fireOnce(tx, name, dueAt, now, late ? 'late' : 'fired'))) return;
      log.info({ schedule: name, dueAt, late }, 'due');
      await schedule.run(tx, dueAt, { late });
    });
  }
}
