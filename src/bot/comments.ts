import type { Message } from '@grammyjs/types';
import { PRIORITY } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import { doc, title } from '../core/doc.ts';
import { defineMessages } from '../core/i18n.ts';
import { actorName, holds, type Operator } from '../core/people.ts';
import type { Random } from '../core/random.ts';
import { appendAudit } from '../store/audit.ts';
import { type Card, cardByMessage, showAtOnce, touchCards } from '../store/cards.ts';
import { isCommented } from '../store/comments.ts';
import type { Database } from '../store/db.ts';
import { addDrNote } from '../store/dr.ts';
import { appendEvents, incident } from '../store/incidents.ts';
import { page } from '../store/pages.ts';
import type { Place } from './identity.ts';
import { type Lane, post } from './outbox/body.ts';
import type { Readers } from './readers.ts';
import { firstCodePoints } from './render/text.ts';

export const messages = defineMessages({
  en: `
    comment-kept = Noted on incident #{ $id }.
    comment-denied = Comments are for those who may act (role “{ $role }”); yours is “{ $own }”.
    comment-gone = This incident is not known any more, so the comment was not kept.
  `,
  ru: `
    comment-kept = Записано в инцидент #{ $id }.
    comment-denied = Комментировать может только тот, у кого есть роль «{ $role }», а у вас «{ $own }».
    comment-gone = Этого инцидента больше нет, комментарий не сохранён.
  `,
});

const TEXT_MAX = 1000;

/** The card of an incident, or of a walk through a disaster's checklist, that a message replies to. */
export type Commented = CommentedIncident | { readonly dr: string; readonly card: string };

interface CommentedIncident {
  readonly incident: number;
  /** Shows the comment itself, so that nothing has to be answered; absent: it was a call to the incident. */
  readonly card?: string;
}

export interface Comments {
  /** What the message replies to, when that is such a card or a call to an incident. */
  find(message: Message): Promise<Commented | undefined>;
  /** Keeps the text in the history of the incident, or of the walk; its cards show it. */
  take(to: Commented, text: string, place: Place, operator: Operator): Promise<void>;
}

/** Comments on incidents and on walks through a checklist: plain replies to their cards. */
export function createComments(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly readers: Readers;
  readonly wake: () => void;
  /** Somebody waits for this card. */
  readonly urgent: (cardId: string) => void;
  readonly lane: Lane;
}): Comments {
  const { db, clock, random, readers, wake, lane } = options;

  const incidentOf = async (card: Card): Promise<Commented | undefined> => {
    if (card.kind === 'dr') return { dr: card.ref, card: card.id };
    if (card.kind === 'incident') return { incident: Number(card.ref), card: card.id };
    const call = card.kind === 'page' ? await page(db, Number(card.ref)) : undefined;
    return call && { incident: call.incident };
  };

  const answer = async (
    place: Place,
    operator: Operator,
    icon: 'lock' | 'question' | 'done',
    key: string,
    args = {},
  ) => {
    const reader = await readers.operator(operator);
    const { chat, thread, messageId: replyTo } = place;
    const words = doc(title(icon, reader.t(key, args)));
    const letter = { chat: chat.id, thread, replyTo, doc: words, reader, priority: PRIORITY.answer };
    if ((await post(db, random, letter, lane)) !== 'taken') wake();
  };

  const noteDr = (session: string, text: string, place: Place, operator: Operator): Promise<void> =>
    db.tx(async (tx) => {
      const by = actorName({ kind: 'operator', id: operator.id });
      const now = clock.now();
      await addDrNote(tx, session, { by, text, chat: place.chat.id, message: place.messageId }, now);
      const detail = { message: place.messageId };
      await appendAudit(tx, { actor: by, action: 'commented', subject: `dr:${session}`, detail }, now);
      await showAtOnce(tx, 'dr', session);
      await touchCards(tx, 'dr', session, now, { priority: PRIORITY.answer });
    });

  return {
    find: async ({ chat, reply_to_message: replied }) => {
      if (!replied?.from?.is_bot) return undefined;
      const card = await cardByMessage(db, chat.id, replied.message_id);
      return card && incidentOf(card);
    },
    take: async (to, text, place, operator) => {
      const { card } = to;
      const actor = actorName({ kind: 'operator', id: operator.id });
      const subject = 'dr' in to ? `dr:${to.dr}` : `incident:${to.incident}`;
      if (!holds(operator.role, 'operator')) {
        const detail = { action: 'comment', needs: 'operator' };
        await db.tx((tx) => appendAudit(tx, { actor, action: 'denied', subject, detail }, clock.now()));
        const { t } = await readers.operator(operator);
        const args = { role: t('role-operator'), own: t(`role-${operator.role}`) };
        return answer(place, operator, 'lock', 'comment-denied', args);
      }
      if (card !== undefined) options.urgent(card);
      const words = firstCodePoints(text.trim(), TEXT_MAX);
      if ('dr' in to) {
        await noteDr(to.dr, words, place, operator);
        return wake();
      }
      const { incident: id } = to;
      const isKnown = await db.tx(async (tx) => {
        if (!(await incident(tx, id, { forUpdate: true }))) return false;
        // Telegram repeats what was not confirmed.
        if (await isCommented(tx, id, place.chat.id, place.messageId)) return true;
        const now = clock.now();
        const data = { text: words, chat: place.chat.id, message: place.messageId };
        await appendEvents(tx, [{ incidentId: id, at: now, kind: 'commented', actor: operator.id, data }]);
        await appendAudit(tx, { actor, action: 'commented', subject, detail: { message: place.messageId } }, now);
        await showAtOnce(tx, 'incident', String(id));
        await touchCards(tx, 'incident', String(id), now, { priority: PRIORITY.answer });
        return true;
      });
      if (!isKnown) return answer(place, operator, 'question', 'comment-gone');
      if (card === undefined) return answer(place, operator, 'done', 'comment-kept', { id: String(id) });
      wake();
    },
  };
}
