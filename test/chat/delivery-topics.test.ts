import { describe, expect, it } from 'vitest';
import { DBA, isDone, LIMITS, OPS, openSenders, PACE, refused, type Senders } from './support/senders.ts';

const topicsOf = (senders: Senders) =>
  (senders.telegram.cast.world().chats.find((one) => one.id === OPS)?.topics ?? []).map(({ name, thread_id }) => ({
    name,
    thread: thread_id,
  }));
const created = (senders: Senders) =>
  senders.telegram.state.calls.filter(({ method, outcome }) => method === 'createForumTopic' && outcome === 200).length;
const cards = (senders: Senders, chat = OPS) => senders.messages(chat).filter(({ text }) => text !== undefined);

describe('a card that belongs to a topic by name', () => {
  it('makes the topic when there is none, within the budget; others of that name go there too', async () => {
    const senders = await openSenders({ topics: { alerts: 77 }, limits: LIMITS, pace: PACE });
    senders.sender();
    await senders.want('1', { topic: ' postgres\nmain ' });
    await senders.want('2', { topic: 'postgres\nmain' });
    await senders.want('3', { topic: 'alerts' });
    await senders.until(() => isDone(senders));
    const made = topicsOf(senders).find(({ name }) => name === 'postgres ⏎ main');
    expect(topicsOf(senders).map(({ name }) => name)).toEqual(['alerts', 'postgres ⏎ main']);
    expect(cards(senders).map(({ message_thread_id }) => message_thread_id)).toEqual([made?.thread, made?.thread, 77]);
    expect(refused(senders)).toEqual([]);
  });

  it('makes it again when it was deleted', async () => {
    const senders = await openSenders({ topics: {} });
    senders.sender();
    for (const ref of ['1', '2', '3']) {
      await senders.want(ref, { topic: 'postgres' });
      await senders.until(() => isDone(senders));
      const [topic] = topicsOf(senders);
      expect(cards(senders).at(-1)).toMatchObject({ message_thread_id: topic?.thread });
      await senders.telegram.cast.admin({ action: 'delete_topic', chat: OPS, thread_id: topic?.thread ?? 0 });
    }
    expect(created(senders)).toBe(3);
  });

  it('goes to General with a note when it may not be made, and does not ask again for each card', async () => {
    const senders = await openSenders({ topics: {} });
    senders.sender();
    senders.telegram.faults.next(
      'createForumTopic',
      { error_code: 400, description: 'Bad Request: not enough rights to create a topic' },
      { times: 5 },
    );
    await senders.want('1', { topic: 'postgres' });
    await senders.want('2', { topic: 'postgres' });
    await senders.until(() => isDone(senders));
    expect(cards(senders).map(({ text }) => text)).toEqual([
      '🔴 CRITICAL · 1\nI could not make the topic “postgres”; this belongs there.',
      '🔴 CRITICAL · 2\nI could not make the topic “postgres”; this belongs there.',
    ]);
    expect(senders.telegram.state.calls.filter(({ method }) => method === 'createForumTopic')).toHaveLength(1);
  });

  it('in a chat that is no forum goes to the chat, with a note', async () => {
    const senders = await openSenders();
    senders.sender();
    await senders.want('1', { topic: 'postgres', chat: DBA });
    await senders.until(() => isDone(senders));
    expect(cards(senders, DBA)[0]?.text).toContain('“postgres”');
  });

  it('is made once, though the sender that makes it loses its leadership in the middle', async () => {
    const senders = await openSenders({ topics: {} });
    let release = (): void => {};
    const answer = new Promise<void>((resolve) => {
      release = resolve;
    });
    senders.telegram.faults.next('createForumTopic', { answer });
    senders.sender();
    await senders.want('1', { topic: 'postgres' });
    await expect.poll(() => senders.telegram.state.calls.some(({ outcome }) => outcome === 'late')).toBe(true);
    senders.sender();
    await senders.loseLeadership();
    await senders.until(() => senders.logged.some(({ message }) => message === 'a sender stopped while sending'));
    await senders.want('2', { topic: 'postgres' });
    await senders.clock.advance(3000);
    expect(cards(senders)).toEqual([]);
    release();
    await senders.until(() => isDone(senders));
    const [topic] = topicsOf(senders);
    expect(topicsOf(senders)).toHaveLength(1);
    expect(cards(senders).map(({ message_thread_id }) => message_thread_id)).toEqual([topic?.thread, topic?.thread]);
  });

  it('waits as long as Telegram asks when it is made', async () => {
    const senders = await openSenders({ topics: {} });
    senders.sender();
    senders.telegram.faults.next('createForumTopic', { flood: 30 });
    const until = senders.clock.now().getTime() + 30_000;
    await senders.want('1', { topic: 'postgres' });
    await senders.until(() => isDone(senders));
    expect(senders.clock.now().getTime()).toBeGreaterThanOrEqual(until);
    expect(refused(senders)).toHaveLength(1);
    expect(cards(senders)[0]?.message_thread_id).toBe(topicsOf(senders)[0]?.thread);
  });
});
