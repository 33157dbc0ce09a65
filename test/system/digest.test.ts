import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import type { Message } from '../../src/simulators/telegram/types.ts';
import { freePort } from '../support/components/index.ts';
import { GROUP, type Installation, startInstallation, TOPICS } from '../support/installation.ts';
import { createShiftedClock } from '../support/shifted-clock.ts';

const SLOW = { timeoutMs: 90_000 };
// Long enough before the first digest for any machine to start two replicas.
const clock = createShiftedClock('2026-03-10T04:30:00Z');

let here: Installation;
let second: Installation;
const open: App[] = [];

beforeAll(async () => {
  const sections = {
    chats: [
      { id: 'watch', chat_id: GROUP, topics: TOPICS },
      { id: 'carol', chat_id: 100_000_003, language: 'en', zone: 'America/New_York' },
    ],
    digest: [
      { id: 'morning', chat: 'watch', topic: 'alerts', at: '08:30' },
      { id: 'carol', chat: 'carol', at: '08:30' },
    ],
  };
  here = await startInstallation({ clock, sections });
  const url = here.databaseUrl;
  if (url === undefined) throw new Error('the installation has no database of its own');
  // The second replica is the same file on the same database, in front of the same Telegram, on another port.
  second = await startInstallation({
    clock,
    database: { url },
    sections: { ...sections, telegram: telegramOf(here) },
    httpPort: await freePort(),
  });
  here.person('carol').says('/start');
});
afterAll(async () => {
  await second?.stop();
  await here?.stop();
});

/** The `telegram` section of another installation's file. */
function telegramOf({ yaml }: Installation): unknown {
  const api = /api_root: (\S+)/u.exec(yaml)?.[1];
  return { token: 'env:T_TELEGRAM_TOKEN', api_root: api };
}

const digests = (chat: readonly Message[]): readonly Message[] =>
  chat.filter(({ from, text }) => from?.is_bot && /сводка|digest/iu.test(text ?? ''));
const inGroup = () => digests(here.group.messages());
const withCarol = () => digests(here.person('carol').chat.messages());
const tick = () => Promise.all(open.map((app) => app.scheduler.tick(clock.now())));
const replicas = async (): Promise<void> => {
  open.push(await here.open('start'), await second.open('start'));
  await tick();
};
const halt = async (): Promise<void> => {
  const [a, b] = open.splice(0);
  if (a) await here.close(a);
  if (b) await second.close(b);
};
/** Every run that a schedule asked for has ended, and every message has gone out. */
const settled = async (): Promise<void> => {
  const [app] = open;
  if (!app) throw new Error('nothing is running');
  const left = async (): Promise<number> => {
    const { rows } = await app.db.query(
      `select (select count(*) from runs where finished_at is null) + (select count(*) from outbox where state in ('queued', 'sending')) as n`,
    );
    return Number((rows as { n: string }[])[0]?.n);
  };
  await expect.poll(left, { timeout: 60_000 }).toBe(0);
};

test('at its hour the digest comes once, in the topic, from two replicas that tick at the same time', async () => {
  await replicas();
  expect(inGroup()).toEqual([]);
  clock.jump('2026-03-10T05:30:01Z');
  await tick();
  const digest = await here.group.waitFor(/сводка/iu, SLOW);
  expect(digest.message_thread_id).toBe(TOPICS.alerts);
  await tick();
  await settled();
  expect(inGroup()).toHaveLength(1);
  expect(withCarol()).toEqual([]);
});

test('another chat has its own hour, zone and language', async () => {
  // 08:30 in New York, two days after its clocks went forward: four hours from UTC.
  clock.jump('2026-03-10T12:20:00Z');
  await tick();
  expect(withCarol()).toEqual([]);
  clock.jump('2026-03-10T12:30:01Z');
  await tick();
  const digest = await here.person('carol').chat.waitFor(/digest/iu, SLOW);
  expect(digest.text).not.toMatch(/[а-яё]/iu);
  await settled();
  expect(withCarol()).toHaveLength(1);
  expect(inGroup()).toHaveLength(1);
});

test('down at the hour: it comes late, once, and says when it was due in the zone of the chat', async () => {
  await halt();
  clock.jump('2026-03-11T06:15:00Z');
  await replicas();
  const late = await here.group.waitFor(/опоздала/u, SLOW);
  expect(late.text).toContain('08:30');
  await tick();
  await settled();
  expect(inGroup()).toHaveLength(2);
});

test('after another restart on the same day it does not come again', async () => {
  await halt();
  clock.jump('2026-03-11T07:40:00Z');
  await replicas();
  await tick();
  await settled();
  expect(inGroup()).toHaveLength(2);
});

test('the next day it comes on time again, without an excuse', async () => {
  const known = new Set(inGroup().map(({ message_id }) => message_id));
  clock.jump('2026-03-12T05:30:01Z');
  await tick();
  const next = await here.group.waitFor(({ message_id }) => !known.has(message_id), SLOW);
  await settled();
  expect(inGroup()).toHaveLength(3);
  expect(next.text).not.toContain('опоздала');
});
