import { seconds, type Clock } from '../../core/clock.ts';
import type { Actor } from '../../core/people.ts';
import type { Database } from '../../store/db.ts';
import { expirable, openRuns, staleRunning, unqueued, type Run } from '../../store/runs.ts';
import type { Log } from '../../core/log.ts';
import { HEARTBEAT_MS, type Executor } from './executor.ts';
import { step } from './shared.ts';

/** How long a run may stay without a heartbeat, or committed but not picked up, before somebody looks after it. */
const SILENT_MS = 4 * HEARTBEAT_MS;
const UNQUEUED_MS = seconds(15);
const SYSTEM: Actor = { kind: 'system', id: 'vakhta' };

export interface Reconciler {
  /** One round: expire what nobody answered, queue what was never queued, find out about what fell silent. */
  round(signal: AbortSignal): Promise<void>;
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
  return {
    round: async (signal) => {
      const now = clock.now();
      for (const run of await expirable(db, now)) {
        await db.tx((tx) => step(tx, run, 'expired', {}, now, { actor: SYSTEM, action: 'run.expired' }));
      }
      for (const run of await unqueued(db, new Date(now.getTime() - UNQUEUED_MS))) {
        log.info({ run: run.id, state: run.state }, 'run was waiting without a job, queued again');
        await options.requeue(run);
      }
      for (const run of await staleRunning(db, new Date(now.getTime() - SILENT_MS))) {
        log.warn(
          { run: run.id, worker: run.worker, operation: run.operation },
          'worker fell silent, finding out what happened',
        );
        await db.tx((tx) =>
          step(tx, run, 'reconciling', { progress: { step: { key: 'run-reconciling' } } }, clock.now(), {
            actor: SYSTEM,
            action: 'run.reconciling',
          }),
        );
      }
      for (const run of await openRuns(db, ['reconciling'])) {
        if (signal.aborted) return;
        await executor.process(run.id, signal);
      }
    },
  };
}
