import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODES, readModes, writeModes } from '../../../src/bot/outbox/modes.ts';
import { afterFailure, type Attempted } from '../../../src/bot/outbox/policy.ts';

const row = (changes: Partial<Attempted> = {}): Attempted => ({
  priority: 1,
  kind: 'message',
  attempts: 1,
  modes: new Set(),
  edit: false,
  ...changes,
});

describe('after a failure', () => {
  it.each([
    ['not modified is success', row({ edit: true }), { kind: 'same' }, { kind: 'done' }],
    ['a flood blocks the chat', row(), { kind: 'flood', retryAfterMs: 7000 }, { kind: 'block', forMs: 7000 }],
    ['a migration moves', row(), { kind: 'migrated', to: -100 }, { kind: 'migrate', to: -100 }],
    ['a lost topic is made again', row(), { kind: 'thread-gone' }, { kind: 'topic' }],
    [
      'bad entities become plain text at once',
      row(),
      { kind: 'entities', reason: 'x' },
      { kind: 'again', delayMs: 0, with: 'plain' },
    ],
    [
      '… but only once',
      row({ modes: new Set(['plain']) }),
      { kind: 'entities', reason: 'x' },
      { kind: 'settle', state: 'failed' },
    ],
    ['too long becomes a document', row(), { kind: 'too-long' }, { kind: 'again', with: 'document' }],
    ['without the message it replied to', row(), { kind: 'reply-gone' }, { kind: 'again', with: 'no-reply' }],
    [
      'a card whose message is gone is made again',
      row({ kind: 'card', edit: true }),
      { kind: 'message-gone' },
      { kind: 'recreate' },
    ],
    [
      'a message to delete that is gone is no loss',
      row({ kind: 'delete' }),
      { kind: 'message-gone' },
      { kind: 'settle', state: 'dropped' },
    ],
    ['a lost chat disables the route', row(), { kind: 'chat-gone', reason: '403' }, { kind: 'disable', reason: '403' }],
    ['a dead token stops everything for a while', row(), { kind: 'unauthorized' }, { kind: 'pause' }],
    ['nobody reached: nothing was sent', row(), { kind: 'unsent', reason: 'ECONNREFUSED' }, { kind: 'pause' }],
    [
      'unknown, critical: again, with a mark',
      row({ priority: 0, attempts: 50 }),
      { kind: 'unknown', reason: 'x' },
      { kind: 'again', with: 'repeat' },
    ],
    [
      'unknown, answer: again, with a mark',
      row({ priority: 1 }),
      { kind: 'unknown', reason: 'x' },
      { kind: 'again', with: 'repeat' },
    ],
    [
      'unknown, answer: not for ever',
      row({ priority: 1, attempts: 12 }),
      { kind: 'unknown', reason: 'x' },
      { kind: 'settle', state: 'unknown' },
    ],
    [
      'unknown, while Telegram is away: again, whatever it is and however often',
      row({ priority: 3, attempts: 50, outage: true }),
      { kind: 'unknown', reason: 'x' },
      { kind: 'again', with: 'repeat' },
    ],
    [
      'a picture that is refused becomes text at once',
      row(),
      { kind: 'picture', reason: 'x' },
      { kind: 'again', delayMs: 0, with: 'no-picture' },
    ],
    [
      'unknown, information: not again',
      row({ priority: 3 }),
      { kind: 'unknown', reason: 'x' },
      { kind: 'settle', state: 'unknown' },
    ],
    [
      'unknown, edit: again without a mark',
      row({ priority: 3, kind: 'card', edit: true }),
      { kind: 'unknown', reason: 'x' },
      { kind: 'again' },
    ],
  ] as const)('%s', (_, attempted, failure, next) => {
    expect(afterFailure(attempted, failure)).toMatchObject(next);
  });

  it('an edit that is repeated carries no mark', () => {
    const next = afterFailure(row({ kind: 'card', edit: true }), { kind: 'unknown', reason: 'x' });
    expect(next).not.toHaveProperty('with');
  });

  it('waits longer from time to time, never more than a minute', () => {
    const delays = [1, 2, 3, 4, 20].map((attempts) => {
      const next = afterFailure(row({ priority: 0, attempts }), { kind: 'unknown', reason: 'x' });
      return next.kind === 'again' ? next.delayMs : undefined;
    });
    expect(delays).toEqual([1000, 2000, 4000, 8000, 60_000]);
  });
});

describe('what the next attempt does differently', () => {
  it('is read back as it was written, whatever the reason says', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...MODES)), fc.string(), (modes, reason) => {
        expect([...readModes(writeModes(new Set(modes), reason))].toSorted()).toEqual([...modes].toSorted());
      }),
    );
    expect(readModes('400 Bad Request')).toEqual(new Set());
    expect(readModes(undefined)).toEqual(new Set());
  });
});
