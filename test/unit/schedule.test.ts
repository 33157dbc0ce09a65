import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { VakhtaError } from '../../src/core/error.ts';
import { checkSchedule, decide, dueBetween, type ScheduleSpec } from '../../src/core/schedule.ts';

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Europe/Moscow'];
const d = (iso: string) => new Date(iso);
const due = (spec: ScheduleSpec, from: string, to: string) =>
  dueBetween(spec, d(from), d(to)).map((one) => one.toISOString());

describe('due times', () => {
  test('a time of day holds on its weekdays, by the wall clock', () => {
    const spec: ScheduleSpec = { zone: 'Europe/Moscow', at: '08:30', weekdays: ['mon', 'sun'] };
    expect(due(spec, '2026-03-01T00:00:00Z', '2026-03-09T00:00:00Z')).toEqual([
      '2026-03-01T05:30:00.000Z',
      '2026-03-02T05:30:00.000Z',
      '2026-03-08T05:30:00.000Z',
    ]);
  });

  test('the beginning is exclusive, the end inclusive', () => {
    const spec: ScheduleSpec = { zone: 'UTC', cron: '0 9 * * *' };
    expect(due(spec, '2026-03-01T09:00:00Z', '2026-03-02T09:00:00Z')).toEqual(['2026-03-02T09:00:00.000Z']);
    expect(due(spec, '2026-03-02T09:00:00Z', '2026-03-02T09:00:00Z')).toEqual([]);
  });

  test('a time that the jump leaves out is due at the jump', () => {
    const berlin = { zone: 'Europe/Berlin', at: '02:30' };
    expect(due(berlin, '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    // Half an hour, on an island.
    expect(
      due({ zone: 'Australia/Lord_Howe', cron: '10 2 * * *' }, '2026-10-03T00:00:00Z', '2026-10-04T00:00:00Z'),
    ).toEqual(['2026-10-03T15:30:00.000Z']);
  });

  test('a time that comes twice is due at the first', () => {
    expect(due({ zone: 'America/New_York', at: '01:30' }, '2026-11-01T00:00:00Z', '2026-11-02T12:00:00Z')).toEqual([
      '2026-11-01T05:30:00.000Z',
      '2026-11-02T06:30:00.000Z',
    ]);
  });

  test('what is due in every hour follows the hours that pass', () => {
    const spec: ScheduleSpec = { zone: 'Europe/Berlin', cron: '15 * * * *' };
    expect(due(spec, '2026-10-24T23:30:00Z', '2026-10-25T02:30:00Z')).toEqual([
      '2026-10-25T00:15:00.000Z',
      '2026-10-25T01:15:00.000Z',
      '2026-10-25T02:15:00.000Z',
    ]);
    expect(due(spec, '2026-03-28T23:30:00Z', '2026-03-29T02:30:00Z')).toHaveLength(3);
  });

  test('a day that a zone left out is not made up for', () => {
    const spec = { zone: 'Pacific/Apia', at: '08:00' };
    const days = dueBetween(spec, d('2011-12-28T00:00:00Z'), d('2012-01-02T00:00:00Z')).map((one) =>
      DateTime.fromJSDate(one, { zone: spec.zone }).toISODate(),
    );
    expect(days).toEqual(['2011-12-28', '2011-12-29', '2011-12-31', '2012-01-01', '2012-01-02']);
  });

  const zones = fc.constantFrom(...ZONES);
  const times = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }));
  // Around the jumps of both hemispheres, in several years.
  const starts = fc
    .tuple(fc.integer({ min: 2022, max: 2030 }), fc.constantFrom(2, 3, 9, 10), fc.integer({ min: 0, max: 40 }))
    .map(([year, month, day]) => Date.UTC(year, month, 1 + day));

  test('property: exactly once on every local day, at the wall time unless a jump leaves it out', () => {
    fc.assert(
      fc.property(zones, times, starts, (zone, [hour, minute], start) => {
        const at = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        const from = DateTime.fromMillis(start, { zone }).startOf('day');
        const to = from.plus({ days: 14 });
        const all = dueBetween({ zone, at }, new Date(from.toMillis() - 1), new Date(to.toMillis() - 1));
        const local = all.map((one) => DateTime.fromJSDate(one, { zone }));
        const days = Array.from({ length: 14 }, (_, n) => from.plus({ days: n }).toISODate());
        expect(local.map((one) => one.toISODate())).toEqual(days);
        for (const one of local) {
          if (one.toFormat('HH:mm') === at) continue;
          // Only at the moment of a jump.
          expect(one.minus({ milliseconds: 1 }).offset).toBeLessThan(one.offset);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('property: looking in two steps finds the same as in one', () => {
    const crons = fc.constantFrom(
      '*/20 1-3 * * *',
      '15 * * * *',
      '30 2 * * *',
      '0 8 * * 1-5',
      '5 0 1 * *',
      '*/7 */5 * * *',
    );
    const cuts = fc.integer({ min: 0, max: 4 * 86_400_000 });
    fc.assert(
      fc.property(zones, crons, starts, cuts, (zone, cron, start, cut) => {
        const spec = { zone, cron };
        const [from, middle, to] = [new Date(start), new Date(start + cut), new Date(start + 4 * 86_400_000)];
        expect([...dueBetween(spec, from, middle), ...dueBetween(spec, middle, to)]).toEqual(
          dueBetween(spec, from, to),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('a bad schedule is refused with the reason', () => {
    const bad: ScheduleSpec[] = [
      { zone: 'UTC', cron: '61 * * * *' },
      { zone: 'UTC', cron: '* * * * * *' },
      { zone: 'UTC', cron: '' },
      { zone: 'UTC', at: '24:00' },
      { zone: 'UTC', at: '8.30' },
      { zone: 'UTC', at: '08:30', weekdays: [] },
      { zone: 'Mars/Olympus', at: '08:30' },
    ];
    const refused = bad.filter((spec) => {
      try {
        checkSchedule(spec);
        return false;
      } catch (error) {
        return error instanceof VakhtaError && error.kind === 'usage' && error.code === 'bad-schedule';
      }
    });
    expect(refused).toEqual(bad);
    expect(() => checkSchedule({ zone: 'Europe/Moscow', at: '8:05' })).not.toThrow();
  });
});

describe('catching up', () => {
  const now = d('2026-03-04T10:00:30Z');
  const days = [d('2026-03-02T08:00:00Z'), d('2026-03-03T08:00:00Z'), d('2026-03-04T08:00:00Z')];
  const done = (catchUp: 'once' | 'skip' | 'report', dues = days, maxLateMs = 6 * 3_600_000) =>
    decide({ catchUp, maxLateMs }, dues, now).map((one) => one.do);

  test('what is due within two minutes simply fires', () => {
    expect(done('skip', [d('2026-03-04T10:00:00Z')])).toEqual(['fire']);
    expect(done('skip', [d('2026-03-04T09:58:29Z')])).toEqual(['missed']);
  });

  test('once: the newest is made up for, unless it is too late or the next is due', () => {
    expect(done('once')).toEqual(['missed', 'missed', 'late']);
    expect(done('once', days, 3_600_000)).toEqual(['missed', 'missed', 'missed']);
    expect(done('once', [...days, d('2026-03-04T10:00:00Z')])).toEqual(['missed', 'missed', 'missed', 'fire']);
  });

  test('skip and report make up for nothing', () => {
    expect(done('skip')).toEqual(['missed', 'missed', 'missed']);
    expect(done('report')).toEqual(['missed', 'missed', 'missed']);
    expect(done('report', [])).toEqual([]);
  });
});
