import { dirname } from 'node:path/posix';
import { type Clock, minutes, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Executor, RunResult } from '../exec/executor.ts';

export interface FileEntry {
  /** Relative to the folder that was looked at. */
  readonly name: string;
  readonly bytes: number;
  /** Seconds since 1970 with all digits that the disk keeps, as text. */
  readonly mtime: string;
}

/** Files of the machine where restic runs, by GNU coreutils and findutils, with the rights of who runs restic. */
export interface HostFiles {
  /** Those of the paths that are not there. */
  missing(paths: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Bytes of the disk that holds it, or would hold it. */
  space(path: string, signal?: AbortSignal): Promise<{ readonly free: number; readonly total: number }>;
  /** All regular files below it. */
  tree(folder: string, signal?: AbortSignal): Promise<readonly FileEntry[]>;
  /** SHA-256 by name, of those that could be read. */
  hashes(folder: string, names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /**
   * Makes an empty folder with a mark of its owner in it. The last word of an owner is the run: one that another run of the same
   * owner left behind is emptied first, and is ours from then on.
   */
  makeScratch(folder: string, owner: string, signal?: AbortSignal): Promise<void>;
  /** Removes it with all that is in it, when it bears the mark; nothing there, or another run's by now, is fine. Ends what still writes into it. */
  removeScratch(folder: string, owner: string, signal?: AbortSignal): Promise<void>;
  /** Runs a command whose output becomes the file; bytes written. Throws `files-command-failed`. */
  capture(argv: readonly string[], file: string, signal?: AbortSignal): Promise<number>;
  /** Changes one byte in the middle. For damage that a check has to find. */
  damage(file: string, signal?: AbortSignal): Promise<void>;
  /** Is there a process of this number there. */
  alive(pid: number, signal?: AbortSignal): Promise<boolean>;
  /** What the machine calls itself. */
  hostName(signal?: AbortSignal): Promise<string>;
}

export const MARKER = '.vakhta-scratch';
const LOOK_MS = seconds(30);
const WORK_MS = minutes(60);
const LISTING_BYTES = 256 * 1024 * 1024;

export function createHostFiles(
  { scratchDir }: { readonly scratchDir: string },
  { executor, clock }: { readonly executor: Executor; readonly clock: Clock },
): HostFiles {
  const run = (
    argv: readonly string[],
    signal: AbortSignal | undefined,
    more: { readonly stdin?: string; readonly timeoutMs?: number; readonly maxOutputBytes?: number } = {},
  ) => executor.run(argv, { timeoutMs: LOOK_MS, ...more, ...(signal ? { signal } : {}) });

  const must = async (...args: Parameters<typeof run>): Promise<string> => {
    const result = await run(...args);
    if (result.code !== 0) throw failed(args[0], result, executor.describe());
    return result.stdout;
  };

  /** Below the scratch folder, and without a way out of it: whatever is written or removed passes here. */
  const within = (folder: string): string => {
    const rest = folder.startsWith(`${scratchDir}/`) ? folder.slice(scratchDir.length + 1) : '';
    if (/^[A-Za-z0-9_-][\w.-]*(?:\/[A-Za-z0-9_-][\w.-]*)*$/u.test(rest)) return folder;
    throw new VakhtaError('bug', 'files-outside', `${folder} is not below ${scratchDir}`);
  };

  const missing: HostFiles['missing'] = async (paths, signal) => {
    for (const path of paths) absolute(path);
    // find goes on behind a path that is missing, and exits with 1.
    const { stdout } = await run(['find', ...paths, '-maxdepth', '0', '-printf', '%p\\0'], signal);
    const there = new Set(stdout.split('\0'));
    return paths.filter((path) => !there.has(path));
  };

  const isThere = async (path: string, signal?: AbortSignal) => (await missing([path], signal)).length === 0;

  const empty = async (folder: string, signal?: AbortSignal): Promise<void> => {
    // The mark goes last: what is half removed can still be told to be ours.
    const all = ['find', within(folder), '-mindepth', '1', '-maxdepth', '1', '!', '-name', MARKER];
    await must([...all, '-exec', 'rm', '-rf', '--one-file-system', '--', '{}', '+'], signal, { timeoutMs: WORK_MS });
  };

  const ownerOf = async (folder: string, signal?: AbortSignal): Promise<string | undefined> => {
    const { code, stdout } = await run(['cat', '--', `${folder}/${MARKER}`], signal);
    return code === 0 ? stdout.trim() : undefined;
  };
  const family = (owner: string): string => owner.slice(0, owner.lastIndexOf(' '));

  /** A restore goes on by itself when the connection to it breaks. The brackets keep the search from finding itself. */
  const endWriters = async (folder: string, signal?: AbortSignal): Promise<void> => {
    const pattern = `--target[=]${folder.replaceAll('.', '\\.')}`;
    for (const [word, wait] of [
      ['INT', seconds(3)],
      ['KILL', seconds(1)],
    ] as const) {
      const killed = await run(['pkill', `-${word}`, '-f', '--', pattern], signal).catch((error: unknown) => {
        if (error instanceof VakhtaError && error.code === 'exec-not-found') return undefined;
        throw error;
      });
      if (killed?.code !== 0) return;
      await clock.sleep(wait, signal);
    }
  };

  return {
    missing,
    space: async (path, signal) => {
      for (let at = absolute(path); ; at = dirname(at)) {
        const { code, stdout } = await run(['df', '--block-size=1', '--output=avail,size', '--', at], signal);
        const [, free, total] = /^\s*(\d+)\s+(\d+)\s*$/mu.exec(stdout) ?? [];
        if (code === 0 && free !== undefined) return { free: Number(free), total: Number(total) };
        if (at === '/')
          throw new VakhtaError('permanent', 'files-space', `no answer of df for ${path}`, { args: { path } });
      }
    },
    tree: async (folder, signal) => {
      const words = ['find', absolute(folder), '-type', 'f', '-printf', '%s %T@ %P\\0'];
      const options = { timeoutMs: WORK_MS, maxOutputBytes: LISTING_BYTES };
      // It exits with 1 for a folder that it may not enter: what it found counts all the same.
      const { stdout } = await run(words, signal, options);
      return stdout.split('\0').flatMap((line) => {
        const [, bytes, mtime = '', name = ''] = /^(\d+) (\S+) (.*)$/su.exec(line) ?? [];
        return bytes === undefined ? [] : [{ name, bytes: Number(bytes), mtime }];
      });
    },
    hashes: async (folder, names, signal) => {
      const words = ['env', `--chdir=${absolute(folder)}`, 'xargs', '-0', '-r', 'sha256sum', '--zero', '--'];
      const stdin = names.map((name) => `${name}\0`).join('');
      const { stdout } = await run(words, signal, { stdin, timeoutMs: WORK_MS, maxOutputBytes: LISTING_BYTES });
      return new Map(
        stdout.split('\0').flatMap((line) => {
          const [, hash, name] = /^([0-9a-f]{64}) [ *](.+)$/su.exec(line) ?? [];
          return hash === undefined || name === undefined ? [] : [[name, hash] as const];
        }),
      );
    },
    makeScratch: async (folder, owner, signal) => {
      await must(['mkdir', '-p', '-m', '0700', '--', within(folder)], signal);
      const before = await ownerOf(folder, signal);
      if (before !== undefined && family(before) !== family(owner)) throw notOurs(folder);
      if (before !== undefined) await empty(folder, signal);
      await must(['tee', '--', `${folder}/${MARKER}`], signal, { stdin: `${owner}\n` });
    },
    removeScratch: async (folder, owner, signal) => {
      within(folder);
      const now = await ownerOf(folder, signal);
      if (now !== undefined && now !== owner && family(now) === family(owner)) return;
      await endWriters(folder, signal);
      if (!(await isThere(folder, signal))) return;
      if (now === owner) {
        await empty(folder, signal);
        await must(['rm', '--', `${folder}/${MARKER}`], signal);
      }
      // Without the mark only an empty folder is removed: it was made, and the mark was not.
      const { code } = await run(['rmdir', '--', folder], signal);
      if (code !== 0 && (await isThere(folder, signal))) throw notOurs(folder);
    },
    capture: async (argv, file, signal) => {
      // Words of the command are arguments of the script, never part of it.
      const script = 'umask 022; file=$1; shift; exec "$@" >"$file"';
      const result = await run(['sh', '-c', script, 'sh', within(file), ...argv], signal, { timeoutMs: WORK_MS });
      if (result.code !== 0) throw failed(argv, result, executor.describe());
      return Number(await must(['stat', '--format=%s', '--', file], signal));
    },
    damage: async (file, signal) => {
      const bytes = Number(await must(['stat', '--format=%s', '--', within(file)], signal));
      const middle = String(Math.floor(bytes / 2));
      const now = (await must(['od', '-An', '-tu1', '-j', middle, '-N', '1', '--', file], signal)).trim();
      await must(['chmod', 'u+w', '--', file], signal);
      const words = ['dd', `of=${file}`, 'bs=1', `seek=${middle}`, 'count=1', 'conv=notrunc', 'status=none'];
      await must(words, signal, { stdin: now === String('V'.charCodeAt(0)) ? 'W' : 'V' });
    },
    alive: async (pid, signal) => {
      const { code } = await run(['test', '-d', `/proc/${Math.floor(pid)}`], signal);
      return code === 0;
    },
    hostName: async (signal) => (await must(['uname', '-n'], signal)).trim(),
  };
}

/** The path, or `usage`: what does not begin with a slash would mean another place, or be an option. */
export function absolute(path: string): string {
  if (/^\/[^\0]*$/u.test(path)) return path;
  throw new VakhtaError('usage', 'files-path', `${JSON.stringify(path)} is no absolute path`, {
    args: { path: path.slice(0, 100) },
  });
}

const notOurs = (folder: string): VakhtaError =>
  new VakhtaError('permanent', 'files-not-ours', `${folder} does not bear the mark of this program`, {
    args: { folder },
  });

function failed(argv: readonly string[], { code, signal, stderr }: RunResult, where: string): VakhtaError {
  const program = argv[0] ?? '';
  const detail = stderr.trim().split('\n').at(-1)?.slice(0, 200) || `exit ${code ?? signal ?? '?'}`;
  const full = /no space left on device/iu.test(stderr);
  return new VakhtaError('permanent', full ? 'restic-disk-full' : 'files-command-failed', `${program}: ${detail}`, {
    args: { program, detail, where, set: where },
  });
}
