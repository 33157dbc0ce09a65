import { type Clock, minutes } from '../../core/clock.ts';
import { type IncidentData, incidentData, severityOf } from '../../core/incident.ts';
import type { Log } from '../../core/log.ts';
import type { Config } from '../../config/schema.ts';
import type { Alertmanager } from '../../integrations/alertmanager/port.ts';
import { liveCards, touchCards, wantCard } from '../../store/cards.ts';
import type { Database, Queryable, Tx } from '../../store/db.ts';
import { appendEvents, firing, incident, setSilence } from '../../store/incidents.ts';
import { run as findRun } from '../../store/runs.ts';
import { claimEnd, claimWarning, noteEnd, noteOwn, type SilenceRow } from '../../store/silences.ts';
import { ALERTMANAGER, endSilence, type IncidentSilence, silenceSchema, storedSilence } from '../incidents.ts';
import { PRIORITY } from '../lifecycle/shared.ts';
import { type Place, placeFor, type PlacementConfig } from '../watch/placement.ts';
import { type SeenAlert, under } from './alerts.ts';
import { LEASE_MS, warningLead } from './duration.ts';
import type { Mirrored } from './mirror.ts';

/** A silence that is renewed has this long to go at least, also when Alertmanager is away for a while. */
const RENEW_BEFORE_MS = minutes(30);

export interface KeeperOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly alertmanager: Pick<Alertmanager, 'silence' | 'createSilence' | 'expireSilence'>;
  readonly config: PlacementConfig & Pick<Config, 'silences'>;
}

/** What has to be done about silences as time goes on: renew, end, warn, tell how a maintenance ended. */
export function createKeeper({ db, clock, log, alertmanager, config }: KeeperOptions) {
  const warnMs = minutes(config.silences.warnMinutes);

  /** Its incident is over, so what was made until then is over too. */
  const finish = async (row: SilenceRow, signal: AbortSignal): Promise<void> => {
    await endSilence(alertmanager, row.id, signal);
    await db.tx(async (tx) => {
      const now = clock.now();
      await noteEnd(tx, row.id, {}, now);
      await touchCards(tx, 'silence', row.id, now);
      const over = row.incident === undefined ? undefined : await incident(tx, row.incident, { forUpdate: true });
      if (!over?.silence || silenceSchema.parse(over.silence).id !== row.id) return;
      await setSilence(tx, over.id, null, now);
      await appendEvents(tx, [{ incidentId: over.id, at: now, kind: 'silence-ended' }]);
      await touchCards(tx, 'incident', String(over.id), now);
    });
    log.info({ silence: row.id, incident: row.incident }, 'the incident is over, its silence is ended');
  };

  const renew = async (row: SilenceRow, all: readonly SilenceRow[], signal: AbortSignal): Promise<void> => {
    const now = clock.now();
    const { matchers, createdBy, comment } = row;
    // A renewal that broke off half-way has left its silence behind: the comment names the run that made the first one.
    const made = all.find(
      (one) => one.id !== row.id && one.state === 'active' && one.comment === comment && one.endsAt > row.endsAt,
    );
    const endsAt = made?.endsAt ?? new Date(now.getTime() + LEASE_MS);
    const id =
      made?.id ?? (await alertmanager.createSilence({ matchers, startsAt: now, endsAt, createdBy, comment }, signal));
    await db.tx(async (tx) => {
      const at = clock.now();
      await noteOwn(tx, { ...row, id, startsAt: at, endsAt }, at);
      await noteEnd(tx, row.id, { replacedBy: id }, at);
      const its = row.incident === undefined ? undefined : await incident(tx, row.incident, { forUpdate: true });
      if (!its?.silence) return;
      const noted: IncidentSilence = silenceSchema.parse(its.silence);
      if (noted.id === row.id) await setSilence(tx, its.id, storedSilence({ ...noted, id, until: endsAt }), at);
    });
    await endSilence(alertmanager, row.id, signal);
  };

  const warn = (rows: readonly SilenceRow[], row: SilenceRow, muted: readonly SeenAlert[]): Promise<void> =>
    db.tx(async (tx) => {
      const now = clock.now();
      if (!(await claimWarning(tx, row.id, now))) return;
      for (const { id } of rows) await claimWarning(tx, id, now);
      for (const place of await placesOf(tx, row, muted, config)) {
        await wantCard(tx, { kind: 'silence', ref: row.id, priority: PRIORITY.warning, ...place }, now);
      }
    });

  const tell = (rows: readonly SilenceRow[], row: SilenceRow, firing_: readonly SeenAlert[]): Promise<void> =>
    db.tx(async (tx) => {
      const now = clock.now();
      if (!(await claimEnd(tx, row.id, now))) return;
      for (const { id } of rows) await claimEnd(tx, id, now);
      // A card that stands there already has been redrawn; the news of what fires now is a message of its own.
      for (const place of await placesOf(tx, row, firing_, config)) {
        await wantCard(tx, { kind: 'silence', ref: row.id, priority: PRIORITY.information, ...place }, now);
      }
    });

  const lookAfter = async (row: SilenceRow, all: readonly SilenceRow[], signal: AbortSignal): Promise<void> => {
    const its = row.incident === undefined ? undefined : await incident(db, row.incident);
    if (its?.state !== 'firing') await finish(row, signal);
    else if (row.endsAt.getTime() - clock.now().getTime() < RENEW_BEFORE_MS) await renew(row, all, signal);
  };

  const announce = async (group: readonly SilenceRow[], alerts: readonly SeenAlert[]): Promise<void> => {
    const open = group.filter((row) => !isOver(row));
    const rows = open.length > 0 ? open : group;
    const [row] = rows;
    if (!row || row.untilResolved || row.purpose === 'work') return;
    const muted = alerts.filter(({ silencedBy, labels }) =>
      rows.some((one) => (isOver(one) ? under(one.matchers, [{ labels }]).length > 0 : silencedBy.includes(one.id))),
    );
    if (open.length === 0) {
      if (row.purpose === 'maintenance' && row.toldAt === undefined) await tell(rows, row, muted);
      return;
    }
    const left = Math.min(...rows.map(({ endsAt }) => endsAt.getTime())) - clock.now().getTime();
    const lead = warningLead(row.startsAt, row.endsAt, warnMs);
    const isDue = row.state === 'active' && lead > 0 && left <= lead && row.warnedAt === undefined && muted.length > 0;
    if (isDue && !(await isFolded(db, muted))) await warn(rows, row, muted);
  };

  return async ({ alerts, silences }: Mirrored, signal: AbortSignal): Promise<void> => {
    /** One that makes trouble does not keep the others waiting; the next round tries it again. */
    const each = async (row: SilenceRow | undefined, work: () => Promise<void>): Promise<void> => {
      if (signal.aborted) return;
      await work().catch((error: unknown) =>
        log.warn({ silence: row?.id, err: error }, 'a silence was not looked after, it is tried again'),
      );
    };
    for (const row of silences) {
      if (isOver(row) || !row.untilResolved || row.replacedBy !== undefined) continue;
      await each(row, () => lookAfter(row, silences, signal));
    }
    for (const rows of groupsOf(silences)) await each(rows[0], () => announce(rows, alerts));
  };
}

