import { expect, test } from 'vitest';
import type { Message } from '../../../src/simulators/telegram/index.ts';
import { ALICE, BASIC, BOB, button, FORUM, GROUP, type Harness, keyboard, withSimulator } from './harness.ts';
import { methodNames } from '../../../src/simulators/telegram/methods/index.ts';
import { requestProblems, resultProblems } from './api-description.ts';
import { haveContracts } from '../../support/contracts.ts';

const html = async (h: Harness, text: string) => {
  const sent = await h.send(ALICE, text, { parse_mode: 'HTML' });
  return { text: sent.text, entities: sent['entities'] };
};

test.skipIf(!haveContracts)('the checker against the Bot API description sees what is wrong', () => {
  expect(requestProblems('sendMessage', { chat_id: 1, txt: 'x' })).toEqual([
    'sendMessage: unknown field txt',
    'sendMessage: text is missing',
  ]);
  expect(requestProblems('sendTelepathy', {})).toEqual(['sendTelepathy: the Bot API has no such method']);
  const chat = { id: 1, type: 'private' };
  expect(resultProblems('sendMessage', { message_id: 1, date: 1, chat })).toEqual([]);
  expect(resultProblems('sendMessage', { message_id: '1', date: 1, chat: { ...chat, colour: 'red' } })).toHaveLength(2);
});

test.skipIf(!haveContracts)('every method of the simulator is one of the Bot API', () => {
  expect(methodNames.length).toBeGreaterThan(40);
  expect(
    methodNames.filter((name) => requestProblems(name, {}).some((problem) => problem.includes('no such method'))),
  ).toEqual([]);
});

test('the encodings mean the same: JSON, urlencoded, multipart, query string', () =>
  withSimulator(async (h) => {
    const parameters = {
      chat_id: ALICE,
      text: 'hello',
      reply_markup: keyboard([button('Go', 'go')]),
      protect_content: true,
    };
    for (const encoding of ['json', 'form', 'multipart', 'query'] as const) {
      expect(await h.ok('sendMessage', parameters, { encoding })).toMatchObject({
        chat: { id: ALICE, type: 'private' },
        text: 'hello',
        has_protected_content: true,
        reply_markup: parameters.reply_markup,
      });
    }
    expect((await h.call('SENDmessage', { chat_id: ALICE, text: 'any case' })).ok).toBe(true);
  }));

test('message ids grow per chat', () =>
  withSimulator(async (h) => {
    const ids = [];
    for (const chat of [ALICE, BOB, ALICE, GROUP, ALICE]) ids.push((await h.send(chat, 'x')).message_id);
    expect(ids).toEqual([1, 1, 2, 1, 3]);
  }));

test('4096 characters count as code points after parsing', () =>
  withSimulator(async (h) => {
    expect((await h.send(ALICE, `<b>${'🚨'.repeat(4096)}</b>`, { parse_mode: 'HTML' })).text).toHaveLength(8192);
    expect((await h.call('sendMessage', { chat_id: ALICE, text: '🚨'.repeat(4097) })).description).toBe(
      'Bad Request: message is too long',
    );
  }));

test.each<[string, string, object[]]>([
  [
    '<b>bold</b> <i>it</i> <u>u</u> <s>s</s>',
    'bold it u s',
    [
      { type: 'bold', offset: 0, length: 4 },
      { type: 'italic', offset: 5, length: 2 },
      { type: 'underline', offset: 8, length: 1 },
      { type: 'strikethrough', offset: 10, length: 1 },
    ],
  ],
  ['🚨 <code>a &lt; b</code>', '🚨 a < b', [{ type: 'code', offset: 3, length: 5 }]],
  [
    '<pre><code class="language-sql">select 1</code></pre>',
    'select 1',
    [{ type: 'pre', offset: 0, length: 8, language: 'sql' }],
  ],
  [
    '<a href="https://x.example/?a=1&amp;b=2">link</a>',
    'link',
    [{ type: 'text_link', offset: 0, length: 4, url: 'https://x.example/?a=1&b=2' }],
  ],
  ['<a href="javascript:x">link</a>', 'link', []],
  ['<blockquote expandable>log</blockquote>', 'log', [{ type: 'expandable_blockquote', offset: 0, length: 3 }]],
  [
    '<tg-time unix="1700000000" format="r">then</tg-time>',
    'then',
    [{ type: 'date_time', offset: 0, length: 4, unix_time: 1_700_000_000, date_time_format: 'r' }],
  ],
  [
    '<b>outer <i>inner</i></b>',
    'outer inner',
    [
      { type: 'bold', offset: 0, length: 11 },
      { type: 'italic', offset: 6, length: 5 },
    ],
  ],
  [' \n<b> padded </b> ', 'padded', [{ type: 'bold', offset: 0, length: 6 }]],
  ['&unknown; &#39;&#x41; & done', "&unknown; 'A & done", []],
  [
    'see https://pve1.example:8006/ or /status@vakhta_bot',
    'see https://pve1.example:8006/ or /status@vakhta_bot',
    [
      { type: 'url', offset: 4, length: 26 },
      { type: 'bot_command', offset: 34, length: 18 },
    ],
  ],
])('HTML %s', (source, text, entities) =>
  withSimulator(async (h) => {
    expect(await html(h, source)).toEqual({ text, entities: entities.length === 0 ? undefined : entities });
  }),
);

