import { isAbsolute } from 'node:path';
import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Executor, RunResult } from '../exec/executor.ts';
import { printable } from '../pgbackrest/info.ts';

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * Folders, files and programs on the machine of a cluster: fixed words, absolute paths only, no shell. Errors: `pg-program`
 * (a program said no), `pg-output`, and those of the executor.
 */
export interface Programs {
  readonly where: string;
  /** Runs a program that must succeed; its standard output. */
  must(
    argv: readonly string[],
    options?: { signal?: AbortSignal; stdin?: string; timeoutMs?: number },
  ): Promise<string>;
  /** Runs a program whose exit code is an answer. */
  ask(argv: readonly string[], options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<RunResult>;
  isFolder(path: string, signal?: AbortSignal): Promise<boolean>;
  /** With all folders above it; those that are there stay as they are. */
  makeFolder(path: string, signal?: AbortSignal): Promise<void>;
  /** The text of a small file; nothing when there is no such file. */
  read(path: string, signal?: AbortSignal): Promise<string | undefined>;
  write(path: string, text: string, signal?: AbortSignal): Promise<void>;
  /** The whole tree; fine when it is not there. */
  remove(path: string, signal?: AbortSignal): Promise<void>;
  space(path: string, signal?: AbortSignal): Promise<Space>;
}

const LIMIT_MS = seconds(30);

export function createPrograms(executor: Executor): Programs {
  const where = executor.describe();

  const ask: Programs['ask'] = (argv, { signal, timeoutMs = LIMIT_MS } = {}) =>
    executor.run(argv, { timeoutMs, ...(signal ? { signal } : {}) });
  const must: Programs['must'] = async (argv, { signal, stdin, timeoutMs = LIMIT_MS } = {}) => {
    const result = await executor.run(argv, {
      timeoutMs,
      ...(signal ? { signal } : {}),
      ...(stdin === undefined ? {} : { stdin }),
    });
    if (result.code !== 0) throw programError(argv[0] ?? '', where, result);
    return result.stdout;
  };
  const checked = (path: string): string => {
    // Neither an option nor something below wherever the program happens to stand.
    if (isAbsolute(path) && !path.split('/').includes('..')) return path;
    throw new VakhtaError('bug', 'pg-program', `no absolute path: ${path}`, {
      args: { program: 'path', where, detail: path },
    });
  };

  return {
    where,
    ask,
    must,
    isFolder: async (path, signal) => (await ask(['test', '-d', checked(path)], signal ? { signal } : {})).code === 0,
    makeFolder: async (path, signal) => {
      await must(['mkdir', '-p', '-m', '700', '--', checked(path)], signal ? { signal } : {});
    },
    read: async (path, signal) => {
      const result = await ask(['cat', '--', checked(path)], signal ? { signal } : {});
      return result.code === 0 ? result.stdout : undefined;
    },
    write: async (path, text, signal) => {
      await must(['tee', '--', checked(path)], { stdin: text, ...(signal ? { signal } : {}) });
    },
    remove: async (path, signal) => {
      await must(['rm', '-rf', '--', checked(path)], { timeoutMs: seconds(600), ...(signal ? { signal } : {}) });
    },
    space: async (path, signal) =>
      parseDf(await must(['df', '-B1', '--output=avail,size', '--', checked(path)], signal ? { signal } : {}), where),
  };
}

/** What `df -B1 --output=avail,size` (GNU coreutils) printed. */
export function parseDf(text: string, where = 'localhost'): Space {
  const [, avail, size] = /^\s*(\d+)\s+(\d+)\s*$/m.exec(text) ?? [];
  if (avail !== undefined && size !== undefined) return { freeBytes: Number(avail), totalBytes: Number(size) };
  throw new VakhtaError('permanent', 'pg-output', `df: ${printable(text)}`, {
    args: { program: 'df', where, detail: printable(text) || '—' },
  });
}

export function programError(program: string, where: string, result: RunResult): VakhtaError {
  const name = program.split('/').at(-1) ?? program;
  const said = printable(result.stderr) || printable(result.stdout);
  const detail = said || `exit ${result.code ?? result.signal ?? '?'}`;
  return new VakhtaError('permanent', 'pg-program', `${name} on ${where}: ${detail}`, {
    args: { program: name, where, detail },
  });
}
