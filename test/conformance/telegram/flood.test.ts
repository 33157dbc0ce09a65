import { expect, test } from 'vitest';
import { ALICE, BOB, button, FORUM, GROUP, type Harness, keyboard, withSimulator } from './harness.ts';

const withLimits = (body: (harness: Harness) => Promise<void>) => withSimulator(body, { limits: 'on' });
const send = (h: Harness, chat_id: number) => h.call('sendMessage', { chat_id, text: 'x' });

test('one message a second to a chat; the refusal says how long, in the body and in the header', () =>
  withLimits(async (h) => {
    expect((await send(h, ALICE)).ok).toBe(true);
    const refused = await send(h, ALICE);
    expect(refused).toMatchObject({
      status: 429,
      error_code: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    await h.clock.advance(1000);
    expect((await send(h, ALICE)).ok).toBe(true);
  }));

test('a call during the ban makes it longer, each time more; other chats are not concerned', () =>
  withLimits(async (h) => {
    await send(h, ALICE);
    const waits = [];
    for (let i = 0; i < 4; i++) waits.push((await send(h, ALICE)).parameters?.retry_after);
    expect(waits).toEqual([1, 6, 16, 36]);
    expect((await send(h, BOB)).ok).toBe(true);
    await h.clock.advance(35_000);
    expect(h.sim.state.bannedUntil(ALICE)).toEqual(new Date(h.clock.now().getTime() + 1000));
    await h.clock.advance(1000);
    expect((await send(h, ALICE)).ok).toBe(true);
  }));

test('20 messages a minute to a group: sends, edits and new topics from one bucket', () =>
  withLimits(async (h) => {
    const { message_id } = await h.send(FORUM, 'card');
    for (let i = 1; i < 20; i++) {
      await h.clock.advance(1000);
      if (i === 10) await h.ok('createForumTopic', { chat_id: FORUM, name: 'New' });
      else if (i % 2 === 0) await h.ok('editMessageText', { chat_id: FORUM, message_id, text: `card ${i}` });
      else await h.send(FORUM, `m${i}`);
    }
    await h.clock.advance(1000);
    const refused = await h.call('editMessageText', { chat_id: FORUM, message_id, text: 'one too many' });
    expect(refused).toMatchObject({ status: 429, parameters: { retry_after: 40 } });
    await h.clock.advance(40_000);
    expect((await h.call('editMessageText', { chat_id: FORUM, message_id, text: 'now' })).ok).toBe(true);
  }));

test('a private chat has no limit by the minute', () =>
  withLimits(async (h) => {
    for (let i = 0; i < 30; i++) {
      expect((await send(h, ALICE)).ok).toBe(true);
      await h.clock.advance(1000);
    }
  }));

test('30 messages a second over all chats', () =>
  withSimulator(
    async (h) => {
      for (let id = 1; id <= 30; id++) expect((await send(h, id)).ok).toBe(true);
      expect(await send(h, 31)).toMatchObject({ status: 429, parameters: { retry_after: 1 } });
      await h.clock.advance(1000);
      expect((await send(h, 31)).ok).toBe(true);
    },
    {
      limits: 'on',
      cast: Array.from({ length: 31 }, (_, i) => ({
        id: i + 1,
        first_name: `P${i + 1}`,
        username: `p${i + 1}`,
        language_code: 'en',
      })),
      chats: [],
    },
  ));

test('callback answers are free, even while the chat is banned', () =>
  withLimits(async (h) => {
    await h.send(ALICE, 'card', { reply_markup: keyboard([button('Go', 'go')]) });
    await send(h, ALICE);
    expect(h.sim.state.bannedUntil(ALICE)).toBeDefined();
    const press = await h.stage.person('alice').presses('Go');
    await h.ok('answerCallbackQuery', { callback_query_id: press.callback_query_id, text: 'yes' });
    expect(h.sim.state.bannedUntil(ALICE)).toEqual(new Date(h.clock.now().getTime() + 1000));
  }));

test('what the server refuses by itself costs nothing', () =>
  withLimits(async (h) => {
    for (let i = 0; i < 5; i++) expect((await h.call('sendMessage', { chat_id: GROUP, text: '' })).status).toBe(400);
    expect((await send(h, GROUP)).ok).toBe(true);
  }));
