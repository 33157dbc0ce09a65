import type { AlertGroup } from '../../core/alertmanager.ts';
import { minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import {
  type Incident,
  type IncidentEvent,
  type IncidentPolicy,
  isOutdated,
  reduceGroup,
  type Reduction,
} from '../../core/incident.ts';
import type { Config } from '../../config/schema.ts';
import type { Tx } from '../../store/db.ts';
import {
  appendEvents,
  currentIncidents,
  type Incident as StoredIncident,
  type IncidentRow,
  saveIncidents,
} from '../../store/incidents.ts';
import { ALERTMANAGER, incidentOf } from '../incidents.ts';
import { type SignalsConfig, takeSignals } from '../watcher/signals.ts';
import { type Change, place, type PlacementConfig } from './placement.ts';

export type WriterConfig = PlacementConfig & SignalsConfig & Pick<Config, 'policy'>;

/** The one way by which incidents begin, change and end: row, history and cards in the transaction of the caller. */
export interface IncidentWriter {
  /** Groups of one source applied to their incidents in the order given, with a constant number of statements. */
  apply(tx: Tx, source: string, groups: readonly AlertGroup[], now: Date): Promise<void>;
  /** A change that no payload tells, to a row that is locked. */
  change(tx: Tx, row: StoredIncident, reduction: Reduction, now: Date): Promise<void>;
}

export function createIncidentWriter(config: WriterConfig): IncidentWriter {
  const policy: IncidentPolicy = { reopenMs: minutes(config.policy.incidentReopenMinutes) };

  const write = async (
    tx: Tx,
    rows: readonly (Episode & { readonly groupKey: string; readonly source: string; readonly current: boolean })[],
    now: Date,
  ): Promise<void> => {
    const saved = await saveIncidents(
      tx,
      rows.map((one) => rowOf(one, now)),
    );
    if (saved.length !== rows.length) {
      throw new VakhtaError('bug', 'internal', `${rows.length} incidents to write, ${saved.length} written`);
    }
    const written = rows.map((row, index) => ({ ...row, id: saved[index]?.id ?? 0 }));
    await appendEvents(
      tx.late,
      written.flatMap(({ id, events }) => events.map(({ kind, ...data }) => ({ incidentId: id, at: now, kind, data }))),
    );
    const changes = written
      .filter(({ changed }) => changed)
      .map(({ id, row, incident, events }): Change => ({ id, row, incident, events }));
    await place(tx, changes, now, config);
  };

  return {
    apply: async (tx, source, given, now) => {
      const groups = source === ALERTMANAGER ? await takeSignals(tx, given, now, config) : given;
      if (groups.length === 0) return;
      const keys = [...new Set(groups.map((group) => group.groupKey))].toSorted();
      const known = await currentIncidents(tx, source, keys, { forUpdate: true });
      const rows = fold(groups, known, now, policy);
      await write(
        tx,
        rows.map((row) => ({ ...row, source })),
        now,
      );
    },
    change: (tx, row, { incident, changed, events }, now) =>
      write(
        tx,
        [
          {
            row,
            incident,
            changed,
            events: [...events],
            groupKey: row.groupKey,
            source: row.source,
            current: row.current,
          },
        ],
        now,
      ),
  };
}

interface Episode {
  /** The row it continues; a new one has none. */
  readonly row: StoredIncident | undefined;
  incident: Incident;
  changed: boolean;
  readonly events: IncidentEvent[];
}

function rowOf(
  {
    groupKey,
    source,
    current,
    row,
    incident,
  }: Episode & { readonly groupKey: string; readonly source: string; readonly current: boolean },
  now: Date,
): IncidentRow {
  return {
    ...(row ? { id: row.id, owner: row.owner, ackedAt: row.ackedAt, silence: row.silence } : {}),
    source,
    groupKey,
    current,
    ...incident,
    resolvedAt: incident.resolvedAt ?? undefined,
    updatedAt: now,
  };
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
    if (isOutdated(before, group)) continue;
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
