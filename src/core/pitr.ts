import { DateTime, IANAZone } from 'luxon';
import { days, hours, minutes, seconds } from './clock.ts';

/** A backup as far as the choice of one needs it. */
export interface Restorable {
  readonly label: string;
  readonly stoppedAt: Date;
  /** Damaged pages were found: restored only when nothing else is there, and never silently. */
  readonly error?: boolean;
}

/** The moments that can be restored, both ends included. */
export interface Window {
  readonly from: Date;
  readonly to: Date;
}

/** Backups and their times have whole seconds, so a backup serves for what comes after the second of its end. */
const secondOf = (at: Date): number => Math.floor(at.getTime() / 1000);

/**
 * What can be restored: from the second after the end of the oldest good backup to what reached the archive last. Nothing when
 * there is no good backup; with nothing in the archive after the newest backup, the window is that one moment.
 */
export function restoreWindow(backups: readonly Restorable[], archivedUntil: Date): Window | undefined {
  const ends = backups.filter(({ error }) => error !== true).map(({ stoppedAt }) => secondOf(stoppedAt) + 1);
  if (ends.length === 0) return undefined;
  const from = new Date(Math.min(...ends) * 1000);
  return { from, to: archivedUntil > from ? archivedUntil : from };
}

/** The newest good backup that ended before the second of this moment; without a moment the newest good one. */
export function backupFor<T extends Restorable>(backups: readonly T[], at: Date | undefined): T | undefined {
  return backups
    .filter(({ error, stoppedAt }) => error !== true && (at === undefined || secondOf(stoppedAt) < secondOf(at)))
    .toSorted((a, b) => a.stoppedAt.getTime() - b.stoppedAt.getTime())
    .at(-1);
}

/** What somebody typed for a moment. Hours without an offset are those of the zone. */
export type Moment =
  | { readonly kind: 'at'; readonly at: Date }
  /** As far as the archive reaches. */
  | { readonly kind: 'latest' }
  /** The clock shows this time twice, or never: `both` are the instants that may be meant, or that lie around it. */
  | { readonly kind: 'twice' | 'never'; readonly both: readonly [Date, Date] }
  | { readonly kind: 'unreadable' };

const LATEST = /^(?:latest|последн(?:ее|ий|яя)|конец)$/u;
const DAYS: Readonly<Record<string, number>> = { today: 0, сегодня: 0, yesterday: -1, вчера: -1, позавчера: -2 };
const UNITS: Readonly<Record<string, number>> = {
  s: seconds(1),
  с: seconds(1),
  m: minutes(1),
  min: minutes(1),
  м: minutes(1),
  мин: minutes(1),
  h: hours(1),
  ч: hours(1),
  d: days(1),
  д: days(1),
};

