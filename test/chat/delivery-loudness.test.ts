import { describe, expect, it } from 'vitest';
import { doc, title } from '../../src/core/doc.ts';
import { isDone, openSenders, type Senders, type SendersOptions } from './support/senders.ts';

/** Which of the sends had no sound. */
async function silent(senders: Senders, want: () => Promise<unknown>): Promise<boolean | undefined> {
  await want();
  await senders.until(() => isDone(senders));
  return senders.sent.at(-1)?.disable_notification === true;
}

describe('whether a message is heard', () => {
  it.each<[string, SendersOptions['loudness'], readonly boolean[]]>([
    ['by severity', undefined, [false, false, false, true]],
    ['as configured', { critical: 'sound', warning: 'silent', info: 'sound' }, [false, false, true, false]],
    ['not even criticals', { critical: 'silent' }, [true, false, false, true]],
  ])('is decided %s; an answer is heard', async (_, loudness, expected) => {
    const senders = await openSenders(loudness === undefined ? {} : { loudness });
    senders.sender();
    const heard: (boolean | undefined)[] = [];
    for (const priority of [0, 1, 2, 3]) {
      heard.push(await silent(senders, () => senders.want(`p${priority}`, { priority })));
    }
    expect(heard).toEqual(expected);
  });

  it('may be said for one card; what is over when it first comes wakes nobody', async () => {
    const senders = await openSenders();
    senders.sender();
    expect(await silent(senders, () => senders.want('1', { priority: 0, sound: false }))).toBe(true);
    expect(await silent(senders, () => senders.want('2', { priority: 3, sound: true }))).toBe(false);
    senders.draws('3', doc(title('resolved', 'over')));
    expect(await silent(senders, () => senders.want('3', { priority: 0 }))).toBe(true);
  });
});
