import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { type Incident, type IncidentEvent, shared } from '../../core/incident.ts';
import { routeFor } from '../../core/routing.ts';
import { byWeight, sortNewcomers, STORM_WINDOW_MS, type StormPolicy, type Weighty } from '../../core/storm.ts';
import type { Config } from '../../config/schema.ts';
import { type Card, type CardWish, liveCards, wantCards } from '../../store/cards.ts';
import type { Tx } from '../../store/db.ts';
import { appendEvents, type Incident as StoredIncident, incidents } from '../../store/incidents.ts';
import { beginStorm, joinStorm, situation, type Situation } from '../../store/storms.ts';
import { incidentOf } from '../incidents.ts';
import { PRIORITY } from '../lifecycle/shared.ts';
import { foldChanges, type Folding, type FoldingConfig } from './folding.ts';
import { letThrough } from './quiet.ts';

export const messages = defineMessages({
  en: `
    incident-event-stormed = collected by storm { $storm }
    incident-event-carded = got a card of its own after the storm
  `,
  ru: `
    incident-event-stormed = попал в шквал { $storm }
    incident-event-carded = получил свою карточку после шквала
  `,
});

/** What became of an incident in this transaction. */
export interface Change {
  readonly id: number;
  /** The row that it continues; a new incident has none. */
  readonly row: StoredIncident | undefined;
  readonly incident: Incident;
  readonly events: readonly IncidentEvent[];
}

/** Without `storm` every incident has a card of its own, however many there are. */
export type PlacementConfig = Pick<Config, 'routes' | 'chats'> &
  Partial<Pick<Config, 'storm' | 'operators'>> &
  FoldingConfig;

export interface Place {
  readonly chat: number;
  readonly thread?: number;
  /** Name of a topic, found or made when the card is sent; goes before `thread`. */
  readonly topic?: string;
}

/**
 * Decides, for incidents that people would see changed, which cards show them, and wants those cards. An incident that
 * fires has a card of its own, is collected by the storm of its chat, or is folded into another incident.
 */
export async function place(tx: Tx, changes: readonly Change[], now: Date, config: PlacementConfig): Promise<void> {
  if (changes.length === 0) return;
  const folding = await foldChanges(tx, changes, now, config);
  const known = new Set(changes.map(({ id }) => id));
  const others = await otherSubjects(tx, folding, known);
  const movedIds = new Set(folding.moved.map(({ id }) => id));
  const subjects = changes.map(({ id, row, incident, events }): Subject => {
    const isMoved = movedIds.has(id);
    return {
      id,
      incident,
      isNew: row === undefined,
      isNews: events.some(isWorse) || (isMoved && !folding.into.has(id)),
      isTurn: events.some(isTurn) || isMoved,
      isWorse: events.some((event) => event.kind === 'severity' && event.to === 'critical'),
      isCause: isCause(folding, id),
      into: folding.into.get(id),
    };
  });
  await show(tx, [...subjects, ...others], folding.parents, now, config);
}

/** What runs where has changed: folds and unfolds what fires. */
export async function placeAgain(tx: Tx, now: Date, config: PlacementConfig): Promise<void> {
  const folding = await foldChanges(tx, [], now, config, { all: true });
  if (folding.moved.length === 0) return;
  await show(tx, await otherSubjects(tx, folding, new Set()), folding.parents, now, config);
}

/** An incident whose cards are to be looked at. */
interface Subject {
  readonly id: number;
  readonly incident: Incident;
  /** It has no cards yet. */
  readonly isNew: boolean;
  /** More burns than before: people are to be told, also those who have no card of it. */
  readonly isNews: boolean;
  /** Its card says something else now, not only other numbers. */
  readonly isTurn: boolean;
  /** It has become critical. */
  readonly isWorse: boolean;
  /** It shows others: it has a card of its own also in a storm. */
  readonly isCause: boolean;
  /** The incident that shows it. */
  readonly into: number | undefined;
}

const isCause = ({ into }: Folding, id: number): boolean => [...into.values()].includes(id);

/** Incidents that did not change themselves, but were folded or unfolded, or show others now. */
async function otherSubjects(tx: Tx, folding: Folding, known: ReadonlySet<number>): Promise<Subject[]> {
  const moved = new Set(folding.moved.map(({ id }) => id));
  const ids = [...new Set([...moved, ...folding.into.values()])].filter((id) => !known.has(id));
  const rows = ids.length === 0 ? [] : await incidents(tx, ids);
  return rows.map((row) => {
    const into = folding.into.get(row.id);
    return {
      id: row.id,
      incident: incidentOf(row),
      isNew: false,
      isNews: moved.has(row.id) && into === undefined,
      isTurn: true,
      isWorse: false,
      isCause: isCause(folding, row.id),
      into,
    };
  });
}

