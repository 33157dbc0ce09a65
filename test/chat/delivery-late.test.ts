import { describe, expect, it } from 'vitest';
import { card as findCard } from '../../src/store/cards.ts';
import { enqueue, outboxRow } from '../../src/store/outbox.ts';
import { isDone, OPS, openSenders, type Senders } from './support/senders.ts';

/** An answer that comes when the test says so. */
function held() {
  let release = (): void => {};
  const answer = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { answer, release: () => release() };
}

const message = (text: string) => ({
  chat: OPS,
  priority: 0,
  kind: 'message' as const,
  body: { text, plain: text, entities: [], keyboard: [], files: [] },
});

/** A call of the first sender is under way when its leadership is lost, and a second one leads. */
async function twoLeaders(senders: Senders): Promise<void> {
  await senders.until(() => senders.telegram.state.calls.some((call) => call.outcome === 'late'));
  senders.sender();
  await senders.loseLeadership();
}

describe('a sender that lost its leadership in the middle of a call', () => {
  it('answers after the next one has sent the card again: its message goes, the newer one stays and follows the state', async () => {
    const senders = await openSenders();
    const late = held();
    senders.telegram.faults.next('sendMessage', { answer: late.answer });
    senders.sender();
    senders.draws('7', 'firing');
    const { id } = await senders.want('7');
    await twoLeaders(senders);
    await senders.until(() => senders.messages().length === 2);
    await senders.until(() => isDone(senders));
    const [former, newer] = senders.messages();
    expect(newer?.text).toContain('↻ Perhaps sent twice');
    late.release();
    await senders.until(() => senders.messages().length === 1);
    expect((await findCard(senders.store.db, id))?.messageId).toBe(newer?.message_id);
    expect(senders.messages()[0]?.message_id).not.toBe(former?.message_id);
    senders.draws('7', 'all is well');
    await senders.touch('7');
    await senders.until(() => senders.lines()[0]?.includes('all is well'));
    expect(senders.messages()).toHaveLength(1);
  });

  it('answers while the next one is sending the card: one message stays, and shows the newest state', async () => {
    const senders = await openSenders();
    const [first, second] = [held(), held()];
    senders.telegram.faults.next('sendMessage', { answer: first.answer });
    senders.telegram.faults.next('sendMessage', { answer: second.answer });
    senders.sender();
    senders.draws('7', 'firing');
    const { id } = await senders.want('7');
    await twoLeaders(senders);
    senders.draws('7', 'worse');
    await senders.touch('7');
    await senders.until(() => senders.messages().length === 2);
    first.release();
    await senders.until(async () => (await findCard(senders.store.db, id))?.messageId !== undefined);
    second.release();
    await senders.until(() => senders.messages().length === 1 && senders.lines()[0]?.includes('worse'));
    expect((await findCard(senders.store.db, id))?.messageId).toBe(senders.messages()[0]?.message_id);
  });

  it('answers before the next one has begun: nothing is sent again', async () => {
    const senders = await openSenders();
    const late = held();
    senders.telegram.faults.next('sendMessage', { answer: late.answer });
    senders.sender();
    const { id } = await senders.want('7');
    await twoLeaders(senders);
    late.release();
    // No time passes meanwhile, so that nobody gives the first sender up.
    await expect.poll(async () => (await findCard(senders.store.db, id))?.messageId).toBeDefined();
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toHaveLength(1);
    expect(senders.messages()[0]?.text).not.toContain('↻');
  });

  it('edits with an old drawing after the next one with a new one: the card is drawn once more', async () => {
    const senders = await openSenders();
    senders.sender();
    senders.draws('7', 'first');
    await senders.want('7');
    await senders.until(() => senders.messages().length === 1);
    await senders.until(() => isDone(senders));
    const [late, applied] = [held(), held()];
    senders.telegram.faults.next('editMessageText', { before: applied.answer, answer: late.answer });
    senders.draws('7', 'second');
    await senders.touch('7');
    await twoLeaders(senders);
    senders.draws('7', 'third');
    await senders.touch('7');
    await senders.until(() => senders.lines()[0]?.includes('third'));
    await senders.until(() => isDone(senders));
    applied.release();
    await senders.until(() => senders.lines()[0]?.includes('second'));
    late.release();
    await senders.until(() => senders.lines()[0]?.includes('third'));
    expect(senders.messages()).toHaveLength(1);
  });

  it.each([
    ['after the next one', 'late'],
    ['while the next one is sending', 'between'],
  ])('answers %s for a message that is no card: one of them stays', async (_, order) => {
    const senders = await openSenders();
    const [first, second] = [held(), held()];
    senders.telegram.faults.next('sendMessage', { answer: first.answer });
    senders.telegram.faults.next('sendMessage', { answer: second.answer });
    senders.sender();
    const id = await enqueue(senders.store.db, message('hello'), senders.clock.now());
    await twoLeaders(senders);
    await senders.until(() => senders.messages().length === 2);
    if (order === 'late') {
      second.release();
      await senders.until(() => isDone(senders));
      first.release();
    } else {
      first.release();
      await senders.until(async () => (await outboxRow(senders.store.db, id!))?.messageId !== undefined);
      second.release();
    }
    await senders.until(() => senders.messages().length === 1);
    await senders.until(() => isDone(senders));
    const row = await outboxRow(senders.store.db, id!);
    expect(row).toMatchObject({ state: 'sent', messageId: senders.messages()[0]?.message_id });
    expect(senders.messages()).toHaveLength(1);
  });

  it('leaves a message that is too old to be deleted with a word instead of buttons', async () => {
    const senders = await openSenders();
    const late = held();
    senders.telegram.faults.next('sendMessage', { answer: late.answer });
    senders.telegram.faults.next('deleteMessage', {
      error_code: 400,
      description: "Bad Request: message can't be deleted",
    });
    senders.sender();
    await senders.want('7');
    await twoLeaders(senders);
    await senders.until(() => senders.messages().length === 2);
    await senders.until(() => isDone(senders));
    late.release();
    await senders.until(() => senders.lines()[0] === '↓ A newer message stands for this one.');
    expect(senders.lines()[1]).toContain('7');
  });
});
