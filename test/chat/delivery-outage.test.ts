import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../src/core/clock.ts';
import { doc, title } from '../../src/core/doc.ts';
import type { Fault } from '../../src/simulators/telegram/faults.ts';
import { DBA, isDone, isSending, LIMITS, OPS, openSenders, PACE, refused } from './support/senders.ts';

describe('Telegram is away for an hour', { timeout: 180_000 }, () => {
  it.each<[string, Fault]>([
    ['says 502', 'html-502'],
    ['breaks connections', 'reset'],
    ['takes connections and says nothing', 'hang'],
  ])('and %s: everything comes once, as it is now, soon, and says that it is late', async (_, fault) => {
    const senders = await openSenders({ limits: LIMITS, pace: PACE });
    senders.sender();
    await senders.want('before');
    await senders.until(() => senders.messages().length === 1);
    await senders.until(() => isDone(senders));
    senders.telegram.faults.outage(fault);
    if (fault === 'hang') senders.patience(1000);
    const began = senders.clock.now().getTime();
    const refs = ['critical', 'warning', 'info', 'ended'];
    for (const [priority, ref] of [0, 2, 3, 0].entries()) {
      const name = refs[priority] ?? '';
      senders.draws(name, `${name} is firing`);
      await senders.want(name, { priority: ref });
      if (priority > 1) await senders.want(name, { priority: ref, chat: DBA });
    }
    // A call hangs in real time: the clock of the test must not leave it behind.
    await senders.until(() => senders.logged.some(({ message }) => message.includes('everything waits')));
    await senders.until(async () => !(await isSending(senders)));
    await senders.until(() => senders.clock.now().getTime() > began + minutes(30), minutes(1));
    senders.draws('ended', doc(title('resolved', 'ended')));
    senders.draws('before', doc(title('resolved', 'before')));
    for (const ref of ['ended', 'before']) await senders.touch(ref);
    await senders.until(() => senders.clock.now().getTime() > began + minutes(60), minutes(1));
    expect(senders.messages()).toHaveLength(1);
    senders.telegram.faults.clear();
    senders.patience(undefined);
    const over = senders.clock.now().getTime();
    await senders.until(() => senders.messages().length === 5 && senders.messages(DBA).length === 2, 50);
    await senders.until(() => senders.lines()[0]?.includes('RESOLVED · before'), 50);
    expect(senders.clock.now().getTime() - over).toBeLessThan(seconds(30));
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toHaveLength(5);
    expect(senders.messages(DBA)).toHaveLength(2);
    // The most urgent first, and nothing that is over is shown as firing.
    const [, ...late] = senders.messages().map(({ text = '' }) => text.split('\n'));
    const firsts = late.map(([line]) => line);
    expect(new Set(firsts.slice(0, 2))).toEqual(new Set(['🔴 CRITICAL · critical is firing', '🟢 RESOLVED · ended']));
    expect(firsts.slice(2)).toEqual(['🔴 CRITICAL · warning is firing', '🔴 CRITICAL · info is firing']);
    for (const lines of late) {
      expect(lines.join('\n')).toMatch(/⏱ Delayed 1 h \d min: Telegram could not be reached\./);
    }
    expect(refused(senders)).toEqual([]);
  });

  it('is not what one call that breaks means: the others go on, and mere information is not sent twice', async () => {
    const senders = await openSenders();
    senders.sender();
    senders.telegram.faults.next('sendMessage', 'accept-reset', { chat: OPS });
    await senders.want('info', { priority: 3 });
    await senders.want('other', { chat: DBA });
    await senders.until(() => senders.messages(DBA).length === 1);
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toHaveLength(1);
    expect(senders.messages()[0]?.text).not.toContain('⏱');
  });

  it('says on a card that it was late also when it is drawn again, with the same words', async () => {
    const senders = await openSenders();
    await senders.want('7');
    await senders.clock.advance(minutes(47));
    senders.sender();
    await senders.until(() => senders.messages()[0]?.text?.includes('⏱ Delayed 47 min.'));
    await senders.clock.advance(minutes(20));
    senders.draws('7', 'again');
    await senders.touch('7');
    await senders.until(() => senders.lines()[0]?.includes('again'));
    expect(senders.messages()[0]?.text).toContain('⏱ Delayed 47 min.');
  });
});
