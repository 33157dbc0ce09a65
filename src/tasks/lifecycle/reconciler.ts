import { seconds, type Clock } from '../../core/clock.ts';
import type { Database } from '../../store/db.ts';
import { expirable, staleRunning, unqueued } from '../../store/run-upkeep.ts';
import { openRuns, type Run } from '../../store/runs.ts';
import type { Log } from '../../core/log.ts';
import { HEARTBEAT_MS, type Executor } from './executor.ts';
import { step } from './shared.ts';
import { SYSTEM, WAITS_FOR_LOCK } from './tools.ts';

/** How long a run may stay without a heartbeat, or committed but not picked up, before somebody looks after it. */
export const SILENT_MS = 4 * HEARTBEAT_MS;
export const UNQUEUED_MS = seconds(15);
const AT_ONCE = 4;

export interface Reconciler {
  /** One round: expire what nobody answered, queue what was never queued, find out about what fell silent. */
  readonly round: (signal: AbortSignal) => Promise<void>;
}

export function createReconciler(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly executor: Executor;
  /** Queues a run that has no job; asked again for the same run within a minute, it does nothing. */
  readonly requeue: (run: Run) => Promise<void>;
}): Reconciler {
  const { db, clock, log, executor } = options;

  /** One run that makes trouble must not keep the others waiting. */
  const each = async (runs: readonly Run[], what: string, work: (run: Run) => Promise<unknown>): Promise<void> => {
    const rest = [...runs];
    const lane = async (): Promise<void> => {
      for (let run = rest.shift(); run; run = rest.shift()) {
        const { id } = run;
        await work(run).catch((error: unknown) =>
          log.warn({ run: id, err: error }, `${what} failed, tried again later`),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  };

  return {
    round: async (signal) => {
      const now = clock.now();
      await each(await expirable(db, now), 'expiring', (run) => {
        // What is left of a code that was never looked at goes with it.
        const forget = run.stepUp ? { stepUp: { failures: run.stepUp.failures } } : {};
        return db.tx((tx) => step(tx, run, 'expired', forget, now, { actor: SYSTEM, action: 'run.expired' }));
      });
      await each(await unqueued(db, new Date(now.getTime() - UNQUEUED_MS)), 'queueing again', async (run) => {
        const isWaiting = run.progress?.step.key === WAITS_FOR_LOCK;
        log.debug({ run: run.id, state: run.state, isWaiting }, 'run waits without a known job');
        await options.requeue(run);
      });
      await each(await staleRunning(db, new Date(now.getTime() - SILENT_MS)), 'taking over', async (run) => {
        const { id, worker, operation } = run;
        log.warn({ run: id, worker, operation }, 'worker fell silent, finding out what happened');
        const patch = { progress: { step: { key: 'run-reconciling' } } };
        await db.tx((tx) =>
          step(tx, run, 'reconciling', patch, clock.now(), { actor: SYSTEM, action: 'run.reconciling' }),
        );
      });
      await each(await openRuns(db, ['reconciling']), 'reconciling', async (run) => {
        if (!signal.aborted) await executor.process(run.id, signal);
      });
    },
  };
}
