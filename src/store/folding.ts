import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { SAYS_OF } from './incidents.ts';
import { at, int, many, optional } from './rows.ts';
import { SLIM_ALERTS, slimAlerts } from './storms.ts';

const foldable_ = z.object({
  id: int,
  truncated: int,
  alerts: slimAlerts,
  /** The incident that shows it. */
  into: optional(int),
});

/** A firing incident as far as folding is concerned. */
export type FoldableRow = z.output<typeof foldable_>;

const columns = `i.id, coalesce((i.data ->> 'truncated')::int, 0) as truncated, ${SLIM_ALERTS} as alerts,
  i.folded_into as "into"`;

/** What fires and says that a node or a guest is down. */
export function downIncidents(q: Queryable): Promise<FoldableRow[]> {
  return many(
    q,
    foldable_,
    `select ${columns} from incidents i where i.state = 'firing' and i.says_down order by i.id`,
  );
}

/** Incidents that fire: these, or all. */
export function firingFoldables(q: Queryable, ids?: readonly number[]): Promise<FoldableRow[]> {
  return many(
    q,
    foldable_,
    `select ${columns} from incidents i where i.state = 'firing' and ($1::bigint[] is null or i.id = any ($1)) order by i.id`,
    [ids],
  );
}

/** Notes of incidents whether they say that something is down. */
export async function setSaysDown(
  q: Queryable,
  rows: readonly { readonly id: number; readonly saysDown: boolean }[],
): Promise<void> {
  if (rows.length === 0) return;
  await q.query(
    `update incidents i set says_down = r."saysDown"
     from jsonb_to_recordset($1::jsonb) as r (id bigint, "saysDown" boolean) where i.id = r.id`,
    [toJson(rows)],
  );
}

/** Notes into which incidents these are folded; none: they stand for themselves. */
export async function setFolded(
  q: Queryable,
  rows: readonly { readonly id: number; readonly into?: number | undefined }[],
): Promise<void> {
  if (rows.length === 0) return;
  await q.query(
    `update incidents i set folded_into = r."into"
     from jsonb_to_recordset($1::jsonb) as r (id bigint, "into" bigint) where i.id = r.id`,
    [toJson(rows)],
  );
}

const child_ = z.object({
  id: int,
  state: z.enum(['firing', 'resolved']),
  severity: z.enum(['critical', 'warning', 'info']),
  title: z.string(),
  says: optional(z.string()).optional(),
  owner: optional(z.string()),
  startedAt: at,
  truncated: int,
  alerts: slimAlerts,
});

/** An incident that another one shows. */
export type FoldedIncident = z.output<typeof child_>;

/** What is folded into this incident, firing ones first. */
export function foldedInto(q: Queryable, id: number): Promise<FoldedIncident[]> {
  return many(
    q,
    child_,
    `select i.id, i.state, i.severity, i.title, ${SAYS_OF} as says, i.owner, i.started_at as "startedAt",
       coalesce((i.data ->> 'truncated')::int, 0) as truncated, ${SLIM_ALERTS} as alerts
     from incidents i where i.folded_into = $1
     order by i.state, array_position(array['critical', 'warning', 'info'], i.severity), i.started_at, i.id`,
    [id],
  );
}
