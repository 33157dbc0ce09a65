import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Clock, minutes, seconds } from '../../src/core/clock.ts';
import type { Log } from '../../src/core/log.ts';
import { Secret } from '../../src/core/secret.ts';
import { type Beat, createHeartbeat } from '../../src/integrations/heartbeat/heartbeat.ts';
import { block, recordSend } from '../../src/store/chats.ts';
import { observation, observe } from '../../src/store/observations.ts';
import { enqueue } from '../../src/store/outbox.ts';
import { heartbeat as alive } from '../../src/store/processes.ts';
import { createHeartbeatWatch, HEARTBEAT, POLL } from '../../src/tasks/watcher/heartbeat.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';

const KEY = '5f1d7a84-3a4e-4c6b-9a7e-secret-ping-key';

/** A dead-man switch: what it was told, and how it answers next. */
async function startSwitch() {
  const heard: string[] = [];
  const held: ServerResponse[] = [];
  const answers: (number | 'hang')[] = [];
  let met = (): void => {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      heard.push(`${request.method} ${request.url?.replace(KEY, '')}${body === '' ? '' : ` ${body}`}`);
      const answer = answers.shift() ?? 200;
      if (answer === 'hang') held.push(response);
      else response.writeHead(answer).end('OK');
      met();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const response of held) response.destroy();
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return {
    heard,
    answers,
    url: `http://127.0.0.1:${port}/ping/${KEY}`,
    /** Resolves when it has heard one more. */
    next: () =>
      new Promise<void>((resolve) => {
        met = resolve;
      }),
  };
}

const client = (url: string) => {
  const clock = createManualClock();
  let pauses = 0;
  const sleep: Clock['sleep'] = (ms, signal) => {
    pauses += 1;
    return clock.sleep(ms, signal);
  };
  const heartbeat = createHeartbeat(
    { url: () => Promise.resolve(new Secret(url)), version: '1.2.3' },
    { fetch: globalThis.fetch, clock: { ...clock, sleep } },
  );
  /** The pause after the n-th attempt has begun, and passes: before that only the attempt's own limit waits for time. */
  const passPause = async (n: number): Promise<void> => {
    await expect.poll(() => pauses).toBe(n);
    await clock.advance(seconds(n));
  };
  return { clock, heartbeat, passPause };
};

const failure = async (work: Promise<void>): Promise<string> => {
  try {
    await work;
    return 'none';
  } catch (error) {
    // Everything that a log could print of it.
    const seen: unknown[] = [];
    for (let one: unknown = error; one instanceof Error; one = one.cause) {
      seen.push(one.name, one.message, Object.entries(one), one.stack);
    }
    return JSON.stringify(seen);
  }
};

describe('a signal', () => {
  it.each<[Beat, string]>([
    ['success', 'GET /ping/'],
    ['start', 'POST /ping//start all is well'],
    ['fail', 'POST /ping//fail all is well'],
    ['log', 'POST /ping//log all is well'],
  ])('%s goes to the address of the check', async (kind, wanted) => {
    const there = await startSwitch();
    await client(there.url).heartbeat.beat(kind, 'all is well');
    expect(there.heard).toEqual([wanted]);
  });

  it('is tried three times, and then the failure names neither the address nor its key', async () => {
    const there = await startSwitch();
    there.answers.push(500, 502, 503);
    const { heartbeat, passPause } = client(there.url);
    const failed = failure(heartbeat.beat('success'));
    for (let n = 1; n <= 2; n += 1) {
      await passPause(n);
      await expect.poll(() => there.heard.length).toBe(n + 1);
    }
    const error = await failed;
    expect(error).toContain('HTTP 503');
    expect(error).not.toContain('secret-ping-key');
    expect(there.heard).toHaveLength(3);
  });

  it('that hangs is given up after five seconds', async () => {
    const there = await startSwitch();
    there.answers.push('hang', 200);
    const { heartbeat, clock, passPause } = client(there.url);
    const heard = there.next();
    const done = heartbeat.beat('success');
    await heard;
    await clock.advance(seconds(5));
    await passPause(1);
    await done;
    expect(there.heard).toHaveLength(2);
  });

  it('to nobody says so without the address', async () => {
    const { heartbeat, passPause } = client(`http://127.0.0.1:1/${KEY}`);
    const failed = failure(heartbeat.beat('success'));
    for (let n = 1; n <= 2; n += 1) await passPause(n);
    const error = await failed;
    expect(error).toMatch(/heartbeat-failed/);
    expect(error).not.toContain('secret-ping-key');
  });

  it('is refused when the secret holds no address, without showing what it holds', async () => {
    const error = await failure(client(`ftp//${KEY}`).heartbeat.beat('success'));
    expect(error).toContain('heartbeat-url');
    expect(error).not.toContain('secret-ping-key');
  });
});

