import type { Clock } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Log } from '../../core/log.ts';
import { actorName, type Actor } from '../../core/people.ts';
import { newErrorId, newId, type Random } from '../../core/random.ts';
import { appendAudit } from '../../store/audit.ts';
import type { Database } from '../../store/db.ts';
import { patchRun, type RunPatch } from '../../store/run-steps.ts';
import { insertRun, run as findRun, type Run } from '../../store/runs.ts';
import { heartbeat } from '../lifecycle/pulse.ts';
import { cancelled, step } from '../lifecycle/shared.ts';
import type { KitDesk, KitMade } from './desk.ts';

export interface RecordEdges {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly actor: Actor;
  /** Of this process, for the history of the run. */
  readonly worker: string;
}

/**
 * Makes a kit outside of the queue, and enters it as a run into the history and the audit, like one from the chat. If this process
 * dies, a worker takes the run over. What cannot be entered keeps no kit from being made: `run` is absent then.
 */
export async function makeRecorded(
  desk: KitDesk,
  edges: RecordEdges,
): Promise<{ readonly made: KitMade; readonly run: Run | undefined }> {
  const { clock, log } = edges;
  const name = desk.nameOf(clock.now());
  const running = await begin(edges, name).catch(unentered(log));
  const controller = new AbortController();
  const stop = running && heartbeat(edges, running, controller);
  const { signal } = controller;
  try {
    const made = await desk.make(signal, { name });
    const verified = running && (await desk.seen(made, signal));
    const isWhole = made.missing.length === 0 && made.offsite?.error === undefined && verified?.ok !== false;
    const patch = { result: made, ...(verified ? { verified } : {}) };
    return { made, run: running && (await end(edges, running, isWhole ? 'succeeded' : 'warning', patch)) };
  } catch (thrown) {
    if (running) {
      const by = signal.aborted
        ? (await findRun(edges.db, running.id).catch(unentered(log)))?.cancelAskedBy
        : undefined;
      if (by !== undefined) {
        await end(edges, running, 'cancelled', { error: cancelled(by) });
        throw thrown;
      }
      const { kind, code, text, args, message } = toVakhtaError(thrown);
      const id = newErrorId(edges.random);
      log.warn({ run: running.id, number: running.number, errorId: id, err: thrown }, message);
      await end(edges, running, 'failed', { error: { id, kind, code, text, args: { ...args } } });
    }
    throw thrown;
  } finally {
    stop?.();
  }
}

const unentered =
  (log: Log) =>
  (error: unknown): undefined => {
    log.warn({ err: error }, 'the kit could not be entered into the history of runs');
  };

/** Asked for and begun at once: nobody else may take it. */
function begin({ db, clock, random, actor, worker }: RecordEdges, name: string): Promise<Run | undefined> {
  const now = clock.now();
  return db.tx(async (tx) => {
    const planned = await insertRun(
      tx,
      { id: newId(random, now), operation: 'kit', args: {}, actor, state: 'planning' },
      now,
    );
    if (!planned) return undefined;
    const subject = `run:${planned.number}`;
    const detail = { operation: planned.operation, args: {} };
    await appendAudit(tx, { actor: actorName(actor), action: 'run.requested', subject, detail }, now);
    const queued = await step(
      tx,
      planned,
      'queued',
      { plan: { target: 'kit', lines: [] }, confirmedBy: actorName(actor) },
      now,
    );
    const decision = { actor, action: 'run.started' };
    const running = queued && (await step(tx, queued, 'running', { worker }, now, decision));
    // So that whoever takes it over knows which one it was.
    return running && patchRun(tx, running.id, { external: { name } }, now);
  });
}

/** The run as it ended; nothing when the database is gone by now, or another worker has taken it over. */
async function end(
  { db, clock, log, actor, worker }: RecordEdges,
  run: Run,
  to: 'succeeded' | 'warning' | 'failed' | 'cancelled',
  patch: RunPatch,
): Promise<Run | undefined> {
  const decision = { actor, action: `run.${to}` };
  return db.tx((tx) => step(tx, run, to, { ...patch, onlyBy: worker }, clock.now(), decision)).catch(unentered(log));
}
