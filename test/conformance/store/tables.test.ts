import { describe, expect, test } from 'vitest';
import * as actions from '../../../src/store/actions.ts';
import { card, cardByMessage, delivered, wantCard } from '../../../src/store/cards.ts';
import * as certificates from '../../../src/store/certificates.ts';
import * as chats from '../../../src/store/chats.ts';
import * as topics from '../../../src/store/topics.ts';
import * as conversations from '../../../src/store/conversations.ts';
import * as inbox from '../../../src/store/inbox.ts';
import { allObservations, observation, observe } from '../../../src/store/observations.ts';
import { claimDue, enqueue } from '../../../src/store/outbox.ts';
import { languages, setLanguage } from '../../../src/store/prefs.ts';
import * as processes from '../../../src/store/processes.ts';
import { useStep } from '../../../src/store/stepup.ts';
import { storeForTest } from '../../support/store.ts';

const T0 = new Date('2026-03-01T10:00:00Z');
const later = (seconds: number) => new Date(T0.getTime() + seconds * 1000);
const GROUP = -100;
const SUPERGROUP = -1_002_147_483_648;

describe('inbox', () => {
  const update = (id: number, key = 'c1') => ({ update_id: id, key, payload: { update_id: id, text: 'а\0б' } });

  test('an update is kept once, in the order of its number, and handled once', async () => {
    const { db } = await storeForTest();
    expect(await inbox.receive(db, [update(3), update(2, 'c2')], T0)).toBe(2);
    expect(await inbox.receive(db, [update(3), update(4)], later(1))).toBe(1);
    expect(await inbox.receive(db, [], later(1))).toBe(0);
    const waiting = await inbox.pending(db, 10);
    expect(waiting.map((row) => row.updateId)).toEqual([2, 3, 4]);
    expect(waiting[0]!.payload).toEqual({ update_id: 2, text: 'а\uFFFDб' });
    expect((await inbox.pending(db, 10, ['c1'])).map((row) => row.updateId)).toEqual([2]);
    const { seq } = waiting[0]!;
    expect(await inbox.attempt(db, seq)).toBe(1);
    expect(await inbox.attempt(db, seq)).toBe(2);
    expect(await inbox.settle(db, seq, 'done', later(2))).toBe(true);
    expect(await inbox.settle(db, seq, 'failed', later(3), 'late')).toBe(false);
    expect(await inbox.backlog(db)).toEqual({ waiting: 2, oldest: T0 });
    expect(await inbox.purge(db, later(2))).toBe(0);
    expect(await inbox.purge(db, later(3))).toBe(1);
    // Forgotten or not: what waits is never purged.
    expect(await inbox.pending(db, 10)).toHaveLength(2);
  });
});

