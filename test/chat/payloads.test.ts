import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { createIncidentWriter, type WriterConfig } from '../../src/tasks/watch/writer.ts';
import { payloads } from '../support/payloads.ts';
import { type ChatTest, OPS, openChat } from './support/chat.ts';
import { wayIn } from './support/way-in.ts';

const SEED = 20_261_123;
const PAYLOADS = 200;

const config = {
  chats: [{ id: 'ops', chatId: OPS, title: 'ops', language: 'ru', zone: 'Europe/Moscow', topics: {}, purpose: 'all' }],
  routes: [{ chat: 'ops' }],
  policy: { incidentReopenMinutes: 10 },
} as unknown as WriterConfig;

const alertsOf = (chat: ChatTest) =>
  wayIn({ db: chat.store.db, writer: createIncidentWriter(config), clock: systemClock });

async function outbox(chat: ChatTest): Promise<Readonly<Record<string, number>>> {
  const { rows } = await chat.store.db.query('select state, count(*) as n from outbox group by state');
  return Object.fromEntries(
    rows.map((row) => Object.values(z.object({ state: z.string(), n: z.number() }).parse(row))),
  );
}

test('hundreds of strange payloads are all delivered, none of them refused', { timeout: 180_000 }, async () => {
  const chat = await openChat();
  const alerts = alertsOf(chat);
  // One group each, so that every one of them has a message of its own.
  const bodies = fc
    .sample(payloads, { seed: SEED, numRuns: PAYLOADS })
    .map((body, n) => JSON.stringify({ ...(JSON.parse(body) as object), groupKey: `g${n}` }));
  await Promise.all(bodies.map((body) => alerts.keep(body)));
  await alerts.reducer.drain();
  await expect.poll(() => outbox(chat), { timeout: 150_000, interval: 100 }).toEqual({ sent: PAYLOADS });
  const writes = chat.telegram.state.calls.filter(({ chat_id }) => chat_id === OPS);
  expect(writes.filter(({ outcome }) => outcome !== 200)).toEqual([]);
  expect(chat.ops.messages()).toHaveLength(PAYLOADS);
  chat.stage.ignore(/#\d+/u);
  expect((await chat.store.db.query('select from webhook_log')).rowCount).toBe(0);
});

test('text that Telegram cannot parse is sent as plain text with the next call', async () => {
  const chat = await openChat();
  const description = "Bad Request: can't parse entities: Character '_' is reserved and must be escaped";
  chat.telegram.faults.next('sendMessage', { error_code: 400, description }, { chat: OPS });
  await alertsOf(chat).accept(
    JSON.stringify({
      groupKey: 'g',
      alerts: [
        { status: 'firing', labels: { alertname: 'Disk', instance: '<&_*[' }, annotations: { summary: '_full_' } },
      ],
    }),
  );
  const shown = await chat.ops.waitFor('_full_');
  expect(shown.entities ?? []).toEqual([]);
  const writes = chat.telegram.state.calls.filter(({ chat_id }) => chat_id === OPS);
  expect(writes.map(({ outcome }) => outcome)).toEqual([400, 200]);
});
