import { z } from 'zod';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { formatMoment } from '../../core/pitr.ts';
import type { Proof } from '../../core/recovery.ts';
import type { ArchiveHealth } from '../../integrations/postgres/archive.ts';
import type { Psql } from '../../integrations/postgres/psql.ts';

export const messages = defineMessages({
  en: `
    pg-proof-started = PostgreSQL { $version } started and answers
    pg-proof-moment = stopped at { $target }: the last transaction is of { $last }, the next one, of { $next }, is not there
    pg-proof-moment-wrong = did not stop at { $target }: the last transaction is of { $last }
    pg-proof-latest = replayed to the end of the archive; the last transaction is of { $last }
    pg-proof-canary = the canary row of { $at } is there, and the later one is not
    pg-proof-canary-missing = the canary row of { $at } is missing
    pg-proof-canary-later = a canary row written after the moment is there: it was restored too far
    pg-proof-content = { $databases } databases, { $tables } tables, about { $rows } rows
    pg-proof-content-empty = nothing is in it: { $databases } databases, { $tables } tables, about { $rows } rows
    pg-proof-counts = row counts of { $tables ->
        [one] { $tables } table
       *[other] { $tables } tables
    } are those of production
    pg-proof-counts-differ = table { $table }: { $restored } rows restored, { $production } in production
    pg-proof-relations = { $n } tables and indexes, as in production
    pg-proof-relations-differ = { $restored } tables and indexes restored, { $production } in production
    pg-proof-production = production was not touched: timeline { $timeline } as before, archiving of the copy is off
    pg-proof-production-touched = production is on timeline { $after }, it was { $before }: look at it at once
  `,
  ru: `
    pg-proof-started = PostgreSQL { $version } запустился и отвечает
    pg-proof-moment = остановлен на { $target }: последняя транзакция — { $last }, следующей, { $next }, уже нет
    pg-proof-moment-wrong = остановлен не на { $target }: последняя транзакция — { $last }
    pg-proof-latest = накатан до конца архива; последняя транзакция — { $last }
    pg-proof-canary = контрольная запись от { $at } на месте, более поздней нет
    pg-proof-canary-missing = контрольной записи от { $at } нет
    pg-proof-canary-later = есть контрольная запись, сделанная позже этого момента: восстановлено дальше, чем надо
    pg-proof-content = баз: { $databases }, таблиц: { $tables }, строк примерно { $rows }
    pg-proof-content-empty = внутри пусто: баз { $databases }, таблиц { $tables }, строк примерно { $rows }
    pg-proof-counts = число строк в { $tables ->
        [one] { $tables } таблице
       *[other] { $tables } таблицах
    } то же, что в рабочей базе
    pg-proof-counts-differ = таблица { $table }: восстановлено строк { $restored }, в рабочей базе { $production }
    pg-proof-relations = таблиц и индексов { $n }, как в рабочей базе
    pg-proof-relations-differ = таблиц и индексов восстановлено { $restored }, в рабочей базе { $production }
    pg-proof-production = рабочая база не тронута: линия времени { $timeline }, как и была; архив у копии выключен
    pg-proof-production-touched = рабочая база на линии времени { $after }, а была на { $before }: посмотрите немедленно
  `,
});

/** What is in a cluster, cheaply: by the catalogues and by the estimates of the planner. */
export interface Content {
  readonly version: string;
  readonly databases: number;
  readonly tables: number;
  readonly relations: number;
  /** An estimate; 0 when nothing was ever analysed. */
  readonly rows: number;
  /** Of the last transaction that was replayed. */
  readonly lastReplay?: Date;
}

const contentRow = z.object({
  version: z.string(),
  databases: z.number(),
  tables: z.number(),
  relations: z.number(),
  rows: z.number(),
  last: z.coerce.date().nullable(),
});

const CONTENT = `
  select split_part(current_setting('server_version'), ' ', 1) as version,
    (select count(*) from pg_database where datallowconn) as databases,
    count(*) filter (where relkind in ('r', 'p', 'm') and not system) as tables,
    count(*) as relations,
    coalesce(round(sum(greatest(reltuples, 0)) filter (where relkind in ('r', 'm') and not system)), 0)::bigint as rows,
    pg_last_xact_replay_timestamp() as last
  from (
    select relkind, reltuples, relnamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
      'pg_toast'::regnamespace) as system
    from pg_class where relpersistence <> 't'
  ) c`;

export async function contentOf(psql: Psql, signal: AbortSignal): Promise<Content> {
  const [found] = await psql.rows(CONTENT, contentRow, { signal });
  if (found === undefined) throw new TypeError('an aggregate has one row');
  const { last, ...content } = found;
  return { ...content, ...(last ? { lastReplay: last } : {}) };
}

/** Exact numbers of rows of tables that are quick to count, by qualified name. */
export type Counts = ReadonlyMap<string, number>;

const MOST_TABLES = 20;
const MOST_PAGES = 8192; // 64 MB: well under a second

