import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { createPostgresQueue, createRedisQueue, type Job, type JobQueue } from '../../../src/store/queue.ts';
import { freshDatabase } from '../../support/database.ts';
import type { Cluster } from '../../support/components/cluster.ts';
import { withComponents } from '../../support/components/detect.ts';
import { startPostgres } from '../../support/components/postgres.ts';
import { until } from '../../support/components/process.ts';
import { type RedisServer, startRedis } from '../../support/components/redis.ts';

/** A backend under test. */
interface Bench {
  /** A process's view of the queue `name`. */
  readonly open: (name: string, lockMs?: number) => JobQueue;
  /** The same, with nobody answering at the address. */
  readonly openDead: () => JobQueue;
}

let counter = 0;
const LOCK_MS = 1000;

/** Remembers what was handled; `open` jobs end when the test says so. */
function recorder() {
  const jobs: Job[] = [];
  const waiting: (() => void)[] = [];
  let most = 0;
  let now = 0;
  return {
    jobs,
    ids: () => jobs.map((job) => job.runId),
    most: () => most,
    now: () => now,
    handle: async (job: Job) => {
      jobs.push(job);
    },
    hold: async (job: Job, signal: AbortSignal) => {
      jobs.push(job);
      now += 1;
      most = Math.max(most, now);
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }).finally(() => {
        now -= 1;
      });
    },
    release: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

