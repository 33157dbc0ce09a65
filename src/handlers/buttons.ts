import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { actorName, holds, type Operator } from '../core/people.ts';
import { type Action, claimAction, findAction, linkRun, reopenAction, seenCallback } from '../store/actions.ts';
import { appendAudit } from '../store/audit.ts';
import {
  type Card,
  card as findCard,
  cardByMessage,
  delivered,
  forgetDrawing,
  setView,
  touchCards,
} from '../store/cards.ts';
import type { Database } from '../store/db.ts';
import type { Origin } from '../store/runs.ts';
import { incidentOfCard } from '../store/why.ts';
import type { Operation } from '../tasks/define.ts';
import type { Requests } from '../tasks/lifecycle/requests.ts';
import { nextMissing } from './command-line.ts';

export interface ButtonsOptions {
  readonly db: Database;
  readonly requests: Requests;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly clock: Clock;
  /** Whether confirming this run asks for the target's name and a code. */
  readonly needsStepUp: (runId: string) => Promise<boolean>;
}

export interface Pressed {
  /** Absent when the data of the button is not ours. */
  readonly token: string | undefined;
  readonly callbackId: string;
  readonly chat: number;
  readonly thread?: number;
  readonly messageId: number;
  /** Who pressed; absent for somebody without a role. */
  readonly operator: Operator | undefined;
  readonly userId: number;
}

/** What became of a press; `redraw` is the card that should be drawn at once. */
export type Pressing =
  /** It did what it says. `settled`: the message under the button is a question that is answered now. */
  | { readonly kind: 'done'; readonly redraw?: string; readonly settled?: boolean }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'outsider' }
  | { readonly kind: 'not-yours' }
  | { readonly kind: 'lost'; readonly by: string; readonly at: Date; readonly redraw?: string }
  | { readonly kind: 'stale'; readonly redraw?: string }
  | { readonly kind: 'refused'; readonly error: VakhtaError; readonly redraw?: string }
  /** Some arguments are missing: ask for them. */
  | {
      readonly kind: 'ask';
      readonly operation: Operation;
      readonly args: Readonly<Record<string, unknown>>;
      readonly origin: Origin;
      readonly redraw?: string;
      readonly settled: boolean;
    }
  /** Confirming needs the target's name and a code: ask for them. */
  | { readonly kind: 'step-up'; readonly runId: string };

export interface Outcome {
  readonly pressing: Pressing;
  /** The message is not the one that its card shows (it was sent twice, or the card moved on): take its buttons away. */
  readonly strip: boolean;
}

