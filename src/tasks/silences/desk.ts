import type { Clock } from '../../core/clock.ts';
import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database, Tx } from '../../store/db.ts';
import { appendEvents, incident, setSilence } from '../../store/incidents.ts';
import {
  incidentsUnder,
  leaveView,
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

  /** Incidents that show the silence `was` show what there is now. */
  const onIncidents = async (
    tx: Tx,
    was: string,
    by: string,
    change: (noted: IncidentSilence) => IncidentSilence | null,
  ): Promise<void> => {
    const at = clock.now();
    for (const id of await incidentsUnder(tx, was)) {
      const its = await incident(tx, id, { forUpdate: true });
      const noted = its?.silence ? silenceSchema.parse(its.silence) : undefined;
      if (noted?.id !== was) continue;
      const now = change(noted);
      await setSilence(tx, id, now && storedSilence(now), at);
      const data = now ? { silence: now.id, until: now.until } : {};
      await appendEvents(tx, [{ incidentId: id, at, kind: now ? 'silenced' : 'unsilenced', actor: by, data }]);
      await leaveView(tx, 'incident', String(id), 'silence');
      await touchCards(tx, 'incident', String(id), at);
    }
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
        const { id, endsAt: until } = next;
        await onIncidents(tx, old.id, by, (noted) => lasting(noted, id, until));
        await touchCards(tx, 'silence', old.id, now);
      }),
    ended: (id, by) =>
      db.tx(async (tx) => {
        const now = clock.now();
        await noteEnd(tx, id, { by }, now);
        await onIncidents(tx, id, by, () => null);
        await touchCards(tx, 'silence', id, now);
      }),
  };
}

const endOfGroup = (rows: readonly SilenceRow[]): number => Math.min(...rows.map(({ endsAt }) => endsAt.getTime()));

export const silenceNotFound = (id: string): VakhtaError =>
  new VakhtaError('usage', 'silence-not-found', `no silence ${id}`, { args: { id } });

/** The longer one has a fixed end, also where the one before it was renewed until the incident is over. */
const lasting = ({ by, muted, of, elsewhere }: IncidentSilence, id: string, until: Date): IncidentSilence => ({
  id,
  until,
  by,
  ...(muted === undefined || of === undefined ? {} : { muted, of }),
  ...(elsewhere === undefined ? {} : { elsewhere }),
});