function suite(bench: () => Bench) {
  const open = (name: string, lockMs?: number): JobQueue => {
    const queue = bench().open(name, lockMs);
    onTestFinished(() => queue.close());
    return queue;
  };
  const newName = () => {
    counter += 1;
    return `q${counter}`;
  };

  test('a job is handled once, with its run and its own id', async () => {
    const queue = open(newName());
    const seen = recorder();
    await queue.start(seen.handle, { concurrency: 2 });
    await queue.add('run-1', { jobId: 'run-1.1' });
    await until('handled', async () => (await queue.counts()).completed === 1);
    expect(seen.jobs).toEqual([{ runId: 'run-1', jobId: 'run-1.1' }]);
  });

  test('a known job id is ignored, whether it waits or has ended', async () => {
    const name = newName();
    const queue = open(name);
    const seen = recorder();
    await queue.add('run-1', { jobId: 'run-1' });
    await queue.add('run-1', { jobId: 'run-1' });
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
    await queue.start(seen.handle, { concurrency: 2 });
    await until('handled', async () => (await queue.counts()).completed === 1);
    await queue.add('run-1', { jobId: 'run-1' });
    await queue.add('run-2', { jobId: 'run-2' });
    await until('second handled', async () => (await queue.counts()).completed === 2);
    expect(seen.ids()).toEqual(['run-1', 'run-2']);
  });

  test('a delayed job waits for its time', async () => {
    const queue = open(newName());
    const seen = recorder();
    await queue.add('tomorrow', { jobId: 'tomorrow', delayMs: 86_400_000 });
    await queue.add('now', { jobId: 'now' });
    expect(await queue.counts()).toMatchObject({ waiting: 1, delayed: 1 });
    await queue.start(seen.handle, { concurrency: 1 });
    await until('handled', () => seen.jobs.length === 1);
    const started = performance.now();
    await queue.add('soon', { jobId: 'soon', delayMs: 700 });
    await until('both handled', () => seen.jobs.length === 2);
    expect(performance.now() - started).toBeGreaterThanOrEqual(690);
    expect(seen.ids()).toEqual(['now', 'soon']);
    expect(await queue.counts()).toMatchObject({ delayed: 1 });
  });

  test('the most urgent job is handled first, equals in their order', async () => {
    const queue = open(newName());
    const seen = recorder();
    await queue.add('low', { jobId: 'low', priority: 3 });
    await queue.add('high-1', { jobId: 'high-1', priority: 0 });
    await queue.add('middle', { jobId: 'middle', priority: 2 });
    await queue.add('high-2', { jobId: 'high-2' });
    await queue.start(seen.handle, { concurrency: 1 });
    await until('all handled', () => seen.jobs.length === 4);
    expect(seen.ids()).toEqual(['high-1', 'high-2', 'middle', 'low']);
  });

  test('no more jobs run at once than allowed', async () => {
    const queue = open(newName());
    const seen = recorder();
    for (let n = 0; n < 5; n += 1) await queue.add(`run-${n}`, { jobId: `run-${n}` });
    await queue.start(seen.hold, { concurrency: 2 });
    await until('two run', () => seen.now() === 2);
    expect(await queue.counts()).toMatchObject({ active: 2, waiting: 3 });
    await until('all handled', async () => {
      seen.release();
      return (await queue.counts()).completed === 5;
    });
    expect(seen.most()).toBe(2);
  });

  test('a stop lets the running job finish and leaves the waiting ones to the next process', async () => {
    const name = newName();
    const queue = open(name);
    const seen = recorder();
    await queue.add('running', { jobId: 'running' });
    await queue.start(seen.hold, { concurrency: 1 });
    await until('it runs', () => seen.now() === 1);
    await queue.add('waiting', { jobId: 'waiting' });
    const drained = queue.pauseAndDrain(30_000);
    seen.release();
    expect(await drained).toBe(true);
    await queue.close();
    expect(seen.ids()).toEqual(['running']);

    const next = open(name);
    const after = recorder();
    await next.start(after.handle, { concurrency: 1 });
    await until('handled', async () => (await next.counts()).completed === 2);
    expect(after.ids()).toEqual(['waiting']);
  });

  test('a job that does not finish in time learns it by its signal, and is not repeated', async () => {
    const name = newName();
    const queue = open(name);
    const seen = recorder();
    await queue.add('stubborn', { jobId: 'stubborn' });
    await queue.start(seen.hold, { concurrency: 1 });
    await until('it runs', () => seen.now() === 1);
    expect(await queue.pauseAndDrain(200)).toBe(false);
    expect(seen.now()).toBe(0);
    await queue.close();
    const next = open(name);
    const after = recorder();
    await next.start(after.handle, { concurrency: 1 });
    await next.add('probe', { jobId: 'probe' });
    await until('probe handled', () => after.jobs.length > 0);
    expect(after.ids()).toEqual(['probe']);
  });

  test('the job of a worker that vanished is never handled again by itself', async () => {
    const name = newName();
    const dead = bench().open(name, LOCK_MS);
    const seen = recorder();
    await dead.add('lost', { jobId: 'lost' });
    await dead.start(seen.hold, { concurrency: 1 });
    // Not `now`: on a machine that stands still for a second the lock is lost, and the job with it.
    await until('it runs', () => seen.jobs.length === 1);
    // Closed with a job running: its lock is never renewed nor given back, as after SIGKILL.
    await dead.close();
    const next = open(name, LOCK_MS);
    const after = recorder();
    await next.start(after.handle, { concurrency: 1 });
    await until('it counts as failed', async () => (await next.counts()).failed === 1, { timeoutMs: 45_000 });
    expect(after.ids()).toEqual([]);
    expect(await next.counts()).toMatchObject({ active: 0, waiting: 0, failed: 1 });
  });

  test('a handler that throws is not repeated', async () => {
    const queue = open(newName());
    let calls = 0;
    await queue.start(
      async () => {
        calls += 1;
        throw new Error('no');
      },
      { concurrency: 1 },
    );
    await queue.add('bad', { jobId: 'bad' });
    await until('failed', async () => (await queue.counts()).failed === 1);
    expect(calls).toBe(1);
  });

  test('two workers never get the same job', async () => {
    const name = newName();
    const [one, two] = [open(name), open(name)];
    const seen = recorder();
    await Promise.all([one.start(seen.handle, { concurrency: 3 }), two.start(seen.handle, { concurrency: 3 })]);
    await Promise.all(Array.from({ length: 30 }, (_, n) => one.add(`run-${n}`, { jobId: `run-${n}` })));
    await until('all handled', async () => (await one.counts()).completed === 30);
    expect(new Set(seen.ids()).size).toBe(30);
    expect(seen.jobs).toHaveLength(30);
  });

  test('a queue that is away is a transient error, soon', async () => {
    const queue = bench().openDead();
    onTestFinished(() => queue.close());
    const started = performance.now();
    await expect(queue.add('run-1', { jobId: 'run-1' })).rejects.toMatchObject({
      kind: 'transient',
      code: 'queue-down',
    });
    await expect(queue.ready()).rejects.toMatchObject({ kind: 'transient' });
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test('an id with a colon is refused', async () => {
    const queue = open(newName());
    await expect(queue.add('run-1', { jobId: 'backup:1' })).rejects.toMatchObject({ kind: 'bug', code: 'bad-job-id' });
  });
}

const postgres = (url: () => string): Bench => ({
  open: (name, lockMs) =>
    createPostgresQueue({ url: url(), name, log: silentLog, ...(lockMs === undefined ? {} : { lockMs }) }),
  openDead: () => createPostgresQueue({ url: 'postgresql://postgres@127.0.0.1:1/none', name: 'dead', log: silentLog }),
});

describe('queue in the embedded PostgreSQL', () => {
  let url = '';
  let drop = async () => {};
  beforeAll(async () => ({ url, drop } = await freshDatabase()));
  afterAll(() => drop());
  suite(() => postgres(() => url));
});

withComponents(['postgres'], () => {
  describe('queue in PostgreSQL 15', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startPostgres();
    });
    afterAll(() => cluster.stop());
    suite(() => postgres(() => cluster.url));
  });
});

withComponents(['redis'], () => {
  describe('queue in Redis', () => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis.stop());
    suite(() => ({
      open: (name, lockMs) =>
        createRedisQueue({ url: redis.url, name, log: silentLog, ...(lockMs === undefined ? {} : { lockMs }) }),
      openDead: () => createRedisQueue({ url: 'redis://127.0.0.1:1', name: 'dead', log: silentLog }),
    }));

    test('works again after Redis was away', async () => {
      const queue = createRedisQueue({ url: redis.url, name: 'away', log: silentLog });
      onTestFinished(() => queue.close());
      const seen = recorder();
      await queue.start(seen.handle, { concurrency: 1 });
      await redis.crash();
      await expect(queue.add('run-1', { jobId: 'run-1' })).rejects.toMatchObject({ kind: 'transient' });
      await redis.resume();
      await until('it takes jobs again', () =>
        queue.add('run-1', { jobId: 'run-1' }).then(
          () => true,
          () => false,
        ),
      );
      await until('handled', () => seen.jobs.length === 1);
    });
  });
});
