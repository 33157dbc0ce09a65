import type { Update } from '@grammyjs/types';
import { z } from 'zod';
import type { ReceivedUpdate } from '../../store/inbox.ts';

/** Asked for explicitly: the previous setting of a bot persists otherwise. */
export const ALLOWED_UPDATES = ['message', 'callback_query', 'my_chat_member'] as const;

const envelope = z.looseObject({ update_id: z.int() });

/** An update as far as it is trusted before it is stored. Throws on anything else. */
export const parseUpdate = (raw: unknown): Update => {
  const update: unknown = envelope.parse(raw);
  return update as Update;
};

/** Updates of one person in one chat are handled one after the other. */
export function keyOf(update: Update): string {
  const chat = chatOf(update);
  const user = update.callback_query?.from.id ?? update.message?.from?.id ?? update.my_chat_member?.from.id;
  return `${chat ?? '-'}:${user ?? '-'}`;
}

export const chatOf = (update: Update): number | undefined =>
  (update.callback_query?.message ?? update.message ?? update.my_chat_member)?.chat.id;

export const kindOf = (update: Update): string => ALLOWED_UPDATES.find((kind) => update[kind] !== undefined) ?? 'other';

/** Six digits by themselves are a step-up code: that must never be stored, not even in the inbox. */
const CODE = /^\s*\d{3}\s?\d{3}\s*$/;
const MASK = '••••••';

/** Codes on their way from Telegram to the handler, in memory only. */
export class Codes {
  readonly #codes = new Map<number, string>();

  /** The update without its code, and as it may be stored. */
  takeFrom(update: Update): Update {
    const text = update.message?.text;
    if (update.message === undefined || text === undefined || !CODE.test(text)) return update;
    this.#codes.set(update.update_id, text.replace(/\s/g, ''));
    // Enough for anything under way; older ones were given up long ago.
    for (const id of this.#codes.keys()) {
      if (this.#codes.size <= 1000) break;
      this.#codes.delete(id);
    }
    return { ...update, message: { ...update.message, text: MASK } };
  }

  /** The code of an update, once; absent when the process was restarted in between. */
  use(updateId: number): string | undefined {
    const code = this.#codes.get(updateId);
    this.#codes.delete(updateId);
    return code;
  }
}

export const isMasked = (text: string): boolean => text === MASK;

export function toReceived(update: Update, codes: Codes): ReceivedUpdate {
  return { update_id: update.update_id, key: keyOf(update), payload: codes.takeFrom(update) };
}