describe('chats', () => {
  test('a block is never shortened; the sends of the last minute are kept', async () => {
    const { db } = await storeForTest();
    await chats.block(db, GROUP, later(30));
    await chats.block(db, GROUP, later(10));
    for (const second of [0, 30, 61]) await chats.recordSend(db, GROUP, later(second));
    const state = (await chats.chatStates(db, [GROUP, -5])).get(GROUP);
    expect(state).toMatchObject({
      blockedUntil: later(30),
      sends: [later(30), later(61)],
      disabledAt: undefined,
      topics: {},
    });
  });

  test('disabled since the first time, until enabled; topics by name', async () => {
    const { db } = await storeForTest();
    await chats.disable(db, GROUP, 'kicked', T0);
    await chats.disable(db, GROUP, 'blocked', later(5));
    await topics.setTopic(db, GROUP, 'alerts', 7);
    await topics.setTopic(db, GROUP, 'digest', 8);
    expect((await chats.chatStates(db)).get(GROUP)).toMatchObject({
      disabledAt: T0,
      disabledReason: 'blocked',
      topics: { alerts: 7, digest: 8 },
    });
    expect(await chats.enable(db, GROUP)).toBe(true);
    expect(await chats.enable(db, GROUP)).toBe(false);
  });

  test('a missing topic is claimed by one at a time; a refusal holds until its end', async () => {
    const { db } = await storeForTest();
    const claim = (seconds: number) => topics.claimTopic(db, GROUP, 'pg', later(seconds), later(seconds + 60));
    const first = await Promise.all([claim(0), claim(0), claim(0)]);
    expect(first.filter(({ kind }) => kind === 'mine')).toHaveLength(1);
    expect(await claim(59)).toEqual({ kind: 'taken', until: later(60) });
    // Whoever had it is gone.
    expect(await claim(60)).toEqual({ kind: 'mine' });
    await topics.refuseTopic(db, GROUP, 'pg', later(3600));
    await topics.releaseTopic(db, GROUP, 'pg');
    expect(await claim(3599)).toEqual({ kind: 'refused' });
    expect(await claim(3600)).toEqual({ kind: 'mine' });
    await topics.setTopic(db, GROUP, 'pg', 9);
    expect(await claim(3601)).toEqual({ kind: 'mine' });
    await topics.forgetTopic(db, GROUP, 'pg', 8);
    expect((await chats.chatStates(db)).get(GROUP)?.topics).toEqual({ pg: 9 });
    await topics.forgetTopic(db, GROUP, 'pg', 9);
    expect((await chats.chatStates(db)).get(GROUP)?.topics).toEqual({});
    expect(await topics.purgeTopicClaims(db, later(3661))).toBe(0);
    expect(await topics.purgeTopicClaims(db, later(3662))).toBe(1);
  });

  test('a group that became a supergroup takes its cards, deliveries and buttons along', async () => {
    const { db } = await storeForTest();
    const moved = await wantCard(db, { kind: 'incident', ref: '1', chat: GROUP, thread: 3, priority: 1 }, T0);
    await delivered(db, moved.id, { rev: 1, hash: 'x', messageId: 10, was: undefined, chat: GROUP }, T0);
    const twice = await wantCard(db, { kind: 'incident', ref: '2', chat: GROUP, priority: 1 }, T0);
    const there = await wantCard(db, { kind: 'incident', ref: '2', chat: SUPERGROUP, priority: 1 }, T0);
    await enqueue(db, { chat: GROUP, priority: 2, kind: 'message', body: 'hello' }, T0);
    await actions.openAction(
      db,
      {
        token: 't',
        press: { kind: 'view', view: 'd' },
        specHash: 'h',
        cardId: moved.id,
        chat: GROUP,
        expiresAt: later(60),
      },
      T0,
    );
    await db.tx((tx) => chats.migrateChat(tx, GROUP, SUPERGROUP, later(1)));
    expect(await card(db, moved.id)).toMatchObject({
      chat: SUPERGROUP,
      thread: undefined,
      messageId: undefined,
      deliveredHash: undefined,
    });
    expect(await card(db, twice.id)).toBeUndefined();
    expect(await card(db, there.id)).toBeDefined();
    expect(await cardByMessage(db, GROUP, 10)).toBeUndefined();
    expect((await actions.findAction(db, 't'))!.chat).toBe(SUPERGROUP);
    expect((await chats.chatStates(db, [GROUP])).get(GROUP)!.migratedTo).toBe(SUPERGROUP);
    const due = await claimDue(db, { now: later(1), leaseMs: 1000, limit: 10 });
    expect(due.length).toBeGreaterThan(0);
    expect(due.every((row) => row.chat === SUPERGROUP)).toBe(true);
  });
});

describe('actions', () => {
  const action = (token: string, over: object = {}) => ({
    token,
    press: { kind: 'operation' as const, operation: 'silence', args: { hours: 4 } },
    specHash: 'silence 4',
    chat: GROUP,
    expiresAt: later(60),
    ...over,
  });

  test('the same button of a card keeps its token while it is open, and lives as long as the newest', async () => {
    const { db } = await storeForTest();
    const { id: cardId } = await wantCard(db, { kind: 'incident', ref: '1', chat: GROUP, priority: 1 }, T0);
    expect(await actions.openAction(db, action('a', { cardId }), T0)).toBe('a');
    expect(await actions.openAction(db, action('b', { cardId, expiresAt: later(90) }), T0)).toBe('a');
    expect(await actions.openAction(db, action('c', { cardId, specHash: 'other' }), T0)).toBe('c');
    expect(await actions.findAction(db, 'a')).toMatchObject({ expiresAt: later(90), press: { args: { hours: 4 } } });
    await actions.claimAction(db, 'a', 'anna', later(1));
    expect(await actions.openAction(db, action('d', { cardId }), T0)).toBe('d');
  });

  test('of many presses at once exactly one wins; the others learn who and what came of it', async () => {
    const { db } = await storeForTest();
    await actions.openAction(db, action('a'), T0);
    const presses = await Promise.all(
      Array.from({ length: 10 }, (_, n) => actions.claimAction(db, 'a', `p${n}`, later(1))),
    );
    const winner = presses.find((press) => press.won);
    expect(presses.filter((press) => press.won)).toHaveLength(1);
    const runId = '01890000-0000-7000-8000-000000000000';
    await actions.linkRun(db, 'a', runId);
    expect(await actions.claimAction(db, 'a', 'late', later(2))).toEqual({
      won: false,
      by: winner?.won ? winner.action.claimedBy : 'nobody',
      at: later(1),
      state: 'claimed',
      runId,
    });
  });

  test('nothing wins after its time, nor with an unknown token', async () => {
    const { db } = await storeForTest();
    await actions.openAction(db, action('a'), T0);
    expect(await actions.claimAction(db, 'a', 'anna', later(60))).toMatchObject({ won: false, state: 'expired' });
    expect(await actions.claimAction(db, 'nope', 'anna', T0)).toEqual({ won: false });
    expect(await actions.expire(db, later(59))).toBe(0);
    expect(await actions.expire(db, later(60))).toBe(1);
    expect(await actions.purge(db, later(61))).toBe(1);
  });

  test('a callback is new once', async () => {
    const { db } = await storeForTest();
    const seen = await Promise.all(Array.from({ length: 5 }, () => actions.seenCallback(db, 'q1', T0)));
    expect(seen.filter(Boolean)).toHaveLength(1);
    expect(await actions.purge(db, later(1))).toBe(1);
  });
});

