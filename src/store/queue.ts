import { createPostgresBackend, Queue, runMigrations, Worker, withBackend } from 'bullmq';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import pg from 'pg';
import { z } from 'zod';
import { type Clock, systemClock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';

export interface Job {
  readonly runId: string;
  readonly jobId: string;
}

export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly completed: number;
  readonly failed: number;
}

/**
 * Carries the ids of runs to workers, each at most once: a job whose worker died is never handed to another by the queue
 * itself. The run's row decides; what became of a lost job is found out by reconciling.
 */
export interface JobQueue {
  /**
   * Hands a run to the workers. A `jobId` that the queue knows (also of a job that ended within the last day) is ignored.
   * `priority` 0 is first. Throws `transient` when the queue does not answer within five seconds: the job may have arrived.
   */
  add(
    runId: string,
    options: { readonly jobId: string; readonly delayMs?: number; readonly priority?: number },
  ): Promise<void>;
  /**
   * Takes jobs, `concurrency` at a time. The signal aborts when the process must stop before the job is done. A handler that
   * throws is logged; the job is not repeated.
   */
  start(
    handler: (job: Job, signal: AbortSignal) => Promise<void>,
    options: { readonly concurrency: number },
  ): Promise<void>;
  /**
   * Takes no more jobs and waits for those that run; after `timeoutMs` aborts their signals and waits for them again, as long.
   * True when all ended by themselves.
   */
  pauseAndDrain(timeoutMs: number): Promise<boolean>;
  counts(): Promise<JobCounts>;
  /** Resolves when the queue answers (PostgreSQL: and its own tables are up to date); throws `transient` when not. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

interface Common {
  /** Name of the queue: one for each site. */
  readonly name: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** How long a worker may be silent before its job counts as lost; default 30 s. */
  readonly lockMs?: number;
}

/** What one backend gives to the code that both share. */
interface Backend {
  readonly queue: () => BullQueue;
  readonly worker: (process: Process, options: WorkerSettings) => BullWorker;
  readonly prepare: () => Promise<void>;
  readonly release: () => Promise<void>;
}

type Process = (
  job: { readonly id?: string | undefined; readonly data: unknown },
  token?: string,
  signal?: AbortSignal,
) => Promise<void>;
type BullQueue = Pick<Queue, 'add' | 'getJobCounts' | 'close'>;
type BullWorker = Pick<Worker, 'pause' | 'close' | 'cancelAllJobs' | 'waitUntilReady'>;

interface WorkerSettings {
  readonly concurrency: number;
  readonly maxStalledCount: number;
  readonly lockDuration: number;
  readonly stalledInterval: number;
  readonly removeOnComplete: { readonly age: number };
  readonly removeOnFail: { readonly age: number };
}

const ANSWER_MS = 5000;
const DAY_S = 86_400;
const KEEP = { removeOnComplete: { age: DAY_S }, removeOnFail: { age: 7 * DAY_S } };
const data_ = z.object({ runId: z.string() });

/** The queue in Redis: several machines. `url` is a redis:// or rediss:// URL. */
export function createRedisQueue(options: Common & { readonly url: string }): JobQueue {
  const { name, url, log } = options;
  // A producer must not wait for a queue that is away; a worker must wait for as long as it takes (BullMQ asks for null).
  const toAdd = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, retryStrategy });
  const toWork = new Redis(url, { maxRetriesPerRequest: null, retryStrategy });
  const down = (error: Error) => log.debug({ error: error.message }, 'redis connection');
  toAdd.on('error', down);
  toWork.on('error', down);
  const prefix = 'vakhta';
  return bullQueue(options, {
    queue: () => withErrors(new Queue(name, { connection: toAdd, prefix, defaultJobOptions: KEEP }), log),
    worker: (process, settings) =>
      withErrors(new Worker(name, process, { ...settings, connection: toWork, prefix }), log),
    prepare: async () => {
      if (toAdd.status !== 'ready') await once(toAdd, 'ready');
      await toAdd.ping();
    },
    release: async () => {
      toAdd.disconnect();
      toWork.disconnect();
    },
  });
}