test('entities given as an array are kept; beyond a hundred the rest is dropped without a word', () =>
  withSimulator(async (h) => {
    const entities = Array.from({ length: 120 }, (_, i) => ({ type: 'bold', offset: i * 2, length: 1 }));
    const sent = await h.send(ALICE, 'x '.repeat(120), { entities });
    expect(sent['entities']).toEqual(entities.slice(0, 100));
  }));

test('an edit without markup drops the keyboard; the message says when it was edited', () =>
  withSimulator(async (h) => {
    const { message_id } = await h.send(ALICE, 'one', { reply_markup: keyboard([button('Go', 'go')]) });
    await h.clock.advance(90 * 86_400_000);
    const edited = await h.ok('editMessageText', { chat_id: ALICE, message_id, text: 'two' });
    expect(edited).toMatchObject({ message_id, text: 'two', edit_date: h.clock.now().getTime() / 1000 });
    expect(edited).not.toHaveProperty('reply_markup');
    const again = await h.ok('editMessageReplyMarkup', {
      chat_id: ALICE,
      message_id,
      reply_markup: keyboard([button('Back', 'b')]),
    });
    expect(again).toMatchObject({ text: 'two', reply_markup: keyboard([button('Back', 'b')]) });
  }));

test('an edit to plain text drops the entities of before', () =>
  withSimulator(async (h) => {
    const { message_id } = await h.send(ALICE, '<b>one</b>', { parse_mode: 'HTML' });
    expect(await h.ok('editMessageText', { chat_id: ALICE, message_id, text: 'one' })).not.toHaveProperty('entities');
  }));

test('buttons: styles, copy text, inert, links; empty rows vanish', () =>
  withSimulator(async (h) => {
    const row = [
      { text: 'Delete', callback_data: 'd', style: 'danger' },
      { text: 'Copy', copy_text: { text: 'x'.repeat(256) } },
      { text: 'Done', disabled: {}, style: 'success' },
      { text: 'Graph', url: 'https://grafana.example/d/1' },
    ];
    const sent = await h.send(ALICE, 'card', { reply_markup: keyboard([], row) });
    expect(sent['reply_markup']).toEqual(keyboard(row));
    await expect(h.stage.person('alice').presses('Done', { timeoutMs: 1 })).rejects.toThrow(
      'waited in vain for a button Done',
    );
    expect(() => h.sim.cast.press({ as: ALICE, chat: ALICE, message_id: 1, row: 0, col: 2 })).toThrow('inert');
    expect(() => h.sim.cast.press({ as: ALICE, chat: ALICE, message_id: 1, row: 0, col: 3 })).toThrow(
      'does not call the bot',
    );
  }));

test('a reply carries what it answers, and goes to its topic', () =>
  withSimulator(async (h) => {
    const topic = [...h.sim.cast.chat(FORUM).topics.keys()][0]!;
    const first = await h.send(FORUM, 'card', { message_thread_id: topic });
    expect(first).toMatchObject({ message_thread_id: topic, is_topic_message: true, chat: { is_forum: true } });
    const reply = await h.send(FORUM, 'again', { reply_parameters: { message_id: first.message_id } });
    expect(reply).toMatchObject({
      message_thread_id: topic,
      reply_to_message: { message_id: first.message_id, text: 'card' },
    });
    await h.ok('deleteMessage', { chat_id: FORUM, message_id: first.message_id });
    const lost = await h.send(FORUM, 'alone', {
      reply_parameters: { message_id: first.message_id, allow_sending_without_reply: true },
    });
    expect(lost).not.toHaveProperty('reply_to_message');
  }));

