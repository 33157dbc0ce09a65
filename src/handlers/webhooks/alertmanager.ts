import { type AlertGroup, parseWebhook } from '../../core/alertmanager.ts';
import { minutes, type Clock } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { type Incident, incidentData, type IncidentEvent, reduceGroup } from '../../core/incident.ts';
import { routeFor } from '../../core/routing.ts';
import type { Config } from '../../config/schema.ts';
import { wantCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import {
  appendEvents,
  currentIncidents,
  type Incident as StoredIncident,
  saveIncidents,
} from '../../store/incidents.ts';
import type { Log } from '../../core/log.ts';
import { PRIORITY } from '../../tasks/lifecycle/shared.ts';

/** Where incidents of this intake come from; together with the group key it identifies the group. */
const SOURCE = 'alertmanager';
/** How many webhooks share a transaction at the most. */
const BATCH = 64;
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
 * commits stays low, and nobody waits for a timer.
 */
export function createAlertIntake(options: AlertIntakeOptions): AlertIntake {
  const { db, clock, log } = options;
  const waiting: Waiting[] = [];
  let running = false;

  const commit = async (groups: readonly AlertGroup[]): Promise<void> => {
    const now = clock.now();
    try {
      await db.tx((tx) => apply(tx, groups, now, options.config));
    } catch (error) {
      // Two processes opened the same group at once: the second look finds the row of the first.
      if (!isUniqueViolation(error)) throw error;
      await db.tx((tx) => apply(tx, groups, now, options.config));
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

  return {
    accept: (body) =>
      new Promise((done, failed) => {
        waiting.push({ group: parseWebhook(body, clock.now()), done, failed });
        if (!running) void drain();
      }),
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
  const keys = [...new Set(groups.map((group) => group.groupKey))].sort();
  const known = await currentIncidents(tx, SOURCE, keys, { forUpdate: true });
  const policy = { reopenMs: minutes(config.policy.incidentReopenMinutes) };
  const folded = new Map<string, Episode[]>();
  for (const group of groups) {
    const row = known.get(group.groupKey);
    const episodes = folded.get(group.groupKey) ?? [];
    const last = episodes.at(-1);
    const { incident, isNew, changed, events } = reduceGroup(
      last?.incident ?? (row && fromRow(row)),
      group,
      now,
      policy,
    );
    if (last && !isNew) {
      last.incident = incident;
      last.changed ||= changed;
      last.events.push(...events);
    } else {
      episodes.push({ row: isNew ? undefined : row, incident, changed, events: [...events] });
    }
    folded.set(group.groupKey, episodes);
  }
  const rows = [...folded].flatMap(([groupKey, episodes]) => {
    const last = episodes.at(-1);
    const row = known.get(groupKey);
    // An episode that ended long ago makes room for the new one of its group.
    const past =
      row && episodes[0]?.row === undefined ? [{ row, incident: fromRow(row), changed: false, events: [] }] : [];
    return [...past, ...episodes].map((episode) => ({ groupKey, current: episode === last, ...episode }));
  });
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
  const written = rows.flatMap((row, index) => {
    const stored = saved[index];
    return stored ? [{ ...row, id: stored.id }] : [];
  });
  await appendEvents(
    tx,
    written.flatMap(({ id, events }) => events.map(({ kind, ...data }) => ({ incidentId: id, at: now, kind, data }))),
  );
  await wantCards(
    tx,
    written
      .filter((row) => row.changed)
      .map(({ id, incident }) => ({
        kind: 'incident',
        ref: String(id),
        priority: priorityOf(incident),
        ...placeOf(incident, config),
      })),
    now,
  );
}

function fromRow(row: StoredIncident): Incident {
  return { ...row, resolvedAt: row.resolvedAt ?? null, data: incidentData.parse(row.data) };
}

/** The chat and topic of an incident, by the routes of the configuration; the last route takes what nobody else took. */
export function placeOf(incident: Incident, config: AlertIntakeOptions['config']): { chat: number; thread?: number } {
  const route = routeFor(
    config.routes,
    { ...incident.data.groupLabels, ...incident.data.commonLabels },
    incident.severity,
  );
  const chat = config.chats.find((candidate) => candidate.id === route?.chat) ?? config.chats[0];
  if (!chat) throw new VakhtaError('bug', 'internal', 'a configuration without chats was accepted');
  const thread = route?.topic === undefined ? undefined : chat.topics[route.topic];
  return thread === undefined ? { chat: chat.chatId } : { chat: chat.chatId, thread };
}

/** A critical one goes before everything else, also with the news of its end. */
export function priorityOf(incident: Incident): number {
  if (incident.severity === 'critical') return PRIORITY.critical;
  return incident.severity === 'warning' ? PRIORITY.warning : PRIORITY.information;
}
