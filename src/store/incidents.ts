import { z } from 'zod';
import { toJson } from '../core/json.ts';
import { OWN_SOURCES, SAYS } from '../core/own-alert.ts';
import type { Queryable } from './db.ts';
import { at, first, int, jsonObject, many, optional, touched } from './rows.ts';

const SEVERITIES = ['critical', 'warning', 'info'] as const;
const STATES = ['firing', 'resolved'] as const;

const incident_ = z.object({
  id: int,
  source: z.string(),
  groupKey: z.string(),
  /** The newest one of its group; an older one stays as history. */
  current: z.boolean(),
  state: z.enum(STATES),
  severity: z.enum(SEVERITIES),
  title: z.string(),
  data: jsonObject,
  rev: int,
  owner: optional(z.string()),
  ackedAt: optional(at),
  silence: optional(jsonObject),
  startedAt: at,
  updatedAt: at,
  resolvedAt: optional(at),
  /** It says that a node or a guest is down. */
  saysDown: z.boolean().optional(),
  /** The incident that shows it: what it is about runs on what is down by that one. */
  foldedInto: optional(int).optional(),
});

/**
 * What an incident that this program found out itself says, as `core/own-alert.ts` keeps it; null for those of others. For lists that
 * do without the alerts: `i` is the incident.
 */
export const SAYS_OF = `case when i.source in (${OWN_SOURCES.map((source) => `'${source}'`).join(', ')}) then
  (select a.value -> 'extra' ->> '${SAYS}' from jsonb_each(i.data -> 'alerts') a limit 1) end`;

/** An alert group (or an own probe's finding) as people see it. `data` belongs to the reducer in core. */
export type Incident = z.output<typeof incident_>;

const columns = `id, source, group_key as "groupKey", current, state, severity, title, data, rev, owner, acked_at as "ackedAt",
  silence, started_at as "startedAt", updated_at as "updatedAt", resolved_at as "resolvedAt",
  says_down as "saysDown", folded_into as "foldedInto"`;

/**
 * The current incident of each group that has one, by group key. With `forUpdate` (in a transaction) nobody else changes or begins
 * incidents of these groups until the transaction ends: two first alerts of one group become one incident.
 */
export async function currentIncidents(
  q: Queryable,
  source: string,
  groupKeys: readonly string[],
  options: { readonly forUpdate?: boolean } = {},
): Promise<Map<string, Incident>> {
  // A row that does not exist yet cannot be locked, so writers of one group take turns; all in the same order of groups.
  // Both statements travel together: the second begins, and sees what there is, when the first has its turn.
  const turn = options.forUpdate
    ? q.query(
        `select count(pg_advisory_xact_lock(key)) from (
           select distinct hashtextextended('vakhta incident ' || $1::text || ' ' || g, 0) as key from unnest($2::text[]) g order by 1
         ) as keys`,
        [source, groupKeys],
      )
    : undefined;
  const found = many(
    q,
    incident_,
    `select ${columns} from incidents where source = $1 and group_key = any ($2) and current order by id
     ${options.forUpdate ? 'for update' : ''}`,
    [source, groupKeys],
  );
  const [rows] = await Promise.all([found, turn]);
  return new Map(rows.map((row) => [row.groupKey, row]));
}

/** An incident to write: without `id` it is a new one. `rev` is counted by the store. */
export interface IncidentRow {
  readonly id?: number | undefined;
  readonly source: string;
  readonly groupKey: string;
  readonly current: boolean;
  readonly state: Incident['state'];
  readonly severity: Incident['severity'];
  readonly title: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly owner?: string | undefined;
  readonly ackedAt?: Date | undefined;
  readonly silence?: Readonly<Record<string, unknown>> | undefined;
  readonly startedAt: Date;
  readonly updatedAt: Date;
  readonly resolvedAt?: Date | undefined;
}

const RECORD = `(n int, id bigint, "groupKey" text, source text, current boolean, state text, severity text, title text, data jsonb,
  owner text, "ackedAt" timestamptz, silence jsonb, "startedAt" timestamptz, "updatedAt" timestamptz, "resolvedAt" timestamptz)`;

const written = z.object({ id: int, rev: int });

