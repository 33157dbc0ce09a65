import { DateTime } from 'luxon';
import { hours, minutes } from '../../core/clock.ts';

const FIXED = { '15m': minutes(15), '1h': hours(1), '4h': hours(4), '24h': hours(24) } as const;

/** `09:00`: until the next nine in the morning of whoever asks; `resolved`: until the incident is over. */
export const DURATIONS = ['15m', '1h', '4h', '24h', '09:00', 'resolved'] as const;
export type Duration = (typeof DURATIONS)[number];

export const EXTENSIONS = ['1h', '4h', '24h', '09:00'] as const;
export type Extension = (typeof EXTENSIONS)[number];

/** A silence until an incident is over is this long and is renewed: without the program it ends by itself. */
export const LEASE_MS = hours(1);

/** When nine o'clock comes next on the wall clock of this zone. A jump of that clock at nine moves it along. */
export function nextMorning(after: Date, zone: string): Date {
  const local = DateTime.fromJSDate(after, { zone });
  const nine = local.set({ hour: 9, minute: 0, second: 0, millisecond: 0 });
  if (nine > local) return nine.toJSDate();
  return local.plus({ days: 1 }).set({ hour: 9, minute: 0, second: 0, millisecond: 0 }).toJSDate();
}

/** The end of a silence that begins now. */
export function endOf(duration: Duration, now: Date, zone: string): Date {
  if (duration === 'resolved') return new Date(now.getTime() + LEASE_MS);
  return duration === '09:00' ? nextMorning(now, zone) : new Date(now.getTime() + FIXED[duration]);
}

/** The later end of one that is extended: counted from its end, or from now when that has passed. */
export function extendedEnd(by: Extension, endsAt: Date, now: Date, zone: string): Date {
  const from = endsAt > now ? endsAt : now;
  return by === '09:00' ? nextMorning(from, zone) : new Date(from.getTime() + FIXED[by]);
}

/** How long before its end to warn: a short silence is not warned of as soon as it begins. */
export const warningLead = (startsAt: Date, endsAt: Date, warnMs: number): number =>
  Math.min(warnMs, (endsAt.getTime() - startsAt.getTime()) / 3);