describe('step-up codes', () => {
  test('a time step is used once, and no older one after it', async () => {
    const { db } = await storeForTest();
    const uses = await Promise.all(Array.from({ length: 5 }, () => useStep(db, 'anna', 100, T0)));
    expect(uses.filter(Boolean)).toHaveLength(1);
    expect(await useStep(db, 'anna', 99, T0)).toBe(false);
    expect(await useStep(db, 'boris', 99, T0)).toBe(true);
    expect(await useStep(db, 'anna', 101, T0)).toBe(true);
  });
});

describe('certificates', () => {
  test('each threshold is announced once a serial; a new certificate begins anew', async () => {
    const { db } = await storeForTest();
    await certificates.upsert(db, 'web', { days: 13 }, 'aa', T0);
    const announce = (serial: string, threshold: number) => certificates.announce(db, 'web', serial, threshold, T0);
    expect([
      await announce('aa', 14),
      await announce('aa', 14),
      await announce('aa', 7),
      await announce('aa', 14),
    ]).toEqual([true, false, true, false]);
    await certificates.upsert(db, 'web', { error: 'refused' }, undefined, later(1));
    expect(await announce('aa', 7)).toBe(false);
    await certificates.upsert(db, 'web', { days: 90 }, 'bb', later(2));
    expect(await announce('aa', 3)).toBe(false);
    expect(await announce('bb', 30)).toBe(true);
    expect(await certificates.list(db)).toMatchObject([
      { endpoint: 'web', serial: 'bb', announced: 30, checkedAt: later(2) },
    ]);
  });
});

describe('the small tables', () => {
  test('an observation is replaced by a newer one only', async () => {
    const { db } = await storeForTest();
    await observe(db, 'pve', true, { nodes: 1 }, later(5));
    await observe(db, 'pve', false, { late: true }, T0);
    expect(await observation(db, 'pve')).toEqual({ source: 'pve', at: later(5), ok: true, data: { nodes: 1 } });
    await observe(db, 'pve', false, null, later(6));
    expect(await allObservations(db)).toEqual([{ source: 'pve', at: later(6), ok: false, data: null }]);
    expect(await observation(db, 'other')).toBeUndefined();
  });

  test('conversations, preferences, processes', async () => {
    const { db } = await storeForTest();
    await conversations.set(db, '1:0:2', { step: 1 }, T0);
    await conversations.set(db, '1:0:2', { step: 2 }, later(1));
    expect(await conversations.get(db, '1:0:2')).toEqual({ step: 2 });
    expect(await conversations.remove(db, '1:0:2')).toBe(true);
    expect(await conversations.remove(db, '1:0:2')).toBe(false);
    expect(await conversations.get(db, '1:0:2')).toBeUndefined();
    await conversations.set(db, 'old', {}, T0);
    expect(await conversations.purge(db, later(1))).toBe(1);

    await setLanguage(db, 'anna', 'en', T0);
    await setLanguage(db, 'anna', 'ru', T0);
    expect(await languages(db)).toEqual(new Map([['anna', 'ru']]));

    const me = { id: 'p1', role: 'bot', version: '0.1.0' };
    await processes.heartbeat(db, me, T0);
    await processes.heartbeat(db, me, later(10));
    expect(await processes.processes(db, later(10))).toEqual([{ ...me, startedAt: T0, seenAt: later(10) }]);
    expect(await processes.processes(db, later(11))).toEqual([]);
    await processes.leave(db, 'p1');
    expect(await processes.purge(db, later(99))).toBe(0);
  });
});
