import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { onWatchAt, type Override, type Rota, turns, wallInstant } from '../../src/core/rota.ts';

const d = (iso: string) => new Date(iso);
const HOUR = 3_600_000;
const weekly: Rota = {
  zone: 'Europe/Moscow',
  rotation: { people: ['anna', 'boris', 'ada'], starts: '2026-01-05', at: '09:00', days: 7 },
  overrides: [],
};
const taken = (person: string, from: string, to?: string): Override => ({
  person,
  from: d(from),
  to: to === undefined ? undefined : d(to),
  why: 'taken',
});

describe('who has the watch', () => {
  test('each has a week, from nine in the morning, and the next one is second', () => {
    expect(onWatchAt(weekly, d('2026-01-05T05:59:59Z'))).toEqual({
      second: 'anna',
      until: d('2026-01-05T06:00:00Z'),
      why: 'rotation',
    });
    expect(onWatchAt(weekly, d('2026-01-05T06:00:00Z'))).toEqual({
      person: 'anna',
      second: 'boris',
      until: d('2026-01-12T06:00:00Z'),
      why: 'rotation',
    });
    expect(onWatchAt(weekly, d('2026-01-20T00:00:00Z')).person).toBe('ada');
    expect(onWatchAt(weekly, d('2026-01-26T06:00:00Z'))).toMatchObject({ person: 'anna', second: 'boris' });
  });

  test('who takes it has it until the end of that, also over a regular change; a later one wins', () => {
    const rota: Rota = {
      ...weekly,
      overrides: [
        taken('boris', '2026-01-11T00:00:00Z', '2026-01-14T00:00:00Z'),
        taken('ada', '2026-01-11T12:00:00Z', '2026-01-11T14:00:00Z'),
      ],
    };
    expect(
      turns(rota, d('2026-01-10T00:00:00Z'), 5).map(({ person, until }) => [person, until?.toISOString()]),
    ).toEqual([
      ['anna', '2026-01-11T00:00:00.000Z'],
      ['boris', '2026-01-11T12:00:00.000Z'],
      ['ada', '2026-01-11T14:00:00.000Z'],
      // His own week follows without a break.
      ['boris', '2026-01-19T06:00:00.000Z'],
      ['ada', '2026-01-26T06:00:00.000Z'],
    ]);
  });

  test('somebody from outside the rotation is followed by the one who comes after the regular one', () => {
    const rota = { ...weekly, overrides: [taken('cyril', '2026-01-06T00:00:00Z', '2026-01-07T00:00:00Z')] };
    expect(onWatchAt(rota, d('2026-01-06T12:00:00Z'))).toMatchObject({
      person: 'cyril',
      second: 'boris',
      why: 'taken',
    });
  });

  test('without a rotation nobody has it until somebody takes it', () => {
    const none: Rota = { zone: 'UTC', overrides: [] };
    expect(onWatchAt(none, d('2026-01-06T12:00:00Z'))).toEqual({ why: 'rotation' });
    const open = { ...none, overrides: [taken('anna', '2026-01-06T00:00:00Z')] };
    expect(onWatchAt(open, d('2027-01-06T12:00:00Z'))).toEqual({ person: 'anna', why: 'taken' });
  });

  test('one person alone has it for good, and nobody is second', () => {
    const alone: Rota = {
      zone: 'UTC',
      rotation: { people: ['anna'], starts: '2026-01-05', at: '09:00', days: 1 },
      overrides: [],
    };
    expect(onWatchAt(alone, d('2026-02-01T00:00:00Z'))).toEqual({ person: 'anna', why: 'rotation' });
    expect(turns(alone, d('2026-02-01T00:00:00Z'), 3)).toHaveLength(1);
  });

  test('times of the configuration are those of the wall clock, also where it jumps', () => {
    expect(wallInstant('2026-12-30 18:00', 'Europe/Moscow')).toEqual(d('2026-12-30T15:00:00Z'));
    expect(wallInstant('2026-03-29T02:30', 'Europe/Berlin')).toEqual(d('2026-03-29T01:00:00Z'));
    expect(wallInstant('2026-10-25 02:30', 'Europe/Berlin')).toEqual(d('2026-10-25T00:30:00Z'));
    // Samoa had no 30 December 2011.
    expect(wallInstant('2011-12-30 12:00', 'Pacific/Apia')).toEqual(d('2011-12-30T10:00:00Z'));
  });
});

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'] as const;
const instant = fc.date({ min: d('2026-01-01T00:00:00Z'), max: d('2027-12-31T00:00:00Z'), noInvalidDate: true });
const people = ['anna', 'boris', 'ada', 'cyril'];
const rotas = fc.record({
  zone: fc.constantFrom(...ZONES),
  rotation: fc.record({
    people: fc.uniqueArray(fc.constantFrom(...people), { minLength: 2 }),
    starts: fc.constantFrom('2025-12-01', '2026-02-28'),
    at: fc.constantFrom('00:00', '02:15', '02:30', '09:00', '23:59'),
    days: fc.integer({ min: 1, max: 14 }),
  }),
  overrides: fc.array(
    fc
      .record({ person: fc.constantFrom(...people), from: instant, hours: fc.option(fc.integer({ min: 0, max: 400 })) })
      .map(
        ({ person, from, hours }): Override => ({
          person,
          from,
          to: hours === null ? undefined : new Date(from.getTime() + hours * HOUR),
          why: 'taken',
        }),
      ),
    { maxLength: 4 },
  ),
});

