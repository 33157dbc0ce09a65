import { CronExpressionParser } from 'cron-parser';
import { IANAZone } from 'luxon';
import { VakhtaError } from './error.ts';
import { defineMessages } from './i18n.ts';

export const messages = defineMessages({
  en: `
    err-bad-schedule = “{ $spec }” is not a schedule: { $reason }. Write a time like 08:30, or five cron fields like 30 8 * * 1-5.
  `,
  ru: `
    err-bad-schedule = «{ $spec }» не похоже на расписание: { $reason }. Укажите время, например 08:30, или пять полей cron, например 30 8 * * 1-5.
  `,
});

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * When something is due, by the wall clock of an IANA zone: a cron expression of five fields, or a time of day with the
 * weekdays it holds for (default: all).
 */
export type ScheduleSpec =
  | { readonly zone: string; readonly cron: string }
  | { readonly zone: string; readonly at: string; readonly weekdays?: readonly (typeof WEEKDAYS)[number][] };

/**
 * The instants in (after, until] when the schedule is due, in order.
 *
 * The wall clock jumps twice a year in many zones. What has fixed hours ("at 2:30") is due once on every local day: at the moment
 * of the jump when the jump leaves the time out, and at the first of the two when the time comes twice. What is due in every hour
 * follows the hours that really pass.
 */
export function dueBetween(spec: ScheduleSpec, after: Date, until: Date): Date[] {
  if (until <= after) return [];
  const { expression, zone } = read(spec);
  const everyHour = expression.fields.hour.values.length === 24;
  // The expression is asked as if the wall clock were UTC, which never jumps; each wall time then becomes an instant. Wall clocks
  // are at most 14 hours away from UTC, so a day on both sides is enough.
  const first = after.getTime() - DAY;
  const last = until.getTime() + DAY;
  const walls = CronExpressionParser.parse(cronOf(spec), {
    currentDate: new Date(first),
    endDate: new Date(last),
    tz: 'UTC',
  });
  const due = new Set<number>();
  while (walls.hasNext()) {
    const wall = walls.next().getTime();
    for (const instant of instants(wall, zone, everyHour)) {
      if (instant > after.getTime() && instant <= until.getTime()) due.add(instant);
    }
  }
  return [...due].sort((a, b) => a - b).map((ms) => new Date(ms));
}

/**
 * The instant at which a zone's wall clock shows a date (`YYYY-MM-DD`) and time (`HH:MM`): the first one when it comes twice, the
 * moment of the jump when the clock leaves it out.
 */
export function instantOf(date: string, time: string, zone: string): Date {
  const iana = IANAZone.create(zone);
  const wall = Date.parse(`${date}T${time}:00Z`);
  const [first] = instants(wall, iana, false);
  if (first !== undefined) return new Date(first);
  // A whole day that the zone left out.
  const [before, after] = [iana.offset(wall - DAY), iana.offset(wall + DAY)];
  return new Date(jump(iana, wall - after * MINUTE, wall - before * MINUTE, after));
}

/** What is wrong with a schedule, as a `usage` error; nothing when it is fine. */
export function checkSchedule(spec: ScheduleSpec): void {
  read(spec);
}

/** What happens to a due time that passed while nobody was there: the newest is made up for once, nothing, or it is told. */
export type CatchUp = 'once' | 'skip' | 'report';

export interface CatchUpPolicy {
  readonly catchUp: CatchUp;
  /** Later than this, nothing is made up for any more. */
  readonly maxLateMs: number;
}

/** Up to this, it is in time: the clock is looked at every minute. */
export const IN_TIME_MS = 120_000;

export interface Decision {
  readonly dueAt: Date;
  /** `late`: made up for now; `missed`: will not happen. */
  readonly do: 'fire' | 'late' | 'missed';
}

/** What to do now with the due times since the last one that was dealt with, in order. */
export function decide(policy: CatchUpPolicy, due: readonly Date[], now: Date): Decision[] {
  const inTime = (dueAt: Date) => now.getTime() - dueAt.getTime() <= IN_TIME_MS;
  const newest = due.at(-1);
  return due.map((dueAt) => {
    if (inTime(dueAt)) return { dueAt, do: 'fire' };
    const makeUp = policy.catchUp === 'once' && dueAt === newest && now.getTime() - dueAt.getTime() <= policy.maxLateMs;
    return { dueAt, do: makeUp ? 'late' : 'missed' };
  });
}

const DAY = 86_400_000;
const MINUTE = 60_000;

function read(spec: ScheduleSpec) {
  const zone = IANAZone.create(spec.zone);
  if (!zone.isValid) throw bad(spec, `no time zone ${spec.zone}`);
  try {
    const cron = cronOf(spec);
    if (cron.trim().split(/\s+/).length !== 5 && !cron.startsWith('@')) throw new Error('it needs five fields');
    return { expression: CronExpressionParser.parse(cron, { tz: 'UTC' }), zone };
  } catch (error) {
    throw bad(spec, error instanceof Error ? error.message : String(error));
  }
}

function cronOf(spec: ScheduleSpec): string {
  if ('cron' in spec) return spec.cron;
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(spec.at);
  if (!time) throw new Error('it needs a time of day from 00:00 to 23:59');
  const days = (spec.weekdays ?? WEEKDAYS).map((day) => WEEKDAYS.indexOf(day) + 1);
  if (days.length === 0) throw new Error('it needs a weekday');
  return `${Number(time[2])} ${Number(time[1])} * * ${days.join(',')}`;
}

function bad(spec: ScheduleSpec, reason: string): VakhtaError {
  const text = 'cron' in spec ? spec.cron : spec.at;
  return new VakhtaError('usage', 'bad-schedule', `bad schedule ${text}: ${reason}`, { args: { spec: text, reason } });
}

/** The instants at which the zone's clock shows this wall time (given as if it were UTC). */
function instants(wall: number, zone: IANAZone, everyHour: boolean): number[] {
  const before = zone.offset(wall - DAY);
  const after = zone.offset(wall + DAY);
  const found = [...new Set([before, after, zone.offset(wall)])]
    .filter((offset) => zone.offset(wall - offset * MINUTE) === offset)
    .map((offset) => wall - offset * MINUTE)
    .sort((a, b) => a - b);
  const [earliest] = found;
  if (earliest !== undefined) return everyHour ? found : [earliest];
  // The clock never shows it. A jump of a whole day (Samoa, 2011) leaves out the day itself, too.
  if (everyHour || after - before >= 24 * 60) return [];
  return [jump(zone, wall - after * MINUTE, wall - before * MINUTE, after)];
}

/** The first instant in (from, to] with the new offset. */
function jump(zone: IANAZone, from: number, to: number, offset: number): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offset(middle) === offset) high = middle;
    else low = middle;
  }
  return high;
}
