import { type ErrorKind, VakhtaError } from '../../core/error.ts';
import type { RunResult } from '../exec/executor.ts';

/** Exit codes of restic 0.17 and later (doc/075_scripting.rst) that have advice of their own. */
const EXITS: Readonly<Record<number, readonly [ErrorKind, string]>> = {
  10: ['permanent', 'restic-no-repository'],
  11: ['transient', 'restic-locked'],
  12: ['permanent', 'restic-password'],
  130: ['transient', 'restic-cancelled'],
};

/** Older versions, 0.14 of Debian 12 among them, exit with 1 whatever it was: their words have to tell. In this order. */
const WORDS: readonly (readonly [RegExp, ErrorKind, string])[] = [
  [/^sudo: /mu, 'permanent', 'restic-denied'],
  [/repository is already locked/u, 'transient', 'restic-locked'],
  [/wrong password or no key found/u, 'permanent', 'restic-password'],
  [/config file already exists|repository already initialized/u, 'permanent', 'restic-exists'],
  [/no space left on device/u, 'permanent', 'restic-disk-full'],
  [/x509: /u, 'permanent', 'restic-certificate'],
  [
    /dial tcp|connection refused|no such host|i\/o timeout|network is unreachable|TLS handshake|talking HTTP to rclone|reduce your request rate/u,
    'transient',
    'restic-unreachable',
  ],
  // What a store of the S3 kind answers. Restic asks after a repository all the same, so these come before its question.
  [
    /Access Key Id you provided does not exist|InvalidAccessKeyId|signature we calculated does not match|SignatureDoesNotMatch/u,
    'permanent',
    'restic-keys',
  ],
  [/difference between the request time|RequestTimeTooSkewed/u, 'permanent', 'restic-clock'],
  [/specified bucket does not exist|NoSuchBucket/u, 'permanent', 'restic-no-bucket'],
  [/Access ?Denied/u, 'permanent', 'restic-place-denied'],
  [/Is there a repository at the following location|repository does not exist/u, 'permanent', 'restic-no-repository'],
  [/all (?:target directories|source directories)\/files do not exist/u, 'permanent', 'restic-source-missing'],
  [/no matching ID found|no snapshot found|not a valid snapshot/u, 'usage', 'restic-no-snapshot'],
  [/403 Forbidden|append-only|method not allowed/iu, 'permanent', 'restic-append-only'],
];

const LASTING = new Set([
  'restic-keys',
  'restic-clock',
  'restic-no-bucket',
  'restic-place-denied',
  'restic-certificate',
]);

/** A line of restic that tells of a refusal which no second try changes. Restic itself tries everything for a quarter of an hour. */
export const isLasting = (line: string): boolean =>
  /returned error, retrying|^rclone: /u.test(line) &&
  LASTING.has(WORDS.find(([pattern]) => pattern.test(line))?.[2] ?? '');

export const ERROR_CODES: readonly string[] = [
  ...new Set([...Object.values(EXITS).map(([, code]) => code), ...WORDS.map(([, , code]) => code)]),
];

/** The error for a restic that did not exit with 0. */
export function exitError(set: string, { code, signal, stderr }: Pick<RunResult, 'code' | 'signal' | 'stderr'>) {
  const [kind, name] = EXITS[code ?? -1] ??
    WORDS.find(([pattern]) => pattern.test(stderr))?.slice(1) ?? ['permanent', 'restic-failed'];
  const detail = firstLine(stderr) || `exit ${code ?? signal ?? '?'}`;
  return new VakhtaError(kind as ErrorKind, name as string, `restic ${set}: ${detail}`, {
    args: { set, detail, ...holder(stderr) },
  });
}

/** Who holds the lock, out of the message of restic. */
function holder(stderr: string): { pid: string; host: string; since: string } {
  const [, pid = '?', host = '?'] = /locked(?: exclusively)? by PID (\d+) on (\S+)/u.exec(stderr) ?? [];
  const [, since = '?'] = /lock was created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/u.exec(stderr) ?? [];
  return { pid, host, since };
}

/** The line that tells what was fatal, or the last one; without what a repository's address may hold of a login. */
function firstLine(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => message(line.trim()))
    .filter((line) => line !== '' && !/^\s*(?:github\.com|golang\.org|runtime|main)[./]|^\//u.test(line));
  const chosen = lines.find((line) => /^Fatal: |^unable to /u.test(line)) ?? lines.at(-1) ?? '';
  return printable(chosen.replace(/^Fatal: /u, ''));
}

/** New versions put the message into JSON. */
function message(line: string): string {
  const found = /"message":"((?:[^"\\]|\\.)*)"/u.exec(line)?.[1];
  return found === undefined ? line : found.replaceAll('\\"', '"');
}

/** One line for people: without logins in addresses, without what no terminal shows, at most 300 characters. */
export function printable(text: string): string {
  const clean = text
    .replace(/\/\/[^/@\s]*@/gu, '//')
    .replace(/\p{C}+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  return clean.length > 300 ? `${clean.slice(0, 299)}…` : clean;
}
