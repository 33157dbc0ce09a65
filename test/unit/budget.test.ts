import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Limits, nextFrame, PRIORITY, rateWindow, recentSends } from '../../src/core/budget.ts';

const DEFAULTS: Limits = { perGroupPerMinute: 20, perChatPerSecond: 1, overallPerSecond: 30 };

/** Sends as fast as allowed, from `arrivals`; gives the instants of each chat and all of them. */
function simulate(
  limits: Limits,
  arrivals: readonly { chat: number; group: boolean; priority: number; after: number }[],
) {
  const chats = new Map<number, number[]>();
  const overall: number[] = [];
  let now = 1_000_000;
  for (const { chat, group, priority, after } of arrivals) {
    now += after;
    const sends = chats.get(chat) ?? [];
    chats.set(chat, sends);
    let tries = 0;
    for (;;) {
      const decision = decide(now, limits, { group, sends }, overall, priority);
      if (decision.kind === 'send') break;
      expect(decision.until).toBeGreaterThan(now);
      now = decision.until;
      // Waiting until the told instant may uncover another window, but only finitely often.
      expect(++tries).toBeLessThan(10);
    }
    sends.push(now);
    overall.push(now);
  }
  return { chats, overall };
}

const most = (instants: readonly number[], ms: number): number =>
  Math.max(0, ...instants.map((start) => instants.filter((at) => at >= start && at < start + ms).length));

const arrival = fc.record({
  chat: fc.integer({ min: 1, max: 3 }),
  group: fc.constant(true),
  priority: fc.integer({ min: 0, max: 3 }),
  after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4000 })),
});

describe('the budget of a chat', () => {
  it('never lets any window hold more than its limit', () => {
    const limits = fc.record({
      perGroupPerMinute: fc.integer({ min: 1, max: 25 }),
      perChatPerSecond: fc.constantFrom(0.25, 0.5, 1, 2.5, 5),
      overallPerSecond: fc.constantFrom(1, 3, 30),
    });
    fc.assert(
      fc.property(limits, fc.array(arrival, { maxLength: 120 }), (given, arrivals) => {
        const { chats, overall } = simulate(given, arrivals);
        const [perChat, chatMs] = rateWindow(given.perChatPerSecond);
        const [all, allMs] = rateWindow(given.overallPerSecond);
        expect(most(overall, allMs)).toBeLessThanOrEqual(all);
        for (const sends of chats.values()) {
          expect(most(sends, 60_000)).toBeLessThanOrEqual(given.perGroupPerMinute);
          expect(most(sends, chatMs)).toBeLessThanOrEqual(perChat);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the last places of a minute for critical messages', () => {
    const sends = Array.from({ length: 17 }, (_, i) => i * 1000);
    const chat = { group: true, sends };
    expect(decide(20_000, DEFAULTS, chat, [], PRIORITY.warning)).toEqual({ kind: 'wait', until: 60_000 });
    expect(decide(20_000, DEFAULTS, chat, [], PRIORITY.critical)).toEqual({ kind: 'send' });
    const full = { group: true, sends: Array.from({ length: 20 }, (_, i) => i * 1000) };
    expect(decide(20_000, DEFAULTS, full, [], PRIORITY.critical)).toEqual({ kind: 'wait', until: 60_000 });
  });

  it('has no minute limit in a private chat', () => {
    const sends = Array.from({ length: 40 }, (_, i) => i * 1000);
    expect(decide(40_000, DEFAULTS, { group: false, sends }, [], PRIORITY.warning)).toEqual({ kind: 'send' });
  });

  it('never sends before a 429 has run out, however critical', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 100_000 }), (now, blockedUntil) => {
        const decision = decide(now, DEFAULTS, { group: true, sends: [], blockedUntil }, [], PRIORITY.critical);
        expect(decision).toEqual(blockedUntil > now ? { kind: 'wait', until: blockedUntil } : { kind: 'send' });
      }),
    );
  });

  it('forgets what is older than a minute', () => {
    expect(recentSends([1, 30_000, 61_000], 61_000)).toEqual([30_000, 61_000]);
  });
});

describe('pacing of a card', () => {
  it('draws in a group at 0, 3 and 8 seconds, then every 12', () => {
    const frames = [0];
    for (let i = 0; i < 4; i++) frames.push(nextFrame({ group: true, firstAt: 0, lastAt: frames.at(-1) ?? 0 }));
    expect(frames).toEqual([0, 3000, 8000, 20_000, 32_000]);
  });

  it('draws in a private chat every two seconds', () => {
    expect(nextFrame({ group: false, firstAt: 0, lastAt: 10_000 })).toBe(12_000);
  });
});
