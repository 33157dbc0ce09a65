import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { updateProblems } from './api-description.ts';
import { ALICE, BOB, button, GROUP, type Harness, keyboard, withSimulator } from './harness.ts';

interface Update {
  readonly update_id: number;
  readonly message?: { readonly text?: string };
  readonly callback_query?: { readonly id: string; readonly data: string };
}

const poll = async (h: Harness, parameters: Record<string, unknown> = {}) => {
  const updates = await h.ok<Update[]>('getUpdates', parameters);
  for (const update of updates) expect(updateProblems(update)).toEqual([]);
  return updates;
};
const texts = (updates: readonly Update[]) => updates.map((update) => update.message?.text);

test('updates come again until an offset confirms them', () =>
  withSimulator(async (h) => {
    const alice = h.stage.person('alice');
    for (const text of ['one', 'two', 'three']) alice.says(text);
    const first = await poll(h);
    expect(texts(first)).toEqual(['one', 'two', 'three']);
    expect(await poll(h)).toEqual(first);
    expect(texts(await poll(h, { offset: first[0]!.update_id + 1, limit: 1 }))).toEqual(['two']);
    expect(texts(await poll(h))).toEqual(['two', 'three']);
    expect(await poll(h, { offset: first[2]!.update_id + 1 })).toEqual([]);
    expect(h.sim.state.pendingUpdates).toBe(0);
  }));

test('a negative offset keeps that many from the end and forgets the others', () =>
  withSimulator(async (h) => {
    for (const text of ['one', 'two', 'three']) h.stage.person('alice').says(text);
    expect(texts(await poll(h, { offset: -1 }))).toEqual(['three']);
    expect(texts(await poll(h))).toEqual(['three']);
  }));

test('a long poll answers when something comes, or empty when its time is over', () =>
  withSimulator(async (h) => {
    let asleep = h.clock.untilTimers();
    const waiting = poll(h, { timeout: 30 });
    await asleep;
    expect(h.sim.state.polling).toBe(true);
    const said = h.stage.person('alice').says('hello');
    const got = await waiting;
    expect(got).toMatchObject([{ message: { message_id: said.message_id, text: 'hello', from: { id: ALICE } } }]);

    asleep = h.clock.untilTimers();
    const empty = poll(h, { timeout: 30, offset: got[0]!.update_id + 1 });
    await asleep;
    await h.clock.advance(30_000);
    expect(await empty).toEqual([]);
  }));

test('a poller that hangs up leaves no trace: the next one is alone and loses nothing', () =>
  withSimulator(async (h) => {
    const hangUp = new AbortController();
    const asleep = h.clock.untilTimers();
    const waiting = h.call('getUpdates', { timeout: 30 }, { signal: hangUp.signal });
    await asleep;
    hangUp.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    await expect.poll(() => h.sim.state.polling).toBe(false);
    h.stage.person('alice').says('still here');
    expect(texts(await poll(h, { timeout: 30 }))).toEqual(['still here']);
  }));

test('allowed_updates persists until it is given again', () =>
  withSimulator(async (h) => {
    await h.send(ALICE, 'card', { reply_markup: keyboard([button('Go', 'go')]) });
    await poll(h, { allowed_updates: ['callback_query'] });
    const alice = h.stage.person('alice');
    alice.says('not wanted');
    await alice.presses('Go');
    const wanted = await poll(h);
    expect(wanted).toMatchObject([{ callback_query: { data: 'go' } }]);
    expect(await h.ok('getWebhookInfo')).toMatchObject({ allowed_updates: ['callback_query'] });
    await poll(h, { allowed_updates: [], offset: wanted[0]!.update_id + 1 });
    alice.says('wanted again');
    expect(texts(await poll(h))).toEqual(['wanted again']);
  }));

test('updates are kept for 24 hours, callback queries for 150 seconds', () =>
  withSimulator(async (h) => {
    await h.send(ALICE, 'card', { reply_markup: keyboard([button('Go', 'go')]) });
    h.stage.person('alice').says('hello');
    await h.stage.person('alice').presses('Go');
    await h.clock.advance(149_000);
    expect(await poll(h)).toHaveLength(2);
    await h.clock.advance(1_000);
    expect(texts(await poll(h))).toEqual(['hello']);
    await h.clock.advance(24 * 3_600_000 - 151_000);
    expect(await poll(h)).toHaveLength(1);
    await h.clock.advance(1_000);
    expect(await poll(h)).toEqual([]);
  }));

test('after a quiet week update ids start again at random', () =>
  withSimulator(async (h) => {
    h.stage.person('alice').says('before');
    const [before] = await poll(h);
    await poll(h, { offset: before!.update_id + 1 });
    await h.clock.advance(8 * 86_400_000);
    h.stage.person('alice').says('after');
    const [next] = await poll(h);
    expect(next!.update_id).not.toBe(before!.update_id + 1);
  }));

test('privacy: a mere member sees commands, replies to it and its name; an administrator sees all', async () => {
  const say = async (h: Harness) => {
    const bob = h.stage.person('bob');
    const card = await h.send(GROUP, 'card');
    bob.says('chatter', { chat: GROUP });
    bob.says('/status', { chat: GROUP });
    bob.says('/status@other_bot', { chat: GROUP });
    bob.says('/status@Vakhta_Bot', { chat: GROUP });
    bob.says('hey @vakhta_bot', { chat: GROUP });
    bob.says('a reply', { chat: GROUP, replyTo: card.message_id });
    bob.says('in private');
    return texts(await poll(h));
  };
  const group = { id: GROUP, title: 'Ops', members: [ALICE, BOB] };
  const spoken = ['/status', '/status@Vakhta_Bot', 'hey @vakhta_bot', 'a reply', 'in private'];
  await withSimulator(async (h) => expect(await say(h)).toEqual(spoken), { chats: [{ ...group, bot: 'member' }] });
  const everything = ['chatter', '/status', '/status@other_bot', ...spoken.slice(1)];
  await withSimulator(async (h) => expect(await say(h)).toEqual(everything), {
    chats: [{ ...group, bot: 'administrator' }],
  });
  await withSimulator(async (h) => expect(await say(h)).toEqual(everything), {
    chats: [{ ...group, bot: 'member' }],
    privacy: 'off',
  });
});

