import { type ErrorKind, VakhtaError } from '../../core/error.ts';
import type { RunResult } from '../exec/executor.ts';
import { printable } from './info.ts';
import { firstError } from './log.ts';

/** Exit codes (pgBackRest source, src/build/error/error.yaml) that have advice of their own; any other is `pgbackrest-failed`. */
const EXITS: Readonly<Record<number, readonly [ErrorKind, string]>> = {
  27: ['permanent', 'pgbackrest-config'],
  31: ['permanent', 'pgbackrest-option'],
  32: ['permanent', 'pgbackrest-option'],
  37: ['permanent', 'pgbackrest-stanza-unknown'],
  38: ['permanent', 'pgbackrest-postgres-running'],
  40: ['permanent', 'pgbackrest-path-not-empty'],
  45: ['permanent', 'pgbackrest-archive-duplicate'],
  49: ['transient', 'pgbackrest-host-connect'],
  50: ['transient', 'pgbackrest-lock-held'],
  55: ['permanent', 'pgbackrest-file-missing'],
  56: ['transient', 'pgbackrest-db-connect'],
  58: ['permanent', 'pgbackrest-db-mismatch'],
  62: ['permanent', 'pgbackrest-stopped'],
  63: ['transient', 'pgbackrest-terminated'],
  68: ['permanent', 'pgbackrest-archive-command'],
  75: ['permanent', 'pgbackrest-backup-set-invalid'],
  82: ['permanent', 'pgbackrest-archive-timeout'],
  87: ['permanent', 'pgbackrest-archive-disabled'],
  95: ['permanent', 'pgbackrest-crypto'],
  103: ['permanent', 'pgbackrest-repo-invalid'],
  104: ['permanent', 'pgbackrest-command'],
  105: ['permanent', 'pgbackrest-access'],
  106: ['permanent', 'pgbackrest-clock'],
};

export const ERROR_CODES: readonly string[] = [...new Set(Object.values(EXITS).map(([, code]) => code))];

/** The error for a pgBackRest that did not exit with 0. */
export function exitError(
  stanza: string,
  result: Pick<RunResult, 'code' | 'signal' | 'stdout' | 'stderr'>,
): VakhtaError {
  const detail = printable(firstError(result.stderr) || firstError(result.stdout) || result.stderr) || '—';
  const exit = result.code ?? result.signal ?? '?';
  const [kind, code] = EXITS[result.code ?? -1] ?? ['permanent', 'pgbackrest-failed'];
  return new VakhtaError(kind, code, `pgbackrest ${stanza}: exit ${exit}: ${detail}`, {
    args: { stanza, exit: String(exit), detail },
  });
}
