import { type AlertGroup, parseWebhook } from '../../core/alertmanager.ts';
import { minutes, type Clock } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { type Incident, type IncidentEvent, type IncidentPolicy, reduceGroup, shared } from '../../core/incident.ts';
import { routeFor } from '../../core/routing.ts';
import type { Config } from '../../config/schema.ts';
import { type Card, type CardWish, liveCards, wantCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import {
  appendEvents,
  currentIncidents,
  type Incident as StoredIncident,
  saveIncidents,
} from '../../store/incidents.ts';
import type { Log } from '../../core/log.ts';
import { ALERTMANAGER as SOURCE, incidentOf } from '../../tasks/incidents.ts';
import { PRIORITY } from '../../tasks/lifecycle/shared.ts';

/** How many webhooks share a transaction at the most. */
const BATCH = 64;
/** Transactions side by side; one computes while another waits for the disk. */
const LANES = 2;
const UNIQUE_VIOLATION = '23505';

export interface AlertIntake {
  /**
   * Resolves when the alert group is committed: incident, history, desired card and outbox row in one transaction.
   * Throws `usage` for what can never be accepted and `transient` when the store is down.
   */
  accept(body: string): Promise<void>;
}

export interface AlertIntakeOptions {
  readonly db: Database;
  readonly config: Pick<Config, 'routes' | 'chats' | 'policy'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  readonly group: AlertGroup;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Webhooks that arrive while a transaction is under way wait for the next one and share it: under load the number of
 * commits stays low, and nobody waits for a timer. A group always takes the same lane, so that its order is kept.
 */
export function createAlertIntake(options: AlertIntakeOptions): AlertIntake {
  const lanes = Array.from({ length: LANES }, () => createLane(options));
  return {
    accept: (body) =>
      new Promise((done, failed) => {
        const group = parseWebhook(body, options.clock.now());
        lanes[laneOf(group.groupKey)]?.({ group, done, failed });
      }),
  };
}

function laneOf(key: string): number {
  let hash = 0;
  for (let n = 0; n < key.length; n += 1) hash = (hash * 31 + key.charCodeAt(n)) >>> 0;
  return hash % LANES;
}

/** One transaction after the other. */
function createLane({ db, clock, log, config }: AlertIntakeOptions): (one: Waiting) => void {
  const waiting: Waiting[] = [];
  let running = false;

  const commit = async (groups: readonly AlertGroup[]): Promise<void> => {
    const now = clock.now();
    try {
      await db.tx((tx) => apply(tx, groups, now, config));
    } catch (error) {
      // Two processes opened the same group at once: the second look finds the row of the first.
      if (!isUniqueViolation(error)) throw error;
      await db.tx((tx) => apply(tx, groups, now, config));
    }
  };

  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await commit(batch.map((one) => one.group));
        for (const one of batch) one.done();
      } catch (error) {
        if (batch.length === 1 || toVakhtaError(error).kind === 'transient') {
          for (const one of batch) one.failed(error);
          continue;
        }
        // One group that cannot be stored must not take the others with it.
        log.warn({ err: error, groups: batch.length }, 'a batch of webhooks failed, trying them one by one');
        for (const one of batch) await commit([one.group]).then(one.done, one.failed);
      }
    }
    running = false;
  };

  return (one) => {
    waiting.push(one);
    if (!running) void drain();
  };
}

function isUniqueViolation(error: unknown): boolean {
  const cause = error instanceof VakhtaError ? error.cause : error;
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === UNIQUE_VIOLATION;
}

interface Episode {
  /** The row it continues; a new one has none. */
  readonly row: StoredIncident | undefined;
  incident: Incident;
  changed: boolean;
  readonly events: IncidentEvent[];
}

