import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/core/clock.ts';
import { silentLog } from '../src/core/log.ts';
import { startEmbedded } from '../src/store/embedded.ts';
import { migrate } from '../src/store/migrate.ts';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Where one benchmark lives: a folder, a PostgreSQL of its own, processes. `close` leaves nothing behind. */
export interface Place {
  readonly folder: string;
  readonly databaseUrl: string;
  /** A module of this folder in a process of its own, which says `ready` when it is. */
  module(file: string, env?: Readonly<Record<string, string>>): Promise<Program>;
  /** Any Node.js program. */
  node(args: readonly string[], env?: Readonly<Record<string, string>>): Program;
  close(): Promise<void>;
}

/** A process that talks in messages. */
export interface Program {
  readonly pid: number;
  /** Sends one message and waits for the next that comes back. */
  ask(question: unknown): Promise<unknown>;
  /** What `ready` said. */
  readonly port: number;
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

const READY_MS = 60_000;

export async function openPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'vakhta-bench-'));
  const children: { stop(): Promise<void> }[] = [];
  const postgres = await startEmbedded({ dataDir: join(folder, 'data'), log: silentLog, clock: systemClock });
  await migrate(postgres.url, silentLog);

  const node: Place['node'] = (args, env = {}) => {
    const program = programOf(
      spawn(process.execPath, args, {
        cwd: ROOT,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      }),
    );
    children.push(program);
    return program;
  };
  const close = async (): Promise<void> => {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await Promise.all(children.map((child) => child.stop()));
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const interrupted = (): void => {
    close().then(
      () => process.exit(130),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  return {
    folder,
    databaseUrl: postgres.url,
    node,
    module: async (file, env) => {
      const program = node(['--import', 'tsx', join(ROOT, 'bench', file)], env);
      const ready = await program.ask('hello');
      if (typeof ready !== 'object' || ready === null || !('ready' in ready)) throw new Error(`${file} is not ready`);
      return { ...program, port: Number(ready.ready) };
    },
    close,
  };
}

function programOf(child: ChildProcess): Program {
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString('utf8')).slice(-4000);
  });
  const ended = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => {
      if (code) console.error(complaints);
      resolve(code);
    }),
  );
  return {
    pid: child.pid ?? 0,
    port: 0,
    ended,
    ask: (question) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error('a process of the benchmark does not answer')), READY_MS);
        const settle = (act: () => void) => (): void => {
          clearTimeout(limit);
          child.off('message', answered);
          child.off('exit', died);
          act();
        };
        const answered = (answer: unknown): void => settle(() => resolve(answer))();
        const died = settle(() => reject(new Error('a process of the benchmark ended')));
        child.on('message', answered);
        child.on('exit', died);
        child.send(question as object);
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(killer);
    },
  };
}

/** The other end of `Program.ask`: answers the first message with `ready`, the others with what `answer` gives. */
export function serveParent(port: number, answer: (question: unknown) => Promise<unknown>): void {
  const send = (message: unknown): void => void process.send?.(message);
  process.on('message', (question) => {
    if (question === 'hello') return send({ ready: port });
    answer(question).then(send, (error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
  process.on('disconnect', () => process.exit());
  process.once('SIGTERM', () => process.exit());
}

/** A port of 127.0.0.1 that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Polls until the URL answers 200; throws when the program ends before, or after a minute. */
export async function untilOk(url: string, program: Program): Promise<void> {
  let hasEnded = false;
  void program.ended.then(() => {
    hasEnded = true;
  });
  const giveUp = performance.now() + READY_MS;
  while (!(await isOk(url))) {
    if (hasEnded) throw new Error(`${url}: the program ended before it was ready`);
    if (performance.now() > giveUp) throw new Error(`${url}: not ready in time`);
    await systemClock.sleep(5);
  }
}

const isOk = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );
