import { type ChildProcess, spawn } from 'node:child_process';
import { type Clock, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import {
  BASE_ENV,
  cancelled,
  checkArgv,
  createSink,
  DEFAULT_GRACE_MS,
  DEFAULT_MAX_OUTPUT,
  type Executor,
  type RunOptions,
  type RunResult,
  timedOut,
} from './executor.ts';
import { probeExecutor } from './probe.ts';

export interface LocalSettings {
  /** Put before every command, to become another user: `['setpriv', '--reuid', 'postgres', …]` or `['sudo', '-n', '-u', 'postgres']`. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** How long a process has between TERM and KILL, in ms; 3 s when absent. */
  readonly graceMs?: number;
}

export interface LocalEdges {
  readonly clock: Clock;
  /** `process.kill` when absent. */
  readonly kill?: (pid: number, signal: NodeJS.Signals) => void;
}

/** Runs programs on this machine: no shell, each in a process group of its own, which ends as a whole. */
export function createLocalExecutor(settings: LocalSettings, edges: LocalEdges): Executor {
  const { prefix = [], cwd = '/', graceMs = DEFAULT_GRACE_MS } = settings;
  const where = prefix.length > 0 ? `localhost (${prefix.join(' ')})` : 'localhost';

  const kill = edges.kill ?? ((pid: number, signal: NodeJS.Signals) => process.kill(pid, signal));

  /** The whole group: pgBackRest and others have children that would live on. */
  const killGroup = ({ pid }: ChildProcess, signal: 'TERM' | 'INT' | 'KILL'): void => {
    if (pid === undefined) return;
    try {
      kill(-pid, `SIG${signal}`);
    } catch (thrown) {
      const isForeign = thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
      const [program, ...args] = prefix;
      if (!isForeign || program === undefined) return; // no such group any more
      // It runs as somebody else: only who may become that user may end it.
      const words = [...args, 'kill', '-s', signal, '--', `-${pid}`];
      spawn(program, words, { cwd, env: { ...BASE_ENV, ...settings.env }, stdio: 'ignore' }).once('error', () => {});
    }
  };

  const run = (argv: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
    checkArgv(argv);
    const [program = '', ...args] = [...prefix, ...argv];
    const name = argv[0] ?? '';
    if (options.signal?.aborted) return Promise.reject(cancelled(name, options.signal.reason));
    return new Promise((resolve, reject) => {
      const max = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT;
      const { onLine } = options;
      const stdout = createSink(max, onLine && ((line) => onLine('stdout', line)));
      const stderr = createSink(max, onLine && ((line) => onLine('stderr', line)));
      const child = spawn(program, args, {
        cwd,
        env: { ...BASE_ENV, ...settings.env, ...options.env },
        detached: true,
        stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      });
      child.stdout?.on('data', (chunk: Buffer) => stdout.write(chunk));
      child.stderr?.on('data', (chunk: Buffer) => stderr.write(chunk));
      // A program may end without reading its input: that is its right, and its exit code tells.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.stdin);

      let stopped: VakhtaError | undefined;
      const timers: (() => void)[] = [];
      const stop = (why: VakhtaError) => {
        if (stopped !== undefined) return;
        stopped = why;
        killGroup(child, options.stop?.signal ?? 'TERM');
        timers.push(edges.clock.after(options.stop?.graceMs ?? graceMs, () => killGroup(child, 'KILL')));
      };
      const onAbort = () => stop(cancelled(name, options.signal?.reason));
      options.signal?.addEventListener('abort', onAbort, { once: true });
      const { timeoutMs } = options;
      if (timeoutMs !== undefined) timers.push(edges.clock.after(timeoutMs, () => stop(timedOut(name, timeoutMs))));
      const settle = () => {
        options.signal?.removeEventListener('abort', onAbort);
        for (const cancel of timers) cancel();
      };

      child.once('error', (error) => {
        if (child.pid !== undefined) return; // a failed kill; 'close' still comes
        settle();
        reject(spawnError(error, program, where));
      });
      child.once('exit', () => {
        // A daemon that the program left behind may hold the pipes open for ever; two seconds are enough for the rest.
        timers.push(
          edges.clock.after(seconds(2), () => {
            child.stdout?.destroy();
            child.stderr?.destroy();
          }),
        );
      });
      child.once('close', (code, signal) => {
        settle();
        stdout.end();
        stderr.end();
        if (stopped !== undefined) return reject(stopped);
        resolve({
          code,
          ...(signal === null ? {} : { signal }),
          stdout: stdout.text(),
          stderr: stderr.text(),
          truncated: stdout.truncated || stderr.truncated,
        });
      });
    });
  };

  const executor: Executor = {
    run,
    describe: () => where,
    probe: (signal) => probeExecutor(executor, signal),
  };
  return executor;
}

function spawnError(error: Error, program: string, where: string): VakhtaError {
  const code = 'code' in error ? error.code : undefined;
  const details = { args: { program, where }, cause: error };
  if (code === 'ENOENT') return new VakhtaError('permanent', 'exec-not-found', `${program}: not found`, details);
  if (code === 'EACCES') return new VakhtaError('permanent', 'exec-not-allowed', `${program}: not executable`, details);
  return new VakhtaError('transient', 'exec-not-allowed', `${program}: ${error.message}`, details);
}
