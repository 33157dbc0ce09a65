import { actorName, type Actor, type Operator } from '../../core/people.ts';
import type { RunState } from '../../core/run.ts';
import { appendAudit } from '../../store/audit.ts';
import { touchCards, wantCard } from '../../store/cards.ts';
import type { Tx } from '../../store/db.ts';
import { moveRun, type RunPatch } from '../../store/run-steps.ts';
import type { Run, RunError } from '../../store/runs.ts';
import type { Operation } from '../define.ts';

/** The people of the configuration, by id; asked anew each time, so that a changed role counts at once. */
export type People = (id: string) => Operator | undefined;

/** The outbox's order of importance. */
export const PRIORITY = { critical: 0, answer: 1, warning: 2, information: 3 } as const;

/** Moves a run by compare-and-set, redraws its cards and writes the decision to the audit. Undefined: somebody else was first. */
export async function step(
  tx: Tx,
  run: Run,
  to: RunState,
  patch: RunPatch,
  now: Date,
  decision?: { readonly actor: Actor; readonly action: string; readonly detail?: Record<string, unknown> },
): Promise<Run | undefined> {
  const by = decision ? { by: actorName(decision.actor) } : {};
  const moved = await moveRun(tx, run.id, run.state, to, { ...patch, ...by }, now);
  if (!moved) return undefined;
  if (decision) {
    await appendAudit(
      tx,
      {
        actor: actorName(decision.actor),
        action: decision.action,
        subject: `run:${moved.number}`,
        detail: { operation: moved.operation, args: moved.args, ...decision.detail },
      },
      now,
    );
  }
  await touchCards(tx, 'run', moved.id, now);
  await touchFixed(tx, moved, now, PRIORITY.answer);
  return moved;
}

/** The card of the incident that a run is to mend, and that of the disaster's checklist it belongs to, show how it goes. */
export async function touchFixed(tx: Tx, { origin }: Run, now: Date, priority: number): Promise<void> {
  if (origin.dr !== undefined) await touchCards(tx, 'dr', origin.dr, now, { priority });
  if (origin.fix === undefined || origin.incident === undefined) return;
  await touchCards(tx, 'incident', String(origin.incident), now, { priority });
}

/**
 * Makes sure that people see the run: a card in the chat it was asked in. A quiet operation asked for from an incident, and
 * a fix of it, show on that incident's card, and get one of their own only when `attention` is true.
 */
export async function showRun(tx: Tx, run: Run, operation: Operation, now: Date, attention: boolean): Promise<void> {
  const { origin } = run;
  if (origin.incident !== undefined) await touchCards(tx, 'incident', String(origin.incident), now);
  if (origin.dr !== undefined) await touchCards(tx, 'dr', origin.dr, now);
  const isShown = origin.incident !== undefined || origin.shown === true;
  if (origin.chat === undefined || ((operation.quiet || origin.fix) && isShown && !attention)) return;
  await wantCard(
    tx,
    {
      kind: 'run',
      ref: run.id,
      chat: origin.chat,
      ...(origin.thread === undefined ? {} : { thread: origin.thread }),
      ...(origin.replyTo === undefined ? {} : { replyTo: origin.replyTo }),
      ...(origin.reader === undefined ? {} : { reader: origin.reader }),
      priority: PRIORITY.answer,
    },
    now,
  );
}

/** What a cancelled run carries as its error; `by` as the run has it (`operator:anna`). */
export const cancelled = (by: string): RunError => ({
  kind: 'usage',
  code: 'cancelled',
  text: 'err-cancelled',
  args: { by: by.replace(/^[a-z]+:/u, '') },
});
