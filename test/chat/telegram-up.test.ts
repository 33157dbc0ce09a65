import { Api } from 'grammy';
import { expect, it } from 'vitest';
import { createMetrics, type Snapshot } from '../../src/app/metrics.ts';
import { createIntake } from '../../src/bot/intake.ts';
import { Codes } from '../../src/bot/intake/updates.ts';
import { createOutage } from '../../src/bot/outbox/outage.ts';
import { silentLog } from '../../src/core/log.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createTelegramSimulator } from '../../src/simulators/telegram/index.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';

const nothing = (): Promise<Snapshot | undefined> => Promise.resolve(undefined);

function open() {
  const clock = createManualClock('2026-11-23T09:00:00Z');
  const metrics = createMetrics('test', nothing);
  /** What Prometheus reads of whether Telegram is there, by way. */
  const up = async (): Promise<Record<string, string>> => {
    const { text } = await metrics.scrape();
    const found = text.matchAll(/^vakhta_telegram_up\{way="(\w+)"\} (\d)$/gmu);
    return Object.fromEntries([...found].map(([, way = '', value = '']) => [way, value]));
  };
  return { clock, metrics, up };
}

it('deliveries: Telegram is up until a call and the question after it fail, and up again when it answers', async () => {
  const { clock, metrics, up } = open();
  const stop = new AbortController();
  let answers = false;
  let back = 0;
  const outage = createOutage({
    clock,
    random: systemRandom,
    log: silentLog,
    signal: stop.signal,
    sender: { probe: () => (answers ? Promise.resolve() : Promise.reject(new Error('no answer'))) },
    over: () => Promise.resolve(),
    known: (isUp) => metrics.bot.telegram('out', isUp),
    wake: () => (back += 1),
  });
  expect(await up()).toEqual({});
  expect(await outage.suspect()).toBe(false);
  expect(await up()).toEqual({ out: '0' });
  answers = true;
  await clock.untilTimers(1);
  await clock.advance(5000);
  await expect.poll(() => back).toBe(1);
  expect(await up()).toEqual({ out: '1' });
  stop.abort();
});

it('polling: Telegram is away after three polls that failed, and nothing is known after the lead was lost', async () => {
  const { clock, metrics, up } = open();
  const { db } = await storeForTest();
  const telegram = createTelegramSimulator({
    clock,
    random: systemRandom,
    token: '4242:test-token',
    cast: [],
    chats: [],
    limits: 'off',
  });
  const { url } = await telegram.listen();
  await telegram.close();
  const intake = createIntake({
    db,
    // Nobody listens there any more.
    api: new Api('4242:test-token', { apiRoot: url }),
    clock,
    random: systemRandom,
    log: silentLog,
    metrics: metrics.bot,
    codes: new Codes(),
    handle: () => Promise.resolve(),
    gaveUp: () => Promise.resolve(),
  });
  const stop = new AbortController();
  const running = intake.run(stop.signal);
  await expect
    .poll(async () => {
      await clock.advance(1000);
      return up();
    })
    .toEqual({ in: '0' });
  stop.abort();
  await running;
  expect(await up()).toEqual({});
});
