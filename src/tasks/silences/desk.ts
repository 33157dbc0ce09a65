import type { Clock } from '../../core/clock.ts';
import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import { appendEvents, incident, setSilence } from '../../store/incidents.ts';
import {
  noteEnd,
  noteOwn,
  type OwnSilence,
  silence,
  type SilenceRow,
  silences,
  silencesOfRun,
} from '../../store/silences.ts';
import { type IncidentSilence, silenceSchema, storedSilence } from '../incidents.ts';
import { seenAlerts } from './alerts.ts';
import { groupsOf } from './keeper.ts';
import type { TargetNames } from './names.ts';

/** What operations may know and note of silences. What Alertmanager itself holds is asked of the port `alertmanager`. */
export interface SilenceDesk {
  /** For whoever has no time zone of their own. */
  readonly zone: string;
  /** Silences that are not over, those of one maintenance together, the next to end first; and when Alertmanager was asked. */
  list(): Promise<{ readonly at: Date | undefined; readonly groups: readonly (readonly SilenceRow[])[] }>;
  /** The row of just this silence. */
  get(id: string): Promise<SilenceRow | undefined>;
  /** The silence, or the one that has taken its place; with those of the same maintenance. Empty when it is not known. */
  group(id: string): Promise<readonly SilenceRow[]>;
  /** Notes a silence that a run has made. */
  made(own: OwnSilence): Promise<void>;
  /** Notes that another silence has taken the place of this one, on its incident and its cards too. */
  replaced(old: SilenceRow, next: OwnSilence, by: string): Promise<void>;
  /** Notes that somebody has ended it, on its incident and its cards too. */
  ended(id: string, by: string): Promise<void>;
  /** By which names the alerts of a target may know it. */
  readonly names: TargetNames;
  /** The name people know somebody by. */
  nameOf(by: string): string;
}

/** A silence that ended this long ago can still be named. */
const REMEMBERED_MS = minutes(15);
const CHAIN_MAX = 50;

export function createSilenceDesk(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly zone: string;
  readonly names: TargetNames;
  readonly nameOf: (by: string) => string;
}): SilenceDesk {
  const { db, clock, zone, names, nameOf } = options;

  const latest = async (id: string): Promise<SilenceRow | undefined> => {
    let row = await silence(db, id);
    for (let n = 0; row?.replacedBy !== undefined && n < CHAIN_MAX; n++) row = await silence(db, row.replacedBy);
    return row;
  };

  const onIncident = async (
    tx: Tx,
    id: number | undefined,
    was: string,
    now: IncidentSilence | null,
    by: string,
  ): Promise<void> => {
    const its = id === undefined ? undefined : await incident(tx, id, { forUpdate: true });
    if (!its?.silence || silenceSchema.parse(its.silence).id !== was) return;
    const at = clock.now();
    await setSilence(tx, its.id, now && storedSilence(now), at);
    const data = now ? { silence: now.id, until: now.until } : {};
    await appendEvents(tx, [{ incidentId: its.id, at, kind: now ? 'silenced' : 'unsilenced', actor: by, data }]);
    await touchCards(tx, 'incident', String(its.id), at);
  };

  return {
    zone,
    names,
    nameOf,
    list: async () => {
      const rows = await silences(db, clock.now());
      const groups = groupsOf(rows.filter(({ state }) => state !== 'expired'));
      return { at: (await seenAlerts(db))?.at, groups: groups.toSorted((a, b) => endOfGroup(a) - endOfGroup(b)) };
    },
    get: (id) => silence(db, id),
    group: async (id) => {
      const row = await latest(id);
      if (!row) return [];
      if (row.purpose !== 'maintenance' || row.runId === undefined) return [row];
      const since = clock.now().getTime() - REMEMBERED_MS;
      const all = (await silencesOfRun(db, row.runId)).filter(({ replacedBy }) => replacedBy === undefined);
      const open = all.filter(({ state }) => state !== 'expired');
      return open.length > 0 ? open : all.filter(({ endsAt }) => endsAt.getTime() >= since);
    },
    made: (own) => noteOwn(db, own, clock.now()),
    replaced: (old, next, by) =>
      db.tx(async (tx) => {
        const now = clock.now();
        await noteOwn(tx, next, now);
        await noteEnd(tx, old.id, { by, replacedBy: next.id }, now);
        const { id, endsAt: until, createdBy } = next;
        await onIncident(tx, old.incident, old.id, { id, until, by: createdBy }, by);
        await touchCards(tx, 'silence', old.id, now);
      }),
    ended: (id, by) =>
      db.tx(async (tx) => {
        const now = clock.now();
        const row = await silence(tx, id);
        await noteEnd(tx, id, { by }, now);
        await onIncident(tx, row?.incident, id, null, by);
        await touchCards(tx, 'silence', id, now);
      }),
  };
}

const endOfGroup = (rows: readonly SilenceRow[]): number => Math.min(...rows.map(({ endsAt }) => endsAt.getTime()));

export const silenceNotFound = (id: string): VakhtaError =>
  new VakhtaError('usage', 'silence-not-found', `no silence ${id}`, { args: { id } });
