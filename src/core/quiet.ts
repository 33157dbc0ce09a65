import { DateTime } from 'luxon';
import { instantOf } from './schedule.ts';

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Hours of the wall clock in which a person wants to hear of criticals only. */
export interface QuietHours {
  /** `HH:MM`. */
  readonly from: string;
  /** `HH:MM`; not later than `from` means on the next day. */
  readonly to: string;
  /** Days on which they begin. */
  readonly weekdays: readonly (typeof WEEKDAYS)[number][];
}

/** Quiet hours that touch each other, at the most; whoever is quiet all the time is let through once in a while. */
const CHAIN = 8;

/**
 * When the quiet hours end in which this instant lies; `undefined` when it lies in none. Those that follow without a gap count as
 * one. By the wall clock of the zone: an hour that the clock leaves out is not waited for, of one that comes twice the first counts.
 */
export function quietUntil(hours: QuietHours, zone: string, at: Date): Date | undefined {
  let end: Date | undefined;
  for (let n = 0; n < CHAIN; n++) {
    const next = endOf(hours, zone, end ?? at);
    if (next === undefined) break;
    end = next;
  }
  return end;
}

function endOf(hours: QuietHours, zone: string, at: Date): Date | undefined {
  const today = DateTime.fromJSDate(at, { zone }).startOf('day');
  const ends = [-1, 0].flatMap((days): Date[] => {
    const day = today.plus({ days });
    const weekday = WEEKDAYS[day.weekday - 1];
    if (weekday === undefined || !hours.weekdays.includes(weekday)) return [];
    const start = instantOf(dateOf(day), hours.from, zone);
    const end = instantOf(dateOf(hours.to > hours.from ? day : day.plus({ days: 1 })), hours.to, zone);
    return start <= at && at < end ? [end] : [];
  });
  return ends.toSorted((a, b) => b.getTime() - a.getTime())[0];
}

const dateOf = (day: DateTime): string => day.toFormat('yyyy-MM-dd');