/** The press of a button, from Telegram's data to what is done. A button that is unknown or stale never does anything. */
export function createButtons(options: ButtonsOptions): (pressed: Pressed) => Promise<Outcome> {
  const { db, requests, operations, clock } = options;

  const redraw = async (card: Card | undefined): Promise<{ redraw?: string }> => {
    if (card === undefined || card.goneAt !== undefined) return {};
    // In the database and before it is queued: the outbox may be faster than what this process tells it afterwards.
    await db.tx(async (tx) => {
      await forgetDrawing(tx, card.id);
      await touchCards(tx, card.kind, card.ref, clock.now(), { priority: 1 });
    });
    return { redraw: card.id };
  };

  /** A second message of a card: adopted when the card has lost its own, else without buttons from now on. */
  const adopt = async (card: Card, messageId: number): Promise<boolean> => {
    if (card.messageId === messageId) return false;
    if (card.messageId !== undefined) return true;
    const { deliveredRev: rev, chat } = card;
    return 'noted' !== (await delivered(db, card.id, { rev, hash: '', messageId, was: undefined, chat }, clock.now()));
  };

  const denied = async (
    operator: Operator,
    card: Card | undefined,
    subject: string,
    needs: string,
  ): Promise<VakhtaError> => {
    const actor = actorName({ kind: 'operator', id: operator.id });
    const incident = card && (await incidentOfCard(db, card));
    const detail = { action: 'press', needs, ...(incident === undefined ? {} : { incident }) };
    await db.tx((tx) => appendAudit(tx, { actor, action: 'denied', subject, detail }, clock.now()));
    return new VakhtaError('denied', 'no-role', `${actor} needs ${needs} for ${subject}`, { args: { role: needs } });
  };

  /** A press on the card of an incident of which nothing came: the incident's ledger tells of it, and why (`/why`). */
  const noteVain = async (
    operator: Operator,
    card: Card | undefined,
    action: Action | undefined,
    pressing: Pressing,
  ) => {
    const why = vain(pressing);
    const incident = why && card && (await incidentOfCard(db, card));
    if (incident === undefined) return;
    const actor = actorName({ kind: 'operator', id: operator.id });
    const detail = { ...(action ? { what: nameOf(action.press) } : {}), ...why };
    const subject = `incident:${incident}`;
    await db.tx((tx) => appendAudit(tx, { actor, action: 'press.refused', subject, detail }, clock.now()));
  };

  const act = async (
    pressed: Pressed,
    operator: Operator,
    action: Action,
    card: Card | undefined,
  ): Promise<Pressing> => {
    const { press } = action;
    const actor = { kind: 'operator', id: operator.id } as const;
    if (press.kind === 'view') {
      if (card === undefined) return { kind: 'stale' };
      await setView(db, card.id, press.view, clock.now());
      return { kind: 'done', redraw: card.id };
    }
    if (press.kind === 'operation') {
      const operation = operations.get(press.operation);
      if (!operation) return { kind: 'stale', ...(await redraw(card)) };
      if (!holds(operator.role, operation.role)) {
        return { kind: 'refused', error: await denied(operator, card, operation.name, operation.role) };
      }
    }
    if (press.kind === 'run' && press.verb === 'confirm' && (await options.needsStepUp(press.runId))) {
      return { kind: 'step-up', runId: press.runId };
    }
    const claimed = await claimAction(db, action.token, actorName(actor), clock.now());
    if (!claimed.won) {
      // A press that was interrupted after its claim is carried through; the key of the run makes it one run.
      const isMine = claimed.state === 'claimed' && claimed.by === actorName(actor) && claimed.runId === undefined;
      if (!isMine && claimed.state === 'claimed' && claimed.by !== undefined && claimed.at !== undefined) {
        return { kind: 'lost', by: claimed.by.replace(/^operator:/, ''), at: claimed.at, ...(await redraw(card)) };
      }
      if (!isMine) return { kind: 'stale', ...(await redraw(card)) };
    }
    const origin = originOf(pressed, card);
    try {
      if (press.kind === 'run') {
        const run = await requests.answer(press.runId, press.verb, actor);
        await linkRun(db, action.token, run.id);
        return { kind: 'done', settled: card === undefined, ...(await redraw(card)) };
      }
      const operation = operations.get(press.operation);
      if (operation && nextMissing(operation, press.args)) {
        const shown = { settled: card === undefined, ...(await redraw(card)) };
        return { kind: 'ask', operation, args: press.args, origin, ...shown };
      }
      const asked = press.fix === undefined ? origin : { ...origin, fix: press.fix };
      const given = { origin: asked, idempotencyKey: action.token };
      const run = await requests.request(actor, press.operation, press.args, given);
      await linkRun(db, action.token, run.id);
      return { kind: 'done', settled: card === undefined, ...(await redraw(card)) };
    } catch (error) {
      if (!(error instanceof VakhtaError) || (error.kind !== 'usage' && error.kind !== 'denied')) throw error;
      // It came to nothing, so somebody else (with the right) may still press.
      await reopenAction(db, action.token);
      return { kind: 'refused', error, ...(await redraw(card)) };
    }
  };

  const judge = async (
    pressed: Pressed,
    operator: Operator,
    action: Action | undefined,
    card: Card | undefined,
    isFirst: boolean,
  ): Promise<Outcome> => {
    if (action === undefined) {
      return { pressing: { kind: 'stale', ...(await redraw(card)) }, strip: card === undefined };
    }
    // Telegram repeated what was carried through; an interrupted press goes on.
    if (!isFirst && action.state === 'claimed' && action.runId !== undefined) {
      return { pressing: { kind: 'repeated' }, strip: false };
    }
    const strip = card === undefined ? false : await adopt(card, pressed.messageId);
    if (action.onlyFor !== undefined && action.onlyFor !== operator.id)
      return { pressing: { kind: 'not-yours' }, strip };
    const isOver = action.state === 'expired' || (action.state === 'open' && action.expiresAt <= clock.now());
    if (isOver && action.press.kind !== 'view') return { pressing: { kind: 'stale', ...(await redraw(card)) }, strip };
    return { pressing: await act(pressed, operator, action, card), strip };
  };

  return async (pressed) => {
    const { operator, token, chat, messageId } = pressed;
    const isFirst = await seenCallback(db, pressed.callbackId, clock.now());
    if (!operator) return { pressing: { kind: 'outsider' }, strip: false };
    const found = token === undefined ? undefined : await findAction(db, token);
    const action = found?.chat === chat ? found : undefined;
    const card =
      action === undefined
        ? await cardByMessage(db, chat, messageId)
        : action.cardId === undefined
          ? undefined
          : await findCard(db, action.cardId);
    const outcome = await judge(pressed, operator, action, card, isFirst);
    // Telegram repeats what was not confirmed.
    if (isFirst) await noteVain(operator, card, action, outcome.pressing);
    return outcome;
  };
}

/** Why nothing came of a press, for the audit; undefined: something did, or it is written there already. */
function vain(pressing: Pressing): Readonly<Record<string, unknown>> | undefined {
  switch (pressing.kind) {
    case 'lost':
      return { why: 'lost', by: pressing.by };
    case 'stale':
    case 'not-yours':
      return { why: pressing.kind };
    case 'refused': {
      const { kind, code, text, args } = pressing.error;
      return kind === 'denied' ? undefined : { why: code, text, args };
    }
    case 'done':
    case 'repeated':
    case 'outsider':
    case 'ask':
    case 'step-up':
      return undefined;
  }
}

/** `ack`, or the answer to a run: `run.confirm`. */
const nameOf = (press: Action['press']): string =>
  press.kind === 'operation' ? press.operation : press.kind === 'run' ? `run.${press.verb}` : 'view';

function originOf({ chat, thread, messageId }: Pressed, card: Card | undefined): Origin {
  const incident = card?.kind === 'incident' ? Number(card.ref) : Number.NaN;
  return {
    chat,
    replyTo: messageId,
    ...(thread === undefined ? {} : { thread }),
    ...(Number.isSafeInteger(incident) ? { incident } : {}),
    ...(card?.kind === 'silence' || card?.kind === 'drill' || card?.kind === 'dr' ? { shown: true } : {}),
    ...(card?.kind === 'dr' ? { dr: card.ref } : {}),
  };
}
