import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupFor, formatMoment, parseMoment, recoveryTarget, restoreWindow } from '../../src/core/pitr.ts';

const MOSCOW = 'Europe/Moscow';
const BERLIN = 'Europe/Berlin';
/** 15:00 in Moscow. */
const NOW = new Date('2026-01-30T12:00:00Z');

const at = (typed: string, zone = MOSCOW, now = NOW) => {
  const read = parseMoment(typed, zone, now);
  return read.kind === 'at' ? read.at.toISOString() : read.kind;
};

describe('a typed moment', () => {
  it.each([
    ['14:15', '2026-01-30T11:15:00.000Z'],
    ['9:05', '2026-01-30T06:05:00.000Z'],
    ['14:15:11', '2026-01-30T11:15:11.000Z'],
    ['yesterday 14:15', '2026-01-29T11:15:00.000Z'],
    ['Вчера 14:15', '2026-01-29T11:15:00.000Z'],
    ['сегодня 00:10', '2026-01-29T21:10:00.000Z'],
    ['midnight', '2026-01-29T21:00:00.000Z'],
    ['полночь', '2026-01-29T21:00:00.000Z'],
    ['2026-01-30 14:15', '2026-01-30T11:15:00.000Z'],
    ['2026-01-30 14:15:11', '2026-01-30T11:15:11.000Z'],
    ['2026-01-30', '2026-01-29T21:00:00.000Z'],
    ['2026-01-30T14:15:11+03:00', '2026-01-30T11:15:11.000Z'],
    ['2026-01-30T14:15:11Z', '2026-01-30T14:15:11.000Z'],
    ['2026-01-30 14:15:11+00', '2026-01-30T14:15:11.000Z'],
    ['2026-01-30 14:15 +0530', '2026-01-30T08:45:00.000Z'],
    ['2026-01-30 14:15 -03:30', '2026-01-30T17:45:00.000Z'],
    ['14:15 UTC', '2026-01-30T14:15:00.000Z'],
    ['14:15 z', '2026-01-30T14:15:00.000Z'],
    ['29.01 14:15', '2026-01-29T11:15:00.000Z'],
    ['29.12. 14:15', '2025-12-29T11:15:00.000Z'],
    ['29.12 14:15', '2025-12-29T11:15:00.000Z'],
    ['29.01.2026 14:15', '2026-01-29T11:15:00.000Z'],
    ['-2h', '2026-01-30T10:00:00.000Z'],
    ['-15m', '2026-01-30T11:45:00.000Z'],
    ['−15 мин', '2026-01-30T11:45:00.000Z'],
    ['-1d', '2026-01-29T12:00:00.000Z'],
    ['-90s', '2026-01-30T11:58:30.000Z'],
    ['-2ч', '2026-01-30T10:00:00.000Z'],
    ['latest', 'latest'],
    ['последнее', 'latest'],
    ['', 'unreadable'],
    ['25:00', 'unreadable'],
    ['2026-02-30 10:00', 'unreadable'],
    ['-2 fortnights', 'unreadable'],
    ['tomorrow 10:00', 'unreadable'],
    ["14:15'; drop table x", 'unreadable'],
    ['--type=immediate', 'unreadable'],
  ])('%s', (typed, expected) => {
    expect(at(typed)).toBe(expected);
  });

  it('that the clock shows twice is asked for, with both instants', () => {
    const read = parseMoment('2026-10-25 02:30', BERLIN, new Date('2026-11-01T00:00:00Z'));
    expect(read).toEqual({
      kind: 'twice',
      both: [new Date('2026-10-25T00:30:00Z'), new Date('2026-10-25T01:30:00Z')],
    });
    expect(at('2026-10-25 02:30 +01:00', BERLIN)).toBe('2026-10-25T01:30:00.000Z');
  });

  it('that the clock leaves out is asked for, with the instants around it', () => {
    const read = parseMoment('2026-03-29 02:30', BERLIN, new Date('2026-04-01T00:00:00Z'));
    expect(read).toEqual({
      kind: 'never',
      both: [new Date('2026-03-29T00:30:00Z'), new Date('2026-03-29T01:30:00Z')],
    });
  });

  it('as it is shown, with its offset, is read as the same instant in any zone', () => {
    const instant = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });
    const zone = fc.constantFrom(MOSCOW, BERLIN, 'America/St_Johns', 'Australia/Lord_Howe', 'UTC', 'Asia/Kathmandu');
    fc.assert(
      fc.property(instant, zone, zone, (when, shown, read) => {
        const whole = new Date(Math.floor(when.getTime() / 1000) * 1000);
        expect(at(formatMoment(whole, shown), read)).toBe(whole.toISOString());
      }),
    );
  });
});

describe('what can be restored', () => {
  const backup = (label: string, stopped: string, error = false) => ({ label, stoppedAt: new Date(stopped), error });
  const backups = [
    backup('one', '2026-01-29T02:00:10Z'),
    backup('two', '2026-01-30T02:00:10Z'),
    backup('bad', '2026-01-30T03:00:00Z', true),
  ];
  const archived = new Date('2026-01-30T11:59:30Z');

  it('begins a second after the end of the oldest good backup, and ends with the archive', () => {
    expect(restoreWindow(backups, archived)).toEqual({ from: new Date('2026-01-29T02:00:11Z'), to: archived });
    expect(restoreWindow(backups.slice(2), archived)).toBeUndefined();
    const early = restoreWindow(backups, new Date(0));
    expect(early?.to).toEqual(early?.from);
  });

  it('comes from the newest good backup that ended before the second of the moment', () => {
    const label = (moment: string) => backupFor(backups, new Date(moment))?.label;
    expect(label('2026-01-29T02:00:10.900Z')).toBeUndefined();
    expect(label('2026-01-29T02:00:11Z')).toBe('one');
    expect(label('2026-01-30T02:00:10.999Z')).toBe('one');
    expect(label('2026-01-30T02:00:11Z')).toBe('two');
    expect(label('2026-01-30T11:00:00Z')).toBe('two');
    expect(backupFor(backups, undefined)?.label).toBe('two');
  });

  it('is told to PostgreSQL with an offset', () => {
    expect(recoveryTarget(new Date('2026-01-30T14:15:11Z'))).toBe('2026-01-30 14:15:11+00');
    expect(recoveryTarget(new Date('2026-01-30T14:15:11.250Z'))).toBe('2026-01-30 14:15:11.250+00');
  });
});
