import { z } from 'zod';
import { type Clock, seconds } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Log } from '../../core/log.ts';
import { faultsOf, VITAL_FAULTS, type VitalFault } from '../../core/vitals.ts';
import type { Heartbeat } from '../../integrations/heartbeat/heartbeat.ts';
import type { Database } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';
import { processes } from '../../store/processes.ts';
import { isLed, oldestCritical, oldestWebhook } from '../../store/vitals.ts';

/** Where the last signal to the outside is noted, and where the last answer to a poll. */
export const HEARTBEAT = 'heartbeat';
export const POLL = 'telegram.poll';

export const heartbeatSeen = z.object({
  /** Why the outside was told that alerts do not get through; empty when they do. */
  faults: z.array(z.enum(VITAL_FAULTS)).default([]),
  /** Why the outside could not be reached with the last signal. */
  error: z.string().optional(),
  /** The last signal that arrived there. */
  reachedAt: z.coerce.date().optional(),
});
export type HeartbeatSeen = z.output<typeof heartbeatSeen>;

export interface HeartbeatWatchOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly heartbeat: Heartbeat;
  readonly everyMs: number;
  /** Updates come by polling. */
  readonly polling: boolean;
}

export interface HeartbeatWatch {
  /** Signals to the outside while alerts get through to people, until `signal` aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** A process that was not seen for this long does not live. */
const ALIVE_MS = seconds(90);
const FAREWELL_MS = seconds(3);
/** A database that restarts is back sooner. */
const DATABASE_AWAY_MS = seconds(60);

/**
 * Keeps an outside dead-man switch quiet only as long as alerts really get through: somebody leads the outbox, nothing critical
 * waits, Telegram answers, what arrives is applied, a worker lives, and the database can be written. Otherwise it says once why,
 * then nothing: the silence is the alarm.
 */
export function createHeartbeatWatch(options: HeartbeatWatchOptions): HeartbeatWatch {
  const { db, clock, log, heartbeat, everyMs } = options;

  const look = async (since: Date): Promise<VitalFault[]> => {
    const now = clock.now();
    const [outboxLed, critical, intake, alive, poll] = await Promise.all([
      isLed(db, 'outbox'),
      oldestCritical(db, now),
      oldestWebhook(db),
      processes(db, new Date(now.getTime() - ALIVE_MS)),
      observation(db, POLL),
    ]);
    const vitals = {
      outboxLed,
      oldestCritical: critical,
      oldestIntake: intake,
      workerSeen: alive.some(({ role }) => role !== 'bot'),
      since,
      ...(options.polling ? { pollingSince: since, polledAt: poll?.at } : {}),
    };
    return faultsOf(vitals, now);
  };

  const before = async (): Promise<HeartbeatSeen> => {
    const known = heartbeatSeen.safeParse((await observation(db, HEARTBEAT))?.data);
    return known.success ? known.data : heartbeatSeen.parse({});
  };

  const note = (seen: HeartbeatSeen): Promise<void> =>
    observe(db, HEARTBEAT, seen.faults.length === 0 && seen.error === undefined, seen, clock.now());

  let awaySince: Date | undefined;

  const round = async (since: Date, told: readonly VitalFault[], signal: AbortSignal): Promise<VitalFault[]> => {
    let faults: VitalFault[];
    let known: HeartbeatSeen = { faults: [] };
    try {
      [faults, known] = [await look(since), await before()];
      // Written before it is said that all is well: a database that can only be read loses the next alert.
      await note({ ...known, faults });
      awaySince = undefined;
    } catch (error) {
      log.warn({ err: error }, 'the database cannot be asked, so the outside is not told that all is well');
      awaySince ??= clock.now();
      if (clock.now().getTime() - awaySince.getTime() < DATABASE_AWAY_MS) return [...told];
      faults = ['database'];
    }
    if (faults.length > 0 && told.length > 0) return faults;
    try {
      if (faults.length > 0) {
        log.error({ faults }, 'alerts do not get through; the outside dead-man switch is told');
        await heartbeat.beat('fail', `alerts do not get through: ${faults.join(', ')}`, signal);
      } else {
        await heartbeat.beat('success', '', signal);
      }
      if (!faults.includes('database')) await note({ faults, reachedAt: clock.now() });
    } catch (thrown) {
      if (signal.aborted) return faults;
      const error = toVakhtaError(thrown);
      log.warn({ code: error.code, ...error.args }, 'the outside dead-man switch was not reached');
      const reason = String(error.args['reason'] ?? error.code);
      const reachedAt = known.reachedAt ? { reachedAt: known.reachedAt } : {};
      await note({ faults, error: reason, ...reachedAt }).catch(() => {});
      // A failure that nobody heard of is told again.
      return faults.length > 0 ? [] : faults;
    }
    return faults;
  };

  return {
    run: async (signal) => {
      const since = clock.now();
      let told: readonly VitalFault[] = await before()
        .then(({ faults }) => faults)
        .catch(() => []);
      await heartbeat.beat('start', '', signal).catch(() => {});
      while (!signal.aborted) {
        const began = clock.now().getTime();
        told = await round(since, told, signal).catch((error: unknown) => {
          log.warn({ err: error }, 'a signal to the outside was left out');
          return told;
        });
        await clock.sleep(Math.max(0, began + everyMs - clock.now().getTime()), signal).catch(() => {});
      }
      // An orderly stop is no outage yet: the switch only hears that the silence from now on was meant.
      const limit = new AbortController();
      const cancel = clock.after(FAREWELL_MS, () => limit.abort(new Error('timeout')));
      await heartbeat.beat('log', 'Vakhta stops', limit.signal).catch(() => {});
      cancel();
    },
  };
}