/** Writes a batch in two statements, whatever its size; answers the ids and new revisions in the order given. */
export async function saveIncidents(
  q: Queryable,
  rows: readonly IncidentRow[],
): Promise<Pick<Incident, 'id' | 'rev'>[]> {
  const known = rows.filter((row) => row.id !== undefined);
  const fresh = rows.filter((row) => row.id === undefined);
  // Updates first: an incident stops to be the current one of its group before its successor begins.
  const updated =
    known.length === 0
      ? []
      : await many(
          q,
          written,
          `with r as (select * from jsonb_to_recordset($1::jsonb) as r ${RECORD}),
           locked as (select i.id from incidents i join r on r.id = i.id order by i.id for update of i),
           changed as (
             update incidents i set current = r.current, state = r.state, severity = r.severity, title = r.title, data = r.data,
               owner = r.owner, acked_at = r."ackedAt", silence = nullif(r.silence, 'null'), started_at = r."startedAt",
               updated_at = r."updatedAt", resolved_at = r."resolvedAt", rev = i.rev + 1
             from r join locked on locked.id = r.id where i.id = r.id returning i.id, i.rev
           )
           select id, rev from changed`,
          [toJson(known)],
        );
  const inserted =
    fresh.length === 0
      ? []
      : await many(
          q,
          written,
          `insert into incidents (source, group_key, current, state, severity, title, data, owner, acked_at, silence, started_at,
             updated_at, resolved_at)
           select r.source, r."groupKey", r.current, r.state, r.severity, r.title, r.data, r.owner, r."ackedAt",
             nullif(r.silence, 'null'), r."startedAt", r."updatedAt", r."resolvedAt"
           from jsonb_to_recordset($1::jsonb) as r ${RECORD} order by r.n returning id, rev`,
          [toJson(fresh.map((row, n) => ({ ...row, n })))],
        );
  const saved = new Map<IncidentRow, z.output<typeof written>>();
  const byId = new Map(updated.map((row) => [row.id, row]));
  for (const row of known) {
    const now = row.id === undefined ? undefined : byId.get(row.id);
    if (now) saved.set(row, now);
  }
  // Rows come back in the order of insertion, and so do their identities.
  inserted
    .toSorted((a, b) => a.id - b.id)
    .forEach((row, n) => {
      const given = fresh[n];
      if (given) saved.set(given, row);
    });
  return rows.flatMap((row) => saved.get(row) ?? []);
}