/** Of the connected database: at most twenty tables, the largest of those that are not too large. */
export async function countsOf(psql: Psql, signal: AbortSignal): Promise<Counts> {
  const name = z.object({ schema: z.string(), name: z.string() });
  const tables = await psql.rows(
    `select n.nspname as schema, c.relname as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and c.relpersistence = 'p' and c.relpages <= ${MOST_PAGES}
       and n.nspname not in ('pg_catalog', 'information_schema', 'vakhta')
     order by c.relpages desc, n.nspname, c.relname limit ${MOST_TABLES}`,
    name,
    { signal },
  );
  return countTables(
    psql,
    tables.map(({ schema, name: table }) => `${schema}.${table}`),
    signal,
  );
}

/** A table that cannot be counted (locked, gone, not readable) is left out. */
export async function countTables(psql: Psql, names: Iterable<string>, signal: AbortSignal): Promise<Counts> {
  const counts = new Map<string, number>();
  for (const qualified of names) {
    const dot = qualified.indexOf('.');
    const params = { schema: qualified.slice(0, dot), name: qualified.slice(dot + 1) };
    try {
      const [row] = await psql.rows('select count(*) as n from :"schema".:"name"', z.object({ n: z.number() }), {
        params,
        signal,
        timeoutMs: 10_000,
      });
      if (row) counts.set(qualified, row.n);
    } catch {
      signal.throwIfAborted();
    }
  }
  return counts;
}

const proof = (ok: boolean, key: string, args: Text['args'] = {}): Proof => ({ ok, text: { key, args } });

export const startedProof = ({ version }: Content): Proof => proof(true, 'pg-proof-started', { version });

/** Recovery says in the server's log before which transaction it stopped; that is what proves the moment. */
export function momentProof(content: Content, log: string, target: Date | undefined, zone: string): Proof {
  const { lastReplay } = content;
  if (target === undefined) {
    return proof(lastReplay !== undefined, 'pg-proof-latest', {
      last: lastReplay ? formatMoment(lastReplay, zone) : '—',
    });
  }
  const next = stoppedBefore(log);
  const isTight = [lastReplay, next].some((at) => at && Math.abs(at.getTime() - target.getTime()) < 2000);
  const show = (at: Date | undefined): string => (at ? formatMoment(at, zone, isTight) : '—');
  const args = { target: show(target), last: show(lastReplay) };
  // PostgreSQL's times have microseconds, ours milliseconds: the same one may be cut off.
  const isRight = next !== undefined && next >= target && (lastReplay === undefined || lastReplay <= target);
  if (!isRight) return proof(false, 'pg-proof-moment-wrong', args);
  return proof(true, 'pg-proof-moment', { ...args, next: show(next) });
}

/** "recovery stopping before commit of transaction 737, time 2026-11-24 00:13:11.114123+00" */
export function stoppedBefore(log: string): Date | undefined {
  const found = /recovery stopping before (?:commit|abort) of transaction \d+, time (\S+) (\S+)/.exec(log);
  if (found === null) return undefined;
  const at = new Date(`${found[1]}T${(found[2] ?? '').replace(/([+-]\d\d)$/, '$1:00')}`);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** Not proven to be empty: a database that was never analysed has no estimates, so only what is also empty in production passes. */
export function contentProof(content: Content, production: Content | undefined): Proof {
  const { databases, tables, rows } = content;
  const hasRows = rows > 0 || (production !== undefined && production.rows === 0);
  const hasTables = tables > 0 || (production !== undefined && production.tables === 0);
  const isThere = databases > 0 && hasRows && hasTables;
  return proof(isThere, isThere ? 'pg-proof-content' : 'pg-proof-content-empty', { databases, tables, rows });
}

/** What did not change in production from before the moment until after it has to be the same in the copy. */
export function countsProof(before: Counts, after: Counts, restored: Counts): Proof | undefined {
  const steady = [...before].filter(([table, rows]) => after.get(table) === rows);
  if (steady.length === 0) return undefined;
  const different = steady.find(([table, rows]) => restored.get(table) !== rows);
  if (different) {
    const [table, rows] = different;
    const args = { table, restored: restored.get(table) ?? '—', production: rows };
    return proof(false, 'pg-proof-counts-differ', args);
  }
  return proof(true, 'pg-proof-counts', { tables: steady.length });
}

export function relationsProof(before: Content, after: Content, restored: Content): Proof | undefined {
  if (before.relations !== after.relations) return undefined;
  if (restored.relations === before.relations) return proof(true, 'pg-proof-relations', { n: restored.relations });
  const args = { restored: restored.relations, production: before.relations };
  return proof(false, 'pg-proof-relations-differ', args);
}

/** Production goes on in its own timeline, and so does its archive. */
export function productionProof(before: ArchiveHealth, after: ArchiveHealth): Proof {
  const timelineOf = (wal: string | undefined, otherwise: number): number =>
    wal === undefined ? otherwise : Number.parseInt(wal.slice(0, 8), 16);
  const archived = timelineOf(after.lastArchivedWal, after.timeline);
  if (before.timeline === after.timeline && archived === timelineOf(before.lastArchivedWal, archived)) {
    return proof(true, 'pg-proof-production', { timeline: after.timeline });
  }
  return proof(false, 'pg-proof-production-touched', { before: before.timeline, after: after.timeline });
}
