import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, int, jsonObject, many, optional } from './rows.ts';

const fresh = z.object({ id: int, data: jsonObject, startedAt: at });

/** A transaction that took longer than its neighbours may commit a lower id later than they did theirs. */
const OVERTAKEN = 500;

/** Incidents without traits, the oldest first. */
export function incidentsWithoutTraits(q: Queryable, limit: number): Promise<z.output<typeof fresh>[]> {
  return many(
    q,
    fresh,
    `select id, data, started_at as "startedAt" from incidents i
     where id > coalesce((select max(incident_id) from incident_traits), 0) - $2
       and not exists (select from incident_traits t where t.incident_id = i.id)
     order by id limit $1`,
    [limit, OVERTAKEN],
  );
}

export interface TraitsRow {
  readonly incidentId: number;
  readonly alertname: string;
  readonly target: string;
  readonly startedAt: Date;
}

export async function addTraits(q: Queryable, rows: readonly TraitsRow[]): Promise<void> {
  if (rows.length === 0) return;
  await q.query(
    `insert into incident_traits (incident_id, alertname, target, started_at)
     select r."incidentId", r.alertname, r.target, r."startedAt" from jsonb_to_recordset($1::jsonb)
       as r ("incidentId" bigint, alertname text, target text, "startedAt" timestamptz)
     where exists (select from incidents where id = r."incidentId")
     on conflict (incident_id) do nothing`,
    [toJson(rows)],
  );
}

const similar_ = z.object({
  id: int,
  sameTarget: z.boolean(),
  target: z.string(),
  title: z.string(),
  state: z.enum(['firing', 'resolved']),
  owner: optional(z.string()),
  startedAt: at,
  resolvedAt: optional(at),
  /** The last change that was asked for from its card and succeeded. */
  helped: optional(z.string()),
  helpedTarget: optional(z.string()),
});

/** An earlier incident of the same alert, and how it ended. */
export type Similar = z.output<typeof similar_>;

/** Earlier incidents of the same alert, those of the same target first, newest first. One query over indexes. */
export function similarIncidents(
  q: Queryable,
  of: { readonly id: number; readonly alertname: string; readonly target: string },
  changes: readonly string[],
  limit: number,
): Promise<Similar[]> {
  return many(
    q,
    similar_,
    `with same as (
       select incident_id, target from incident_traits
       where alertname = $2 and target = $3 and incident_id < $1 order by incident_id desc limit $5
     ),
     named as (
       select incident_id, target from incident_traits
       where lower(alertname) = lower($2) and incident_id < $1 order by incident_id desc limit 2 * $5
     ),
     picked as (
       select incident_id, target, true as is_same from same
       union all
       select incident_id, target, false from named where target <> $3
     )
     select i.id, p.is_same as "sameTarget", p.target, i.title, i.state, i.owner, i.started_at as "startedAt",
       i.resolved_at as "resolvedAt", r.operation as helped, r.target as "helpedTarget"
     from picked p join incidents i on i.id = p.incident_id
     left join lateral (
       select operation, plan ->> 'target' as target from runs
       where origin ? 'incident' and (origin ->> 'incident')::bigint = i.id and state = 'succeeded' and operation = any ($4)
       order by created_at desc limit 1
     ) r on true
     order by p.is_same desc, i.id desc limit $5`,
    [of.id, of.alertname, of.target, changes, limit],
  );
}

const changeRun = z.object({
  id: z.string(),
  number: int,
  operation: z.string(),
  target: optional(z.string()),
  state: z.string(),
  actor: z.object({ kind: z.string(), id: z.string() }),
  createdAt: at,
  finishedAt: optional(at),
  isOwn: z.boolean(),
});

/** A run that may have changed what an incident is about. `isOwn`: asked for from its card. */
export type ChangeRun = z.output<typeof changeRun>;

/** Runs of these operations since `from` that name one of `names` as target or argument, or were asked for from the card. */
export function changesBy(
  q: Queryable,
  of: { readonly incident: number; readonly names: readonly string[]; readonly operations: readonly string[] },
  from: Date,
  to: Date,
  limit: number,
): Promise<ChangeRun[]> {
  return many(
    q,
    changeRun,
    `select id, number, operation, plan ->> 'target' as target, state, actor, created_at as "createdAt",
       finished_at as "finishedAt", coalesce((origin ->> 'incident')::bigint = $1, false) as "isOwn"
     from runs
     where created_at between $4 and $5 and operation = any ($3)
       and state not in ('planning', 'confirming', 'approving', 'rejected', 'expired')
       and (coalesce((origin ->> 'incident')::bigint = $1, false) or lower(plan ->> 'target') = any ($2)
         or exists (select from jsonb_each_text(args) a where lower(a.value) = any ($2)))
     order by created_at desc limit $6`,
    [of.incident, of.names, of.operations, from, to, limit],
  );
}