describe('the watch over deliveries', () => {
  async function open() {
    const { db, another } = await storeForTest();
    const clock = createManualClock('2026-11-23T09:00:00Z');
    const logged: string[] = [];
    const note = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
    const log: Log = { debug: note, info: note, warn: note, error: note };
    const beats: string[] = [];
    let down = false;
    const heartbeat = {
      beat: (kind: Beat, text = ''): Promise<void> => {
        if (down) return Promise.reject(new Error('away'));
        beats.push(text === '' ? kind : `${kind}: ${text}`);
        return Promise.resolve();
      },
    };
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    /** Somebody leads the outbox, a worker lives, Telegram answers. */
    const well = async (): Promise<void> => {
      await alive(db, { id: 'w', role: 'worker', version: '0' }, clock.now());
      await observe(db, POLL, true, {}, clock.now());
    };
    const other = another();
    const lead = async () => {
      const stopping = new AbortController();
      let leading: Promise<unknown> = Promise.resolve();
      const led = new Promise<void>((resolve) => {
        leading = other.leader('outbox', stopping.signal, (signal) => {
          resolve();
          return new Promise<void>((over) => signal.addEventListener('abort', () => over(), { once: true }));
        });
      });
      /** Resolves when the database knows of no leader any more. */
      const end = async (): Promise<void> => {
        stopping.abort();
        await leading;
      };
      onTestFinished(end);
      await led;
      return { end };
    };
    const leader = await lead();
    await well();
    const watch = createHeartbeatWatch({ db, clock, log, heartbeat, everyMs: seconds(60), polling: true });
    const running = watch.run(stop.signal);
    /** Lets a minute pass in which all is well but what the test has broken. */
    const minute = async (broken: { worker?: boolean; poll?: boolean } = {}): Promise<void> => {
      await expect.poll(() => clock.pending).toBe(1);
      await clock.set(new Date(clock.now().getTime() + seconds(59)));
      if (!broken.worker) await alive(db, { id: 'w', role: 'worker', version: '0' }, clock.now());
      if (!broken.poll) await observe(db, POLL, true, {}, clock.now());
      await clock.advance(seconds(1));
      await expect.poll(() => clock.pending).toBe(1);
    };
    await expect.poll(() => clock.pending).toBe(1);
    const end = async (): Promise<void> => {
      stop.abort();
      await running;
    };
    return { db, clock, logged, beats, minute, leader, end, out: (yes: boolean) => (down = yes) };
  }

  it('signals each minute while all is well, and says goodbye', async () => {
    const { beats, minute, end } = await open();
    await minute();
    await minute();
    await end();
    expect(beats).toEqual(['start', 'success', 'success', 'success', 'log: Vakhta stops']);
  });

  it('says once that a critical message waits, then nothing, until it has gone', async () => {
    const { db, clock, beats, minute } = await open();
    await minute();
    const id = await enqueue(db, { chat: -1001, priority: 0, kind: 'message', body: {} }, clock.now());
    await minute();
    await minute();
    await minute();
    await minute();
    expect(beats.slice(1)).toEqual([
      'success',
      'success',
      'success',
      'success',
      'fail: alerts do not get through: critical-late',
    ]);
    expect((await observation(db, HEARTBEAT))?.ok).toBe(false);
    await db.query(`update outbox set state = 'sent', settled_at = $2 where id = $1`, [id, clock.now()]);
    await minute();
    expect(beats.at(-1)).toBe('success');
    expect((await observation(db, HEARTBEAT))?.ok).toBe(true);
  });

  it('does not mind what waits because Telegram said so, nor what is not critical', async () => {
    const { db, clock, beats, minute } = await open();
    await enqueue(db, { chat: -1001, priority: 0, kind: 'message', body: {} }, clock.now());
    await block(db, -1001, new Date(clock.now().getTime() + minutes(60)));
    await enqueue(db, { chat: -1002, priority: 2, kind: 'message', body: {} }, clock.now());
    for (let n = 0; n < 5; n += 1) await minute();
    expect(beats.filter((one) => one !== 'success')).toEqual(['start']);
  });

  it('does not mind what waits behind others, as long as those are sent', async () => {
    const { db, clock, beats, minute } = await open();
    await enqueue(db, { chat: -1001, priority: 0, kind: 'message', body: {} }, clock.now());
    await db.query(`update outbox set waited = 'budget'`);
    for (let n = 0; n < 4; n += 1) {
      await recordSend(db, -1001, new Date(clock.now().getTime() + seconds(30)));
      await minute();
    }
    expect(beats.filter((one) => one !== 'success')).toEqual(['start']);
    await minute();
    expect(beats.at(-1)).toBe('fail: alerts do not get through: critical-late');
  });

  it('is silent without a worker', async () => {
    const { beats, minute } = await open();
    for (let n = 0; n < 3; n += 1) await minute({ worker: true });
    expect(beats.at(-1)).toBe('fail: alerts do not get through: worker');
  });

  it('is silent when Telegram does not answer polls', async () => {
    const { beats, minute } = await open();
    for (let n = 0; n < 6; n += 1) await minute({ poll: true });
    expect(beats.at(-1)).toBe('fail: alerts do not get through: updates');
  });

  it('is silent when nobody leads the outbox', async () => {
    const { beats, minute, leader } = await open();
    await minute();
    await leader.end();
    await minute();
    await minute();
    expect(beats.at(-1)).toBe('fail: alerts do not get through: outbox');
  });

  it('is silent when webhooks are not applied', async () => {
    const { db, clock, beats, minute } = await open();
    await db.query('insert into webhook_log (body, bytes, received_at) values ($1, 2, $2)', ['{}', clock.now()]);
    for (let n = 0; n < 3; n += 1) await minute();
    expect(beats.at(-1)).toBe('fail: alerts do not get through: intake');
  });

  it('notes that the outside is not reached, and goes on', async () => {
    const { db, beats, minute, out } = await open();
    out(true);
    await minute();
    expect(await observation(db, HEARTBEAT)).toMatchObject({ ok: false, data: { error: 'internal' } });
    out(false);
    await minute();
    expect(await observation(db, HEARTBEAT)).toMatchObject({ ok: true });
    expect(beats.at(-1)).toBe('success');
  });
});
