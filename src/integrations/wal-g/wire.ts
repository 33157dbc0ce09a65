import { z } from 'zod';
import { VakhtaError } from '../../core/error.ts';
import { type BackupInfo, printable } from '../pgbackrest/info.ts';
import type { VerifyResult } from '../pgbackrest/verify.ts';

const MARK = 'vakhta-run';

const backup = z.object({
  backup_name: z.string(),
  wal_file_name: z.string().nullish(),
  start_time: z.coerce.date(),
  finish_time: z.coerce.date(),
  uncompressed_size: z.number().nullish(),
  compressed_size: z.number().nullish(),
  user_data: z.unknown(),
});

/**
 * What `wal-g backup-list --detail --json` printed, oldest first; nothing at all, or `null`, is an empty storage. A name with `_D_` is
 * a delta on another backup. Source: WAL-G, docs/PostgreSQL.md and BackupDetail in its sources.
 */
export function parseBackupList(text: string): readonly BackupInfo[] {
  if (text.trim() === '') return [];
  const parsed = z.array(backup).nullable().safeParse(json(text));
  if (!parsed.success) throw unreadable(z.prettifyError(parsed.error));
  return (parsed.data ?? [])
    .map((one) => ({
      label: one.backup_name,
      type: one.backup_name.includes('_D_') ? ('incr' as const) : ('full' as const),
      prior: null,
      startedAt: one.start_time,
      stoppedAt: one.finish_time,
      sizeBytes: one.uncompressed_size ?? 0,
      deltaBytes: one.uncompressed_size ?? 0,
      ...(typeof one.compressed_size === 'number' ? { repoDeltaBytes: one.compressed_size } : {}),
      annotation: markOf(one.user_data),
      walStart: one.wal_file_name ?? null,
      walStop: null,
      repoKey: 1,
    }))
    .toSorted((a, b) => a.stoppedAt.getTime() - b.stoppedAt.getTime());
}

/** For `--add-user-data`. */
export const userData = (runId: string): string => JSON.stringify({ [MARK]: runId });

const markOf = (data: unknown): Readonly<Record<string, string>> =>
  z.object({ [MARK]: z.string() }).safeParse(data).data ?? {};

const walVerify = z.object({
  integrity: z.object({
    status: z.string(),
    details: z
      .array(
        z.object({
          start_segment: z.string(),
          end_segment: z.string(),
          segments_count: z.number(),
          status: z.string(),
        }),
      )
      .nullish(),
  }),
  timeline: z.object({ status: z.string() }),
});

/**
 * What `wal-g wal-verify integrity timeline --json` printed. It knows of holes only: no byte of a backup was read. Segments that are
 * still on their way (`MISSING_DELAYED`, `MISSING_UPLOADING`) are no damage.
 */
export function parseWalVerify(text: string): VerifyResult {
  const parsed = walVerify.safeParse(json(text));
  if (!parsed.success) throw unreadable(z.prettifyError(parsed.error));
  const { integrity, timeline } = parsed.data;
  const lost = (integrity.details ?? []).filter(({ status }) => status === 'MISSING_LOST');
  const problems = [
    ...lost.map(({ start_segment, end_segment }) => `WAL lost: ${start_segment} … ${end_segment}`),
    ...(integrity.status === 'FAILURE' && lost.length === 0 ? ['integrity: FAILURE'] : []),
    ...(timeline.status === 'FAILURE' ? ['timeline: FAILURE'] : []),
  ];
  return { status: problems.length > 0 ? 'error' : 'ok', archives: [], backups: [], problems };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(text);
  }
}

const unreadable = (text: string): VakhtaError =>
  new VakhtaError('permanent', 'wal-g-output', `wal-g: ${printable(text)}`, {
    args: { detail: printable(text) || '—' },
  });