const isOver = ({ state }: SilenceRow): boolean => state === 'expired';

/** The silences of one maintenance together, any other by itself; what was replaced is no matter any more. */
export function groupsOf(silences: readonly SilenceRow[]): SilenceRow[][] {
  const groups = new Map<string, SilenceRow[]>();
  for (const row of silences) {
    if (row.replacedBy !== undefined) continue;
    const key = row.purpose === 'maintenance' && row.runId !== undefined ? row.runId : row.id;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((rows) => rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
}

/** Whether all of these belong to incidents that are folded into others: nobody sees them, so nobody is warned. */
async function isFolded(q: Queryable, muted: readonly SeenAlert[]): Promise<boolean> {
  const prints = new Set(muted.map(({ fingerprint }) => fingerprint));
  const of = (await firing(q, { source: ALERTMANAGER, limit: 5000 })).filter(({ data }) =>
    fingerprintsOf(incidentData.parse(data)).some((one) => prints.has(one)),
  );
  return of.length > 0 && of.every((one) => 'foldedInto' in one && one.foldedInto !== undefined);
}

const fingerprintsOf = ({ alerts }: IncidentData): string[] => Object.keys(alerts);

/** Chats and topics where people hear of it: where it was asked for, where its incidents are shown, or where its alerts go. */
async function placesOf(
  tx: Tx,
  row: SilenceRow,
  alerts: readonly SeenAlert[],
  config: PlacementConfig,
): Promise<Place[]> {
  const asked = row.purpose === 'maintenance' && row.runId !== undefined ? await findRun(tx, row.runId) : undefined;
  if (asked?.origin.chat !== undefined) {
    const { chat, thread } = asked.origin;
    return [{ chat, ...(thread === undefined ? {} : { thread }) }];
  }
  const prints = new Set(alerts.map(({ fingerprint }) => fingerprint));
  const related =
    row.incident === undefined
      ? (await firing(tx, { source: ALERTMANAGER, limit: 5000 }))
          .filter(({ data }) => fingerprintsOf(incidentData.parse(data)).some((one) => prints.has(one)))
          .map(({ id }) => id)
      : [row.incident];
  const cards = related.length === 0 ? [] : await liveCards(tx, 'incident', related.map(String));
  // Pages in private chats are other people's business: who was paged sees the topic as well.
  const shared = cards.some(({ chat }) => chat < 0) ? cards.filter(({ chat }) => chat < 0) : cards;
  const places = new Map(
    shared.map(({ chat, thread }) => [chat, { chat, ...(thread === undefined ? {} : { thread }) }] as const),
  );
  if (places.size > 0) return [...places.values()];
  const labels = alerts[0]?.labels ?? Object.fromEntries(row.matchers.map(({ name, value }) => [name, value]));
  return [placeFor(labels, severityOf(labels), config)];
}
