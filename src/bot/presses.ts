import type { CallbackQuery, Update } from '@grammyjs/types';
import type { Api } from 'grammy';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Operator } from '../core/people.ts';
import type { Outcome, Pressed, Pressing } from '../handlers/buttons.ts';
import { PRIORITY } from '../core/budget.ts';
import type { Database } from '../store/db.ts';
import { enqueue } from '../store/outbox.ts';
import { run as findRun } from '../store/runs.ts';
import { parseCallbackData } from './callback.ts';
import { errorText } from './errors.ts';
import type { Form } from './form.ts';
import type { Place } from './identity.ts';
import { loggable } from './outbox/classify.ts';
import type { MessageBody } from './outbox/body.ts';
import { firstCodePoints, visible } from './render/text.ts';
import { formatTime } from './render.ts';
import type { Addressee, Readers } from './readers.ts';

export interface PressesOptions {
  readonly db: Database;
  readonly api: Api;
  readonly press: (pressed: Pressed) => Promise<Outcome>;
  readonly readers: Readers;
  readonly people: (id: string) => Operator | undefined;
  readonly form: Form;
  readonly clock: Clock;
  readonly log: Log;
  readonly wake: () => void;
  readonly urgent: (cardId: string) => void;
  /** Default: as long as people look at a spinner. */
  readonly answerWithinMs?: number | undefined;
}

/** Telegram forgets a press after this long; an older one was made in another situation. */
export const PRESS_LIFE_MS = 150_000;
/** The spinner on the button ends by then, whatever the press leads to. */
const ANSWER_WITHIN_MS = 1_200;
const MAX_TOAST = 200;

/** A callback query: answered at once, then done, then shown. */
export function createPresses(options: PressesOptions) {
  const { db, api, clock, log, answerWithinMs = ANSWER_WITHIN_MS } = options;

  return async (update: Update, query: CallbackQuery, place: Place, operator: Operator | undefined): Promise<void> => {
    const reader = operator ? await options.readers.operator(operator) : await options.readers.chat(place.chat.id);
    let answered: 'in-time' | 'working' | undefined;
    const answer = (how: NonNullable<typeof answered>, text?: string, alert = false): void => {
      if (answered) return;
      answered = how;
      const words = text === undefined ? {} : { text: firstCodePoints(visible(text), MAX_TOAST), show_alert: alert };
      // A late answer fails harmlessly; nobody should wait for it.
      api
        .answerCallbackQuery(query.id, words)
        .catch((error: unknown) => log.debug(loggable(error), 'a press was not answered'));
    };
    const cancel = clock.after(answerWithinMs, () => answer('working', reader.t('bot-toast-working')));
    try {
      const { pressing, strip } = await options.press({
        token: parseCallbackData(query.data),
        callbackId: query.id,
        chat: place.chat.id,
        ...(place.thread === undefined ? {} : { thread: place.thread }),
        messageId: place.messageId,
        operator,
        userId: query.from.id,
      });
      const toast = toastFor(pressing, reader, options.people);
      answer('in-time', toast?.text, toast?.alert);
      if (answered === 'working' && operator && toast?.alert) await sayLate(toast.text, operator, update, place);
      if ('redraw' in pressing && pressing.redraw !== undefined) options.urgent(pressing.redraw);
      const isSettled = (pressing.kind === 'done' || pressing.kind === 'ask') && pressing.settled === true;
      if (strip || isSettled) await closeMessage(query, place, isSettled ? labelOf(query) : undefined);
      // A question is over once one of its buttons was pressed.
      if (operator && isSettled) await options.form.cancel(update);
      options.wake();
      await goOn(update, pressing, operator, place);
    } finally {
      cancel();
      answer('in-time');
    }
  };

  /** A refusal that was known only when the button had been told to wait: under the card, by name, since a press is answered once. */
  async function sayLate(text: string, { id, name }: Operator, update: Update, place: Place): Promise<void> {
    const said = visible(place.chat.type === 'private' ? text : `${name}: ${text}`);
    const body: MessageBody = {
      text: said,
      plain: said,
      entities: [],
      keyboard: [],
      files: [],
      replyTo: place.messageId,
    };
    log.info({ operator: id }, 'a press was refused after it had been answered');
    await enqueue(
      db,
      {
        // The update may be handled again.
        dedupeKey: `press-refused:${update.update_id}`,
        chat: place.chat.id,
        thread: place.thread,
        priority: PRIORITY.answer,
        kind: 'message',
        body,
      },
      clock.now(),
    );
  }

  async function goOn(update: Update, pressing: Pressing, operator: Operator | undefined, place: Place): Promise<void> {
    if (!operator) return;
    if (pressing.kind === 'ask') {
      const { operation, args, origin } = pressing;
      const key = `update:${update.update_id}`;
      await options.form.enter(update, {
        kind: 'arguments',
        operator: operator.id,
        operation: operation.name,
        args,
        origin,
        key,
      });
    }
    if (pressing.kind === 'step-up') {
      const run = await findRun(db, pressing.runId);
      if (!run) return;
      const thread = place.thread === undefined ? {} : { thread: place.thread };
      await options.form.enter(update, {
        kind: 'step-up',
        operator: operator.id,
        runId: run.id,
        target: run.plan?.target ?? '',
        origin: { chat: place.chat.id, replyTo: place.messageId, ...thread },
      });
    }
  }

  /** The same text without buttons, with what was chosen. */
  async function closeMessage(query: CallbackQuery, place: Place, chosen: string | undefined): Promise<void> {
    const message = query.message;
    if (message === undefined || !('text' in message || 'photo' in message)) return;
    const shown = message.text ?? message.caption;
    if (shown === undefined) return;
    const text = chosen === undefined ? shown : `${shown}\n→ ${visible(chosen)}`;
    const entities = (message.entities ?? message.caption_entities ?? []).filter((one) =>
      ['bold', 'italic', 'code', 'pre', 'blockquote', 'expandable_blockquote', 'text_link'].includes(one.type),
    );
    const body: MessageBody = {
      text,
      plain: text,
      entities,
      keyboard: [],
      files: [],
      edits: place.messageId,
      ...(message.photo === undefined ? {} : { isCaption: true }),
    };
    const priority = PRIORITY.warning;
    await enqueue(db, { chat: place.chat.id, priority, kind: 'message', body }, clock.now());
  }
}

function labelOf(query: CallbackQuery): string | undefined {
  const markup = query.message && 'reply_markup' in query.message ? query.message.reply_markup : undefined;
  const buttons = markup?.inline_keyboard.flat() ?? [];
  return buttons.find((button) => 'callback_data' in button && button.callback_data === query.data)?.text;
}

function toastFor(
  pressing: Pressing,
  reader: Addressee,
  people: (id: string) => Operator | undefined,
): { readonly text: string; readonly alert?: boolean } | undefined {
  const { t } = reader;
  switch (pressing.kind) {
    case 'done':
    case 'repeated':
      return undefined;
    case 'outsider':
      return { text: t('bot-toast-outsider'), alert: true };
    case 'not-yours':
      return { text: t('bot-toast-not-yours'), alert: true };
    case 'lost': {
      const who = people(pressing.by)?.name ?? pressing.by;
      return { text: t('bot-toast-lost', { who, time: formatTime(pressing.at, 'clock', reader) }), alert: true };
    }
    case 'stale':
      return { text: t('bot-toast-stale') };
    case 'refused':
      return { text: errorText(pressing.error, t), alert: true };
    case 'ask':
    case 'step-up':
      return { text: t('bot-toast-answer') };
  }
}
