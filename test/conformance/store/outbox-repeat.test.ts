import { expect, test } from 'vitest';
import { wantCard } from '../../../src/store/cards.ts';
import {
  claimDue,
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
  await retryAt(db, (await claim(T0)).id, later(1), REPEAT);
  const again = await claim(later(1));
  await wantCard(db, WISH, later(1));
  expect(await postpone(db, again.id, later(5))).toBe(true);
  const next = await claim(later(6));
  expect(next.id).not.toBe(again.id);
  expect(next.error).toBe(REPEAT);
});

test('why a message may stand there twice can be read after it was sent', async () => {
  const { db, claim } = await claimed();
  await retryAt(db, (await claim(T0)).id, later(1), REPEAT);
  const again = await claim(later(1));
  await settleSent(db, again.id, later(2), 7);
  expect(await outboxRow(db, again.id)).toMatchObject({ state: 'sent', error: REPEAT });
});

test('a card knows whether a message of its own may have arrived', async () => {
  const { db, card, claim } = await claimed();
  expect(await perhapsSent(db, card.id)).toBe(false);
  await settleFailed(db, (await claim(T0)).id, 'unknown', later(1), 'ECONNRESET');
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