test('topics: created by the bot, told by service messages, gone with all their messages', () =>
  withSimulator(async (h) => {
    const topic = await h.ok<{ message_thread_id: number; name: string }>('createForumTopic', {
      chat_id: FORUM,
      name: 'Night',
    });
    const chat = h.sim.state;
    const shown = () =>
      chat
        .messages(FORUM)
        .map((message) => Object.keys(message).find((key) => key.startsWith('forum_topic')) ?? message.text);
    await h.send(FORUM, 'in it', { message_thread_id: topic.message_thread_id });
    await h.ok('editForumTopic', { chat_id: FORUM, message_thread_id: topic.message_thread_id, name: 'Day' });
    await h.ok('closeForumTopic', { chat_id: FORUM, message_thread_id: topic.message_thread_id });
    await h.ok('reopenForumTopic', { chat_id: FORUM, message_thread_id: topic.message_thread_id });
    expect(shown()).toEqual([
      'forum_topic_created',
      'in it',
      'forum_topic_edited',
      'forum_topic_closed',
      'forum_topic_reopened',
    ]);
    expect(chat.messages(FORUM)[0]!.message_id).toBe(topic.message_thread_id);
    expect(
      h.sim.cast
        .world()
        .chats.find(({ id }) => id === FORUM)
        ?.topics?.at(-1),
    ).toEqual({
      thread_id: topic.message_thread_id,
      name: 'Day',
      closed: false,
    });
    await h.ok('deleteForumTopic', { chat_id: FORUM, message_thread_id: topic.message_thread_id });
    expect(shown()).toEqual([]);
  }));

test('pinning leaves a service message and tells the bot', () =>
  withSimulator(async (h) => {
    const { message_id } = await h.send(GROUP, 'card');
    await h.ok('pinChatMessage', { chat_id: GROUP, message_id, disable_notification: true });
    expect(await h.ok('getChat', { chat_id: GROUP })).toMatchObject({ pinned_message: { message_id } });
    const updates = await h.ok<{ message: { pinned_message: { message_id: number } } }[]>('getUpdates');
    expect(updates.map((update) => update.message.pinned_message.message_id)).toEqual([message_id]);
    await h.ok('unpinChatMessage', { chat_id: GROUP, message_id });
    expect(await h.call('unpinChatMessage', { chat_id: GROUP, message_id })).toMatchObject({
      description: 'Bad Request: message to unpin not found',
    });
  }));

test('a migrated group: service messages in both chats, the new one takes over', () =>
  withSimulator(async (h) => {
    await h.send(BASIC, 'before');
    const { chat } = (await h.sim.cast.admin({ action: 'migrate', chat: BASIC })) as { chat: number };
    const updates = await h.ok<{ message: Message }[]>('getUpdates');
    expect(
      updates.map(({ message }) => [message.chat.id, message.migrate_to_chat_id ?? message.migrate_from_chat_id]),
    ).toEqual([
      [BASIC, chat],
      [chat, BASIC],
    ]);
    expect(await h.send(chat, 'after')).toMatchObject({ chat: { id: chat, type: 'supergroup', title: 'Small' } });
  }));

test('the bot leaves a group, and unpins everything before', () =>
  withSimulator(async (h) => {
    await h.ok('pinChatMessage', { chat_id: GROUP, message_id: (await h.send(GROUP, 'card')).message_id });
    await h.ok('unpinAllChatMessages', { chat_id: GROUP });
    expect(await h.ok('getChat', { chat_id: GROUP })).not.toHaveProperty('pinned_message');
    await h.ok('leaveChat', { chat_id: GROUP });
    expect((await h.call('sendMessage', { chat_id: GROUP, text: 'x' })).description).toBe(
      'Forbidden: bot is not a member of the supergroup chat',
    );
  }));

