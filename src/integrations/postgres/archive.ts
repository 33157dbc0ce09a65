import { z } from 'zod';
import type { Psql } from './psql.ts';

/** How the archiving of WAL stands, as the server itself tells it. */
export interface ArchiveHealth {
  /** The server's clock: ages are told by it, not by ours. */
  readonly now: Date;
  readonly mode: 'off' | 'on' | 'always';
  /** The program that `archive_command` names, or the archive library; empty when there is none. */
  readonly archiver: 'pgbackrest' | 'wal-g' | 'other' | 'none';
  readonly lastArchivedWal?: string;
  readonly lastArchivedAt?: Date;
  readonly lastFailedWal?: string;
  readonly lastFailedAt?: Date;
  readonly failedCount: number;
  /** The counters began anew then. */
  readonly statsResetAt?: Date;
  /** The segment that is written now; absent on a standby. */
  readonly currentWal?: string;
  /** Bytes written since the end of the last archived segment; absent on a standby and before the first one. */
  readonly unarchivedBytes?: number;
  readonly timeline: number;
  readonly inRecovery: boolean;
  /** `15.8` */
  readonly version: string;
}

const row = z.object({
  now: z.coerce.date(),
  mode: z.enum(['off', 'on', 'always']),
  command: z.string().nullable(),
  library: z.string().nullable(),
  last_archived_wal: z.string().nullable(),
  last_archived_time: z.coerce.date().nullable(),
  last_failed_wal: z.string().nullable(),
  last_failed_time: z.coerce.date().nullable(),
  failed_count: z.number(),
  stats_reset: z.coerce.date().nullable(),
  current_wal: z.string().nullable(),
  current_bytes: z.number().nullable(),
  segment_bytes: z.number(),
  timeline: z.number(),
  in_recovery: z.boolean(),
  version: z.string(),
});

/** Without names of functions that fail on a standby: those stand behind the case. */
const SQL = `
  select now() as now,
    current_setting('archive_mode') as mode,
    current_setting('archive_command') as command,
    current_setting('archive_library', true) as library,
    a.last_archived_wal, a.last_archived_time, a.last_failed_wal, a.last_failed_time, a.failed_count, a.stats_reset,
    case when pg_is_in_recovery() then null else pg_walfile_name(pg_current_wal_insert_lsn()) end as current_wal,
    case when pg_is_in_recovery() then null else pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') end as current_bytes,
    pg_size_bytes(current_setting('wal_segment_size')) as segment_bytes,
    (select timeline_id from pg_control_checkpoint()) as timeline,
    pg_is_in_recovery() as in_recovery,
    split_part(current_setting('server_version'), ' ', 1) as version
  from pg_stat_archiver a`;

/**
 * Reads `pg_stat_archiver` with what it needs to be understood. The command itself is not kept: it may hold credentials.
 * Source: postgresql.org/docs/15/monitoring-stats.html (pg_stat_archiver)
 */
export async function archiveOf(psql: Psql, signal?: AbortSignal): Promise<ArchiveHealth> {
  const [found] = await psql.rows(SQL, row, signal ? { signal } : {});
  if (found === undefined) throw new TypeError('pg_stat_archiver has one row');
  const archivedEnd =
    found.last_archived_wal === null ? undefined : endOf(found.last_archived_wal, found.segment_bytes);
  return {
    now: found.now,
    mode: found.mode,
    archiver: archiverOf(found.command ?? '', found.library ?? ''),
    ...(found.last_archived_wal === null ? {} : { lastArchivedWal: found.last_archived_wal }),
    ...(found.last_archived_time === null ? {} : { lastArchivedAt: found.last_archived_time }),
    ...(found.last_failed_wal === null ? {} : { lastFailedWal: found.last_failed_wal }),
    ...(found.last_failed_time === null ? {} : { lastFailedAt: found.last_failed_time }),
    failedCount: found.failed_count,
    ...(found.stats_reset === null ? {} : { statsResetAt: found.stats_reset }),
    ...(found.current_wal === null ? {} : { currentWal: found.current_wal }),
    ...(found.current_bytes === null || archivedEnd === undefined
      ? {}
      : { unarchivedBytes: Math.max(0, found.current_bytes - archivedEnd) }),
    timeline: found.timeline,
    inRecovery: found.in_recovery,
    version: found.version,
  };
}

/** Is the last that is known of the archive command a failure? */
export const archiveFails = ({ lastFailedAt, lastArchivedAt }: ArchiveHealth): boolean =>
  lastFailedAt !== undefined && (lastArchivedAt === undefined || lastFailedAt > lastArchivedAt);

/** Milliseconds of work that would be lost now: since the last segment reached the archive. Absent when none ever has. */
export const archiveLag = ({ now, lastArchivedAt }: ArchiveHealth): number | undefined =>
  lastArchivedAt === undefined ? undefined : Math.max(0, now.getTime() - lastArchivedAt.getTime());

/** Where a segment ends in the stream of WAL, in bytes; nothing for history files and backup labels. */
export function endOf(wal: string, segmentBytes: number): number | undefined {
  const [, high, low] = /^[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})(?:\.partial)?$/u.exec(wal) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return Number.parseInt(high, 16) * 2 ** 32 + (Number.parseInt(low, 16) + 1) * segmentBytes;
}

/** PostgreSQL shows `(disabled)` while archiving is off. */
export function archiverOf(command: string, library: string): ArchiveHealth['archiver'] {
  if (library !== '') return 'other';
  if (command === '' || command === '(disabled)') return 'none';
  if (/\bpgbackrest\b/u.test(command)) return 'pgbackrest';
  return /\bwal-g\b/u.test(command) ? 'wal-g' : 'other';
}
