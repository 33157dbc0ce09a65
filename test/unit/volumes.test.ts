import { describe, expect, it } from 'vitest';
import { days, hours } from '../../src/core/clock.ts';
import type { Snapshot } from '../../src/integrations/restic/port.ts';
import { nextPart, withCheck } from '../../src/tasks/volumes/memory.ts';
import { volumeState } from '../../src/tasks/volumes/state.ts';
import { gigabytes } from '../../src/tasks/volumes/words.ts';

const now = new Date('2026-11-24T09:00:00Z');
const ago = (ms: number): Date => new Date(now.getTime() - ms);
const snapshot = (ms: number): Snapshot => ({
  id: 'a'.repeat(64),
  shortId: 'aaaaaaaa',
  at: ago(ms),
  tree: 't',
  host: 'docker',
  paths: ['/etc'],
  tags: ['vakhta', 'volume=etc'],
});
const state = (own: readonly Snapshot[], more: Parameters<typeof volumeState>[1] = {}) =>
  volumeState({ target: 'volume:etc', maxAgeMs: hours(26), own, locks: [], now }, more);

describe('how the snapshots of a volume stand', () => {
  it('none at all is down', () => {
    expect(state([])).toMatchObject({ state: 'down', line: { key: 'volume-state-none' }, count: 0 });
  });

  it('tells age, window, and what would be lost', () => {
    expect(state([snapshot(days(3)), snapshot(hours(5))])).toMatchObject({
      state: 'ok',
      line: { args: { hours: 5 } },
      rpoMs: hours(5),
      window: { from: ago(days(3)), to: ago(hours(5)) },
      count: 2,
    });
  });

  it('too old, and without some files, are warnings', () => {
    expect(state([snapshot(hours(27))])).toMatchObject({ state: 'warn', line: { key: 'volume-state-old' } });
    expect(state([snapshot(hours(1))], { skipped: 2 })).toMatchObject({
      state: 'warn',
      line: { key: 'volume-state-amber' },
      backups: [{ error: true }],
    });
  });

  it('a lock is told with who holds it', () => {
    const lock = { id: 'l', at: ago(hours(2)), exclusive: true, host: 'nas', user: 'root', pid: 7 };
    const seen = volumeState(
      { target: 'volume:etc', maxAgeMs: hours(26), own: [snapshot(hours(1))], locks: [lock], now },
      {},
    );
    expect(seen.notes).toEqual([
      { key: 'volume-state-locked', args: { host: 'nas', pid: '7', minutes: 120, kind: 'exclusive' } },
    ]);
  });

  it.each([
    [{ of: 2, read: {} }, 'never'],
    [{ of: 2, read: { 1: ago(days(1)) } }, 'never'],
    [{ of: 2, read: { 1: ago(days(9)) } }, 'old'],
    [{ of: 2, read: { 1: ago(days(1)), 2: ago(days(6)) } }, 'ok'],
    [{ of: 2, read: { 1: ago(days(1)), 2: ago(days(9)) } }, 'old'],
    [{ of: 2, read: { 1: ago(days(1)), 2: ago(days(1)) }, failedAt: ago(hours(1)) }, 'failed'],
  ])('of what was read %j within a week: %s', (checks, verified) => {
    expect(state([snapshot(hours(1))], { checks, maxCheckMs: days(7) }).verified?.state).toBe(verified);
  });
});

describe('the share that is read next', () => {
  it.each([
    [{ of: 3, read: {} }, 1],
    [{ of: 3, read: { 1: ago(1), 2: ago(2) } }, 3],
    [{ of: 3, read: { 1: ago(1), 2: ago(5), 3: ago(3) } }, 2],
  ])('after %j is %i', (checks, part) => {
    expect(nextPart(checks)).toBe(part);
  });
});

describe('damage that a check has found', () => {
  const good = { of: 3, read: { 1: ago(days(3)), 2: ago(days(2)), 3: ago(days(1)) } };
  const damaged = withCheck(good, 1, false, ago(hours(3)));

  it('is looked at again first, and is gone when the same share is good', () => {
    expect(damaged).toMatchObject({ failedAt: ago(hours(3)), failedShare: '1/3' });
    expect(nextPart(damaged)).toBe(1);
    expect(withCheck(damaged, 1, true, now)).toEqual({ of: 3, read: { ...good.read, 1: now } });
  });

  it('stays known when another share is good', () => {
    expect(withCheck(damaged, 2, true, now)).toMatchObject({ failedAt: ago(hours(3)), failedShare: '1/3' });
  });

  it('stays known after a change of the number of shares until all have been read', () => {
    const changed = { ...damaged, of: 2, read: {} };
    const half = withCheck(changed, 1, true, ago(hours(2)));
    expect(half).toMatchObject({ failedAt: ago(hours(3)) });
    expect(withCheck(half, 2, true, now)).toEqual({ of: 2, read: { 1: ago(hours(2)), 2: now } });
  });

  it('in two places is not gone when one of them is good', () => {
    const both = withCheck({ ...damaged, of: 2, read: {} }, 1, false, ago(hours(2)));
    const one = withCheck(both, 1, true, ago(hours(1)));
    expect(one).toMatchObject({ failedAt: ago(hours(2)) });
    expect(withCheck(one, 2, true, now).failedAt).toBeUndefined();
  });
});

it('gigabytes are decimal, with as many digits as tell something', () => {
  expect([5e6, 250e6, 1.26e9, 34.6e9].map(gigabytes)).toEqual(['0.005', '0.3', '1.3', '35']);
});
