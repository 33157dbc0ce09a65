import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ALICE, BOB, button, FORUM, GROUP, type Harness, keyboard, png, withSimulator } from './harness.ts';

const get = async (h: Harness, path: string) => {
  const response = await fetch(`${h.url}/cast/${path}`);
  const body: unknown = await response.json();
  return { status: response.status, body };
};
const post = async (h: Harness, path: string, body: object) => {
  const response = await fetch(`${h.url}/cast/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('the world over HTTP: people, chats, topics, the last message', () =>
  withSimulator(async (h) => {
    await h.send(GROUP, 'first line\nsecond line');
    const { body } = await get(h, 'world');
    expect(body).toMatchObject({
      now: '2026-03-02T09:00:00.000Z',
      bot: { id: 4242, username: 'vakhta_bot' },
      people: [
        { id: ALICE, first_name: 'Alice', role: 'admin' },
        { id: BOB, first_name: 'Bob', role: 'operator' },
      ],
      chats: [
        { id: ALICE, type: 'private', person: ALICE },
        { id: BOB, type: 'private' },
        {
          id: GROUP,
          type: 'supergroup',
          title: 'Ops',
          members: [ALICE, BOB],
          last: { message_id: 1, text: 'first line' },
        },
        {
          id: FORUM,
          forum: true,
          topics: [
            { name: 'Backups', closed: false },
            { name: 'Alerts', closed: false },
          ],
        },
        { title: 'Small', type: 'group' },
      ],
    });
  }));

test('saying and reading over HTTP; topics and pages apart', () =>
  withSimulator(async (h) => {
    const [topic] = [...h.sim.cast.chat(FORUM).topics.keys()];
    const said = await post(h, 'say', { as: BOB, chat: FORUM, thread: topic, text: '/backup pg main' });
    expect(said).toMatchObject({
      status: 200,
      body: { text: '/backup pg main', message_thread_id: topic, entities: [{ type: 'bot_command', length: 7 }] },
    });
    await post(h, 'say', { as: 'alice', chat: FORUM, text: 'general', reply_to: said.body['message_id'] });
    const inTopic = await get(h, `messages?as=${BOB}&chat=${FORUM}&thread=${topic}`);
    expect(inTopic.body).toMatchObject({ messages: [{ text: '/backup pg main' }] });
    const general = await get(h, `messages?as=${BOB}&chat=${FORUM}&thread=0`);
    expect(general.body).toMatchObject({
      messages: [{ text: 'general', reply_to_message: { text: '/backup pg main' } }],
    });
    for (let i = 1; i <= 150; i++) await post(h, 'say', { as: BOB, chat: BOB, text: `m${i}` });
    const page = (await get(h, `messages?as=${BOB}&chat=${BOB}`)).body as {
      messages: { message_id: number; text: string }[];
    };
    expect([page.messages.length, page.messages[0]?.text, page.messages.at(-1)?.text]).toEqual([100, 'm51', 'm150']);
    const older = (await get(h, `messages?as=${BOB}&chat=${BOB}&before=${page.messages[0]?.message_id}`))
      .body as typeof page;
    expect([older.messages.length, older.messages[0]?.text, older.messages.at(-1)?.text]).toEqual([50, 'm1', 'm50']);
  }));

test('what cannot be is refused with a sentence', () =>
  withSimulator(async (h) => {
    expect(await get(h, `messages?as=${BOB}&chat=${ALICE}`)).toEqual({
      status: 403,
      body: { error: 'Bob is not in "Alice"' },
    });
    expect(await get(h, 'messages?as=zoe&chat=1')).toMatchObject({
      status: 404,
      body: { error: 'nobody in the cast is called zoe' },
    });
    expect(await post(h, 'say', { as: BOB, chat: BOB, text: '  ' })).toMatchObject({ status: 400 });
    expect(await post(h, 'press', { as: BOB, chat: BOB, message_id: 5, row: 0, col: 0 })).toMatchObject({
      status: 404,
    });
    expect(await post(h, 'admin', { action: 'dance' })).toMatchObject({ status: 400 });
    expect(await post(h, 'admin', { action: 'migrate', chat: GROUP })).toMatchObject({ status: 400 });
  }));

test('events tell of messages, edits, deletions, pins, presses and typing', () =>
  withSimulator(async (h) => {
    const response = await fetch(`${h.url}/cast/events`);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const events = () =>
      [...text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1]!) as Record<string, unknown>);
    const until = async (count: number) => {
      while (events().length < count) text += (await reader.read()).value ?? '';
      return events();
    };
    const { message_id } = await h.send(GROUP, 'one', { reply_markup: keyboard([button('Go', 'go')]) });
    await h.ok('sendChatAction', { chat_id: GROUP, action: 'typing' });
    const pressed = await post(h, 'press', { as: BOB, chat: GROUP, message_id, row: 0, col: 0 });
    await h.ok('answerCallbackQuery', { callback_query_id: pressed.body['callback_query_id'], text: 'Yes' });
    await h.ok('editMessageText', { chat_id: GROUP, message_id, text: 'two' });
    await h.ok('pinChatMessage', { chat_id: GROUP, message_id });
    await h.ok('deleteMessage', { chat_id: GROUP, message_id });
    expect(await until(7)).toMatchObject([
      { type: 'message', chat: GROUP, message: { text: 'one' } },
      { type: 'chat_action', chat: GROUP, text: 'typing' },
      { type: 'callback_answer', chat: GROUP, message_id, to: BOB, text: 'Yes', show_alert: false },
      { type: 'edit', chat: GROUP, message_id, message: { text: 'two' } },
      { type: 'message', message: { pinned_message: { message_id } } },
      { type: 'pin', chat: GROUP, message_id },
      { type: 'delete', chat: GROUP, message_id },
    ]);
    await reader.cancel();
  }));

test('files and the menu of commands', () =>
  withSimulator(async (h) => {
    const sent = await h.ok<{ photo: { file_id: string }[] }>(
      'sendPhoto',
      { chat_id: ALICE, photo: png(8, 8) },
      { encoding: 'multipart' },
    );
    const file = await fetch(`${h.url}/cast/file/${sent.photo[0]!.file_id}`);
    expect([file.headers.get('content-type'), (await file.arrayBuffer()).byteLength]).toEqual(['image/png', 64]);
    await h.ok('setMyCommands', { commands: [{ command: 'status', description: 'Status' }] });
    expect((await get(h, `commands?as=${BOB}&chat=${GROUP}`)).body).toEqual([
      { command: 'status', description: 'Status' },
    ]);
  }));

test('the clock is moved on over HTTP', () =>
  withSimulator(async (h) => {
    expect(await post(h, 'admin', { action: 'advance', ms: 60_000 })).toEqual({
      status: 200,
      body: { now: '2026-03-02T09:01:00.000Z' },
    });
  }));

test('the web chat is served from its folder, and nothing above it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'vakhta-web-'));
  try {
    await writeFile(join(root, 'index.html'), '<!doctype html>hello');
    await withSimulator(
      async (h) => {
        const page = await fetch(`${h.url}/`);
        expect([page.headers.get('content-type'), await page.text()]).toEqual([
          'text/html; charset=utf-8',
          '<!doctype html>hello',
        ]);
        expect((await fetch(`${h.url}/..%2f..%2fetc%2fhosts.html`)).status).toBe(404);
        expect((await fetch(`${h.url}/missing.js`)).status).toBe(404);
      },
      { webRoot: root },
    );
  } finally {
    await rm(root, { recursive: true });
  }
});

test('two waits in a row see two states of a card; what nobody waited for is told', () =>
  withSimulator(async (h) => {
    const chat = h.stage.person('alice').chat;
    const waiting = chat.waitFor('running');
    const { message_id } = await h.send(ALICE, 'job running');
    expect((await waiting).message_id).toBe(message_id);
    const again = chat.waitFor(/job/);
    await h.ok('editMessageText', { chat_id: ALICE, message_id, text: 'job done' });
    expect((await again).text).toBe('job done');
    h.stage.expectQuiet();
    await h.send(BOB, 'surprise', { reply_markup: keyboard([button('Go', 'go')]) });
    expect(h.stage.unseen().map(({ text }) => text)).toEqual(['surprise']);
    expect(() => h.stage.expectQuiet()).toThrow('the bot said what nobody expected:\n1 Vakhta: surprise\n    [Go]');
    await h.stage.person('bob').presses('Go');
    h.stage.expectQuiet();
  }));

test('a wait in vain shows the chat', () =>
  withSimulator(async (h) => {
    h.stage.person('alice').says('/status');
    await h.send(ALICE, 'nothing new');
    await expect(h.stage.person('alice').chat.waitFor('disaster', { timeoutMs: 1 })).rejects.toThrow(
      'waited in vain for disaster\n— Alice (11) —\n1 Alice: /status\n2 Vakhta: nothing new',
    );
  }));

test('an anonymous administrator writes as the group, but presses as themselves', () =>
  withSimulator(async (h) => {
    await h.send(GROUP, 'card', { reply_markup: keyboard([button('Go', 'go')]) });
    const alice = h.stage.person('alice');
    alice.says('/status', { chat: GROUP, anonymous: true });
    await alice.presses('Go', { chat: GROUP });
    expect(await h.ok('getUpdates')).toMatchObject([
      { message: { from: { id: 1_087_968_824, is_bot: true }, sender_chat: { id: GROUP } } },
      { callback_query: { from: { id: ALICE } } },
    ]);
  }));