describe('for every rota', () => {
  test('turns follow each other without a gap, and within one the same person has it', () => {
    fc.assert(
      fc.property(rotas, instant, fc.double({ min: 0, max: 0.999, noNaN: true }), (rota, at, part) => {
        const found = turns(rota, at, 6);
        expect(found[0]?.from).toEqual(at);
        const pairs = found.slice(1).map((next, n) => ({ next, before: found[n] }));
        expect(pairs.filter(({ next, before }) => next.from.getTime() !== before?.until?.getTime())).toEqual([]);
        expect(pairs.filter(({ next, before }) => next.person === before?.person)).toEqual([]);
        for (const turn of found) {
          if (!turn.until) continue;
          const within = new Date(
            turn.from.getTime() + Math.floor((turn.until.getTime() - turn.from.getTime()) * part),
          );
          expect(onWatchAt(rota, within)).toMatchObject({ until: turn.until });
          expect(onWatchAt(rota, within).person).toBe(turn.person);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a regular change is at its time of day on its day, whatever the clocks did since', () => {
    fc.assert(
      fc.property(rotas, instant, ({ zone, rotation }, at) => {
        for (const { until } of turns({ zone, rotation, overrides: [] }, at, 4)) {
          if (!until) continue;
          const local = DateTime.fromJSDate(until, { zone });
          const asked = DateTime.fromISO(`${local.toISODate()}T${rotation.at}`, { zone });
          const isJump = local.offset !== local.minus({ hours: 3 }).offset;
          expect([rotation.at, isJump ? local.toFormat('HH:mm') : rotation.at]).toContain(local.toFormat('HH:mm'));
          expect(Math.abs(until.getTime() - asked.toMillis())).toBeLessThanOrEqual(HOUR);
          const passed = DateTime.fromISO(local.toISODate() ?? '', { zone: 'utc' }).diff(
            DateTime.fromISO(rotation.starts, { zone: 'utc' }),
            'days',
          ).days;
          expect(passed % rotation.days).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('second is never the one who has it', () => {
    fc.assert(
      fc.property(rotas, instant, (rota, at) => {
        const { person, second } = onWatchAt(rota, at);
        expect(second).toBeDefined();
        expect(second).not.toBe(person);
      }),
      { numRuns: 50 },
    );
  });
});
