import type { Update } from '@grammyjs/types';
import { describe, expect, it } from 'vitest';
import { identify, placeOf, formKey } from '../../../src/bot/identity.ts';
import { parseCommand } from '../../../src/bot/commands.ts';
import { callbackData, parseCallbackData } from '../../../src/bot/callback.ts';
import { Codes, keyOf, toReceived } from '../../../src/bot/intake/updates.ts';
import { webhookRoute } from '../../../src/bot/intake/webhook.ts';
import { fileSchema, resolve } from '../../../src/config/schema.ts';
import { silentLog } from '../../../src/core/log.ts';
import { ANONYMOUS_ADMIN } from '../../../src/core/people.ts';
import { newToken } from '../../../src/core/random.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';

const message = (text: string, changes: object = {}): Update =>
  ({
    update_id: 7,
    message: {
      message_id: 1,
      date: 0,
      chat: { id: -100, type: 'supergroup', title: 'ops' },
      from: { id: 5, is_bot: false, first_name: 'Anna' },
      text,
      ...changes,
    },
  }) as unknown as Update;

const config = resolve(
  fileSchema.parse({
    site: { name: 'x', zone: 'UTC' },
    telegram: { token: 'env:T' },
    operators: [
      { id: 'anna', name: 'Anna', telegram_id: 5, role: 'operator' },
      // A mistake in the configuration must not give everybody a role.
      { id: 'anon', name: 'Anonymous', telegram_id: ANONYMOUS_ADMIN, role: 'admin' },
    ],
    chats: [{ id: 'ops', chat_id: -100 }],
    routes: [{ chat: 'ops' }],
  }),
  {},
);

describe('who writes', () => {
  it('is found by the numeric id alone', () => {
    expect(identify(message('x'), config)).toMatchObject({ kind: 'operator', operator: { id: 'anna' } });
    const other = message('x', { from: { id: 6, is_bot: false, first_name: 'Anna', username: 'anna' } });
    expect(identify(other, config)).toMatchObject({ kind: 'outsider' });
  });

  it('is nobody behind the anonymous administrator, a channel or another bot', () => {
    const from = { id: ANONYMOUS_ADMIN, is_bot: true, first_name: 'Group' };
    expect(identify(message('x', { from, sender_chat: { id: -100 } }), config)).toEqual({ kind: 'anonymous' });
    expect(identify(message('x', { from }), config)).toEqual({ kind: 'anonymous' });
    expect(identify(message('x', { sender_chat: { id: -200, type: 'channel' } }), config)).toEqual({
      kind: 'anonymous',
    });
    expect(identify(message('x', { from: { id: 5, is_bot: true, first_name: 'Bot' } }), config)).toEqual({
      kind: 'anonymous',
    });
  });

  it('has a form of their own for each chat and topic, and none without a name', () => {
    expect(formKey(message('x'))).toBe('-100:0:5');
    expect(formKey(message('x', { is_topic_message: true, message_thread_id: 3 }))).toBe('-100:3:5');
    expect(formKey(message('x', { from: undefined }))).toBeUndefined();
    expect(formKey({ update_id: 1 })).toBeUndefined();
  });

  it('is handled in order: one key for a person in a chat', () => {
    expect(keyOf(message('x'))).toBe('-100:5');
    expect(keyOf({ update_id: 1 })).toBe('-:-');
  });

  it('a thread counts only in a topic', () => {
    expect(placeOf(message('x', { message_thread_id: 9 }))?.thread).toBeUndefined();
  });
});

describe('a step-up code', () => {
  it.each(['123456', ' 123 456 '])('%j never reaches the inbox, and can be used once', (text) => {
    const codes = new Codes();
    const received = toReceived(message(text), codes);
    expect(JSON.stringify(received)).not.toMatch(/123/);
    expect(codes.use(7)).toBe('123456');
    expect(codes.use(7)).toBeUndefined();
  });

  it('other text is kept as it is', () => {
    const codes = new Codes();
    for (const text of ['12345', '1234567', 'code 123456', '/backup']) {
      expect(toReceived(message(text), codes).payload).toEqual(message(text));
    }
  });
});

describe('a command', () => {
  it.each([
    ['/help', { name: 'help', bot: undefined, args: '' }],
    ['/Backup@vakhta_bot pg  main', { name: 'backup', bot: 'vakhta_bot', args: 'pg  main' }],
    ['/run\nmany\nlines', { name: 'run', bot: undefined, args: 'many\nlines' }],
  ])('%j', (text, parsed) => {
    expect(parseCommand(text)).toEqual(parsed);
  });

  it.each(['/', '/ x', '//x', '/привет', '/a-b'])('%j is none', (text) => {
    expect(parseCommand(text)).toBeUndefined();
  });
});

describe('the data of a button', () => {
  it('holds a token and stays far below 64 bytes', () => {
    const token = newToken(systemRandom);
    expect(Buffer.byteLength(callbackData(token))).toBe(24);
    expect(parseCallbackData(callbackData(token))).toBe(token);
  });

  it.each([
    undefined,
    '',
    'x',
    '1:',
    '2:aaaaaaaaaaaaaaaaaaaaaa',
    '1:aaaaaaaaaaaaaaaaaaaaa',
    '1:aaaaaaaaaaaaaaaaaaaaaaa',
    "1:'; drop table",
  ])('%j is not ours', (data) => {
    expect(parseCallbackData(data)).toBeUndefined();
  });
});

describe('the webhook', () => {
  const open = (receive: (updates: readonly Update[]) => Promise<void> = () => Promise.resolve()) =>
    webhookRoute({ secret: new Secret('right'), log: silentLog, receive });
  const call = (app: ReturnType<typeof open>, body: string, secret: string | undefined) =>
    app.request('/telegram/webhook', {
      method: 'POST',
      body,
      headers: secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret },
    });

  it('stores an update before it says 200', async () => {
    const got: number[] = [];
    const app = open((updates) => {
      got.push(...updates.map((update) => update.update_id));
      return Promise.resolve();
    });
    expect((await call(app, JSON.stringify(message('x')), 'right')).status).toBe(200);
    expect(got).toEqual([7]);
  });

  it.each([undefined, '', 'wrong', 'right '])('refuses the secret %j', async (secret) => {
    const app = open(() => Promise.reject(new Error('must not be called')));
    expect((await call(app, JSON.stringify(message('x')), secret === 'right ' ? 'righ' : secret)).status).toBe(401);
  });

  it('refuses what is not an update, and what is too large', async () => {
    expect((await call(open(), '{', 'right')).status).toBe(400);
    expect((await call(open(), '{"a":1}', 'right')).status).toBe(400);
    expect((await call(open(), JSON.stringify(message('x'.repeat(1_100_000))), 'right')).status).toBe(413);
  });

  it('says 503 while the store is down, so that Telegram sends it again', async () => {
    const app = open(() => Promise.reject(new Error('down')));
    expect((await call(app, JSON.stringify(message('x')), 'right')).status).toBe(503);
  });
});