/** All groups applied to their incidents in the order of arrival, with a constant number of statements. */
async function apply(
  tx: Tx,
  groups: readonly AlertGroup[],
  now: Date,
  config: AlertIntakeOptions['config'],
): Promise<void> {
  const keys = [...new Set(groups.map((group) => group.groupKey))].toSorted();
  const known = await currentIncidents(tx, SOURCE, keys, { forUpdate: true });
  const rows = fold(groups, known, now, { reopenMs: minutes(config.policy.incidentReopenMinutes) });
  const saved = await saveIncidents(
    tx,
    rows.map(({ groupKey, current, row, incident }) => ({
      ...(row ? { id: row.id, owner: row.owner, ackedAt: row.ackedAt, silence: row.silence } : {}),
      source: SOURCE,
      groupKey,
      current,
      ...incident,
      resolvedAt: incident.resolvedAt ?? undefined,
      updatedAt: now,
    })),
  );
  if (saved.length !== rows.length) {
    throw new VakhtaError('bug', 'internal', `${rows.length} incidents to write, ${saved.length} written`);
  }
  const written = rows.map((row, index) => ({ ...row, id: saved[index]?.id ?? 0 }));
  await appendEvents(
    tx.late,
    written.flatMap(({ id, events }) => events.map(({ kind, ...data }) => ({ incidentId: id, at: now, kind, data }))),
  );
  const changed = written.filter((row) => row.changed);
  const continued = changed.flatMap(({ row, id }) => (row ? [String(id)] : []));
  const cards = continued.length === 0 ? [] : await liveCards(tx, 'incident', continued);
  await wantCards(
    tx.late,
    changed.flatMap((row) => wishesFor(row, cards, config)),
    now,
  );
}

/** Each payload applied to the newest episode of its group; a row that made room for a new one comes before it. */
function fold(
  groups: readonly AlertGroup[],
  known: ReadonlyMap<string, StoredIncident>,
  now: Date,
  policy: IncidentPolicy,
): (Episode & { readonly groupKey: string; readonly current: boolean })[] {
  const folded = new Map<string, Episode[]>();
  for (const group of groups) {
    const row = known.get(group.groupKey);
    const episodes = folded.get(group.groupKey) ?? [];
    const last = episodes.at(-1);
    const before = last?.incident ?? (row && incidentOf(row));
    const { incident, isNew, changed, events } = reduceGroup(before, group, now, policy);
    if (last && !isNew) {
      last.incident = incident;
      last.changed ||= changed;
      last.events.push(...events);
    } else {
      if (isNew && row && !last) episodes.push({ row, incident: incidentOf(row), changed: false, events: [] });
      episodes.push({ row: isNew ? undefined : row, incident, changed, events: [...events] });
    }
    folded.set(group.groupKey, episodes);
  }
  return [...folded].flatMap(([groupKey, episodes]) =>
    episodes.map((episode) => ({ ...episode, groupKey, current: episode === episodes.at(-1) })),
  );
}

/**
 * The cards that show an incident are wanted anew. Where it belongs is asked again when more burns than before, so that a
 * higher severity or one more alert reaches the people of its route, and those who have a card already are told the end.
 */
function wishesFor(
  { id, incident, events }: Episode & { readonly id: number },
  cards: readonly Card[],
  config: AlertIntakeOptions['config'],
): CardWish[] {
  const ref = String(id);
  const chats = cards.filter((card) => card.ref === ref).map(({ chat }): Place => ({ chat }));
  if (chats.length === 0 || events.some(isWorse)) {
    const place = placeOf(incident, config);
    if (!chats.some(({ chat }) => chat === place.chat)) chats.push(place);
  }
  const priority = priorityOf(incident);
  return chats.map((place) => ({ kind: 'incident', ref, priority, ...place }));
}

const isWorse = (event: IncidentEvent): boolean =>
  event.kind === 'opened' || event.kind === 'reopened' || event.kind === 'alert-fired' || event.kind === 'severity';

interface Place {
  readonly chat: number;
  readonly thread?: number;
}

/** The chat and topic of an incident, by the routes of the configuration; the last route takes what nobody else took. */
function placeOf(incident: Incident, config: AlertIntakeOptions['config']): Place {
  const { alerts, groupLabels, commonLabels } = incident.data;
  const all = Object.values(alerts);
  const firing = all.filter((alert) => alert.status === 'firing');
  // Not every sender says what its alerts share.
  const own = shared((firing.length > 0 ? firing : all).map((alert) => alert.labels));
  const route = routeFor(config.routes, { ...own, ...commonLabels, ...groupLabels }, incident.severity);
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
