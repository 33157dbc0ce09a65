import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorker } from '../../src/bot/intake/worker.ts';
import { noMetrics } from '../../src/bot/metrics.ts';
import { minutes } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { silentLog } from '../../src/core/log.ts';
import { systemRandom } from '../../src/core/random.ts';
import { receive } from '../../src/store/inbox.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openStore } from '../support/store.ts';

let store: Awaited<ReturnType<typeof openStore>>;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

const away = (): Error =>
  new VakhtaError('transient', 'database-down', 'database: gone', {
    cause: Object.assign(new Error('terminating connection'), { code: '57P01' }),
  });

/** Handles one update with a handler that fails until `fails` times are over; how often it was called, and how it ended. */
async function handle(updateId: number, fails: number, error: () => Error, stepMs = 500) {
  const clock = createManualClock();
  const { db } = store;
  const payload = { update_id: updateId, message: { message_id: 1, date: 0, chat: { id: 5 }, text: 'x' } };
  await receive(db, [{ update_id: updateId, key: `k${updateId}`, payload }], clock.now());
  const stop = new AbortController();
  let calls = 0;
  let end = (_how: 'done' | 'given up'): void => {};
  const ended = new Promise<'done' | 'given up'>((resolve) => (end = resolve));
  const worker = createWorker({
    db,
    clock,
    random: systemRandom,
    log: silentLog,
    metrics: { ...noMetrics, handled: (_kind, result) => result === 'ok' && end('done') },
    handle: async () => {
      calls += 1;
      if (calls <= fails) throw error();
    },
    gaveUp: async () => end('given up'),
  });
  const running = worker.run(stop.signal);
  let how: string | undefined;
  void ended.then((one) => (how = one));
  while (how === undefined) {
    await clock.untilTimers(1);
    await clock.advance(stepMs);
    // Time passes no faster than the database answers: the worker's patience is for pauses, not for a busy machine.
    await db.query('select 1');
  }
  stop.abort();
  await running;
  const { rows } = await db.query('select state, attempts from inbox where update_id = $1', [updateId]);
  return { how, calls, rows };
}

test('a handler that fails is tried three times, then the update is given up', async () => {
  const { how, calls, rows } = await handle(1, 9, () => new Error('broken'));
  expect({ how, calls, rows }).toEqual({ how: 'given up', calls: 3, rows: [{ state: 'failed', attempts: 3 }] });
});

test('that the database was away does not count, however often', async () => {
  const { how, calls, rows } = await handle(2, 9, away);
  expect({ how, calls, rows }).toEqual({ how: 'done', calls: 10, rows: [{ state: 'done', attempts: 1 }] });
});

test('for ever is too long', async () => {
  const { how, calls } = await handle(3, 10_000, away, 5000);
  expect(how).toBe('given up');
  expect(calls).toBeLessThan(minutes(15) / 5000);
});
