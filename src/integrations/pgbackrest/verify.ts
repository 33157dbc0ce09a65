import { hours } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Executor } from '../exec/executor.ts';
import { exitError } from './errors.ts';
import { printable } from './info.ts';
import { firstError } from './log.ts';

/** What one `verify` says, of a backup or of an archive of WAL. */
export interface Checked {
  /** `20261124-000905F`, or `15-1` of an archive. */
  readonly id: string;
  readonly files: number;
  readonly valid: number;
  readonly missing: number;
  readonly checksum: number;
  readonly size: number;
  readonly other: number;
}

export interface CheckedBackup extends Checked {
  /** In pgBackRest's words: `valid`, `invalid`, `manifest missing`, `in-progress`. */
  readonly status: string;
}

export interface VerifyResult {
  /** `error`: damage was seen. Not the exit code: that is 0 either way. */
  readonly status: 'ok' | 'error';
  readonly archives: readonly Checked[];
  readonly backups: readonly CheckedBackup[];
  /** Further lines that pgBackRest prints of what is wrong. */
  readonly problems: readonly string[];
}

const LOG = /^(?:\d{4}-\d\d-\d\d \S+ )?P\d+ +[A-Z]+: +/u;
const COUNTS = /^(?:(?:missing|checksum invalid|size invalid|other): \d+(?:, )?)+$/u;

/**
 * Reads what `verify --output=text` printed, verbose or not, or the log of versions without that option. Nothing when no verdict is
 * in it: then nobody has verified anything. Source: pgBackRest, src/command/verify/verify.c; recorded with 2.45.
 */
export function parseVerify(text: string): VerifyResult | undefined {
  let status: string | undefined;
  const archives: Checked[] = [];
  const backups: CheckedBackup[] = [];
  const problems: string[] = [];
  let last: Mutable<Checked> | undefined;
  let isInside = false;
  for (const raw of text.split('\n')) {
    const line = raw.replace(LOG, '').trim();
    if (/^stanza: \S/u.test(line)) {
      isInside = true;
      continue;
    }
    const verdict = /^status: (\w+)$/u.exec(line)?.[1];
    if (verdict !== undefined) {
      isInside = true;
      status = verdict;
      continue;
    }
    // Up to 2.38 there is no verdict: the counts are all there is.
    if (line === 'Results:') {
      isInside = true;
      status ??= 'ok';
      continue;
    }
    if (!isInside || line === '' || line.endsWith('none found')) continue;
    const archive = /^archiveId: (\S+), total WAL checked: (\d+), total valid WAL: (\d+)$/u.exec(line);
    const backup = /^backup: (\S+), status: ([^,]+), total files checked: (\d+), total valid files: (\d+)$/u.exec(line);
    if (archive) {
      last = { ...NONE, id: archive[1] ?? '', files: Number(archive[2]), valid: Number(archive[3]) };
      archives.push(last);
    } else if (backup) {
      const made = {
        ...NONE,
        id: backup[1] ?? '',
        status: backup[2] ?? '',
        files: Number(backup[3]),
        valid: Number(backup[4]),
      };
      last = made;
      backups.push(made);
    } else if (COUNTS.test(line)) {
      if (last) Object.assign(last, countsOf(line));
    } else if (!/^\w+ command (?:begin|end)/u.test(line) && !raw.startsWith('20')) problems.push(line);
  }
  if (status === undefined) return undefined;
  const isDamaged =
    status !== 'ok' ||
    problems.length > 0 ||
    archives.some(isBad) ||
    backups.some((one) => isBad(one) || !['valid', 'in-progress'].includes(one.status));
  return { status: isDamaged ? 'error' : 'ok', archives, backups, problems };
}

/**
 * pgBackRest counts the segments that are there and does not miss those that are not. How many must be there at least follows from
 * the first and the last of the archive. Nothing when it cannot be told: no archive, names that do not fit the segment size, or an
 * unknown size where the second part of the names overflows (within it every size counts alike).
 */
export function missingSegments(
  { min, max }: { readonly min: string | null; readonly max: string | null },
  seen: number,
  segmentBytes: number | undefined,
): number | undefined {
  if (segmentBytes === undefined && min?.slice(8, 16) !== max?.slice(8, 16)) return undefined;
  const perLog = 2 ** 32 / (segmentBytes ?? SMALLEST_SEGMENT);
  const from = numberOf(min, perLog);
  const to = numberOf(max, perLog);
  if (from === undefined || to === undefined || to < from) return undefined;
  return Math.max(0, to - from + 1 - seen);
}

/** PostgreSQL's own limit (initdb --wal-segsize=1). */
const SMALLEST_SEGMENT = 2 ** 20;

function numberOf(wal: string | null, perLog: number): number | undefined {
  const [, high, low] = /^[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})$/u.exec(wal ?? '') ?? [];
  if (high === undefined || low === undefined) return undefined;
  const segment = Number.parseInt(low, 16);
  return segment < perLog ? Number.parseInt(high, 16) * perLog + segment : undefined;
}

/** What pgBackRest 2.45 ends with when a compressed or encrypted file does not even unpack: damage, and no verdict of its own. */
export const isUnreadable = (code: number | null, stderr: string): boolean =>
  (code === 29 && /\b(?:zst|lz4|gz|bz2) error\b|corrupt/u.test(stderr)) ||
  (code === 95 && /decrypt|cipher/u.test(stderr));

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
const NONE = { missing: 0, checksum: 0, size: 0, other: 0 };
const isBad = (one: Checked): boolean => one.valid < one.files || one.missing + one.checksum + one.size + one.other > 0;

function countsOf(line: string): Partial<Checked> {
  const count = (name: string): number => Number(new RegExp(`${name}: (\\d+)`, 'u').exec(line)?.[1] ?? 0);
  return {
    missing: count('missing'),
    checksum: count('checksum invalid'),
    size: count('size invalid'),
    other: count('other'),
  };
}

/**
 * Reads everything in a repository and compares it with its checksums; nothing is changed. Without `--repo`, pgBackRest would look at
 * the first repository only, and say nothing of it. Throws `pgbackrest-verify-silent` when there was no verdict.
 */
export async function verifyStanza(
  at: { readonly executor: Executor; readonly stanza: string; readonly words: readonly string[] },
  { repo, signal }: { readonly repo: number; readonly signal?: AbortSignal },
): Promise<VerifyResult> {
  const run = (words: readonly string[]) =>
    at.executor.run([...at.words, `--repo=${repo}`, ...words, 'verify'], {
      ...(signal ? { signal } : {}),
      timeoutMs: hours(12),
      maxOutputBytes: 16 * 1024 * 1024,
    });
  let result = await run(['--output=text', '--verbose', '--log-level-console=off', '--log-level-stderr=warn']);
  // Before 2.39 the results stand in the log.
  if (result.code === 31) result = await run(['--log-level-console=info', '--log-level-stderr=warn']);
  if (isUnreadable(result.code, result.stderr + result.stdout)) {
    return {
      status: 'error',
      archives: [],
      backups: [],
      problems: [printable(firstError(result.stderr + result.stdout))],
    };
  }
  if (result.code !== 0) throw exitError(at.stanza, result);
  const found = parseVerify(result.stdout);
  if (found === undefined) {
    throw new VakhtaError('permanent', 'pgbackrest-verify-silent', `${at.stanza}: verify gave no verdict`, {
      args: { stanza: at.stanza },
    });
  }
  return found;
}
