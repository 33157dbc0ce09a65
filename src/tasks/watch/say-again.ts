import { PRIORITY } from '../../core/budget.ts';
import { releasable } from '../../core/storm.ts';
import type { Config } from '../../config/schema.ts';
import { type Card, type CardWish, liveCards, wantCards } from '../../store/cards.ts';
import type { Tx } from '../../store/db.ts';
import { type Incident, incidents } from '../../store/incidents.ts';
import { type OwedPage, tellPages } from '../../store/pages.ts';
import { openStorms, release, storm, waitingCards } from '../../store/storms.ts';
import { incidentOf } from '../incidents.ts';
import { incidentWish, type PlacementConfig, placeOf, priorityOf, stormPolicy, stormWish } from './placement.ts';

export type SayAgainConfig = PlacementConfig & Pick<Config, 'storm'>;

/**
 * Calls in the chats once more: in reply to the card of the incident, or of the one that it is folded into. What only the card of a
 * storm shows is given a card of its own, which is the call: a few at a time, as the chat takes them, and the others stay owed.
 * Answers those that were made now.
 */
export async function sayAgain(
  tx: Tx,
  pages: readonly OwedPage[],
  now: Date,
  config: SayAgainConfig,
): Promise<OwedPage[]> {
  const rows = new Map(
    (await incidents(tx, [...new Set(pages.map(({ incident }) => incident))])).map((row) => [row.id, row]),
  );
  const refs = [...rows.values()].flatMap(({ id, foldedInto }) => (foldedInto === undefined ? [id] : [id, foldedInto]));
  const inChats = (await liveCards(tx, 'incident', [...new Set(refs)].map(String))).filter((card) =>
    config.chats.some(({ chatId }) => chatId === card.chat),
  );
  const of = (id: number | undefined): Card[] => inChats.filter(({ ref }) => ref === String(id));
  const told: OwedPage[] = [];
  const hidden: { page: OwedPage; row: Incident }[] = [];
  for (const page of pages) {
    const row = rows.get(page.incident);
    if (!row) continue;
    const own = of(row.id);
    const cards = own.length > 0 ? own : of(row.foldedInto);
    if (cards.length === 0) hidden.push({ page, row });
    else if (await isOwed(tx, page, now)) {
      told.push(page);
      await reply(tx, page, cards, now);
    }
  }
  return [...told, ...(await bringOut(tx, hidden, now, config))];
}

const isOwed = async (tx: Tx, { id }: OwedPage, now: Date): Promise<boolean> =>
  (await tellPages(tx, [id], id, now)).length > 0;

/** A card that is still on its way is told when it comes. */
async function reply(tx: Tx, page: OwedPage, cards: readonly Card[], now: Date): Promise<void> {
  const priority = page.severity === 'critical' ? PRIORITY.critical : PRIORITY.warning;
  const wishes = cards.flatMap(({ chat, thread, topic, messageId }) =>
    messageId === undefined
      ? []
      : [{ kind: 'page', ref: String(page.id), chat, thread, topic, replyTo: messageId, priority, sound: true }],
  );
  await wantCards(tx, wishes, now);
}

/** The worst come first, as they are owed. */
async function bringOut(
  tx: Tx,
  hidden: readonly { readonly page: OwedPage; readonly row: Incident }[],
  now: Date,
  config: SayAgainConfig,
): Promise<OwedPage[]> {
  if (hidden.length === 0) return [];
  const policy = stormPolicy(config.storm);
  const room = new Map<number, number>();
  const told: OwedPage[] = [];
  const wishes: CardWish[] = [];
  for (const { page, row } of hidden) {
    const incident = incidentOf(row);
    const place = placeOf(incident, config);
    const left = room.get(place.chat) ?? releasable(await waitingCards(tx, place.chat), policy);
    const isTold = left > 0 && (await isOwed(tx, page, now));
    room.set(place.chat, isTold ? left - 1 : left);
    if (!isTold) continue;
    told.push(page);
    wishes.push({ ...incidentWish(row.id, priorityOf(incident), place), sound: true });
  }
  const chats = new Set(wishes.map(({ chat }) => chat));
  for (const { id, chat } of await openStorms(tx)) {
    // Whoever changes a storm locks it first, so that two never wait for each other.
    const found = chats.has(chat) ? await storm(tx, id, { forUpdate: true }) : undefined;
    if (!found || found.endedAt) continue;
    const ids = told.map(({ incident }) => incident);
    await release(tx, id, ids, now);
    wishes.push(stormWish(found, PRIORITY.warning));
  }
  await wantCards(tx, wishes, now);
  return told;
}