interface Candidate extends Weighty {
  readonly place: Place;
  readonly isCause: boolean;
}

const QUIET: Situation = { storms: [], recent: [] };

async function show(
  tx: Tx,
  subjects: readonly Subject[],
  parents: readonly number[],
  now: Date,
  config: PlacementConfig,
): Promise<void> {
  const since = new Date(now.getTime() - STORM_WINDOW_MS);
  const places = new Map(subjects.map((one) => [one.id, placeOf(one.incident, config)]));
  const shownBefore = [...subjects.filter(({ isNew }) => !isNew).map(({ id }) => id), ...parents].map(String);
  const [cards, around] = await Promise.all([
    shownBefore.length === 0 ? [] : liveCards(tx, 'incident', [...new Set(shownBefore)]),
    config.storm
      ? situation(tx, {
          chats: [...new Set([...places.values()].map(({ chat }) => chat))],
          since,
          incidents: subjects.map(({ id }) => id),
        })
      : QUIET,
  ]);
  const wishes = new Wishes();
  const candidates = new Map<number, Candidate[]>();
  for (const subject of subjects) {
    const { id, incident } = subject;
    const mine = cards.filter(({ ref }) => ref === String(id));
    const priority = priorityOf(incident);
    for (const card of mine) if (isDrawn(card, subject, around)) wishes.add(incidentWish(id, priority, card));
    for (const storm of around.storms) {
      if (storm.members.some((member) => member.id === id)) wishes.add(stormWish(storm, PRIORITY.warning));
    }
    const target = places.get(id);
    if (!target || !needsCard(subject, mine, target, around)) continue;
    const alerts = Object.keys(incident.data.alerts).length;
    const candidate = {
      id,
      severity: incident.severity,
      alerts,
      startedAt: incident.startedAt,
      place: target,
      isCause: subject.isCause,
    };
    candidates.set(target.chat, [...(candidates.get(target.chat) ?? []), candidate]);
  }
  const subjectIds = new Set(subjects.map(({ id }) => String(id)));
  for (const card of cards) {
    if (!subjectIds.has(card.ref)) wishes.add(incidentWish(Number(card.ref), card.priority, card));
  }
  for (const [chat, newcomers] of candidates) {
    const wanted = newcomers.map((one) => ({ ...one, incident: one.id, chat }));
    await settle(tx, chat, await letThrough(tx, wanted, now, config), around, wishes, now, config);
  }
  await wantCards(tx.late, wishes.all(), now);
}

/** In a storm, and while another incident shows it, a card is drawn again for what matters only. */
function isDrawn(card: Card, { isTurn, into }: Subject, { storms }: Situation): boolean {
  if (isTurn || card.reader !== undefined) return true;
  return into === undefined && !storms.some(({ chat, isCalm }) => chat === card.chat && !isCalm);
}

/**
 * Where it belongs is asked again when more burns than before, so that a higher severity or one more alert reaches the people
 * of its route, and those who have a card already are told the end.
 */
function needsCard(
  { id, incident, isNew, isNews, isWorse, isCause: showsOthers, into }: Subject,
  cards: readonly Card[],
  target: Place,
  { storms }: Situation,
): boolean {
  if (into !== undefined) return false;
  const common = cards.filter(({ reader }) => reader === undefined);
  const isTold = common.length > 0 || (incident.state === 'resolved' && !isNew);
  if (!isNews && isTold) return false;
  if (common.some(({ chat }) => chat === target.chat)) return false;
  if (showsOthers) return true;
  // The storm card shows it, until it calms down or the incident gets critical.
  const storm = storms.find(({ chat }) => chat === target.chat);
  const isCollected = storm?.members.some((member) => member.id === id && !member.own) ?? false;
  return !isCollected || isWorse;
}

/** Gives the newcomers of a chat their cards, or collects them in its storm. */
async function settle(
  tx: Tx,
  chat: number,
  newcomers: readonly Candidate[],
  { storms, recent }: Situation,
  wishes: Wishes,
  now: Date,
  config: PlacementConfig,
): Promise<void> {
  const open = storms.find((storm) => storm.chat === chat);
  const count = recent.find((one) => one.chat === chat) ?? { total: 0, critical: 0 };
  const policy: Pick<StormPolicy, 'cards' | 'criticalCards'> = config.storm ?? { cards: Infinity, criticalCards: 0 };
  const isRaging = open !== undefined && !open.isCalm;
  const causes = newcomers.filter((one) => one.isCause);
  const rest = newcomers.filter((one) => !one.isCause);
  const { isStorm, own: first, collected } = sortNewcomers(rest, count, isRaging, policy);
  const own = [...causes, ...first];
  for (const one of own) wishes.add(incidentWish(one.id, PRIORITY_OF[one.severity], one.place));
  if (!isStorm) return;
  const [heaviest] = collected.length > 0 ? collected.toSorted(byWeight) : own;
  const since = new Date(now.getTime() - STORM_WINDOW_MS);
  const begun = open ?? (await beginStorm(tx, heaviest?.place ?? { chat }, since, now));
  await joinStorm(
    tx.late,
    begun.id,
    [
      ...own.map(({ id }) => ({ incident: id, ownCard: true })),
      ...collected.map(({ id }) => ({ incident: id, ownCard: false })),
    ],
    now,
  );
  await appendEvents(
    tx.late,
    collected.map(({ id }) => ({ incidentId: id, at: now, kind: 'stormed', data: { storm: String(begun.id) } })),
  );
  // What only the storm card shows is as urgent as itself.
  const isUrgent = collected.some(({ severity }) => severity === 'critical');
  wishes.add(stormWish({ ...begun, chat }, isUrgent ? PRIORITY.critical : PRIORITY.warning));
}

/** Wishes of one transaction: one a card, with the most urgent priority. */
class Wishes {
  readonly #all = new Map<string, CardWish>();

  add(wish: CardWish): void {
    const key = `${wish.kind} ${wish.ref} ${wish.chat}`;
    const known = this.#all.get(key);
    this.#all.set(key, known ? { ...known, priority: Math.min(known.priority, wish.priority) } : wish);
  }

  all(): CardWish[] {
    return [...this.#all.values()];
  }
}

/** The card of an incident at a place, or a card that it has. */
export function incidentWish(id: number, priority: number, at: Place | Card): CardWish {
  if ('messageId' in at) return { kind: 'incident', ref: String(id), chat: at.chat, priority };
  return { kind: 'incident', ref: String(id), priority, ...at };
}

/** The card of a storm. */
export const stormWish = (
  { id, chat, thread, topic }: { id: number; chat: number; thread?: number | undefined; topic?: string | undefined },
  priority: number,
): CardWish => ({ kind: 'storm', ref: String(id), chat, thread, topic, priority });

const isWorse = (event: IncidentEvent): boolean =>
  isTurn(event) ? event.kind !== 'resolved' : event.kind === 'alert-fired';

const isTurn = (event: IncidentEvent): boolean =>
  event.kind === 'opened' || event.kind === 'reopened' || event.kind === 'severity' || event.kind === 'resolved';

/** The rules of a storm, as the configuration has them. */
export const stormPolicy = ({ cards, criticalCards, calmMinutes }: Config['storm']): StormPolicy => ({
  cards,
  criticalCards,
  calmMs: minutes(calmMinutes),
});

/** The chat and topic of an incident, by the routes of the configuration; the last route takes what nobody else took. */
export function placeOf(incident: Incident, config: PlacementConfig): Place {
  const { alerts, groupLabels, commonLabels } = incident.data;
  const all = Object.values(alerts);
  const firing = all.filter((alert) => alert.status === 'firing');
  // Not every sender says what its alerts share.
  const own = shared((firing.length > 0 ? firing : all).map((alert) => alert.labels));
  return placeFor({ ...own, ...commonLabels, ...groupLabels }, incident.severity, config);
}

/** Where something with these labels is told. */
export function placeFor(
  labels: Readonly<Record<string, string>>,
  severity: Incident['severity'],
  config: PlacementConfig,
): Place {
  const route = routeFor(config.routes, labels, severity);
  const chat = config.chats.find((candidate) => candidate.id === route?.chat) ?? config.chats[0];
  if (!chat) throw new VakhtaError('bug', 'internal', 'a configuration without chats was accepted');
  const thread = route?.topic === undefined ? undefined : chat.topics[route.topic];
  // The thread is where it goes when the label says nothing.
  const topic = route?.topicBy === undefined ? undefined : labels[route.topicBy] || undefined;
  return {
    chat: chat.chatId,
    ...(thread === undefined ? {} : { thread }),
    ...(topic === undefined ? {} : { topic }),
  };
}

const PRIORITY_OF = {
  critical: PRIORITY.critical,
  warning: PRIORITY.warning,
  info: PRIORITY.information,
} as const;

/** A critical one goes before everything else, also with the news of its end. */
export const priorityOf = ({ severity }: Pick<Incident, 'severity'>): number => PRIORITY_OF[severity];
