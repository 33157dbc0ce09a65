import { type Clock, hours } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Probe } from '../define.ts';
import type { Executor, RunResult } from '../exec/executor.ts';
import type { PostgresBackups } from '../postgres/backups.ts';
import { exitError } from './errors.ts';
import { expireStanza } from './expire.ts';
import { type BackupInfo, type BackupType, parseInfo, type StanzaInfo } from './info.ts';
import { parseLogLine, type Stage } from './log.ts';
import { restoreBackup } from './restore.ts';
import { verifyStanza } from './verify.ts';

export interface StanzaSettings {
  /** Our name of it, as operators type it. */
  readonly id: string;
  /** pgBackRest's name of it. */
  readonly stanza: string;
  /** The program with leading words; `['pgbackrest']` when absent. */
  readonly binary?: readonly string[];
  /** Path of pgbackrest.conf when it is not the default one. */
  readonly config?: string;
  /** Repository to back up to; the first one when absent. */
  readonly repo?: number;
}

export interface BackupProgress {
  readonly step: { readonly key: string };
  /** 0–100 of the bytes to copy. */
  readonly percent?: number;
  /** Copied so far, as the log rounds it; pgBackRest does not tell the total in advance. */
  readonly bytesDone?: number;
}

export interface BackupOptions {
  /** Stored with the backup as annotation `vakhta-run`, so that `findByRun` recognises it. */
  readonly runId?: string;
  readonly onProgress?: (progress: BackupProgress) => void;
  readonly signal?: AbortSignal;
}

export interface BackupResult {
  readonly label: string;
  /** May differ from what was asked for: without a full backup, pgBackRest makes one. */
  readonly type: BackupType;
  readonly sizeBytes: number;
  readonly deltaBytes: number;
  /** Bytes that this backup added to the repository; absent when pgBackRest does not tell. */
  readonly repoBytes?: number;
  readonly durationMs: number;
  readonly startedAt: Date;
  readonly stoppedAt: Date;
  /** Damaged pages were found: the backup exists and is not good. `errorPages` counts them, when the log told. */
  readonly error: boolean;
  readonly errorPages?: number;
}

/** What became of a run: its backup, perhaps still running, or nothing (`candidates` carry no annotation but fit the time). */
export type RunFate =
  | { readonly state: 'found'; readonly backup: BackupInfo }
  | { readonly state: 'running' }
  | { readonly state: 'absent'; readonly candidates: readonly BackupInfo[] };

export type PgBackRest = PostgresBackups;

export const ANNOTATION = 'vakhta-run';

export function createPgBackRest(settings: StanzaSettings, edges: { executor: Executor; clock: Clock }): PgBackRest {
  const { stanza, binary = ['pgbackrest'] } = settings;
  const { executor, clock } = edges;
  const anyRepo = [
    ...binary,
    ...(settings.config === undefined ? [] : [`--config=${settings.config}`]),
    `--stanza=${stanza}`,
  ];
  const common = [...anyRepo, ...(settings.repo === undefined ? [] : [`--repo=${settings.repo}`])];

  const info = async (signal?: AbortSignal): Promise<StanzaInfo> => {
    const result = await executor.run([...common, 'info', '--output=json', '--log-level-console=off'], {
      ...(signal ? { signal } : {}),
      timeoutMs: 60_000,
      maxOutputBytes: 64 * 1024 * 1024,
    });
    if (result.code !== 0) throw exitError(stanza, result);
    const found = parseInfo(result.stdout).find((each) => each.name === stanza);
    if (found !== undefined) return found;
    throw new VakhtaError('permanent', 'pgbackrest-stanza-unknown', `${stanza}: not in the answer of info`, {
      args: { stanza, exit: '0', detail: '—' },
    });
  };

  const run = async (type: BackupType, options: BackupOptions, annotate: boolean) => {
    const log = createBackupLog(options.onProgress);
    const result = await executor.run(
      [
        ...common,
        `--type=${type}`,
        ...(annotate && options.runId !== undefined ? [`--annotation=${ANNOTATION}=${options.runId}`] : []),
        '--log-level-console=detail',
        '--log-level-stderr=warn',
        'backup',
      ],
      {
        ...(options.signal ? { signal: options.signal } : {}),
        onLine: (_, line) => log.line(line),
        // The lines are read as they come; of the text only the end is needed, for the error.
        maxOutputBytes: 64 * 1024,
      },
    );
    return { result, log };
  };

  const backup = async (type: BackupType, options: BackupOptions = {}): Promise<BackupResult> => {
    let { result, log } = await run(type, options, true);
    if (lacksAnnotations(result)) ({ result, log } = await run(type, options, false));
    if (result.code !== 0) throw exitError(stanza, result);
    const after = await info(options.signal);
    const made =
      after.backups.find((each) => each.label === log.label) ??
      after.backups.findLast((each) => options.runId !== undefined && each.annotation[ANNOTATION] === options.runId);
    if (made === undefined) {
      throw new VakhtaError('permanent', 'pgbackrest-backup-vanished', `${stanza}: no new backup in info`, {
        args: { stanza, label: log.label ?? '—' },
      });
    }
    return {
      ...summary(made),
      ...(log.durationMs === undefined ? {} : { durationMs: log.durationMs }),
      error: made.error === true || log.badPages > 0,
      ...(log.badPages > 0 ? { errorPages: log.badPages } : {}),
    };
  };

  return {
    driver: 'pgbackrest',
    id: settings.id,
    stanza,
    can: { chooseType: true, readData: true, expire: true },
    info,
    backup,
    findByRun: async (runId, since, signal) => {
      const now = await info(signal);
      const found = now.backups.find((each) => each.annotation[ANNOTATION] === runId);
      if (found !== undefined) return { state: 'found', backup: found };
      if (now.backupLock.held) return { state: 'running' };
      // Labels and times have whole seconds.
      const from = since.getTime() - 1000;
      const candidates = now.backups.filter(
        (each) => each.annotation[ANNOTATION] === undefined && each.startedAt.getTime() >= from,
      );
      return { state: 'absent', candidates };
    },
    restore: (request, options) => {
      const repo = request.repo ?? settings.repo;
      const asked = repo === undefined ? request : { ...request, repo };
      return restoreBackup({ executor, stanza, words: anyRepo }, asked, options);
    },
    verify: (options) => verifyStanza({ executor, stanza, words: anyRepo }, options),
    expire: (options) => expireStanza({ executor, stanza, words: anyRepo }, options),
    version: async (signal) => {
      const result = await executor.run([...binary, 'version'], { ...(signal ? { signal } : {}), timeoutMs: 15_000 });
      const [, found] = /^pgBackRest (\S+)/m.exec(result.stdout) ?? [];
      if (result.code !== 0 || found === undefined) throw exitError(stanza, result);
      return found;
    },
    probe: async (signal) => {
      try {
        return stanzaLine(await info(signal), clock.now());
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        return { state: 'down', text: error.text, args: error.args };
      }
    },
  };
}

