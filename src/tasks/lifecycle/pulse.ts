import { seconds } from '../../core/clock.ts';
import { touchCards } from '../../store/cards.ts';
import { patchRun } from '../../store/run-steps.ts';
import type { Run } from '../../store/runs.ts';
import type { Progress } from '../define.ts';
import { PRIORITY, touchFixed } from './shared.ts';
import { stopped } from './stop.ts';
import type { Tools } from './tools.ts';

/** How often a run under way says that its worker lives; the reconciler looks after those that fell silent. */
export const HEARTBEAT_MS = seconds(10);

/** How often progress redraws the card of the incident that a run is to mend. */
const INCIDENT_EVERY_MS = seconds(5);

/** Writes the newest progress, once a second at most, and never lets a slow database hold up the work. */
export function progressPump({ db, clock, log, worker, cleanProgress }: Tools, run: Run) {
  let latest: Progress | undefined;
  let writing: Promise<void> | undefined;
  let last = Number.NEGATIVE_INFINITY;
  let shown = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | undefined;
  let stopping = false;

  const write = async (): Promise<void> => {
    const progress = latest;
    if (!progress) return;
    latest = undefined;
    last = clock.now().getTime();
    try {
      await db.tx(async (tx) => {
        const patch = { progress: cleanProgress(progress), onlyBy: worker };
        if (!(await patchRun(tx, run.id, patch, clock.now()))) return;
        await touchCards(tx, 'run', run.id, clock.now());
        // An incident's card has more to say than a percentage, and a chat's budget is small.
        if (last - shown < INCIDENT_EVERY_MS) return;
        shown = last;
        await touchFixed(tx, run, clock.now(), PRIORITY.information);
      });
    } catch (error) {
      log.warn({ run: run.id, err: error }, 'progress was not stored');
    }
  };
  const kick = (): void => {
    if (writing || cancelTimer || stopping) return;
    const wait = last + seconds(1) - clock.now().getTime();
    const go = () => {
      cancelTimer = undefined;
      writing = write().finally(() => {
        writing = undefined;
        if (latest) kick();
      });
    };
    if (wait <= 0) go();
    else cancelTimer = clock.after(wait, go);
  };
  return {
    push: (progress: Progress): void => {
      latest = progress;
      kick();
    },
    /** Stores what came last; nothing is written any more once this has resolved. */
    stop: async (): Promise<void> => {
      stopping = true;
      cancelTimer?.();
      await writing;
      await write();
    },
  };
}

/**
 * Says every few seconds that the worker lives. Obeys a cancel whose notification was lost, and stops the work when the run
 * is no longer ours.
 */
export function heartbeat(
  { db, clock, log, worker }: Pick<Tools, 'db' | 'clock' | 'log' | 'worker'>,
  run: Run,
  controller: AbortController,
): () => void {
  let isOver = false;
  let cancelTimer: (() => void) | undefined;
  const beat = async (): Promise<void> => {
    try {
      const current = await patchRun(db, run.id, { heartbeat: true, onlyBy: worker }, clock.now());
      if (isOver || controller.signal.aborted) return;
      if (!current) controller.abort(stopped('superseded'));
      else if (current.cancelAskedBy !== undefined) controller.abort(stopped('cancel'));
    } catch (error) {
      log.warn({ run: run.id, err: error }, 'heartbeat was not stored');
    }
  };
  const schedule = (): void => {
    cancelTimer = clock.after(HEARTBEAT_MS, () => {
      void beat().then(() => {
        if (!isOver) schedule();
      });
    });
  };
  schedule();
  return () => {
    isOver = true;
    cancelTimer?.();
  };
}
