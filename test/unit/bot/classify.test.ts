import { GrammyError, HttpError } from 'grammy';
import { describe, expect, it } from 'vitest';
import { classify, loggable } from '../../../src/bot/outbox/classify.ts';

const answer = (error_code: number, description: string, parameters = {}) =>
  new GrammyError('call failed', { ok: false, error_code, description, parameters }, 'sendMessage', { text: 'secret' });
const BR = 'Bad Request: ';
const F = 'Forbidden: ';

describe('what an answer of Telegram means', () => {
  it.each([
    [429, 'Too Many Requests: retry after 7', { retry_after: 7 }, { kind: 'flood', retryAfterMs: 7000 }],
    [
      400,
      `${BR}message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message`,
      {},
      { kind: 'same' },
    ],
    [400, `${BR}message to edit not found`, {}, { kind: 'message-gone' }],
    [400, `${BR}message can't be edited`, {}, { kind: 'message-gone' }],
    [400, `${BR}there is no text in the message to edit`, {}, { kind: 'message-gone' }],
    [400, `${BR}message to delete not found`, {}, { kind: 'message-gone' }],
    [400, `${BR}message can't be deleted`, {}, { kind: 'message-gone' }],
    [400, `${BR}message to be replied not found`, {}, { kind: 'reply-gone' }],
    [400, `${BR}message thread not found`, {}, { kind: 'thread-gone' }],
    [400, `${BR}TOPIC_CLOSED`, {}, { kind: 'thread-gone' }],
    [400, `${BR}chat not found`, {}, { kind: 'chat-gone' }],
    [403, `${F}bot was blocked by the user`, {}, { kind: 'chat-gone' }],
    [403, `${F}user is deactivated`, {}, { kind: 'chat-gone' }],
    [403, `${F}bot can't initiate conversation with a user`, {}, { kind: 'chat-gone' }],
    [403, `${F}bot was kicked from the supergroup chat`, {}, { kind: 'chat-gone' }],
    [403, `${F}bot is not a member of the supergroup chat`, {}, { kind: 'chat-gone' }],
    [403, `${F}the group chat was deleted`, {}, { kind: 'chat-gone' }],
    [400, `${BR}not enough rights to send text messages to the chat`, {}, { kind: 'chat-gone' }],
    [
      400,
      `${BR}group chat was upgraded to a supergroup chat`,
      { migrate_to_chat_id: -1001 },
      { kind: 'migrated', to: -1001 },
    ],
    [400, `${BR}there is no caption in the message to edit`, {}, { kind: 'message-gone' }],
    [400, `${BR}message caption is too long`, {}, { kind: 'picture' }],
    [400, `${BR}PHOTO_INVALID_DIMENSIONS`, {}, { kind: 'picture' }],
    [400, `${BR}IMAGE_PROCESS_FAILED`, {}, { kind: 'picture' }],
    [400, `${BR}not enough rights to send photos to the chat`, {}, { kind: 'picture' }],
    [413, 'Request Entity Too Large', {}, { kind: 'picture' }],
    [400, `${BR}message is too long`, {}, { kind: 'too-long' }],
    [400, `${BR}text is too long`, {}, { kind: 'too-long' }],
    [400, `${BR}reply markup is too long`, {}, { kind: 'too-long' }],
    [400, `${BR}can't parse entities: Unsupported start tag "x" at byte offset 3`, {}, { kind: 'entities' }],
    [
      400,
      `${BR}entity beginning at UTF-16 offset 3 ends after the end of the text at UTF-16 offset 9`,
      {},
      { kind: 'entities' },
    ],
    [400, `${BR}BUTTON_DATA_INVALID`, {}, { kind: 'entities' }],
    [400, `${BR}can't parse inline keyboard button: invalid button style specified`, {}, { kind: 'entities' }],
    [400, `${BR}inline keyboard button URL 'http://x' is invalid: Wrong HTTP URL`, {}, { kind: 'entities' }],
    [401, 'Unauthorized', {}, { kind: 'unauthorized' }],
    [404, 'Not Found', {}, { kind: 'unauthorized' }],
    [502, 'Bad Gateway', {}, { kind: 'unknown' }],
    [400, `${BR}something new`, {}, { kind: 'refused' }],
  ])('%i %s', (code, description, parameters, meaning) => {
    expect(classify(answer(code, description, parameters))).toMatchObject(meaning);
  });

  it.each([
    ['ECONNRESET', 'unknown'],
    ['ETIMEDOUT', 'unknown'],
    ['ECONNREFUSED', 'unsent'],
    ['ENOTFOUND', 'unsent'],
  ])('a network error %s is %s', (code, kind) => {
    const cause = Object.assign(new Error('request to https://api.telegram.org/bot123:SECRET/sendMessage failed'), {
      code,
    });
    expect(classify(new HttpError('Network request failed', cause))).toEqual({ kind, reason: code });
  });

  it('an answer that is not JSON leaves it unknown', () => {
    const cause = Object.assign(new Error('invalid json'), { type: 'invalid-json' });
    expect(classify(new HttpError('Network request failed', cause))).toEqual({
      kind: 'unknown',
      reason: 'invalid-json',
    });
  });

  it('keeps the token and the payload out of the log', () => {
    const cause = new Error('request to https://api.telegram.org/bot123:SECRET/sendMessage failed');
    expect(JSON.stringify(loggable(new HttpError('Network request failed', cause)))).not.toContain('SECRET');
    expect(JSON.stringify(loggable(answer(400, 'x')))).not.toContain('secret');
  });
});
