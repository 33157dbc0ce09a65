import { describe, expect, test } from 'vitest';
import { wantCard } from '../../../src/store/cards.ts';
import {
  claimDue,
  enqueue,
  expiredLeases,
  outboxRow,
  perhapsSent,
  retryAt,
  settleFailed,
  settleSent,
  shortenLeases,
} from '../../../src/store/outbox.ts';
import { postpone } from '../../../src/store/outbox-postpone.ts';
import { storeForTest } from '../../support/store.ts';

const T0 = new Date('2026-03-01T10:00:00Z');
const later = (seconds: number) => new Date(T0.getTime() + seconds * 1000);
const WISH = { kind: 'board', ref: '1', chat: -1001, priority: 0 };
const REPEAT = 'next: repeat; ECONNRESET';

async function claimed() {
  const { db } = await storeForTest();
  const card = await wantCard(db, WISH, T0);
  const claim = async (now: Date) => {
    const [row] = await claimDue(db, { now, leaseMs: 30_000, limit: 1 });
    if (!row) throw new Error('nothing was due');
    return row;
  };
  return { db, card, claim };
}

test('that a message perhaps arrived is not forgotten when its row gives way to a newer one', async () => {
  const { db, claim } = await claimed();
  await retryAt(db, await claim(T0), later(1), REPEAT);
  const again = await claim(later(1));
  await wantCard(db, WISH, later(1));
  expect(await postpone(db, again, later(5))).toBe(true);
  const next = await claim(later(6));
  expect(next.id).not.toBe(again.id);
  expect(next.error).toBe(REPEAT);
});

test('why a message may stand there twice can be read after it was sent', async () => {
  const { db, claim } = await claimed();
  await retryAt(db, await claim(T0), later(1), REPEAT);
  const again = await claim(later(1));
  await settleSent(db, again, later(2), 7);
  expect(await outboxRow(db, again.id)).toMatchObject({ state: 'sent', error: REPEAT });
});

test('a card knows whether a message of its own may have arrived', async () => {
  const { db, card, claim } = await claimed();
  expect(await perhapsSent(db, card.id)).toBe(false);
  await settleFailed(db, await claim(T0), 'unknown', later(1), 'ECONNRESET');
  expect(await perhapsSent(db, card.id)).toBe(true);
});

test('a new leader does not wait long for what its predecessor was sending', async () => {
  const { db, claim } = await claimed();
  const row = await claim(T0);
  await shortenLeases(db, later(4));
  expect(await expiredLeases(db, later(4))).toEqual([]);
  expect(await expiredLeases(db, later(5))).toMatchObject([{ id: row.id }]);
  // Never longer than it was.
  await shortenLeases(db, later(60));
  expect((await outboxRow(db, row.id))?.leaseUntil).toEqual(later(4));
});

describe('a sender that lost its leadership in the middle of a call', () => {
  const PARCEL = { chat: -1001, priority: 0, kind: 'message', body: 'hello' } as const;
  async function twoSenders() {
    const { db } = await storeForTest();
    await enqueue(db, PARCEL, T0);
    const claim = async (now: Date) => {
      const [row] = await claimDue(db, { now, leaseMs: 30_000, limit: 1 });
      if (!row) throw new Error('nothing was due');
      return row;
    };
    const former = await claim(T0);
    // The next leader gives it up for dead.
    expect(await retryAt(db, former, later(5), REPEAT)).toBe(true);
    return { db, former, claim };
  }

  test('says in time that it was sent: it is not sent again', async () => {
    const { db, former } = await twoSenders();
    expect(await settleSent(db, former, later(4), 3)).toEqual({ kept: 3 });
    expect(await claimDue(db, { now: later(5), leaseMs: 1000, limit: 1 })).toEqual([]);
  });

  test('says so after the next one did: the message of the next one stays', async () => {
    const { db, former, claim } = await twoSenders();
    const next = await claim(later(5));
    expect(await settleSent(db, next, later(6), 4)).toEqual({ kept: 4 });
    expect(await settleSent(db, former, later(7), 3)).toEqual({ kept: 4 });
    expect(await outboxRow(db, next.id)).toMatchObject({ state: 'sent', messageId: 4 });
  });

  test('says so while the next one is sending: its message stays, and the next one learns of it', async () => {
    const { db, former, claim } = await twoSenders();
    const next = await claim(later(5));
    expect(await settleSent(db, former, later(6), 3)).toEqual({ kept: 3 });
    expect(await outboxRow(db, next.id)).toMatchObject({ state: 'sending' });
    expect(await settleSent(db, next, later(7), 4)).toEqual({ kept: 3 });
    expect(await outboxRow(db, next.id)).toMatchObject({ state: 'sent', messageId: 3 });
  });

  test('has no say in a row that somebody else is sending: neither to put it back nor to give it up', async () => {
    const { db, former, claim } = await twoSenders();
    const next = await claim(later(5));
    expect(await retryAt(db, former, later(6), '502')).toBe(false);
    expect(await postpone(db, former, later(6))).toBe(false);
    expect(await settleFailed(db, former, 'failed', later(6), 'refused')).toBe(false);
    expect(await outboxRow(db, next.id)).toMatchObject({ state: 'sending', attempts: 2 });
  });

  test('leaves a failure of the next one without effect, when its own message has arrived', async () => {
    const { db, former, claim } = await twoSenders();
    const next = await claim(later(5));
    await settleSent(db, former, later(6), 3);
    await settleFailed(db, next, 'failed', later(7), 'refused');
    expect(await outboxRow(db, next.id)).toMatchObject({ state: 'sent', messageId: 3 });
  });

  test('does not settle a row of a card that waits for something newer', async () => {
    const { db, claim } = await claimed();
    const former = await claim(T0);
    await retryAt(db, former, later(5), REPEAT);
    await wantCard(db, WISH, later(2));
    await settleSent(db, former, later(3), 3);
    expect(await outboxRow(db, former.id)).toMatchObject({ state: 'queued' });
  });
});
