/**
 * How fast Telegram may be written to. Sends and edits count alike; answers to button presses are free.
 * Pure: instants in, a decision out; the outbox keeps the instants.
 */
export interface Limits {
  /** Messages to one group within any 60 s. */
  readonly perGroupPerMinute: number;
  /** Messages to one chat within a second; may be less than one. */
  readonly perChatPerSecond: number;
  readonly overallPerSecond: number;
}

/** Urgency of what is sent, as stored: smaller goes first. */
export const PRIORITY = { critical: 0, answer: 1, warning: 2, information: 3 } as const;

/** Part of a group's minute that only critical messages may use, so that a chatty job cannot delay a page. */
const RESERVE = 3;
const MINUTE = 60_000;

export interface ChatBudget {
  readonly group: boolean;
  /** Instants (ms) of sends and edits in this chat, in any order; those older than a minute do not matter. */
  readonly sends: readonly number[];
  /** Telegram answered 429: nothing before this instant. */
  readonly blockedUntil?: number;
}

export type Decision = { readonly kind: 'send' } | { readonly kind: 'wait'; readonly until: number };

/**
 * May a message go now, or when at the earliest? The answer "send" keeps every window: no more than the limit within any
 * stretch of that length.
 */
export function decide(
  now: number,
  limits: Limits,
  chat: ChatBudget,
  overall: readonly number[],
  priority: number,
): Decision {
  const spared = priority === PRIORITY.critical ? 0 : Math.min(RESERVE, Math.floor(limits.perGroupPerMinute / 4));
  const until = Math.max(
    chat.blockedUntil ?? 0,
    chat.group ? freeAt(now, chat.sends, limits.perGroupPerMinute - spared, MINUTE) : 0,
    freeAt(now, chat.sends, ...rateWindow(limits.perChatPerSecond)),
    freeAt(now, overall, ...rateWindow(limits.overallPerSecond)),
  );
  return until > now ? { kind: 'wait', until } : { kind: 'send' };
}

/** A rate as "count within ms": 2.5/s is 2 within 0.8 s, 0.5/s is 1 within 2 s. */
export function rateWindow(perSecond: number): [count: number, ms: number] {
  const count = Math.max(1, Math.floor(perSecond));
  return [count, (count / perSecond) * 1000];
}

/** The instant from which one more fits into a window of `ms` that holds `count`; `now` or before when it already does. */
function freeAt(now: number, sends: readonly number[], count: number, ms: number): number {
  const recent = sends.filter((at) => at > now - ms).toSorted((a, b) => b - a);
  const oldestThatCounts = recent[count - 1];
  return oldestThatCounts === undefined ? 0 : oldestThatCounts + ms;
}

/** The instants that still matter at `now`, for keeping. */
export const recentSends = (sends: readonly number[], now: number): number[] => sends.filter((at) => at > now - MINUTE);

export interface Frame {
  readonly group: boolean;
  /** When the card first appeared, and when it was last drawn (ms). */
  readonly firstAt: number;
  readonly lastAt: number;
}

const GROUP_FRAMES = [3_000, 8_000];
const GROUP_INTERVAL = 12_000;
const PRIVATE_INTERVAL = 2_000;

/**
 * When may a card that only makes progress be drawn again? In groups 3 s and 8 s after it appeared, then every 12 s; in
 * private chats every 2 s. A change of state and a person's own press do not ask here.
 */
export function nextFrame({ group, firstAt, lastAt }: Frame): number {
  if (!group) return lastAt + PRIVATE_INTERVAL;
  const planned = GROUP_FRAMES.map((after) => firstAt + after).find((at) => at > lastAt);
  return Math.min(planned ?? Infinity, lastAt + GROUP_INTERVAL);
}
