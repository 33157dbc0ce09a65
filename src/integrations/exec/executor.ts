import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Probeable } from '../define.ts';

export interface RunOptions {
  /** Aborting ends the process (TERM, then KILL) and the promise is rejected only once it is gone. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** How it is asked to end, and how long it has until KILL; TERM and the executor's own time when absent. */
  readonly stop?: { readonly signal: 'TERM' | 'INT'; readonly graceMs: number };
  /** Added to the small fixed environment; the program's own environment, which holds secrets, is never passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Each complete line as it arrives, without its line end. */
  readonly onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
  readonly stdin?: string;
  /** How much of each stream is kept, in bytes; 8 MiB when absent. What is too much is cut off at the beginning. */
  readonly maxOutputBytes?: number;
}

export interface RunResult {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
  /** True when the beginning of a stream was dropped (`maxOutputBytes`). */
  readonly truncated: boolean;
}

/**
 * Runs programs on one machine. `run` gives the outcome of any program that ran, whatever its exit code; it throws a
 * VakhtaError when the program could not be started (`exec-not-found`, `ssh-*`), took longer than `timeoutMs`
 * (`exec-timeout`) or was aborted (`exec-cancelled`).
 */
export interface Executor extends Probeable {
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** For people: "this machine as postgres", "vakhta@db1.example:22". Never a secret. */
  describe(): string;
}

/** Between TERM and KILL. Who cancels has the outside at rest within five seconds, a slow connection included. */
export const DEFAULT_GRACE_MS = seconds(3);

export const DEFAULT_MAX_OUTPUT = 8 * 1024 * 1024;

/** What a process gets when nothing else is said. A fixed locale: we parse what programs print. */
export const BASE_ENV: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

/** Collects one output stream: keeps its last `max` bytes and hands out complete lines. */
export function createSink(max: number, onLine?: (line: string) => void) {
  let chunks: Buffer[] = [];
  let size = 0;
  let rest: Buffer = Buffer.alloc(0);
  let truncated = false;

  const emit = (line: Buffer) => {
    const end = line.at(-1) === 0x0d ? line.length - 1 : line.length;
    onLine?.(line.toString('utf8', 0, end));
  };

  return {
    write(chunk: Buffer): void {
      chunks.push(chunk);
      size += chunk.length;
      if (size > max * 2) compact();
      if (onLine === undefined) return;
      // Bytes are split before they are decoded, so that a character cut by a chunk border stays whole.
      let from = 0;
      for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, from)) {
        const part = chunk.subarray(from, at);
        emit(rest.length > 0 ? Buffer.concat([rest, part]) : part);
        rest = Buffer.alloc(0);
        from = at + 1;
      }
      if (from < chunk.length) rest = Buffer.concat([rest, chunk.subarray(from)]);
      // A program that never ends its line may not fill our memory.
      if (rest.length > max) {
        emit(rest);
        rest = Buffer.alloc(0);
      }
    },
    /** The last line needs no line end. */
    end(): void {
      if (rest.length > 0) emit(rest);
      rest = Buffer.alloc(0);
    },
    text(): string {
      compact();
      return Buffer.concat(chunks).toString('utf8');
    },
    get truncated(): boolean {
      return truncated || size > max;
    },
  };

  function compact(): void {
    if (size <= max) return;
    truncated = true;
    chunks = [Buffer.concat(chunks).subarray(size - max)];
    size = max;
  }
}

/** Refuses what could not be run anyway, or would be run as something else. */
export function checkArgv(argv: readonly string[]): void {
  if (argv.length === 0 || argv[0] === '') throw new VakhtaError('bug', 'exec-argv', 'empty argv');
  if (argv.some((word) => word.includes('\0'))) throw new VakhtaError('bug', 'exec-argv', 'NUL in argv');
}

export const cancelled = (what: string, reason: unknown): VakhtaError =>
  reason instanceof VakhtaError
    ? reason
    : new VakhtaError('transient', 'exec-cancelled', `${what} was cancelled`, {
        args: { program: what },
        cause: reason,
      });

export const timedOut = (what: string, ms: number): VakhtaError =>
  new VakhtaError('transient', 'exec-timeout', `${what} did not end within ${ms} ms`, {
    args: { program: what, seconds: Math.round(ms / 1000) },
  });
