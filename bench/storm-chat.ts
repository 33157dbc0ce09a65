import type { Message } from '../src/simulators/telegram/index.ts';

export const GROUPS = 200;
export const PER_GROUP = 5;
export const nameOf = (n: number): string => `unit-${String(n).padStart(3, '0')}`;
const isCritical = (name: string): boolean => Number(name.slice(-3)) % 10 === 3;

/** What becomes of the alerts in the end. */
export type Fate = 'firing' | 'resolved';

export interface Seen {
  /** Groups that the chat tells of. */
  readonly groups: number;
  /** Those that it tells of as they end. */
  readonly right: number;
  /** Whether a critical one is named. */
  readonly critical: boolean;
}

const NAME = /unit-\d{3}/gu;

/** What somebody who reads this chat knows. The last message about a group counts, and the newest text of each message. */
export function lookAt(messages: readonly Message[], side: 'program' | 'baseline', fate: Fate): Seen {
  const texts = messages.map(({ text, caption }) => text ?? caption ?? '');
  const critical = texts.some((text) => (text.match(NAME) ?? []).some(isCritical));
  return { critical, ...(side === 'baseline' ? native(texts, fate) : ours(texts, fate)) };
}

/** Each message of the native receiver is about one group, and says what fires and what is resolved. */
function native(texts: readonly string[], fate: Fate): Omit<Seen, 'critical'> {
  const last = new Map<string, string>();
  for (const text of texts) for (const name of new Set(text.match(NAME))) last.set(name, text);
  const right = [...last.values()].filter((text) => text.includes('Alerts Firing') === (fate === 'firing'));
  return { groups: last.size, right: right.length };
}

/**
 * A group has a card of its own, or is counted by the storm card, which lists it on request. The storm card counts those with cards
 * of their own too. Right is a group whose card says so; of those that are counted, as many as the card says are firing or over.
 */
function ours(texts: readonly string[], fate: Fate): Omit<Seen, 'critical'> {
  const own = new Map<string, boolean>();
  let counted = 0;
  let firing = 0;
  for (const text of texts) {
    const head = /^.*\bStorm[^:]*: (?<incidents>\d+) incidents?, \d+ alerts?/u.exec(text)?.groups?.['incidents'];
    if (head === undefined) {
      const name = /Disk of (unit-\d{3}) is full · #\d+/u.exec(text)?.[1];
      if (name !== undefined) own.set(name, /RESOLVED/u.test(text.split('\n')[0] ?? '') === (fate === 'resolved'));
      continue;
    }
    counted += Number(head);
    for (const [, still] of text.matchAll(/· (\d+) still fires?/gu)) firing += Number(still);
    const left = /(\d+) still fires? and ha(?:s|ve) a? ?cards?/u.exec(text)?.[1];
    if (left !== undefined && !/· \d+ still/u.test(text)) firing += Number(left);
  }
  const wrong = [...own.values()].filter((isRight) => !isRight).length;
  const groups = Math.min(GROUPS, Math.max(counted, own.size));
  const countedRight = fate === 'firing' ? firing : counted - firing;
  const right = Math.min(groups, Math.max(countedRight, own.size)) - wrong;
  return { groups, right: Math.max(0, right) };
}