export interface IncidentEventRow {
  readonly incidentId: number;
  readonly at: Date;
  readonly kind: string;
  readonly actor?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** Adds a batch to the history in one statement. */
export async function appendEvents(q: Queryable, rows: readonly IncidentEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await q.query(
    `insert into incident_events (incident_id, at, kind, actor, data)
     select "incidentId", at, kind, actor, coalesce(data, '{}') from jsonb_to_recordset($1::jsonb)
       as r (n int, "incidentId" bigint, at timestamptz, kind text, actor text, data jsonb) order by n`,
    [toJson(rows.map((row, n) => ({ ...row, n })))],
  );
}

const event_ = z.object({
  id: int,
  incidentId: int,
  at,
  kind: z.string(),
  actor: optional(z.string()),
  data: jsonObject,
});
export type IncidentEvent = z.output<typeof event_>;

/** The history, newest first. */
export function events(q: Queryable, id: number, limit: number): Promise<IncidentEvent[]> {
  return many(
    q,
    event_,
    `select id, incident_id as "incidentId", at, kind, actor, data from incident_events
     where incident_id = $1 order by id desc limit $2`,
    [id, limit],
  );
}

export function incident(
  q: Queryable,
  id: number,
  options: { readonly forUpdate?: boolean } = {},
): Promise<Incident | undefined> {
  return first(
    q,
    incident_,
    `select ${columns} from incidents where id = $1 ${options.forUpdate ? 'for update' : ''}`,
    [id],
  );
}

/** These incidents; one that is not there is left out. */
export function incidents(q: Queryable, ids: readonly number[]): Promise<Incident[]> {
  return many(q, incident_, `select ${columns} from incidents where id = any ($1) order by id`, [ids]);
}

/** What fires now: critical first, then oldest first. */
export function firing(
  q: Queryable,
  filter: { readonly source?: string; readonly severity?: Incident['severity']; readonly limit?: number } = {},
): Promise<Incident[]> {
  return many(
    q,
    incident_,
    `select ${columns} from incidents where state = 'firing' and ($1::text is null or source = $1)
       and ($2::text is null or severity = $2)
     order by array_position(array['critical', 'warning', 'info'], severity), started_at, id limit $3`,
    [filter.source, filter.severity, filter.limit ?? 500],
  );
}

/** Incidents that were firing at some time in [from, to), oldest first: what the digest tells of. */
export function between(q: Queryable, from: Date, to: Date): Promise<Incident[]> {
  return many(
    q,
    incident_,
    `select ${columns} from incidents where started_at < $2 and (state = 'firing' or resolved_at >= $1)
     order by started_at, id limit 1000`,
    [from, to],
  );
}

export type OwnerOutcome =
  | { readonly won: true; readonly incident: Incident }
  | { readonly won: false; readonly owner?: string | undefined; readonly state?: Incident['state'] | undefined };

/** Takes an incident on, if it still fires and nobody else has. Who came second learns who has it. */
export async function claimOwner(q: Queryable, id: number, owner: string, now: Date): Promise<OwnerOutcome> {
  const won = await first(
    q,
    incident_,
    `update incidents set owner = $2, acked_at = $3, updated_at = $3, rev = rev + 1
     where id = $1 and state = 'firing' and owner is null returning ${columns}`,
    [id, owner, now],
  );
  if (won) return { won: true, incident: won };
  const is = await incident(q, id);
  return { won: false, owner: is?.owner, state: is?.state };
}

/** Gives an incident back; only its owner's name opens it. `undefined` when somebody else has it. */
export function releaseOwner(q: Queryable, id: number, owner: string, now: Date): Promise<Incident | undefined> {
  return first(
    q,
    incident_,
    `update incidents set owner = null, acked_at = null, updated_at = $3, rev = rev + 1
     where id = $1 and owner = $2 returning ${columns}`,
    [id, owner, now],
  );
}

/** What shows that the one who took an incident on is at work. */
const ACTIONS = `array['acknowledged', 'commented', 'silenced', 'unsilenced', 'silence-ended', 'handed-over', 'fix-started',
  'fix-cleared']`;

/**
 * Incidents that still fire, are not silenced, and whose owner took them on before, without anything that was done since: no
 * comment, no silence, no handing over, no run asked for from the card. Their acknowledgement has worn off.
 */
export function staleOwners(q: Queryable, before: Date, now: Date): Promise<Incident[]> {
  return many(
    q,
    incident_,
    `select ${columns} from incidents i where state = 'firing' and owner is not null and acked_at < $1
       and coalesce((silence->>'until')::timestamptz <= $2, true)
       and not exists (select from incident_events e where e.incident_id = i.id and e.at >= $1 and e.kind = any (${ACTIONS}))
       and not exists (select from runs r where r.created_at >= $1 and (r.origin->>'incident')::bigint = i.id)
     order by id limit 200`,
    [before, now],
  );
}

/** Frees an incident from an owner who took it on at that time; false when something happened meanwhile. */
export async function expireOwner(q: Queryable, id: number, owner: string, ackedAt: Date, now: Date): Promise<boolean> {
  const rows = await touched(
    q,
    `update incidents set owner = null, acked_at = null, updated_at = $4, rev = rev + 1
     where id = $1 and owner = $2 and acked_at = $3 and state = 'firing'`,
    [id, owner, ackedAt, now],
  );
  return rows > 0;
}

/** Gives an incident that fires to somebody, if it still belongs to whom it was seen with (undefined: to nobody). */
export async function handOver(
  q: Queryable,
  id: number,
  who: { readonly from: string | undefined; readonly to: string },
  now: Date,
): Promise<boolean> {
  const rows = await touched(
    q,
    `update incidents set owner = $3, acked_at = $4, updated_at = $4, rev = rev + 1
     where id = $1 and owner is not distinct from $2 and state = 'firing'`,
    [id, who.from, who.to, now],
  );
  return rows > 0;
}

/** Notes the silence that covers an incident, or that none does. */
export function setSilence(
  q: Queryable,
  id: number,
  silence: Readonly<Record<string, unknown>> | null,
  now: Date,
): Promise<Incident | undefined> {
  return first(
    q,
    incident_,
    `update incidents set silence = $2, updated_at = $3, rev = rev + 1 where id = $1 returning ${columns}`,
    [id, silence === null ? null : toJson(silence), now],
  );
}

/** Forgets what was resolved before, with its history. */
export function purgeIncidents(q: Queryable, before: Date): Promise<number> {
  return touched(q, "delete from incidents where state = 'resolved' and resolved_at < $1", [before]);
}
