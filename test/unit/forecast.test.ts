import { describe, expect, it } from 'vitest';
import { days, hours } from '../../src/core/clock.ts';
import { addFill, type Fill, forecastFill } from '../../src/core/forecast.ts';

const START = Date.parse('2026-11-01T00:00:00Z');
const at = (day: number): Date => new Date(START + day * days(1));
const line = (count: number, perDay: number, from = 100, total = 1000): Fill[] =>
  Array.from({ length: count }, (_, i) => ({ at: at(i), used: from + i * perDay, total }));

describe('a forecast of the fill', () => {
  it('is unknown with less than three days, with too few readings, and with none', () => {
    expect(forecastFill([], at(0))).toMatchObject({ state: 'unknown', seenMs: 0, neededMs: days(3) });
    expect(forecastFill(line(3, 10), at(2))).toMatchObject({ state: 'unknown', seenMs: days(2) });
    expect(forecastFill([line(1, 0)[0]!, { at: at(9), used: 900, total: 1000 }], at(9))).toMatchObject({
      state: 'unknown',
    });
  });

  it('carries a straight line on from the newest reading', () => {
    // 130 on the fourth day, 870 left, 10 a day: 87 days.
    expect(forecastFill(line(4, 10), at(3))).toEqual({ state: 'filling', bytesPerDay: 10, fullAt: at(3 + 87) });
  });

  it('takes readings in any order, and none from the future', () => {
    const shuffled = [...line(6, 10)].reverse();
    expect(forecastFill(shuffled, at(3))).toEqual(forecastFill(line(4, 10), at(3)));
  });

  it('of what shrinks or stays is steady', () => {
    expect(forecastFill(line(5, -3), at(4))).toMatchObject({ state: 'steady', bytesPerDay: -3 });
    expect(forecastFill(line(5, 0), at(4))).toMatchObject({ state: 'steady', bytesPerDay: 0 });
    expect(forecastFill(line(5, 0.01, 100, 1e6), at(4))).toMatchObject({ state: 'steady' });
  });

  it('of a saw-tooth (pruned each night) sees the growth beneath it', () => {
    const saw = Array.from({ length: 40 }, (_, i) => ({
      at: new Date(START + i * hours(6)),
      used: 100 + i * 2.5 + (i % 4) * 20,
      total: 1000,
    }));
    const seen = forecastFill(saw, at(10));
    expect(seen.state).toBe('filling');
    expect(seen.state === 'filling' && seen.bytesPerDay).toBeGreaterThan(8);
    expect(seen.state === 'filling' && seen.bytesPerDay).toBeLessThan(13);
  });

  it('that has come true says full, whatever the history', () => {
    expect(forecastFill([{ at: at(0), used: 1000, total: 1000 }], at(0))).toEqual({ state: 'full' });
  });

  it('follows the total when the disk was made larger', () => {
    const grown = line(5, 10).map((one, i) => (i === 4 ? { ...one, total: 2000 } : one));
    expect(forecastFill(grown, at(4))).toMatchObject({ fullAt: at(4 + 186) });
  });
});

describe('the readings', () => {
  it('keep the newest of each span and forget the old', () => {
    let kept: Fill[] = [];
    for (let hour = 0; hour < 24 * 40; hour++) {
      kept = addFill(kept, { at: new Date(START + hours(hour)), used: hour, total: 9999 }, hours(6), days(30));
    }
    expect(kept.length).toBeLessThanOrEqual(121);
    expect(kept.length).toBeGreaterThan(115);
    expect(kept.at(-1)?.used).toBe(24 * 40 - 1);
    expect(kept[0]?.at.getTime()).toBeGreaterThan(START + days(9));
    expect(kept.at(-2)?.used).toBe(24 * 40 - 7);
  });
});
