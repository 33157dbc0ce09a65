import { defineMessages } from '../../core/i18n.ts';
import type { Incident } from '../../core/incident.ts';
import { parentOf, placed, saysDown, topologyOf } from '../../core/topology.ts';
import type { Config } from '../../config/schema.ts';
import type { Tx } from '../../store/db.ts';
import { downIncidents, firingFoldables, type FoldableRow, setFolded, setSaysDown } from '../../store/folding.ts';
import { appendEvents, type Incident as StoredIncident } from '../../store/incidents.ts';
import { knownInventories } from './inventory.ts';

export const messages = defineMessages({
  en: `
    incident-event-folded = folded into #{ $into }
    incident-event-unfolded = stands by itself again, was folded into #{ $from }
  `,
  ru: `
    incident-event-folded = свёрнут в #{ $into }
    incident-event-unfolded = снова сам по себе, был свёрнут в #{ $from }
  `,
});

/** Without installations nothing is ever folded. */
export type FoldingConfig = Partial<Pick<Config, 'topology' | 'proxmox'>>;

export interface Folding {
  /** Of the incidents that were looked at: those that another one shows. */
  readonly into: ReadonlyMap<number, number>;
  /** Those that were folded or unfolded just now. */
  readonly moved: readonly {
    readonly id: number;
    readonly from?: number | undefined;
    readonly to?: number | undefined;
  }[];
  /** Incidents of which what is folded into them has changed. */
  readonly parents: readonly number[];
}

const NOTHING: Folding = { into: new Map(), moved: [], parents: [] };

interface Changed {
  readonly id: number;
  readonly row: StoredIncident | undefined;
  readonly incident: Incident;
}

/**
 * Folds what runs on what is down into the incident that says so, and unfolds it when that is over: for incidents that have
 * changed, and for all that fire when what is down has changed. `all` looks at everything, after the inventory changed.
 */
export async function foldChanges(
  tx: Tx,
  changes: readonly Changed[],
  now: Date,
  { topology: rules, proxmox = [] }: FoldingConfig,
  options: { readonly all?: boolean } = {},
): Promise<Folding> {
  if (!rules || proxmox.length === 0) return NOTHING;
  const marks = changes.map(({ id, row, incident }) => ({
    id,
    before: row?.saysDown ?? false,
    saysDown:
      incident.state === 'firing' &&
      Object.values(incident.data.alerts).some(
        ({ status, labels }) => status === 'firing' && saysDown(labels, rules.down),
      ),
  }));
  await setSaysDown(
    tx.late,
    marks.filter((one) => one.saysDown !== one.before),
  );
  const everything = options.all === true || marks.some((one) => one.saysDown || one.before);
  const wereFolded = changes.flatMap(({ row }) => row?.foldedInto ?? []);
  const downs = everything ? [] : await downIncidents(tx);
  if (!everything && downs.length === 0 && wereFolded.length === 0) return NOTHING;

  const topology = topologyOf((await knownInventories(tx, proxmox)).all);
  const look = (rows: readonly FoldableRow[]) =>
    rows.map((row) => ({ row, placed: placed(row, topology, rules.down) }));
  const fallenOf = (all: ReturnType<typeof look>) => all.map((one) => one.placed).filter(({ down }) => down.length > 0);
  const before = look(downs);
  // What is down is folded otherwise by now: the inventory has changed.
  const isMoved = before.some((one) => parentOf(one.placed, fallenOf(before), topology) !== one.row.into);
  const rest = everything || isMoved ? undefined : changes.map(({ id }) => id);
  const looked = look(await firingFoldables(tx, rest));
  const fallen = rest === undefined ? fallenOf(looked) : fallenOf(before);

  const into = new Map<number, number>();
  const moved: { id: number; from?: number | undefined; to?: number | undefined }[] = [];
  for (const { row, placed: one } of looked) {
    const to = parentOf(one, fallen, topology);
    if (to !== undefined) into.set(row.id, to);
    if (to !== row.into) moved.push({ id: row.id, from: row.into, to });
  }
  await setFolded(
    tx.late,
    moved.map(({ id, to }) => ({ id, into: to })),
  );
  await appendEvents(
    tx.late,
    moved.flatMap(({ id, from, to }) => [
      ...(from !== undefined && to === undefined
        ? [{ incidentId: id, at: now, kind: 'unfolded', data: { from: String(from) } }]
        : []),
      ...(to === undefined ? [] : [{ incidentId: id, at: now, kind: 'folded', data: { into: String(to) } }]),
    ]),
  );
  const changed = changes.map(({ id }) => into.get(id)).filter((id) => id !== undefined);
  const parents = new Set([
    ...changed,
    ...wereFolded,
    ...moved.flatMap(({ from, to }) => [from ?? [], to ?? []].flat()),
  ]);
  return { into, moved, parents: [...parents].toSorted((a, b) => a - b) };
}