/** The queue in PostgreSQL, in a schema of its own whose tables BullMQ brings up to date. */
export function createPostgresQueue(options: Common & { readonly url: string; readonly schema?: string }): JobQueue {
  const { name, url, log, schema = 'bullmq' } = options;
  const connection = (max: number) => ({
    connectionString: url,
    schema,
    max,
    application_name: `vakhta queue ${name}`,
    connectionTimeoutMillis: ANSWER_MS,
    keepAlive: true,
  });
  const bull = withBackend(createPostgresBackend);
  let prepared = false;
  return bullQueue(options, {
    queue: () => withErrors(new bull.Queue(name, { connection: connection(3), defaultJobOptions: KEEP }), log),
    worker: (process, settings) =>
      withErrors(new bull.Worker(name, process, { ...settings, connection: connection(5) }), log),
    prepare: async () => {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS });
      client.on('error', () => {});
      try {
        await client.connect();
        if (prepared) await client.query('select 1');
        else await runMigrations(client, schema);
        prepared = true;
      } finally {
        await client.end().catch(() => {});
      }
    },
    release: async () => {},
  });
}

function bullQueue(options: Common, backend: Backend): JobQueue {
  const { log, clock = systemClock, lockMs = 30_000 } = options;
  const running = new Set<Promise<void>>();
  let queue: BullQueue | undefined;
  let worker: BullWorker | undefined;

  /** The outcome within five seconds, anything that goes wrong as `queue-down`. */
  const answer = async <T>(work: Promise<T>): Promise<T> => {
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.after(ANSWER_MS, () => reject(new Error(`no answer within ${ANSWER_MS} ms`)));
    });
    // Who loses the race must not end the process.
    work.catch(() => {});
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new VakhtaError('transient', 'queue-down', `queue: ${message}`, { cause: error });
    } finally {
      cancel();
    }
  };
  const opened = (): BullQueue => {
    queue ??= backend.queue();
    return queue;
  };
  const ready = () => answer(backend.prepare());
  const settled = () => Promise.allSettled(running).then(() => true);

  return {
    ready,
    async add(runId, { jobId, delayMs, priority }) {
      if (jobId === '' || jobId.includes(':')) {
        throw new VakhtaError(
          'bug',
          'bad-job-id',
          `a job id must be filled and have no colon: ${JSON.stringify(jobId)}`,
        );
      }
      await ready();
      await answer(
        opened().add('run', { runId }, { jobId, attempts: 1, delay: delayMs ?? 0, priority: (priority ?? 0) + 1 }),
      );
    },
    async start(handler, { concurrency }) {
      if (worker) throw new VakhtaError('bug', 'internal', 'the queue was started twice');
      await ready();
      const process: Process = async (job, _token, signal) => {
        const { runId } = data_.parse(job.data);
        const work = handler({ runId, jobId: job.id ?? runId }, signal ?? new AbortController().signal);
        running.add(work);
        try {
          await work;
        } catch (error) {
          log.warn({ runId, error: String(error) }, 'a job ended with an error');
          throw error;
        } finally {
          running.delete(work);
        }
      };
      worker = backend.worker(process, {
        concurrency,
        // A job that was begun once is never begun again, whatever becomes of its worker.
        maxStalledCount: 0,
        lockDuration: lockMs,
        stalledInterval: lockMs,
        ...KEEP,
      });
      await answer(worker.waitUntilReady());
    },
    async pauseAndDrain(timeoutMs) {
      if (!worker) return true;
      await worker.pause(true);
      const wait = new AbortController();
      const late = () =>
        clock.sleep(timeoutMs, wait.signal).then(
          () => false,
          () => false,
        );
      try {
        if (await Promise.race([settled(), late()])) return true;
        worker.cancelAllJobs('the process is stopping');
        await Promise.race([settled(), late()]);
        return false;
      } finally {
        wait.abort();
      }
    },
    async counts() {
      await ready();
      const n = await answer(
        opened().getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'completed', 'failed'),
      );
      const of = (state: string) => n[state] ?? 0;
      return {
        waiting: of('waiting') + of('prioritized'),
        active: of('active'),
        delayed: of('delayed'),
        completed: of('completed'),
        failed: of('failed'),
      };
    },
    async close() {
      // By now the running handlers have ended, or do not heed their signals: force.
      await worker?.close(running.size > 0).catch(() => {});
      await queue?.close().catch(() => {});
      await backend.release();
    },
  };
}

const retryStrategy = (times: number): number => Math.min(100 * 2 ** times, 5000);

/** BullMQ reports a lost connection as an event, and goes on by itself when it is back. */
function withErrors<T extends { on(event: 'error', listener: (error: Error) => void): unknown }>(
  emitter: T,
  log: Log,
): T {
  emitter.on('error', (error) => log.debug({ error: error.message }, 'queue connection'));
  return emitter;
}
