import { VakhtaError } from '../../core/error.ts';
import { type Incident, type IncidentEvent, shared } from '../../core/incident.ts';
import { routeFor } from '../../core/routing.ts';
import type { Config } from '../../config/schema.ts';
import { type Card, type CardWish, liveCards, wantCards } from '../../store/cards.ts';
import type { Tx } from '../../store/db.ts';
import type { Incident as StoredIncident } from '../../store/incidents.ts';
import { PRIORITY } from '../lifecycle/shared.ts';

/** What became of an incident in this transaction. */
export interface Change {
  readonly id: number;
  /** The row that it continues; a new incident has none. */
  readonly row: StoredIncident | undefined;
  readonly incident: Incident;
  readonly events: readonly IncidentEvent[];
}

export type PlacementConfig = Pick<Config, 'routes' | 'chats'>;

export interface Place {
  readonly chat: number;
  readonly thread?: number;
}

/** Decides, for incidents that people would see changed, which cards show them, and wants those cards. */
export async function place(tx: Tx, changes: readonly Change[], now: Date, config: PlacementConfig): Promise<void> {
  const continued = changes.flatMap(({ row, id }) => (row ? [String(id)] : []));
  const cards = continued.length === 0 ? [] : await liveCards(tx, 'incident', continued);
  await wantCards(
    tx.late,
    changes.flatMap((change) => wishesFor(change, cards, config)),
    now,
  );
}

/**
 * The cards that show an incident are wanted anew. Where it belongs is asked again when more burns than before, so that a
 * higher severity or one more alert reaches the people of its route, and those who have a card already are told the end.
 */
function wishesFor({ id, incident, events }: Change, cards: readonly Card[], config: PlacementConfig): CardWish[] {
  const ref = String(id);
  const chats = cards.filter((card) => card.ref === ref).map(({ chat }): Place => ({ chat }));
  if (chats.length === 0 || events.some(isWorse)) {
    const target = placeOf(incident, config);
    if (!chats.some(({ chat }) => chat === target.chat)) chats.push(target);
  }
  const priority = priorityOf(incident);
  return chats.map((one) => ({ kind: 'incident', ref, priority, ...one }));
}

const isWorse = (event: IncidentEvent): boolean =>
  event.kind === 'opened' || event.kind === 'reopened' || event.kind === 'alert-fired' || event.kind === 'severity';

/** The chat and topic of an incident, by the routes of the configuration; the last route takes what nobody else took. */
function placeOf(incident: Incident, config: PlacementConfig): Place {
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
  return thread === undefined ? { chat: chat.chatId } : { chat: chat.chatId, thread };
}

/** A critical one goes before everything else, also with the news of its end. */
function priorityOf(incident: Incident): number {
  if (incident.severity === 'critical') return PRIORITY.critical;
  return incident.severity === 'warning' ? PRIORITY.warning : PRIORITY.information;
}
