import { after, BR, edit, F, firstTopic, type Row } from './error-row.ts';
import { ALICE, type Answer, BASIC, BOB, button, FORUM, GROUP, keyboard, png } from './harness.ts';

/** Tokens, chats, topics, rights, and messages that are not there. */
export const chatRows: readonly Row[] = [
  {
    name: 'an unknown method',
    code: 404,
    text: 'Not Found: method not found',
    from: 'server',
    provoke: (h) => h.call('sendTelepathy'),
  },
  {
    name: 'a bad path',
    code: 404,
    text: 'Not Found',
    from: 'server',
    provoke: async (h) => {
      const response = await fetch(`${h.url}/bots/none/of/this`, { method: 'POST' });
      return { ...((await response.json()) as Answer), status: response.status };
    },
  },
  {
    name: 'a revoked token',
    code: 401,
    text: 'Unauthorized',
    from: 'telegram',
    provoke: (h) => h.call('getMe', {}, { token: '4242:other' }),
  },
  {
    name: 'a malformed token',
    code: 401,
    text: 'Unauthorized: invalid token specified',
    from: 'server',
    provoke: (h) => h.call('getMe', {}, { token: 'nonsense' }),
  },
  {
    name: 'a second poller, told to the first',
    code: 409,
    text: 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    from: 'server',
    provoke: async (h) => {
      const waiting = h.clock.untilTimers();
      const older = h.call('getUpdates', { timeout: 30 });
      await waiting;
      await h.call('getUpdates', { timeout: 0 });
      return older;
    },
  },
  {
    name: 'a poll while a webhook is set',
    code: 409,
    text: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    from: 'server',
    provoke: async (h) => {
      await h.ok('setWebhook', { url: 'https://bot.example.org/hook' });
      return h.call('getUpdates');
    },
  },
  {
    name: 'an identical edit',
    code: 400,
    text: `${BR}message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message`,
    from: 'server',
    provoke: async (h) => {
      const reply_markup = keyboard([button('Go', 'go')]);
      const { message_id } = await h.send(ALICE, 'same', { reply_markup });
      return edit(h, message_id, { text: '<b></b>same ', parse_mode: 'HTML', reply_markup });
    },
  },
  {
    name: 'editing what is not there',
    code: 400,
    text: `${BR}message to edit not found`,
    from: 'server',
    provoke: (h) => edit(h, 77),
  },
  {
    name: "editing another's message",
    code: 400,
    text: `${BR}message can't be edited`,
    from: 'telegram',
    provoke: (h) => edit(h, h.stage.person('alice').says('mine').message_id),
  },
  {
    name: 'editing a message with a reply keyboard',
    code: 400,
    text: `${BR}message can't be edited`,
    from: 'telegram',
    provoke: async (h) => edit(h, (await h.send(ALICE, 'q', { reply_markup: { force_reply: true } })).message_id),
  },
  {
    name: 'a captioned message through editMessageText',
    code: 400,
    text: `${BR}there is no text in the message to edit`,
    from: 'telegram',
    provoke: async (h) => {
      const { message_id } = await h.ok(
        'sendPhoto',
        { chat_id: ALICE, photo: png(100, 100), caption: 'c' },
        { encoding: 'multipart' },
      );
      return edit(h, message_id);
    },
  },
  {
    name: 'a text message through editMessageCaption',
    code: 400,
    text: `${BR}there is no caption in the message to edit`,
    from: 'telegram',
    provoke: async (h) =>
      h.call('editMessageCaption', { chat_id: ALICE, message_id: (await h.send(ALICE, 'x')).message_id, caption: 'c' }),
  },
  {
    name: 'deleting what is not there',
    code: 400,
    text: `${BR}message to delete not found`,
    from: 'server',
    provoke: (h) => h.call('deleteMessage', { chat_id: ALICE, message_id: 77 }),
  },
  {
    name: 'deleting after 48 hours',
    code: 400,
    text: `${BR}message can't be deleted`,
    from: 'server',
    provoke: async (h) => {
      const { message_id } = await h.send(ALICE, 'old');
      await h.clock.advance(48 * 3_600_000);
      return h.call('deleteMessage', { chat_id: ALICE, message_id });
    },
  },
  {
    name: 'a reply to what is gone',
    code: 400,
    text: `${BR}message to be replied not found`,
    from: 'server',
    provoke: (h) => h.call('sendMessage', { chat_id: ALICE, text: 'x', reply_parameters: { message_id: 77 } }),
  },
  {
    name: 'a deleted topic',
    code: 400,
    text: `${BR}message thread not found`,
    from: 'server',
    provoke: async (h) => {
      const thread_id = firstTopic(h);
      await h.sim.cast.admin({ action: 'delete_topic', chat: FORUM, thread_id });
      return h.call('sendMessage', { chat_id: FORUM, text: 'x', message_thread_id: thread_id });
    },
  },
  {
    name: 'the number of General, which must be omitted',
    code: 400,
    text: `${BR}message thread not found`,
    from: 'server',
    provoke: (h) => h.call('sendMessage', { chat_id: FORUM, text: 'x', message_thread_id: 1 }),
  },
  {
    name: 'a closed topic',
    code: 400,
    text: `${BR}TOPIC_CLOSED`,
    from: 'telegram',
    provoke: async (h) => {
      const thread_id = firstTopic(h);
      await h.sim.cast.admin({ action: 'close_topic', chat: FORUM, thread_id });
      return h.call('sendMessage', { chat_id: FORUM, text: 'x', message_thread_id: thread_id });
    },
  },
  {
    name: 'an unknown chat',
    code: 400,
    text: `${BR}chat not found`,
    from: 'server',
    provoke: (h) => h.call('sendMessage', { chat_id: 99, text: 'x' }),
  },
  {
    name: 'no chat',
    code: 400,
    text: `${BR}chat_id is empty`,
    from: 'server',
    provoke: (h) => h.call('sendMessage', { text: 'x' }),
  },
  {
    name: 'a blocked bot',
    code: 403,
    text: `${F}bot was blocked by the user`,
    from: 'server',
    provoke: after({ action: 'block', person: ALICE }),
  },
  {
    name: 'a deactivated user',
    code: 403,
    text: `${F}user is deactivated`,
    from: 'server',
    provoke: after({ action: 'deactivate', person: ALICE }),
  },
  {
    name: 'a user who never started the bot',
    code: 403,
    text: `${F}bot can't initiate conversation with a user`,
    from: 'server',
    provoke: after({ action: 'never_started', person: BOB }),
  },
  {
    name: 'kicked',
    code: 403,
    text: `${F}bot was kicked from the supergroup chat`,
    from: 'server',
    provoke: after({ action: 'kick', chat: GROUP }),
  },
  {
    name: 'kicked from a basic group',
    code: 403,
    text: `${F}bot was kicked from the group chat`,
    from: 'server',
    provoke: after({ action: 'kick', chat: BASIC }),
  },
  {
    name: 'left',
    code: 403,
    text: `${F}bot is not a member of the supergroup chat`,
    from: 'server',
    provoke: after({ action: 'leave', chat: GROUP }),
  },
  {
    name: 'a deleted group',
    code: 403,
    text: `${F}the group chat was deleted`,
    from: 'server',
    provoke: after({ action: 'delete_chat', chat: GROUP }),
  },
  {
    name: 'a migrated group',
    code: 400,
    text: `${BR}group chat was upgraded to a supergroup chat`,
    from: 'server',
    provoke: after({ action: 'migrate', chat: BASIC }),
  },
];
