import { describe, expect, it } from 'vitest';
import { defineCard } from '../../src/bot/cards/define.ts';
import { type Doc, doc, line, list, title } from '../../src/core/doc.ts';
import { defineMessages } from '../../src/core/i18n.ts';
import { touchCards, wantCard } from '../../src/store/cards.ts';
import { chatStates } from '../../src/store/chats.ts';
import { outboxRow, stats } from '../../src/store/outbox.ts';
import { type ChatTest, OPS, openChat, PLAIN_GROUP, TOPIC } from './support/chat.ts';

/** A card whose state is a variable of the test. */
function board() {
  const shown = { doc: doc(title('running', 'first')) as Doc | 'gone' };
  const card = defineCard({
    kind: 'board',
    messages: defineMessages({ en: '', ru: '' }),
    render: () => Promise.resolve(shown.doc),
  });
  const want = (chat: ChatTest, priority = 0, where: { readonly chat?: number; readonly thread?: number } = {}) =>
    wantCard(chat.store.db, { kind: 'board', ref: '1', chat: OPS, priority, ...where }, new Date());
  const draw = (chat: ChatTest, drawn: Doc | 'gone') => {
    shown.doc = drawn;
    return touchCards(chat.store.db, 'board', '1', new Date());
  };
  return { card, want, draw };
}

const writes = (chat: ChatTest, id = OPS) =>
  chat.telegram.state.calls.filter((call) => call.chat_id === id && /^(send|edit)/i.test(call.method));

describe('what Telegram answers', () => {
  it('nothing (the connection breaks after it was sent): what matters comes again, and says so', async () => {
    const chat = await openChat();
    chat.telegram.faults.next('sendMessage', 'accept-reset', { chat: chat.boris.id });
    chat.boris.says('/whoami');
    await chat.boris.chat.waitFor('Role: operator');
    expect(await chat.boris.chat.waitFor('↻ Perhaps sent twice')).toBeDefined();
  });

  it('502: an edit comes again and shows nothing twice', async () => {
    const { card, want, draw } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    await want(chat);
    await chat.ops.waitFor('RUNNING · first');
    chat.telegram.faults.next('editMessageText', 'html-502', { chat: OPS });
    await draw(chat, doc(title('ok', 'second')));
    const shown = await chat.ops.waitFor('OK · second');
    expect(shown.text).not.toContain('↻');
    expect(chat.ops.messages()).toHaveLength(1);
  });

  it('nothing, for mere information: it is not sent again, and its state is unknown', async () => {
    const { card, want } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    chat.telegram.faults.next('sendMessage', 'reset', { chat: OPS });
    await want(chat, 3);
    await expect.poll(async () => (await stats(chat.store.db, new Date())).unknown).toBe(1);
    expect(chat.ops.messages()).toEqual([]);
  });

  it('message to edit not found: the card is made again', async () => {
    const { card, want, draw } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    await want(chat);
    const first = await chat.ops.waitFor('RUNNING · first');
    await chat.telegram.cast.admin({ action: 'delete_message', chat: OPS, message_id: first.message_id });
    await draw(chat, doc(title('ok', 'second')));
    const second = await chat.ops.waitFor('OK · second');
    expect(second.message_id).not.toBe(first.message_id);
  });

  it('kicked: the administrators learn of it, and get what is urgent', async () => {
    const { card, want } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    await chat.telegram.cast.admin({ action: 'kick', chat: OPS });
    await want(chat);
    await chat.ada.chat.waitFor('I cannot write to the chat “ops” any more');
    await chat.ada.chat.waitFor('RUNNING · first');
    await chat.cyril.chat.waitFor('Больше не могу писать в чат «ops»');
    await chat.cyril.chat.waitFor('ВЫПОЛНЯЕТСЯ · first');
    expect((await chatStates(chat.store.db, [OPS])).get(OPS)?.disabledReason).toContain('kicked');
    // Back again: the route works without a restart.
    await chat.telegram.cast.admin({ action: 'add_bot', chat: OPS });
    await expect.poll(async () => (await chatStates(chat.store.db, [OPS])).get(OPS)?.disabledReason).toBeUndefined();
    await want(chat);
    await chat.ops.waitFor('RUNNING · first');
  });

  it('upgraded to a supergroup: cards and what waits move along', async () => {
    const { card, want, draw } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    await want(chat, 0, { chat: PLAIN_GROUP });
    await chat.stage.chat(PLAIN_GROUP).waitFor('RUNNING · first');
    const moved = await chat.telegram.cast.admin({ action: 'migrate', chat: PLAIN_GROUP });
    await draw(chat, doc(title('ok', 'second')));
    await chat.stage.waitFor('OK · second');
    expect(JSON.stringify(moved)).toContain('-100');
  });

  it('message thread not found: the topic is made again once', async () => {
    const { card, want, draw } = board();
    const chat = await openChat({ topics: true, bot: { cards: [card] } });
    await chat.telegram.cast.admin({ action: 'delete_topic', chat: OPS, thread_id: TOPIC });
    await want(chat, 0, { thread: TOPIC });
    const shown = await chat.ops.waitFor('RUNNING · first');
    expect(shown.message_thread_id).not.toBe(TOPIC);
    const topics = chat.telegram.cast.world().chats.find((one) => one.id === OPS)?.topics ?? [];
    expect(topics.find((one) => one.thread_id === shown.message_thread_id)?.name).toBe('alerts');
    await draw(chat, doc(title('ok', 'second')));
    await chat.ops.waitFor('OK · second');
  });

  it('cannot parse the entities: it comes as plain text', async () => {
    const chat = await openChat();
    chat.telegram.faults.next('sendMessage', {
      error_code: 400,
      description: "Bad Request: can't parse entities: whatever",
    });
    chat.boris.says('/help');
    const shown = await chat.boris.chat.waitFor('What you can do, as operator');
    expect((shown.entities ?? []).filter((one) => one.type === 'bold')).toEqual([]);
  });
});