/** A listed backup as the result of the run that made it. */
export function summary(made: BackupInfo): BackupResult {
  return {
    label: made.label,
    type: made.type,
    sizeBytes: made.sizeBytes,
    deltaBytes: made.deltaBytes,
    ...(made.repoDeltaBytes === undefined ? {} : { repoBytes: made.repoDeltaBytes }),
    durationMs: made.stoppedAt.getTime() - made.startedAt.getTime(),
    startedAt: made.startedAt,
    stoppedAt: made.stoppedAt,
    error: made.error === true,
  };
}

/** Older than 2.41: `ERROR: [031]: invalid option '--annotation'`. */
const lacksAnnotations = (result: RunResult): boolean =>
  result.code === 31 && /annotation/.test(result.stderr + result.stdout);

/** The one line about a stanza. Damaged pages in the newest backup and every status but ok are red. */
export function stanzaLine(info: StanzaInfo, now: Date): Probe {
  const { name: stanza } = info;
  if (info.state === 'other') {
    // The stanza's own message is only "other"; the reason stands with the repository.
    const detail = info.repos.find((repo) => repo.state === 'other')?.message || info.message || '—';
    return { state: 'down', text: 'pgbackrest-stanza-other', args: { stanza, detail } };
  }
  if (info.state !== 'ok') return { state: 'down', text: `pgbackrest-stanza-${info.state}`, args: { stanza } };
  const last = info.backups.at(-1);
  if (last === undefined) return { state: 'down', text: 'pgbackrest-stanza-no-valid-backups', args: { stanza } };
  if (last.error === true) {
    return { state: 'down', text: 'pgbackrest-stanza-page-errors', args: { stanza, label: last.label } };
  }
  const age = Math.max(0, Math.floor((now.getTime() - last.stoppedAt.getTime()) / hours(1)));
  return { state: 'ok', text: 'pgbackrest-stanza-ok', args: { stanza, label: last.label, hours: age } };
}

const STEPS: Readonly<Record<Stage, string>> = {
  checkpoint: 'pgbackrest-step-checkpoint',
  copying: 'pgbackrest-step-copying',
  wal: 'pgbackrest-step-wal',
  expire: 'pgbackrest-step-expire',
};

/** Follows the console log of one backup; reports each new stage and each new whole percent. */
export function createBackupLog(onProgress?: (progress: BackupProgress) => void) {
  const state: { label?: string; durationMs?: number; badPages: number } = { badPages: 0 };
  let stage: Stage | undefined;
  let percent = 0;
  let shown = -1;
  let bytesDone = 0;
  const report = (): void => {
    if (stage === undefined) return;
    const copying = stage === 'copying' ? { percent, bytesDone } : {};
    onProgress?.({ step: { key: STEPS[stage] }, ...copying });
  };
  return {
    line(text: string): void {
      const event = parseLogLine(text);
      if (event === undefined) return;
      switch (event.kind) {
        case 'label':
          state.label = event.label;
          break;
        case 'done':
          state.durationMs = event.durationMs;
          break;
        case 'bad-pages':
          state.badPages += event.pages;
          break;
        case 'stage':
          stage = event.stage;
          report();
          break;
        case 'copied':
          bytesDone += event.bytes;
          percent = Math.max(percent, Math.min(100, event.percent));
          if (Math.floor(percent) > shown) {
            shown = Math.floor(percent);
            report();
          }
          break;
        case 'type-changed':
        case 'error':
          break;
      }
    },
    get label(): string | undefined {
      return state.label;
    },
    get durationMs(): number | undefined {
      return state.durationMs;
    },
    get badPages(): number {
      return state.badPages;
    },
  };
}