test('commands by scope and language: the narrowest menu wins, own language first', () =>
  withSimulator(async (h) => {
    const set = (description: string, more: object) =>
      h.ok('setMyCommands', { commands: [{ command: 'a', description }], ...more });
    await set('default', {});
    await set('по умолчанию', { language_code: 'ru' });
    await set('groups', { scope: { type: 'all_group_chats' } });
    await set('admins', { scope: { type: 'all_chat_administrators' } });
    await set('bob here', { scope: { type: 'chat_member', chat_id: GROUP, user_id: BOB } });
    const menu = (who: string, chat?: number) =>
      h.stage
        .person(who)
        .commands(chat)
        .map(({ description }) => description)[0];
    expect([menu('alice'), menu('bob'), menu('alice', GROUP), menu('bob', GROUP), menu('bob', FORUM)]).toEqual([
      'по умолчанию',
      'default',
      'admins',
      'bob here',
      'groups',
    ]);
    expect(await h.ok('getMyCommands', { language_code: 'ru' })).toEqual([
      { command: 'a', description: 'по умолчанию' },
    ]);
    await h.ok('deleteMyCommands', { scope: { type: 'chat_member', chat_id: GROUP, user_id: BOB } });
    expect(menu('bob', GROUP)).toBe('groups');
    const many = Array.from({ length: 101 }, (_, i) => ({ command: `c${i}`, description: 'x' }));
    expect((await h.call('setMyCommands', { commands: many })).description).toBe('Bad Request: BOT_COMMANDS_TOO_MUCH');
  }));

test('what the bot says of itself is kept by language', () =>
  withSimulator(async (h) => {
    expect(await h.ok('getMe')).toMatchObject({
      id: 4242,
      is_bot: true,
      username: 'vakhta_bot',
      can_read_all_group_messages: false,
    });
    await h.ok('setMyDescription', { description: 'Watch', language_code: '' });
    await h.ok('setMyDescription', { description: 'Вахта', language_code: 'ru' });
    await h.ok('setMyShortDescription', { short_description: 'short' });
    await h.ok('setMyName', { name: 'Watch bot' });
    expect(await h.ok('getMyDescription', { language_code: 'ru' })).toEqual({ description: 'Вахта' });
    expect(await h.ok('getMyDescription', { language_code: 'de' })).toEqual({ description: 'Watch' });
    expect(await h.ok('getMyName')).toEqual({ name: 'Watch bot' });
    await h.ok('setChatMenuButton', { menu_button: { type: 'commands' } });
    expect(await h.ok('getChatMember', { chat_id: GROUP, user_id: ALICE })).toMatchObject({
      status: 'administrator',
      user: { id: ALICE },
    });
    expect(await h.ok('getChatMember', { chat_id: GROUP, user_id: BOB })).toMatchObject({ status: 'member' });
    expect(await h.ok('sendChatAction', { chat_id: GROUP, action: 'typing' })).toBe(true);
  }));

test('deleteMessages skips what is missing and refuses all when one is too old', () =>
  withSimulator(async (h) => {
    const old = await h.send(ALICE, 'old');
    await h.clock.advance(47 * 3_600_000);
    const young = await h.send(ALICE, 'young');
    await h.clock.advance(3_600_000);
    expect(
      await h.call('deleteMessages', { chat_id: ALICE, message_ids: [old.message_id, young.message_id] }),
    ).toMatchObject({ status: 400 });
    await h.ok('deleteMessages', { chat_id: ALICE, message_ids: [young.message_id, 77] });
    expect(h.sim.state.messages(ALICE).map(({ text }) => text)).toEqual(['old']);
  }));

test('a callback query is answered once, within 15 seconds', () =>
  withSimulator(async (h) => {
    await h.send(GROUP, 'card', { reply_markup: keyboard([button('Go', 'go')]) });
    const press = await h.stage.person('bob').presses('Go', { chat: GROUP });
    await h.clock.advance(14_000);
    await h.ok('answerCallbackQuery', { callback_query_id: press.callback_query_id, text: 'Done', show_alert: true });
    expect(await press.answered()).toMatchObject({
      to: BOB,
      text: 'Done',
      show_alert: true,
      chat: GROUP,
      message_id: 1,
    });
    expect((await h.call('answerCallbackQuery', { callback_query_id: press.callback_query_id })).status).toBe(400);
  }));

test('being blocked and kicked is told by my_chat_member', () =>
  withSimulator(async (h) => {
    await h.sim.cast.admin({ action: 'block', person: ALICE });
    await h.sim.cast.admin({ action: 'kick', chat: GROUP });
    const updates =
      await h.ok<{ my_chat_member: { chat: { id: number }; new_chat_member: { status: string } } }[]>('getUpdates');
    expect(updates.map(({ my_chat_member: { chat, new_chat_member } }) => [chat.id, new_chat_member.status])).toEqual([
      [ALICE, 'kicked'],
      [GROUP, 'kicked'],
    ]);
  }));