interface Delivery {
  readonly update: Update;
  readonly secret: string | undefined;
}

/** A program with a webhook: answers with the statuses in turn, then 200; tells of every delivery. */
async function withWebhook(
  statuses: (number | { status: number; headers?: Record<string, string>; body?: object })[],
  body: (url: string, deliveries: readonly Delivery[], next: (n: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const deliveries: Delivery[] = [];
  let waiters: { n: number; resolve: () => void }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const secret = request.headers['x-telegram-bot-api-secret-token'];
    deliveries.push({ update: JSON.parse(text) as Update, secret: typeof secret === 'string' ? secret : undefined });
    const next = statuses.shift() ?? 200;
    const { status, headers = {}, body: answered } = typeof next === 'number' ? { status: next } : next;
    response.writeHead(status, headers).end(answered === undefined ? '' : JSON.stringify(answered));
    waiters = waiters.filter(({ n, resolve }) => (deliveries.length >= n ? (resolve(), false) : true));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const next = (n: number) =>
    deliveries.length >= n ? Promise.resolve() : new Promise<void>((resolve) => waiters.push({ n, resolve }));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, deliveries, next);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a webhook gets each update once, with the secret header', () =>
  withSimulator((h) =>
    withWebhook([], async (url, deliveries, next) => {
      h.stage.person('alice').says('before');
      await h.ok('setWebhook', { url, secret_token: 's3cret-A', max_connections: 1 });
      await next(1);
      h.stage.person('bob').says('after');
      await next(2);
      expect(texts(deliveries.map(({ update }) => update))).toEqual(['before', 'after']);
      expect(deliveries.map(({ secret }) => secret)).toEqual(['s3cret-A', 's3cret-A']);
      await expect.poll(() => h.sim.state.pendingUpdates).toBe(0);
      expect(await h.ok('getWebhookInfo')).toMatchObject({ url, pending_update_count: 0, max_connections: 1 });
    }),
  ));

test('a webhook that fails gets the update again, later each time, and the chat keeps its order', () =>
  withSimulator((h) =>
    withWebhook([500, 503], async (url, deliveries, next) => {
      await h.ok('setWebhook', { url });
      h.stage.person('alice').says('one');
      h.stage.person('alice').says('two');
      const failed = async (times: number, message: string) => {
        await next(times);
        const error = async () => (await h.ok<{ last_error_message?: string }>('getWebhookInfo')).last_error_message;
        await expect.poll(error).toBe(`Wrong response from the webhook: ${message}`);
      };
      await failed(1, '500 Internal Server Error');
      await h.clock.advance(1500);
      await failed(2, '503 Service Unavailable');
      expect(await h.ok('getWebhookInfo')).toMatchObject({ pending_update_count: 2 });
      await h.clock.advance(3000);
      await next(4);
      expect(texts(deliveries.map(({ update }) => update))).toEqual(['one', 'one', 'one', 'two']);
    }),
  ));

test('Retry-After of a webhook is honoured', () =>
  withSimulator((h) =>
    withWebhook([{ status: 503, headers: { 'retry-after': '120' } }], async (url, deliveries, next) => {
      await h.ok('setWebhook', { url });
      h.stage.person('alice').says('one');
      await next(1);
      await expect
        .poll(async () => (await h.ok<{ last_error_date?: number }>('getWebhookInfo')).last_error_date)
        .toBeDefined();
      await h.clock.advance(119_000);
      expect(deliveries).toHaveLength(1);
      await h.clock.advance(1_000);
      await next(2);
      expect(texts(deliveries.map(({ update }) => update))).toEqual(['one', 'one']);
    }),
  ));

test('a webhook may answer with a call', () =>
  withSimulator((h) =>
    withWebhook([{ status: 200, body: { method: 'sendMessage', chat_id: ALICE, text: 'by answer' } }], async (url) => {
      await h.ok('setWebhook', { url });
      h.stage.person('alice').says('ping');
      expect(await h.stage.chat(ALICE).waitFor('by answer')).toMatchObject({ from: { is_bot: true } });
    }),
  ));

test('deleteWebhook makes polling possible again and can drop what waits', () =>
  withSimulator(async (h) => {
    await h.ok('setWebhook', { url: 'https://bot.example.invalid/hook' });
    h.stage.person('alice').says('lost');
    await h.ok('deleteWebhook', { drop_pending_updates: true });
    expect(await poll(h)).toEqual([]);
    expect(await h.call('setWebhook', { url: 'http://bot.example.org/hook' })).toMatchObject({
      status: 400,
      description: 'Bad Request: bad webhook: An HTTPS URL must be provided for webhook',
    });
    expect(await h.call('setWebhook', { url: 'https://a.example', secret_token: 'a b' })).toMatchObject({
      description: 'Bad Request: secret token contains unallowed characters',
    });
  }));

test('setting a webhook ends a poll that waits', () =>
  withSimulator(async (h) => {
    const asleep = h.clock.untilTimers();
    const waiting = h.call('getUpdates', { timeout: 30 });
    await asleep;
    await h.ok('setWebhook', { url: 'https://bot.example.invalid/hook' });
    expect(await waiting).toMatchObject({ status: 409, description: 'Conflict: terminated by setWebhook request' });
  }));
