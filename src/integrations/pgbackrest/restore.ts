import { isAbsolute } from 'node:path';
import { hours } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { recoveryTarget } from '../../core/pitr.ts';
import type { Executor } from '../exec/executor.ts';
import { exitError } from './errors.ts';

export interface RestoreRequest {
  /** Label of the backup. Always named: left alone, pgBackRest silently takes the latest when none fits the moment. */
  readonly set: string;
  /** Number of the repository; the one of the settings, else the first that has the backup. */
  readonly repo?: number;
  /** Recover to this moment and then open; without it as far as the archive reaches. */
  readonly target?: Date;
  /** Data folder, absolute. Empty, unless `delta`. */
  readonly pgPath: string;
  /** Folder for all tablespaces: they would go to where the backup found them, which may be production's place. */
  readonly tablespaces?: string;
  /** Over what is there already, by checksums. */
  readonly delta?: boolean;
  /** `off` for everything beside production: a forgotten archive_command has ruined repositories. Needs PostgreSQL 12. */
  readonly archiveMode: 'off' | 'preserve';
}

export interface RestoreProgress {
  readonly step: { readonly key: string };
  /** 0–100 of the bytes to restore. */
  readonly percent?: number;
}

export interface RestoreOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
}

export interface Restored {
  readonly set: string;
  /** Bytes and files as the log tells them; absent when it does not. */
  readonly files?: number;
}

const LABEL = /^\d{8}-\d{6}F(?:_\d{8}-\d{6}[DI])?$/;

/** The words behind `pgbackrest --stanza=…`. Throws `pgbackrest-restore-words` when a value could be read as something else. */
export function restoreWords(request: RestoreRequest): readonly string[] {
  const { set, target, pgPath, tablespaces } = request;
  const wrong = (value: string) =>
    new VakhtaError('bug', 'pgbackrest-restore-words', `not for pgBackRest: ${value}`, { args: { value } });
  if (!LABEL.test(set)) throw wrong(set);
  for (const path of [pgPath, ...(tablespaces === undefined ? [] : [tablespaces])])
    if (!isAbsolute(path)) throw wrong(path);
  return [
    `--set=${set}`,
    `--pg1-path=${pgPath}`,
    `--archive-mode=${request.archiveMode}`,
    ...(tablespaces === undefined ? [] : [`--tablespace-map-all=${tablespaces}`]),
    ...(request.delta === true ? ['--delta'] : []),
    ...(target === undefined
      ? ['--type=default']
      : ['--type=time', `--target=${recoveryTarget(target)}`, '--target-action=promote']),
    '--log-level-console=detail',
    '--log-level-stderr=warn',
    'restore',
  ];
}

/**
 * Restores a backup and writes the recovery settings; nothing is started. Source: pgbackrest.org/command.html#command-restore
 * Errors: `pgbackrest-*` by exit code, those of the executor.
 */
export async function restoreBackup(
  at: { readonly executor: Executor; readonly stanza: string; readonly words: readonly string[] },
  request: RestoreRequest,
  { signal, onProgress }: RestoreOptions = {},
): Promise<Restored> {
  const log = createRestoreLog(onProgress);
  const result = await at.executor.run(
    [...at.words, ...(request.repo === undefined ? [] : [`--repo=${request.repo}`]), ...restoreWords(request)],
    {
      ...(signal ? { signal } : {}),
      timeoutMs: hours(12),
      onLine: (_, line) => log.line(line),
      maxOutputBytes: 64 * 1024,
    },
  );
  if (result.code !== 0) throw exitError(at.stanza, result);
  return { set: request.set, ...(log.files === undefined ? {} : { files: log.files }) };
}

/** Follows the console log of one restore; reports each new whole percent. */
export function createRestoreLog(onProgress?: (progress: RestoreProgress) => void) {
  let shown = -1;
  let files: number | undefined;
  return {
    line(text: string): void {
      const percent = /\bDETAIL: +restore (?:zeroed )?(?:file|special file) .* \([^()]*?([\d.]+)%\)/.exec(text)?.[1];
      if (percent !== undefined) {
        const whole = Math.min(100, Math.floor(Number(percent)));
        if (whole <= shown) return;
        shown = whole;
        onProgress?.({ step: { key: 'pgbackrest-step-restoring' }, percent: whole });
        return;
      }
      const total = /\brestore size = .*, file total = (\d+)$/.exec(text)?.[1];
      if (total !== undefined) files = Number(total);
    },
    get files(): number | undefined {
      return files;
    },
  };
}