describe('what is sent', () => {
  it('answers an update once, though Telegram delivers it twice', async () => {
    const chat = await openChat();
    chat.telegram.faults.next('getUpdates', 'duplicate-update');
    chat.boris.says('/whoami');
    await chat.boris.chat.waitFor('Role: operator');
    chat.boris.says('/start');
    await chat.boris.chat.waitFor('I keep watch');
    expect(chat.boris.chat.messages().filter((one) => one.text?.includes('Role: operator'))).toHaveLength(1);
  });

  it('comes with the whole as a file when it is too long', async () => {
    const { card, want, draw } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    await draw(
      chat,
      doc(title('critical', 'storm'), list(Array.from({ length: 300 }, (_, n) => `machine number ${n} is down`))),
    );
    await want(chat);
    await chat.ops.waitFor('… 240 more');
    const file = await chat.ops.waitFor((message) => message.document !== undefined);
    expect(file.document?.file_name).toBe('message.txt');
  });

  it('keeps Telegram’s own limits, so that there is no 429', async () => {
    const chat = await openChat({
      limits: { perGroupPerMinute: 20, perChatPerSecond: 20, overallPerSecond: 30 },
      pace: { per_group_per_minute: 20, per_chat_per_second: 20, overall_per_second: 30 },
    });
    for (let n = 0; n < 12; n++) chat.boris.says('/whoami');
    for (let n = 0; n < 12; n++) await chat.boris.chat.waitFor('Role: operator');
    expect(writes(chat, chat.boris.id).map((call) => call.outcome)).toEqual(Array.from({ length: 12 }, () => 200));
  });

  it('shows a card’s newest state only, however often it changed', async () => {
    const { card, want, draw } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    const began = Date.now();
    await want(chat);
    await chat.ops.waitFor('RUNNING · first');
    for (let n = 0; n < 20; n++) await draw(chat, doc(title('running', `step ${n}`)));
    await draw(chat, doc(title('ok', 'end'), line('all done')));
    await chat.ops.waitFor('OK · end');
    // Progress is paced, by real time that a slow machine may need; the change of state came at once.
    const frames = [3, 8, 20, 32, 44].filter((second) => Date.now() - began >= second * 1000).length;
    expect(writes(chat).length).toBeLessThanOrEqual(3 + frames);
  });

  it('survives the loss of the sender in mid-call: the card is drawn again, once', async () => {
    const { card, want } = board();
    const chat = await openChat({ bot: { cards: [card] } });
    const { id } = await want(chat);
    await chat.ops.waitFor('RUNNING · first');
    // As a crash leaves it: taken, and the lease ran out.
    await want(chat);
    const open = `select from outbox where state in ('queued', 'sending')`;
    await expect.poll(async () => (await chat.store.db.query(open)).rowCount).toBe(0);
    const { rows } = await chat.store.db.query(
      `update outbox set state = 'sending', settled_at = null, lease_until = now() - interval '1 second'
       where id = (select max(id) from outbox where card_id = $1) returning id`,
      [id],
    );
    await chat.restart();
    const row = (rows[0] as { id: number }).id;
    await expect.poll(async () => (await outboxRow(chat.store.db, row))?.state).toBe('sent');
    expect(chat.ops.messages()).toHaveLength(1);
  });
});
