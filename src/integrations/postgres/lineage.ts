import { VakhtaError } from '../../core/error.ts';
import { endOf } from './archive.ts';
import { controlDataOf } from './control.ts';
import type { Programs } from './programs.ts';

/** The timelines that led to the present one, with the byte of WAL at which each was left. */
export interface Lineage {
  readonly timeline: number;
  readonly left: ReadonlyMap<number, number>;
  readonly segmentBytes: number;
}

const SEGMENT_BYTES = 16_777_216;

/**
 * A history file: `1<TAB>0/5000110<TAB>before 2026-11-24 00:13:11+00`. Source: PostgreSQL 15, src/backend/access/transam/timeline.c
 */
export function parseHistory(timeline: number, text: string, segmentBytes = SEGMENT_BYTES): Lineage {
  const left = new Map<number, number>();
  for (const line of text.split('\n')) {
    const [, number, high, low] = /^\s*(\d+)\s+([0-9A-F]+)\/([0-9A-F]+)/u.exec(line) ?? [];
    if (number === undefined || high === undefined || low === undefined) continue;
    left.set(Number(number), Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16));
  }
  return { timeline, left, segmentBytes };
}

/**
 * Whether recovery can lead from a backup, whose last segment this is, to the present. What was backed up after the moment to which
 * the cluster was later put back cannot: PostgreSQL refuses it ("not a child of this server's history"). A backup ends its segment, so
 * one that ends in the segment in which its timeline was left ended after that.
 */
export function leadsHere({ timeline, left, segmentBytes }: Lineage, walStop: string): boolean {
  const of = Number.parseInt(walStop.slice(0, 8), 16);
  const end = endOf(walStop, segmentBytes);
  // Newer than what is known here: a standby of it, or one that was promoted meanwhile.
  if (end === undefined || of >= timeline) return true;
  const fork = left.get(of);
  return fork !== undefined && end <= fork;
}

/** How the cluster in this folder came to be; nothing while it is on its first timeline, or when it is not there. */
export async function lineageOf(
  programs: Programs,
  binDir: string,
  dataDir: string,
  signal?: AbortSignal,
): Promise<Lineage | undefined> {
  const options = signal ? { signal } : {};
  const { stdout } = await programs.ask(
    ['find', `${dataDir}/pg_wal/`, '-maxdepth', '1', '-name', '*.history', '-printf', '%f\\n'],
    options,
  );
  const newest = stdout
    .split('\n')
    .filter((name) => /^[0-9A-F]{8}\.history$/u.test(name))
    .sort()
    .at(-1);
  const text = newest === undefined ? undefined : await programs.read(`${dataDir}/pg_wal/${newest}`, signal);
  if (newest === undefined || text === undefined) return undefined;
  return parseHistory(Number.parseInt(newest, 16), text, await segmentBytesOf(programs, binDir, dataDir, signal));
}

async function segmentBytesOf(
  programs: Programs,
  binDir: string,
  dataDir: string,
  signal?: AbortSignal,
): Promise<number> {
  try {
    return (await controlDataOf(programs, binDir, dataDir, signal)).walSegmentBytes;
  } catch (thrown) {
    // Of a damaged cluster: then by the usual size.
    if (thrown instanceof VakhtaError && (thrown.code === 'pg-program' || thrown.code === 'pg-output')) {
      return SEGMENT_BYTES;
    }
    throw thrown;
  }
}
