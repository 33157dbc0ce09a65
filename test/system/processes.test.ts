import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  freePort,
  type RedisServer,
  startPostgres,
  startRedis,
  type Cluster,
  until,
  withComponents,
} from '../support/components/index.ts';
import {
  GROUP,
  type Installation,
  type ProgramProcess,
  startInstallation,
  TOPICS,
  WEBHOOK_TOKEN,
} from '../support/installation.ts';
import { slowBackups, type SlowBackups } from '../support/slow-backups.ts';

const SLOW = { timeoutMs: 90_000 };
const THERE = { chat: GROUP, thread: TOPICS.backups };

const METRICS = [
  'vakhta_queue_jobs',
  'vakhta_outbox_queued',
  'vakhta_outbox_oldest_seconds',
  'vakhta_delivery_seconds_count',
  'vakhta_telegram_429_total',
  'vakhta_webhooks_total',
  'vakhta_runs_open',
  'vakhta_store_up',
];

/** Bot and worker as two processes; `redis` or not. */
function suite(
  options: { readonly kill: boolean },
  start: () => Promise<{ databaseUrl: string; redisUrl?: string; stop(): Promise<void> }>,
): void {
  let parts: Awaited<ReturnType<typeof start>>;
  let here: Installation;
  let backups: SlowBackups;
  let bot: ProgramProcess;
  let worker: ProgramProcess;
  let workerPort: number;

  beforeAll(async () => {
    parts = await start();
    backups = await slowBackups(4000);
    here = await startInstallation({
      database: { url: parts.databaseUrl },
      ...(parts.redisUrl === undefined ? {} : { redisUrl: parts.redisUrl }),
      sections: {
        alertmanager: { url: 'http://127.0.0.1:9', webhook_token: 'env:T_WEBHOOK_TOKEN' },
        postgres: [{ id: 'main', stanza: 'main', binary: backups.binary }],
      },
    });
    workerPort = await freePort();
    // Both start at once on an empty database: one of them migrates, the other waits for it.
    [bot, worker] = await Promise.all([here.launch('bot'), here.launch('worker', { port: workerPort })]);
    await Promise.all([bot.ready(), worker.ready()]);
  });
  afterAll(async () => {
    await here?.stop();
    await backups?.stop();
    await parts?.stop();
  });

  test('what is asked of the bot is done by the worker', async () => {
    here.person('boris').says('/backup pg main full', THERE);
    const done = await here.group.waitFor('Метка:', SLOW);
    expect(done.message_thread_id).toBe(TOPICS.backups);
    expect(await backups.labels()).toHaveLength(1);
  });

  test('health, readiness and metrics of both processes', async () => {
    for (const { url } of [bot, worker]) {
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    }
    const metricsOfBot = async () => (await fetch(`${bot.url}/metrics`)).text();
    await expect.poll(metricsOfBot).toMatch(/^vakhta_delivery_seconds_count\{priority="answer"\} [1-9]/mu);
    const text = await metricsOfBot();
    for (const name of METRICS) expect(text).toMatch(new RegExp(`^(# TYPE )?${name.replace('_count', '')}`, 'mu'));
    expect(text).toContain('vakhta_store_up 1');
    // It counts a run when it has told everybody.
    const metricsOfWorker = async () => (await fetch(`${worker.url}/metrics`)).text();
    await expect.poll(metricsOfWorker).toMatch(/^vakhta_runs_total\{operation="backup\.pg",state="succeeded"\} 1$/mu);
    const ofWorker = await metricsOfWorker();
    // The bot alone takes alerts.
    expect((await fetch(`${worker.url}/webhooks/alertmanager`, { method: 'POST' })).status).toBe(404);
    for (const secret of [WEBHOOK_TOKEN, here.env['T_TELEGRAM_TOKEN'] ?? '?']) {
      expect(text + ofWorker).not.toContain(secret);
    }
  });

  test('a worker asked to end during a backup finishes it first, and ends with 0', async () => {
    here.person('boris').says('/backup pg main incr', THERE);
    await here.group.waitFor(/⏳/u, SLOW);
    worker.signal('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(await backups.labels()).toHaveLength(2);
    await here.group.waitFor('Метка:', SLOW);
  });

  test('without a worker the run waits and says so; the next worker does it, once', async () => {
    here.person('carol').says('/backup pg main incr', THERE);
    const waiting = await here.group.waitFor(/🕓/u, SLOW);
    expect(await backups.labels()).toHaveLength(2);
    worker = await here.launch('worker', { port: workerPort });
    await worker.ready();
    const done = await here.group.waitFor('Label:', SLOW);
    expect(done.message_id).toBe(waiting.message_id);
    expect(await backups.labels()).toHaveLength(3);
  });

  // Half a minute passes before a silent worker is given up, whichever queue it is: once is enough.
  if (!options.kill) return;
  test('a worker that is killed in the middle: the next one finds out what became of it, and nothing runs twice', async () => {
    here.person('boris').says('/backup pg main incr', THERE);
    const running = await here.group.waitFor(/⏳/u, SLOW);
    worker.signal('SIGKILL');
    expect(await worker.ended).toMatchObject({ signal: 'SIGKILL' });
    worker = await here.launch('worker', { port: workerPort });
    await worker.ready();
    const ended = await here.group.waitFor(
      ({ message_id, text = '' }) => message_id === running.message_id && /🟢|❌/u.test(text),
      SLOW,
    );
    const labels = await backups.labels();
    // Either pgBackRest outlived its worker and the backup is there, or it died with it and the card says so.
    expect(labels).toHaveLength((ended.text ?? '').includes('🟢') ? 4 : 3);
    expect(new Set(labels).size).toBe(labels.length);
  });

  test('the bot stops and starts; what was said meanwhile is heard', async () => {
    bot.signal('SIGTERM');
    expect(await bot.ended).toEqual({ code: 0, signal: null });
    here.person('dina').says('/whoami');
    bot = await here.launch('bot');
    await bot.ready();
    const answer = await here.person('dina').chat.waitFor(/Дина/u, SLOW);
    expect(answer.text).toContain(String(here.person('dina').id));
  });

  test('the processes have left nothing undone, and nothing went to the log as an error', async () => {
    await Promise.all([bot.stop(), worker.stop()]);
    for (const one of [bot, worker]) expect(one.log()).not.toMatch(/"level":"(error|fatal)"/u);
  });
}

withComponents(['redis', 'postgres'], () => {
  describe('queue in Redis', () => {
    suite({ kill: true }, async () => {
      const [postgres, redis]: [Cluster, RedisServer] = await Promise.all([
        startPostgres({ version: 15 }),
        startRedis(),
      ]);
      return {
        databaseUrl: postgres.url,
        redisUrl: redis.url,
        stop: async () => {
          await redis.stop();
          await postgres.stop();
        },
      };
    });
  });

  describe('queue in PostgreSQL', () => {
    suite({ kill: false }, async () => {
      const postgres = await startPostgres({ version: 15 });
      return { databaseUrl: postgres.url, stop: () => postgres.stop() };
    });
  });
});

describe('one process with its own PostgreSQL', () => {
  test.each([
    {
      what: 'a queue that does not answer',
      code: 4,
      says: 'The job queue does not answer',
      options: async () => ({ redisUrl: `redis://127.0.0.1:${await freePort()}` }),
    },
    {
      what: 'a file that is not there',
      code: 2,
      says: '/nowhere.pem cannot be read',
      options: async () => ({ sections: { certificates: { ca: '/nowhere.pem' } } }),
    },
  ])('what cannot start says why, puts everything away and ends: $what', async ({ code, says, options }) => {
    const here = await startInstallation({ database: 'embedded', ...(await options()) });
    try {
      const program = await here.launch('start');
      expect(await program.ended).toEqual({ code, signal: null });
      // What it wrote last may be read from the pipe after its end is known.
      await expect.poll(() => program.log()).toContain(says);
      expect(existsSync(join(here.dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    } finally {
      await here.stop();
    }
  });

  test('a kill loses nothing: the next start finds the same database and goes on', async () => {
    const backups = await slowBackups(500);
    const here = await startInstallation({
      database: 'embedded',
      sections: { postgres: [{ id: 'main', stanza: 'main', binary: backups.binary }] },
    });
    try {
      let program = await here.launch('start');
      await program.ready();
      here.person('boris').says('/backup pg main full', THERE);
      const done = await here.group.waitFor('Метка:', SLOW);
      const number = /Запуск #(\d+)/u.exec(done.text ?? '')?.[1];
      // A message whose sending was cut off would hold up the chat until its lease ends; that is the outbox's own test.
      const idle = async () =>
        (await (await fetch(`${program.url}/metrics`)).text()).includes('vakhta_outbox_queued 0\n');
      await until('the outbox is empty', idle, { timeoutMs: 60_000 });
      program.signal('SIGKILL');
      expect(await program.ended).toMatchObject({ signal: 'SIGKILL' });
      program = await here.launch('start');
      await program.ready();
      here.person('boris').says('/backup pg main incr', THERE);
      const next = await here.group.waitFor(
        (message) => message.message_id !== done.message_id && /Метка:/u.test(message.text ?? ''),
        SLOW,
      );
      // The numbers go on: it is the same database.
      expect(Number(/Запуск #(\d+)/u.exec(next.text ?? '')?.[1])).toBeGreaterThan(Number(number));
      // A command of the command line works beside it on the same database.
      const verified = await here.command(['audit', 'verify']);
      expect(verified).toMatchObject({ code: 0 });
      program.signal('SIGTERM');
      expect(await program.ended).toEqual({ code: 0, signal: null });
      await until('its PostgreSQL is gone', () => !existsSync(join(here.dataDir, 'postgres', 'postmaster.pid')));
    } finally {
      await here.stop();
      await backups.stop();
    }
  });
});
