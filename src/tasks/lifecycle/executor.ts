import { VakhtaError } from '../../core/error.ts';
import { isFinal } from '../../core/run.ts';
import { run as findRun, type Run } from '../../store/runs.ts';
import { createGates } from './gates.ts';
import { stopped } from './stop.ts';
import { createTools, type ExecutorOptions } from './tools.ts';
import { createWork, RECONCILE_LIMIT_MS } from './work.ts';

export type { ExecutorOptions } from './tools.ts';
export { HEARTBEAT_MS } from './pulse.ts';

export interface Executor {
  /** Takes the run as far as it can go now: plan, check a code, execute, or find out what became of it. */
  process(runId: string, shutdown?: AbortSignal): Promise<void>;
  /** Aborts the run if it is executing in this process. */
  cancel(runId: string): void;
  /** Aborts those executing in this process that somebody has cancelled: for when a notification may have been lost. */
  cancelAsked(): Promise<void>;
}

interface Active {
  readonly controller: AbortController;
  /** Somebody handed the run in while it was worked on: look once more before letting go. */
  isWanted: boolean;
  /** Found out to have never started: goes back into the queue, so that the reconciler does not do the work itself. */
  again?: Run | undefined;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const tools = createTools(options);
  const gates = createGates(tools);
  const work = createWork(tools);
  const { db, operations, clock } = options;
  const active = new Map<string, Active>();

  /** One stage; true when the next one may follow at once. */
  const advance = async (run: Run, entry: Active): Promise<boolean> => {
    const { controller } = entry;
    const operation = operations.get(run.operation);
    if (!operation) {
      const unknown = new VakhtaError('usage', 'unknown-operation', `run of unknown operation ${run.operation}`, {
        args: { operation: run.operation },
      });
      const isMoving = run.state === 'planning' || run.state === 'queued' || run.state === 'reconciling';
      if (isMoving) await tools.finish(run, 'failed', { error: tools.record(unknown, run) });
      return false;
    }
    const isReconciling = run.state === 'reconciling';
    const limit = isReconciling ? RECONCILE_LIMIT_MS : operation.timeoutMs;
    const cancelLimit = clock.after(limit, () => controller.abort(stopped('timeout')));
    try {
      if (isReconciling) {
        entry.again = await work.reconcile(run, operation, controller.signal);
        return false;
      }
      if (run.state === 'planning') return (await gates.plan(run, operation, controller.signal)) !== undefined;
      if (run.state === 'confirming') {
        return run.stepUp?.digest !== undefined && (await gates.checkStepUp(run, operation)) !== undefined;
      }
      if (run.state === 'queued') {
        const running = await gates.start(run, operation);
        if (running?.state === 'running') await work.execute(running, operation, controller);
      }
      return false;
    } finally {
      cancelLimit();
    }
  };

  const takeFurther = async (runId: string, entry: Active): Promise<void> => {
    const { controller } = entry;
    for (;;) {
      entry.isWanted = false;
      const run = await findRun(db, runId);
      if (!run || isFinal(run.state)) return;
      const mayGoOn = await advance(run, entry);
      if (controller.signal.aborted || run.state === 'reconciling' || (!mayGoOn && !entry.isWanted)) return;
    }
  };

  return {
    process: async (runId, shutdown) => {
      // One run is worked on once per process; the database keeps other processes away.
      const current = active.get(runId);
      if (current) {
        current.isWanted = true;
        return;
      }
      const entry: Active = { controller: new AbortController(), isWanted: false };
      active.set(runId, entry);
      const onShutdown = () => entry.controller.abort(stopped('shutdown'));
      if (shutdown?.aborted) onShutdown();
      shutdown?.addEventListener('abort', onShutdown, { once: true });
      try {
        await takeFurther(runId, entry);
      } finally {
        shutdown?.removeEventListener('abort', onShutdown);
        active.delete(runId);
      }
      if (entry.again) await options.enqueue(entry.again);
    },
    cancel: (runId) => active.get(runId)?.controller.abort(stopped('cancel')),
    cancelAsked: async () => {
      for (const [runId, { controller }] of active) {
        const isAsked = (await findRun(db, runId))?.cancelAskedBy !== undefined;
        if (isAsked && !controller.signal.aborted) controller.abort(stopped('cancel'));
      }
    },
  };
}
