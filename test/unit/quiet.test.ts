import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { type QuietHours, quietUntil } from '../../src/core/quiet.ts';

const d = (iso: string) => new Date(iso);
const MINUTE = 60_000;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const night: QuietHours = { from: '22:00', to: '07:00', weekdays: [...WEEKDAYS] };
const berlin = (hours: QuietHours, iso: string) => quietUntil(hours, 'Europe/Berlin', d(iso))?.toISOString();

describe('quiet hours', () => {
  test('from ten to seven, over midnight, by the clock of the person', () => {
    expect(berlin(night, '2026-01-10T20:59:59Z')).toBeUndefined();
    expect(berlin(night, '2026-01-10T21:00:00Z')).toBe('2026-01-11T06:00:00.000Z');
    expect(berlin(night, '2026-01-11T05:59:59Z')).toBe('2026-01-11T06:00:00.000Z');
    expect(berlin(night, '2026-01-11T06:00:00Z')).toBeUndefined();
    expect(quietUntil(night, 'America/New_York', d('2026-01-11T06:00:00Z'))?.toISOString()).toBe(
      '2026-01-11T12:00:00.000Z',
    );
  });

  test('the night in which the clock goes forward is an hour shorter, the one in which it goes back an hour longer', () => {
    const length = (start: string) => (Date.parse(berlin(night, start) ?? '') - Date.parse(start)) / (60 * MINUTE);
    expect(length('2026-03-28T21:00:00Z')).toBe(8);
    expect(length('2026-10-24T20:00:00Z')).toBe(10);
    expect(length('2026-10-25T21:00:00Z')).toBe(9);
  });

  test('an end in the hour that is left out is the moment of the jump; of one that comes twice the first counts', () => {
    const until = { ...night, to: '02:30' };
    expect(berlin(until, '2026-03-28T23:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(berlin(until, '2026-10-24T23:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(berlin(until, '2026-10-25T01:00:00Z')).toBeUndefined();
    // All of it left out: never quiet.
    expect(berlin({ ...night, from: '02:10', to: '02:40' }, '2026-03-29T01:00:00Z')).toBeUndefined();
  });

  test('weekdays are those on which they begin', () => {
    const friday = { ...night, weekdays: ['fri'] as const };
    expect(berlin(friday, '2026-01-10T03:00:00Z')).toBe('2026-01-10T06:00:00.000Z');
    expect(berlin(friday, '2026-01-10T22:00:00Z')).toBeUndefined();
  });

  test('hours that touch each other are one, and all day long comes to an end all the same', () => {
    const weekend: QuietHours = { from: '00:00', to: '00:00', weekdays: ['sat', 'sun'] };
    expect(berlin(weekend, '2026-01-10T12:00:00Z')).toBe('2026-01-11T23:00:00.000Z');
    const always = { ...weekend, weekdays: [...WEEKDAYS] };
    expect(Date.parse(berlin(always, '2026-01-10T12:00:00Z') ?? '')).toBeGreaterThan(
      Date.parse('2026-01-12T00:00:00Z'),
    );
  });
});

/** Zones with their days of change in 2026; Lord Howe moves by half an hour. */
const CHANGES = {
  'Europe/Berlin': ['2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z'],
  'America/New_York': ['2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z'],
  'Australia/Lord_Howe': ['2026-04-04T15:00:00Z', '2026-10-03T15:30:00Z'],
} as const;
const clock = fc
  .integer({ min: 0, max: 24 * 60 - 1 })
  .map((n) => `${String(Math.floor(n / 60)).padStart(2, '0')}:${String(n % 60).padStart(2, '0')}`);
const subject = fc.record({
  hours: fc.record({
    from: clock,
    to: clock,
    weekdays: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
  }),
  place: fc
    .constantFrom(...(Object.keys(CHANGES) as (keyof typeof CHANGES)[]))
    .chain((zone) => fc.record({ zone: fc.constant(zone), change: fc.constantFrom(...CHANGES[zone]) })),
  /** Minutes around the change. */
  offset: fc.integer({ min: -3 * 24 * 60, max: 3 * 24 * 60 }),
});

describe('around every change of the clocks', () => {
  const at = ({ place, offset }: { place: { change: string }; offset: number }) =>
    new Date(Date.parse(place.change) + offset * MINUTE);

  test('the end lies ahead, is the same for the whole stretch, and nobody is quiet at it', () => {
    fc.assert(
      fc.property(subject, fc.double({ min: 0, max: 0.999, noNaN: true }), (one, part) => {
        const now = at(one);
        const end = quietUntil(one.hours, one.place.zone, now);
        if (end === undefined) return;
        expect(end.getTime()).toBeGreaterThan(now.getTime());
        // A chain that goes on for a week and more is cut.
        if (end.getTime() - now.getTime() > 6 * 24 * 60 * MINUTE) return;
        const within = new Date(now.getTime() + Math.floor((end.getTime() - now.getTime()) * part));
        expect(quietUntil(one.hours, one.place.zone, within)).toEqual(end);
        expect(quietUntil(one.hours, one.place.zone, end)).toBeUndefined();
      }),
      { numRuns: 400 },
    );
  });

  test('it is quiet exactly when the clock on the wall says so', () => {
    fc.assert(
      fc.property(subject, (one) => {
        const { hours, place } = one;
        const now = at(one);
        const local = DateTime.fromJSDate(now, { zone: place.zone });
        // In the hours that come twice or are left out, the clock on the wall alone does not say it.
        const isNear = Math.abs(now.getTime() - Date.parse(place.change)) < 2 * 60 * MINUTE;
        if (isNear) return;
        const time = local.toFormat('HH:mm');
        const today = WEEKDAYS[local.weekday - 1] ?? 'mon';
        const yesterday = WEEKDAYS[(local.weekday + 5) % 7] ?? 'mon';
        const begun = (day: (typeof WEEKDAYS)[number]) => hours.weekdays.includes(day);
        const overnight = hours.to <= hours.from;
        const expected = overnight
          ? (begun(today) && time >= hours.from) || (begun(yesterday) && time < hours.to)
          : begun(today) && time >= hours.from && time < hours.to;
        expect(quietUntil(hours, place.zone, now) !== undefined).toBe(expected);
      }),
      { numRuns: 400 },
    );
  });
});
