import { z } from 'zod';
import type { Lock, Node, Snapshot } from './port.ts';

const snapshot = z
  .object({
    id: z.string().min(8),
    time: z.string().transform((text) => new Date(text)),
    tree: z.string(),
    hostname: z.string().default(''),
    paths: z.array(z.string()).default([]),
    tags: z.array(z.string()).nullish(),
    summary: z.object({ total_bytes_processed: z.number().optional() }).optional(),
  })
  .transform(
    ({ id, time, tree, hostname, paths, tags, summary }): Snapshot => ({
      id,
      shortId: id.slice(0, 8),
      at: time,
      tree,
      host: hostname,
      paths,
      tags: tags ?? [],
      ...(summary?.total_bytes_processed === undefined ? {} : { sizeBytes: summary.total_bytes_processed }),
    }),
  );

/** `restic snapshots --json`, oldest first. Undefined when it is something else. */
export function parseSnapshots(stdout: string): Snapshot[] | undefined {
  // An empty repository gives `[]`, or `null` in old versions.
  const found = z.array(snapshot).nullable().safeParse(json(stdout));
  return found.success ? (found.data ?? []).toSorted((a, b) => a.at.getTime() - b.at.getTime()) : undefined;
}

const group = z.object({ keep: z.array(snapshot).nullable(), remove: z.array(snapshot).nullable() });

/** `restic forget --json`: its first line; what `--prune` has to say follows as plain text. */
export function parseForget(stdout: string): { kept: number; removed: Snapshot[] } | undefined {
  const line = stdout.trim().split('\n', 1)[0] ?? '';
  // Without any snapshot that fits, restic prints nothing at all.
  if (line === '') return { kept: 0, removed: [] };
  const groups = z.array(group).nullable().safeParse(json(line));
  if (!groups.success) return undefined;
  const all = groups.data ?? [];
  return {
    kept: all.reduce((sum, { keep }) => sum + (keep?.length ?? 0), 0),
    removed: all.flatMap(({ remove }) => remove ?? []).toSorted((a, b) => a.at.getTime() - b.at.getTime()),
  };
}

const stats = z.object({ total_size: z.number() });

/** `restic stats --json`: bytes, in the sense of its mode. */
export const parseStats = (stdout: string): number | undefined => stats.safeParse(json(stdout)).data?.total_size;

const lock = z
  .object({
    time: z.string().transform((text) => new Date(text)),
    exclusive: z.boolean().default(false),
    hostname: z.string().default(''),
    username: z.string().default(''),
    pid: z.number(),
  })
  .transform(({ time, exclusive, hostname, username, pid }) => ({
    at: time,
    exclusive,
    host: hostname,
    user: username,
    pid,
  }));

/** `restic cat lock ID`. */
export function parseLock(id: string, stdout: string): Lock | undefined {
  const found = lock.safeParse(json(stdout)).data;
  return found && { id, ...found };
}

const node = z.object({
  struct_type: z.literal('node').optional(),
  message_type: z.literal('node').optional(),
  type: z.string(),
  path: z.string(),
  size: z.number().default(0),
});

/** A line of `restic ls --json`; nothing for the first one, which is the snapshot. */
export function parseNode(line: string): Node | undefined {
  const found = node.safeParse(json(line)).data;
  return found && { type: found.type, path: found.path, sizeBytes: found.size };
}

/** One line of `restic backup --json` (and `restore --json` of new versions). */
export type BackupLine =
  | { readonly kind: 'status'; readonly percent?: number; readonly remainingMs?: number; readonly doneBytes?: number }
  | {
      readonly kind: 'summary';
      readonly snapshot: string | undefined;
      readonly files: number;
      readonly newFiles: number;
      readonly changedFiles: number;
      readonly bytes: number;
      readonly addedBytes: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'skipped'; readonly item: string };

const message = z.object({ message_type: z.string() });
const statusLine = z.object({
  percent_done: z.number().optional(),
  seconds_remaining: z.number().optional(),
  bytes_done: z.number().optional(),
});
const summaryLine = z.object({
  snapshot_id: z.string().optional(),
  total_files_processed: z.number().default(0),
  files_new: z.number().default(0),
  files_changed: z.number().default(0),
  total_bytes_processed: z.number().default(0),
  data_added: z.number().default(0),
  total_duration: z.number().default(0),
});
const errorLine = z.object({ item: z.string() });

export function parseBackupLine(line: string): BackupLine | undefined {
  if (!line.startsWith('{')) return undefined;
  const raw = json(line);
  switch (message.safeParse(raw).data?.message_type) {
    case 'status': {
      const found = statusLine.safeParse(raw).data;
      return (
        found && {
          kind: 'status',
          ...(found.percent_done === undefined ? {} : { percent: Math.min(100, found.percent_done * 100) }),
          ...(found.seconds_remaining === undefined ? {} : { remainingMs: found.seconds_remaining * 1000 }),
          ...(found.bytes_done === undefined ? {} : { doneBytes: found.bytes_done }),
        }
      );
    }
    case 'summary': {
      const found = summaryLine.safeParse(raw).data;
      return (
        found && {
          kind: 'summary',
          snapshot: found.snapshot_id,
          files: found.total_files_processed,
          newFiles: found.files_new,
          changedFiles: found.files_changed,
          bytes: found.total_bytes_processed,
          addedBytes: found.data_added,
          durationMs: Math.round(found.total_duration * 1000),
        }
      );
    }
    case 'error': {
      const found = errorLine.safeParse(raw).data;
      return found && { kind: 'skipped', item: found.item };
    }
    case undefined:
    default:
      return undefined;
  }
}

/** What `restic check --read-data-subset=n/t` says of how much it read. */
export function parsePacks(stdout: string): { packsRead?: number; packs?: number } {
  const [, packs] = /out of total (\d+) packs/u.exec(stdout) ?? [];
  const read = [...stdout.matchAll(/(\d+) \/ (\d+) packs/gu)].at(-1)?.[2];
  return {
    ...(read === undefined ? {} : { packsRead: Number(read) }),
    ...(packs === undefined ? (read === undefined ? {} : { packs: Number(read) }) : { packs: Number(packs) }),
  };
}

/** `total prune:  9 blobs / 2.154 KiB`: bytes freed. */
export function parsePruned(stdout: string): number | undefined {
  const [, number, unit] = /^total prune: .*\/ ([\d.]+) ([KMGTP]?i?B)$/mu.exec(stdout) ?? [];
  const power = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].indexOf(unit ?? '');
  return number === undefined || power < 0 ? undefined : Math.round(Number(number) * 1024 ** power);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
