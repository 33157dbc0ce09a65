import { type Clock, hours, minutes, seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { SecretSource } from '../define.ts';
import type { Executor, RunOptions, RunResult } from '../exec/executor.ts';
import { exitError, isLasting, printable } from './errors.ts';
import { absolute, createHostFiles } from './files.ts';
import type { Backup, Check, Repository, Restic, ResticProgress, Work } from './port.ts';
import { refusalBehindRclone } from './rclone.ts';
import {
  parseBackupLine,
  parseForget,
  parseLock,
  parseNode,
  parsePacks,
  parsePruned,
  parseSnapshots,
  parseStats,
} from './wire.ts';

export interface RepositorySettings {
  /** As restic is told it. */
  readonly repository: string;
  readonly password: SecretSource;
  /** Further variables of the process, as those of S3. */
  readonly env: Readonly<Record<string, SecretSource>>;
}

export interface ResticSettings {
  /** Our name of it. */
  readonly id: string;
  readonly binary: readonly string[];
  /** Name of the host in snapshots. */
  readonly hostName: string;
  readonly scratchDir: string;
  readonly primary: RepositorySettings;
  readonly offsite?: RepositorySettings;
}

export interface ResticEdges {
  readonly executor: Executor;
  readonly clock: Clock;
}

const LOOK_MS = minutes(2);
const WORK_MS = hours(24);
/** A lock that vanishes meanwhile is sought by restic 0.14 for most of a minute. */
const LOCK_MS = seconds(10);
/** A line of progress in five seconds: for people it is enough, and it costs nothing. */
const PROGRESS_FPS = '0.2';
/** On INT restic takes its lock away (TERM is understood since 0.17 only), and it has less than the five seconds that a cancel may take. */
const STOP = { signal: 'INT', graceMs: seconds(3) } as const;
/** Restic itself calls a lock stale that was not renewed for this long. */
const STALE_MS = minutes(30);
const MAX_SKIPPED = 100;
const MAX_FINDINGS = 10;

/** The variables that a call may need: sudo is to leave these alone. */
export const variablesOf = (settings: readonly Pick<RepositorySettings, 'env'>[]): string[] => [
  'RESTIC_REPOSITORY',
  'RESTIC_PASSWORD',
  'RESTIC_FROM_REPOSITORY',
  'RESTIC_FROM_PASSWORD',
  'RESTIC_CACHE_DIR',
  'RESTIC_PROGRESS_FPS',
  ...new Set(settings.flatMap(({ env }) => Object.keys(env))),
];

/** Restic by its command line, on the machine of the executor. Secrets and addresses go by the environment, never by argv. */
export function createRestic(settings: ResticSettings, edges: ResticEdges): Restic {
  const { id, binary } = settings;
  const { executor, clock } = edges;
  const files = createHostFiles(settings, edges);

  const reveal = async (of: RepositorySettings): Promise<Record<string, string>> => {
    const env: Record<string, string> = {};
    for (const [name, source] of Object.entries(of.env)) env[name] = (await source()).reveal();
    return {
      ...env,
      RESTIC_REPOSITORY: of.repository,
      RESTIC_PASSWORD: (await of.password()).reveal(),
      RESTIC_CACHE_DIR: `${settings.scratchDir}/restic-cache`,
      RESTIC_PROGRESS_FPS: PROGRESS_FPS,
    };
  };

  /** The source of a copy. Both need the same variables of S3 to have the same values: restic knows only one set of them. */
  const revealBoth = async (from: RepositorySettings, to: RepositorySettings): Promise<Record<string, string>> => {
    const [first, second] = [await reveal(from), await reveal(to)];
    const clash = Object.keys(from.env).find((name) => name in to.env && first[name] !== second[name]);
    if (clash !== undefined) {
      throw new VakhtaError('permanent', 'restic-variables', `${clash} differs`, { args: { set: id, name: clash } });
    }
    const { RESTIC_REPOSITORY = '', RESTIC_PASSWORD = '' } = first;
    return { ...first, ...second, RESTIC_FROM_REPOSITORY: RESTIC_REPOSITORY, RESTIC_FROM_PASSWORD: RESTIC_PASSWORD };
  };

  const start = async (
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    options: RunOptions,
  ): Promise<RunResult> => {
    const { signal } = options;
    const refused = new AbortController();
    let refusal = '';
    const onLine: RunOptions['onLine'] = (stream, line) => {
      options.onLine?.(stream, line);
      if (refusal !== '' || stream !== 'stderr' || !isLasting(line)) return;
      refusal = line;
      refused.abort();
    };
    const either = signal ? AbortSignal.any([signal, refused.signal]) : refused.signal;
    const running = executor.run([...binary, ...words], { stop: STOP, ...options, signal: either, onLine, env });
    const result = await running.catch((error: unknown) => {
      if (refusal === '' || signal?.aborted === true) throw error;
      throw exitError(id, { code: 1, stderr: refusal });
    });
    if (result.code !== 0 && exitError(id, result).code === 'restic-no-repository') {
      const told = await refusalBehindRclone(id, { binary, env, ...(signal ? { signal } : {}) }, executor);
      if (told) throw told;
    }
    return result;
  };

  const passed = (result: RunResult): RunResult => {
    if (result.code !== 0) throw exitError(id, result);
    return result;
  };
  const understood = <T>(answer: T | undefined, command: string): T => {
    if (answer !== undefined) return answer;
    throw new VakhtaError('permanent', 'restic-answer', `restic ${command}: unknown answer`, {
      args: { set: id, command },
    });
  };

  const repositoryOf = (own: RepositorySettings): Repository & { readonly settings: RepositorySettings } => {
    const look = async (words: readonly string[], signal: AbortSignal, more: RunOptions = {}) =>
      passed(await start(words, await reveal(own), { signal, timeoutMs: LOOK_MS, maxOutputBytes: 64 << 20, ...more }));

    const locks: Repository['locks'] = async (signal) => {
      const { stdout } = await look(['list', 'locks', '--no-lock'], signal);
      const ids = stdout.split('\n').filter((line) => /^[0-9a-f]{64}$/u.test(line));
      const found = await Promise.all(
        ids.map(async (lock) => {
          const words = ['cat', 'lock', lock, '--no-lock', '--quiet'];
          // It may be gone by now, which is as good as an answer.
          const seen = await start(words, await reveal(own), { signal, timeoutMs: LOCK_MS }).catch((error: unknown) => {
            if (error instanceof VakhtaError && error.code === 'exec-timeout') return undefined;
            throw error;
          });
          return seen?.code === 0 ? parseLock(lock, seen.stdout) : undefined;
        }),
      );
      return found.filter((lock) => lock !== undefined);
    };

    return {
      settings: own,
      init: async (like, signal) => {
        const source = like === primary ? settings.primary : like === offsite ? settings.offsite : undefined;
        const env = source ? await revealBoth(source, own) : await reveal(own);
        passed(
          await start(['init', ...(source ? ['--copy-chunker-params'] : [])], env, { signal, timeoutMs: LOOK_MS }),
        );
      },
      snapshots: async (tags, signal) => {
        const filter = tags.length > 0 ? [`--tag=${tags.join(',')}`] : [];
        const { stdout } = await look(['snapshots', '--json', '--no-lock', ...filter], signal);
        return understood(parseSnapshots(stdout), 'snapshots');
      },
      size: async (snapshot, as, signal) => {
        const mode = as === 'restored' ? 'restore-size' : 'raw-data';
        const words = ['stats', '--json', '--no-lock', `--mode=${mode}`, snapshotId(snapshot)];
        return understood(parseStats((await look(words, signal, { timeoutMs: minutes(30) })).stdout), 'stats');
      },
      list: async (snapshot, onNode, signal) => {
        let count = 0;
        const onLine = (stream: string, line: string) => {
          const node = stream === 'stdout' ? parseNode(line) : undefined;
          if (node === undefined) return;
          count += 1;
          onNode(node);
        };
        const options = { onLine, maxOutputBytes: 64 << 10, timeoutMs: WORK_MS };
        await look(['ls', '--json', '--no-lock', snapshotId(snapshot)], signal, options);
        return count;
      },
      restore: async (snapshot, target, { signal, onProgress }) => {
        const words = ['restore', snapshotId(snapshot), `--target=${absolute(target)}`, '--verify'];
        const onLine = (_: string, line: string) => report(line, onProgress);
        const options = { signal, timeoutMs: WORK_MS, onLine, maxOutputBytes: 256 << 10 };
        const result = await start([...words, '--json'], await reveal(own), options);
        if (result.code === 0) return;
        if (/There were \d+ errors|ciphertext verification failed|Verifying .* failed/u.test(result.stderr)) {
          const line = result.stderr.split('\n').find((one) => /ignoring error|failed/u.test(one)) ?? '';
          const detail = printable(line) || '—';
          throw new VakhtaError('permanent', 'restic-restore-damaged', detail, { args: { set: id, detail } });
        }
        throw exitError(id, result);
      },
      check: async (part, of, { signal }): Promise<Check> => {
        const words = ['check', `--read-data-subset=${part}/${of}`];
        const result = await start(words, await reveal(own), { signal, timeoutMs: WORK_MS });
        const packs = parsePacks(result.stdout);
        const findings = findingsOf(result.stderr);
        const clean = result.code === 0 && /no errors were found/u.test(result.stdout);
        // What kept it from looking is no damage.
        if (!clean && !isDamage(result)) throw exitError(id, result);
        return { ok: clean, findings, part, of, ...packs };
      },
      forget: async ({ keep, tags, dryRun }, signal) => {
        const words = [
          'forget',
          '--json',
          `--host=${settings.hostName}`,
          `--tag=${tags.join(',')}`,
          // By host alone: the tag of the run differs each time, and by tags each snapshot would be a series of its own.
          '--group-by=host',
          ...Object.entries(keep).flatMap(([name, n]) => (n > 0 ? [`--keep-${name}=${n}`] : [])),
          ...(dryRun ? ['--dry-run', '--no-lock'] : []),
        ];
        const answer = await look(words, signal, { timeoutMs: hours(2) });
        return understood(parseForget(answer.stdout), 'forget');
      },
      prune: async ({ signal }) => {
        const { stdout } = await look(['prune'], signal, { timeoutMs: WORK_MS });
        return parsePruned(stdout);
      },
      locks,
      clearOwnLock: async (since, signal) => {
        const host = await files.hostName(signal);
        const all = await locks(signal);
        // Clocks of two machines.
        const from = since.getTime() - seconds(30);
        const own = all.filter((one) => one.host === host && one.at.getTime() >= from);
        if (own.length === 0) return all.length > 0 ? 'foreign' : 'none';
        for (const { pid } of own) if (await files.alive(pid, signal)) return 'held';
        // `unlock` takes away all that is stale; what is stale and not ours is for a person to judge.
        const now = clock.now().getTime();
        const others = all.filter((one) => !own.includes(one) && now - one.at.getTime() > STALE_MS);
        if (others.length > 0) return 'foreign';
        await look(['unlock', '--quiet'], signal);
        return 'cleared';
      },
    };
  };

  const primary = repositoryOf(settings.primary);
  const offsite = settings.offsite && repositoryOf(settings.offsite);

  const version: Restic['version'] = async (signal) => {
    const result = passed(await executor.run([...binary, 'version'], { signal, timeoutMs: seconds(20) }));
    return understood(/^restic (\S+)/u.exec(result.stdout)?.[1], 'version');
  };

  const backup: Restic['backup'] = async ({ paths, exclude, tags }, { signal, onProgress }) => {
    // Restic 0.14 leaves out what is missing, and exits with 0 as long as one path is there.
    const missing = await files.missing(paths, signal);
    if (missing.length > 0) {
      const list = missing.slice(0, 3).join(', ');
      throw new VakhtaError('permanent', 'restic-source-missing', `${list} missing`, {
        args: { set: id, detail: list },
      });
    }
    const seen = createBackupReader(onProgress);
    const words = [
      'backup',
      '--json',
      `--host=${settings.hostName}`,
      ...tags.map((tag) => `--tag=${tag}`),
      ...exclude.map((pattern) => `--exclude=${pattern}`),
      '--',
      ...paths,
    ];
    const onLine = (_: string, line: string) => seen.line(line);
    const options = { signal, timeoutMs: WORK_MS, onLine, maxOutputBytes: 256 << 10 };
    const result = await start(words, await reveal(settings.primary), options);
    // 3: some of it could not be read, and there is a snapshot of the rest.
    if (result.code !== 0 && result.code !== 3) throw exitError(id, result);
    const made = seen.result();
    if (made === undefined) throw exitError(id, { ...result, stderr: result.stderr || 'no summary' });
    if (result.code === 3 && made.skippedCount === 0) return { ...made, skipped: ['?'], skippedCount: 1 };
    return made;
  };

  return {
    id,
    primary,
    offsite,
    files,
    version,
    backup,
    copy: async (snapshots, { signal, onProgress }) => {
      if (!settings.offsite || snapshots.length === 0) return;
      const env = await revealBoth(settings.primary, settings.offsite);
      const onLine = (_: string, line: string) => {
        const percent = /\] ([\d.]+)%/u.exec(line)?.[1];
        if (percent !== undefined) onProgress?.({ percent: Number(percent) });
      };
      passed(
        await start(['copy', ...snapshots.map(snapshotId)], env, {
          signal,
          timeoutMs: WORK_MS,
          onLine,
          maxOutputBytes: 256 << 10,
        }),
      );
    },
    probe: async (signal) => {
      try {
        const found = await version(signal);
        const held = await primary.snapshots([], signal);
        return { state: 'ok', text: 'restic-probe-ok', args: { version: found, count: held.length } };
      } catch (thrown) {
        const error = toVakhtaError(thrown);
        return { state: 'down', text: error.text, args: error.args };
      }
    },
  };
}

