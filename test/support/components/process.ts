import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';

/** A component's process, ended by its own pid and never by name. */
export interface Launched {
  readonly pid: number;
  /** Everything it has written so far, stdout and stderr together (the last 256 KiB). */
  log(): string;
  /** True until the process has ended. */
  running(): boolean;
  /** Resolves at its end, with the exit code or the signal that ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void;
  /** Sends `signal` (default SIGTERM), SIGKILL after half a minute, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface LaunchOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as this system user; used only when we are root. */
  readonly user?: string;
  /** What the kernel sends when the test process dies without having stopped the component (Linux). */
  readonly orphanSignal?: 'TERM' | 'INT' | 'KILL';
}

const KEEP = 256 * 1024;
const SETPRIV = '/usr/bin/setpriv';
const live = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

export const isRoot = (): boolean => process.getuid?.() === 0;

/** The argv that runs a command as another user when we are root, and unchanged when we are not. */
export function asUser(user: string | undefined, argv: readonly string[]): string[] {
  if (user === undefined || !isRoot()) return [...argv];
  const { uid, gid } = systemUser(user);
  return [SETPRIV, '--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--reset-env', '--', ...argv];
}

/** A user of this system, from /etc/passwd. */
export function systemUser(name: string): { uid: number; gid: number } {
  const row = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((entry) => entry.split(':'))
    .find(([login]) => login === name);
  if (row === undefined) throw new Error(`there is no system user ${name}`);
  return { uid: Number(row[2]), gid: Number(row[3]) };
}

/** Starts a process in the background. It does not wait for readiness: use `until` for that. */
export function launch(what: string, argv: readonly string[], options: LaunchOptions = {}): Launched {
  let line = asUser(options.user, argv);
  if (existsSync(SETPRIV)) {
    // A worker that vitest kills cannot run its clean-up; the kernel then ends the component for us.
    const orphan = ['--pdeathsig', options.orphanSignal ?? 'TERM'];
    line = line[0] === SETPRIV ? [SETPRIV, ...orphan, ...line.slice(1)] : [SETPRIV, ...orphan, '--', ...line];
  }
  const [command = what, ...args] = line;
  const child = spawn(command, args, {
    cwd: options.cwd ?? '/',
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  live.add(child);
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-KEEP);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ended = false;
  const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    const done = (code: number | null, signal: NodeJS.Signals | null) => {
      ended = true;
      live.delete(child);
      resolve({ code, signal });
    };
    child.once('exit', done);
    child.once('error', (error) => {
      output += `${what}: ${error.message}\n`;
      done(null, null);
    });
  });
  return {
    pid: child.pid ?? -1,
    log: () => output,
    running: () => !ended,
    ended: end,
    signal: (signal) => void child.kill(signal),
    async stop(signal = 'SIGTERM') {
      if (!ended) child.kill(signal);
      // A PostgreSQL that writes its last checkpoint to a busy disk must end by itself, or it cannot start again.
      const killer = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await end;
      clearTimeout(killer);
    },
  };
}

/** Polls until `probe` gives true; fails with the component's log when it ended first or time ran out. */
export async function until(
  what: string,
  probe: () => Promise<boolean> | boolean,
  options: { readonly timeoutMs?: number; readonly process?: Launched } = {},
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 45_000;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await probe()) return;
    const why =
      options.process?.running() === false ? 'ended' : Date.now() > deadline ? `not there after ${timeoutMs} ms` : '';
    if (why !== '') throw new Error(`${what}: ${why}\n${options.process?.log().slice(-4000) ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** True when somebody accepts TCP connections there. */
export function tcpOpen(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const done = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', done(true));
    socket.once('error', done(false));
    socket.setTimeout(1000, done(false));
  });
}

/** True when the URL answers 2xx. */
export async function httpOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Never throws for an exit code. */
export function run(
  argv: readonly string[],
  options: { cwd?: string; user?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const [command = '', ...args] = asUser(options.user, argv);
  const place = { cwd: options.cwd ?? '/', env: { ...process.env, ...options.env }, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(command, args, place, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr });
      else reject(new Error(`${argv.join(' ')}: ${error.message}`, { cause: error }));
    });
  });
}

const exec = promisify(execFile);

/** Runs a command that must succeed; gives its stdout. */
export async function must(argv: readonly string[], options: { cwd?: string; user?: string } = {}): Promise<string> {
  const [command = '', ...args] = asUser(options.user, argv);
  const { stdout } = await exec(command, args, { cwd: options.cwd ?? '/', maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
