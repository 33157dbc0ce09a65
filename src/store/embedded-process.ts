import { execFile, spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { commandLine, ENVIRONMENT, type Programs, type RunAs, spawnIds } from './embedded-programs.ts';
import { codeOf } from './errors.ts';

const exec = promisify(execFile);
const START_MS = 120_000;
const STOP_MS = 60_000;
const POLL_MS = 25;

/** The server process of one data folder, ours or one that an earlier Vakhta left behind. */
export interface ServerProcess {
  /** The port of a live server of this folder; waits while it starts or stops. Removes the trace of a dead one. */
  running(): Promise<number | undefined>;
  /** Starts it and waits until it takes connections. */
  start(port: number): Promise<void>;
  /** Fast shutdown; waits for the end. */
  stop(): Promise<void>;
}

/** What PostgreSQL says while processes of a server that was killed are still at its data. */
const STILL_IN_USE = 'pre-existing shared memory block';

export function createServerProcess(options: {
  readonly data: string;
  readonly log: string;
  readonly binaries: Programs;
  readonly as: RunAs | undefined;
  readonly clock: Clock;
}): ServerProcess {
  const { data, log, binaries, as, clock } = options;
  const pidFile = join(data, 'postmaster.pid');

  const waitFor = async <T>(ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> => {
    const until = clock.now().getTime() + ms;
    for (;;) {
      const seen = await look();
      if (seen !== undefined || clock.now().getTime() >= until) return seen;
      await clock.sleep(POLL_MS);
    }
  };

  /** Why the server did not start; nothing once it is ready. */
  const launch = async (port: number): Promise<string | undefined> => {
    const output = await open(log, 'a', 0o600);
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      timezone: 'UTC',
      log_timezone: 'UTC',
      max_connections: '100',
    };
    const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const line = commandLine(as, binaries.postgres, ['-D', data, '-p', String(port), ...set]);
    let ended: string | undefined;
    try {
      // In a group of its own: Ctrl-C in the terminal reaches us, and we stop the server when we are done with it.
      const child = spawn(...line, {
        ...spawnIds(as),
        cwd: '/',
        env: ENVIRONMENT,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      });
      child.once('error', (error) => {
        ended = error.message;
      });
      child.once('exit', (code, signal) => {
        ended = `exit ${code ?? signal}`;
      });
      child.unref();
      const ready = await waitFor(START_MS, async () => {
        if (ended !== undefined) return false;
        const file = await readPidFile(pidFile);
        return file?.pid === child.pid && file?.status === 'ready' ? true : undefined;
      });
      if (ready === true) return undefined;
      child.kill('SIGINT');
    } finally {
      await output.close();
    }
    return `${ended ?? 'not ready in time'}: ${await tail(log)}`;
  };

  return {
    async running() {
      const seen = await waitFor<number | 'none'>(START_MS, async () => {
        const file = await readPidFile(pidFile);
        if (!file) return 'none';
        // Left to PostgreSQL: by this file it finds out whether children of the fallen server are still at the data.
        if (!isAlive(file.pid)) return 'none';
        if (!(await isServerOf(file.pid, data))) {
          // A number that another process has by now would keep PostgreSQL from starting.
          await rm(pidFile, { force: true });
          return 'none';
        }
        return file.status === 'ready' ? file.port : undefined;
      });
      if (seen === undefined) throw embeddedFailed(log, 'a server that was found running does not get ready');
      return seen === 'none' ? undefined : seen;
    },

    async start(port) {
      const failed = await waitFor(START_MS, async () => {
        const reason = await launch(port);
        // Children of a server that was killed end by themselves within moments.
        return reason?.includes(STILL_IN_USE) ? undefined : (reason ?? '');
      });
      if (failed !== '') throw embeddedFailed(log, failed ?? STILL_IN_USE);
    },

    async stop() {
      const file = await readPidFile(pidFile);
      if (!file || !isAlive(file.pid) || !(await isServerOf(file.pid, data))) return;
      const gone = () => waitFor(STOP_MS, async () => (isAlive(file.pid) ? undefined : true));
      process.kill(file.pid, 'SIGINT');
      if (await gone()) return;
      // Immediate shutdown: the next start recovers from the write-ahead log.
      process.kill(file.pid, 'SIGQUIT');
      await gone();
    },
  };
}

export const embeddedFailed = (log: string, reason: string) =>
  new VakhtaError('permanent', 'embedded-failed', `the built-in PostgreSQL did not start: ${reason}`, {
    args: { log, reason },
  });

/** postmaster.pid: pid, folder, start, port, socket folder, address, shared memory, status; a line each. */
async function readPidFile(path: string): Promise<{ pid: number; port: number; status: string } | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]), status: lines[7] ?? '' };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Is this process a server of this folder, or did its number go to another? */
async function isServerOf(pid: number, data: string): Promise<boolean> {
  const command =
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)) ??
    (await exec('ps', ['-o', 'command=', '-p', String(pid)], { env: ENVIRONMENT }).then(
      ({ stdout }) => stdout,
      () => '',
    ));
  return command.includes('postgres') && command.includes(data);
}

async function tail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-3).join(' / ');
}