/** What may stand for a snapshot: its id. A word of any other form would be an option, or another snapshot. */
function snapshotId(text: string): string {
  if (/^[0-9a-f]{8,64}$/u.test(text)) return text;
  throw new VakhtaError('bug', 'internal', `${JSON.stringify(text)} is no snapshot id`);
}

function report(line: string, onProgress: ((progress: ResticProgress) => void) | undefined): void {
  const event = onProgress && parseBackupLine(line);
  if (event?.kind !== 'status') return;
  const { kind: _kind, ...progress } = event;
  onProgress?.(progress);
}

/** Follows the lines of one backup; also what stands on stderr. */
export function createBackupReader(onProgress?: Work['onProgress']) {
  const skipped: string[] = [];
  let skippedCount = 0;
  let made: Omit<Backup, 'skipped' | 'skippedCount'> | undefined;
  return {
    line(text: string): void {
      const event = parseBackupLine(text);
      switch (event?.kind) {
        case 'status':
          report(text, onProgress);
          break;
        case 'summary': {
          const { kind: _kind, snapshot, ...rest } = event;
          if (snapshot !== undefined) made = { snapshot, ...rest };
          break;
        }
        case 'skipped':
          skippedCount += 1;
          if (skipped.length < MAX_SKIPPED) skipped.push(printable(event.item));
          break;
        case undefined:
          break;
      }
    },
    result: (): Backup | undefined => made && { ...made, skipped, skippedCount },
  };
}

/** Words of restic's `check` for damage, as opposed to a repository that could not be opened at all. */
const isDamage = ({ code, stderr, stdout }: RunResult): boolean =>
  code === 1 &&
  /check snapshots|check all packs|load indexes/u.test(stdout) &&
  !/repository is already locked|wrong password/u.test(stderr);

/** The lines that tell something; stack traces of the program do not. */
function findingsOf(stderr: string): string[] {
  return stderr
    .split('\n')
    .map((line) => printable(line))
    .filter((line) => line !== '' && !/^(?:github\.com|golang\.org|runtime|main)[./]|\.(?:go|s):\d+$/u.test(line))
    .slice(0, MAX_FINDINGS);
}
