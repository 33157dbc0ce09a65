import { expect, test } from 'vitest';
import { createManualClock } from '../../support/manual-clock.ts';

test('timers fire in order of time, each at its own instant', async () => {
  const clock = createManualClock('2026-01-05T08:00:00Z');
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name} ${clock.now().toISOString().slice(17, 23)}`);
  clock.after(300, note('c'));
  clock.after(100, note('a'));
  clock.after(100, note('b'));
  clock.after(501, note('never'));
  await clock.advance(500);
  expect(seen).toEqual(['a 00.100', 'b 00.100', 'c 00.300']);
  expect(clock.now().toISOString()).toBe('2026-01-05T08:00:00.500Z');
  expect(clock.pending).toBe(1);
});

test('a loop of sleeps runs all its turns in one advance', async () => {
  const clock = createManualClock();
  let turns = 0;
  const stop = new AbortController();
  const loop = (async () => {
    for (;;) {
      await clock.sleep(1000, stop.signal);
      turns++;
    }
  })();
  await clock.advance(3500);
  expect(turns).toBe(3);
  stop.abort(new Error('enough'));
  await expect(loop).rejects.toThrow('enough');
  expect(clock.pending).toBe(0);
});

test('a cancelled timer does not fire; the clock set back fires nothing and postpones nothing', async () => {
  const clock = createManualClock('2026-01-05T08:00:00Z');
  let fired = 0;
  clock.after(1000, () => fired++)();
  clock.after(1000, () => fired++);
  await clock.set('2026-01-05T07:00:00Z');
  expect(fired).toBe(0);
  await clock.advance(1000);
  expect(fired).toBe(1);
});

test('untilTimers resolves when the code under test sleeps', async () => {
  const clock = createManualClock();
  const waiting = clock.untilTimers();
  const slept = clock.sleep(50);
  await waiting;
  await clock.advance(50);
  await expect(slept).resolves.toBeUndefined();
});