const CLOCK = String.raw`(?<hour>[01]?\d|2[0-3]):(?<minute>[0-5]\d)(?::(?<second>[0-5]\d)(?:\.\d+)?)?`;
const OFFSET = String.raw`\s*(?<offset>[zZ]|[uU][tT][cC]|[+-]\d\d(?::?\d\d)?)`;
const ISO = String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)`;
const DOTTED = String.raw`(?<day>\d{1,2})\.(?<month>\d{1,2})(?:\.(?<year>\d{4})|\.)?`;
const RELATIVE = /^[-−–](?<n>\d{1,5})\s*(?<unit>[a-zа-я]+)$/u;
const FORMS = [
  new RegExp(`^${ISO}(?:[ tT]+${CLOCK}(?:${OFFSET})?)?$`, 'u'),
  new RegExp(`^${DOTTED}(?:\\s+${CLOCK}(?:${OFFSET})?)?$`, 'u'),
  new RegExp(`^(?:(?<word>[a-zа-я]+)\\s+)?${CLOCK}(?:${OFFSET})?$`, 'u'),
  /^(?<word>[a-zа-я]+)$/u,
];

/**
 * Reads `14:15`, `yesterday 14:15`, `вчера 14:15`, `2026-01-30 14:15:11`, `30.01. 14:15`, the same with an offset behind
 * (`+03:00`, `Z`), `-2h`, `-15 мин`, `midnight`, `latest`. A day alone is its midnight.
 */
export function parseMoment(typed: string, zone: string, now: Date): Moment {
  const text = typed.trim().replace(/\s+/gu, ' ');
  const lower = text.toLowerCase();
  if (LATEST.test(lower)) return { kind: 'latest' };
  const relative = RELATIVE.exec(lower)?.groups;
  if (relative) {
    const unit = UNITS[relative['unit'] ?? ''];
    if (unit === undefined) return { kind: 'unreadable' };
    return { kind: 'at', at: new Date(now.getTime() - Number(relative['n']) * unit) };
  }
  const found = FORMS.map((form) => form.exec(form === FORMS[0] || form === FORMS[1] ? text : lower)?.groups).find(
    (groups) => groups !== undefined,
  );
  return found ? wallTime(found, zone, now) : { kind: 'unreadable' };
}

function wallTime(parts: Readonly<Record<string, string | undefined>>, zone: string, now: Date): Moment {
  const { word, year, month, day, hour = '0', minute = '0', second = '0', offset } = parts;
  const inZone = offset === undefined ? zone : fixedZone(offset);
  const today = DateTime.fromJSDate(now, { zone: inZone });
  let date: { year: number; month: number; day: number };
  if (month !== undefined && day !== undefined) {
    date = { year: Number(year ?? today.year), month: Number(month), day: Number(day) };
    // A day of the year without the year is the last one that has come.
    const isAhead = year === undefined && DateTime.fromObject(date, { zone: inZone }) > today;
    if (isAhead) date = { ...date, year: date.year - 1 };
  } else {
    const isMidnight = word === 'midnight' || word === 'полночь';
    const back = word === undefined || isMidnight ? 0 : DAYS[word];
    if (back === undefined) return { kind: 'unreadable' };
    const at = today.plus({ days: back });
    date = { year: at.year, month: at.month, day: at.day };
  }
  const wall = { ...date, hour: Number(hour), minute: Number(minute), second: Number(second) };
  const asUtc = DateTime.fromObject(wall, { zone: 'utc' });
  if (!asUtc.isValid) return { kind: 'unreadable' };
  return instantsOf(asUtc.toMillis(), inZone);
}

/** The instants at which the clock of the zone shows this, given as if it were UTC. */
function instantsOf(wall: number, name: string): Moment {
  const zone = DateTime.fromMillis(0, { zone: name }).zone;
  const offsets = [...new Set([zone.offset(wall - days(1)), zone.offset(wall), zone.offset(wall + days(1))])];
  const found = offsets
    .map((offset) => wall - minutes(offset))
    .filter((instant) => instant + minutes(zone.offset(instant)) === wall)
    .toSorted((a, b) => a - b);
  const [first, second] = found;
  if (first === undefined) {
    const around = offsets.map((offset) => wall - minutes(offset)).toSorted((a, b) => a - b);
    return { kind: 'never', both: [new Date(around[0] ?? wall), new Date(around.at(-1) ?? wall)] };
  }
  if (second !== undefined) return { kind: 'twice', both: [new Date(first), new Date(second)] };
  return { kind: 'at', at: new Date(first) };
}

/** `Z`, `+03`, `+0300`, `+03:00` as luxon names it. */
function fixedZone(offset: string): string {
  if (/^(?:z|utc)$/iu.test(offset)) return 'utc';
  const [, sign = '+', hour = '00', minute = '00'] = /^([+-])(\d\d):?(\d\d)?$/u.exec(offset) ?? [];
  return `UTC${sign}${Number(hour)}:${minute}`;
}

/**
 * `2026-01-30 14:15:11 +03:00`: a moment for people, always with its offset. What it prints, `parseMoment` reads. With `exact` the
 * milliseconds are told too.
 */
export function formatMoment(at: Date, zone: string, exact = false): string {
  const shown = DateTime.fromJSDate(at, { zone: IANAZone.isValidZone(zone) ? zone : 'utc' });
  const hasSeconds = shown.second !== 0 || shown.millisecond !== 0;
  return shown.toFormat(`yyyy-MM-dd HH:mm${exact ? ':ss.SSS' : hasSeconds ? ':ss' : ''} ZZ`);
}

/** `2026-01-30 14:15:11.250000+00`: as PostgreSQL and pgBackRest are told it, never without an offset. */
export const recoveryTarget = (at: Date): string =>
  at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.(\d{3})Z$/u, (_, ms: string) => (ms === '000' ? '+00' : `.${ms}+00`));
