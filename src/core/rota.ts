import { DateTime } from 'luxon';
import { instantOf } from './schedule.ts';

/** Who follows whom: each has the watch for `days` days, from a time of day by the wall clock. */
export interface Rotation {
  readonly people: readonly string[];
  /** Day (`YYYY-MM-DD`) on which the first of them begins. */
  readonly starts: string;
  /** `HH:MM` of the change. */
  readonly at: string;
  readonly days: number;
}

/** Somebody else has it: known beforehand (`override`), or by command (`taken`). */
export interface Override {
  readonly person: string;
  readonly from: Date;
  /** Absent: until somebody else takes it. */
  readonly to?: Date | undefined;
  readonly why: 'override' | 'taken';
}

export interface Rota {
  /** IANA zone of the rotation. */
  readonly zone: string;
  readonly rotation?: Rotation | undefined;
  /** A later one wins. */
  readonly overrides: readonly Override[];
}

export interface OnWatch {
  /** Nobody before the rotation has begun, or without one. */
  readonly person?: string;
  /** Who is called next: the one who follows in the rotation. */
  readonly second?: string;
  /** When somebody else has it; absent when that is not known. */
  readonly until?: Date;
  readonly why: 'rotation' | Override['why'];
}

/** A stretch of time with one person (or nobody) on watch. */
export interface Turn {
  readonly person?: string;
  readonly why: OnWatch['why'];
  readonly from: Date;
  readonly until?: Date;
}

/** An instant in a wall clock's words (`YYYY-MM-DD HH:MM`), as overrides of the configuration are written. */
export const wallInstant = (wall: string, zone: string): Date => instantOf(wall.slice(0, 10), wall.slice(11, 16), zone);

/** Who has the watch, until when, and who is next to be called. */
export function onWatchAt(rota: Rota, at: Date): OnWatch {
  const { person, why } = holderAt(rota, at);
  const second = secondAt(rota, at, person);
  const until = person === undefined && !rota.rotation ? undefined : changeAfter(rota, at);
  return {
    ...(person === undefined ? {} : { person }),
    ...(second === undefined ? {} : { second }),
    ...(until === undefined ? {} : { until }),
    why,
  };
}

/** The turn that this instant lies in and those after it, at most `count`; each begins where the one before ends. */
export function turns(rota: Rota, at: Date, count: number): Turn[] {
  const found: Turn[] = [];
  for (let from = at; found.length < count; ) {
    const { person, why } = holderAt(rota, from);
    const until = changeAfter(rota, from);
    found.push({ ...(person === undefined ? {} : { person }), why, from, ...(until === undefined ? {} : { until }) });
    if (until === undefined) break;
    from = until;
  }
  return found;
}

function holderAt(rota: Rota, at: Date): { readonly person?: string; readonly why: OnWatch['why'] } {
  const override = overrideAt(rota.overrides, at);
  if (override) return { person: override.person, why: override.why };
  const regular = regularAt(rota, at);
  return regular === undefined ? { why: 'rotation' } : { person: regular, why: 'rotation' };
}

/** Who comes after the one on watch; when that one has no place in the rotation, after whose turn it would be. */
function secondAt(rota: Rota, at: Date, person: string | undefined): string | undefined {
  const people = rota.rotation?.people ?? [];
  const own = person === undefined ? -1 : people.indexOf(person);
  const regular = regularAt(rota, at);
  const place = own >= 0 ? own : regular === undefined ? -1 : people.indexOf(regular);
  const following = people.map((_, n) => people[(place + 1 + n) % people.length]);
  return following.find((one) => one !== undefined && one !== person);
}

function regularAt({ rotation, zone }: Rota, at: Date): string | undefined {
  if (!rotation) return undefined;
  const n = turnNumber(rotation, zone, at);
  return n < 0 ? undefined : rotation.people[n % rotation.people.length];
}

/** The start of the turn with this number. */
function turnStart({ starts, days, at }: Rotation, zone: string, n: number): Date {
  const date = DateTime.fromISO(starts, { zone: 'utc' }).plus({ days: n * days });
  return instantOf(date.toFormat('yyyy-MM-dd'), at, zone);
}

/** Negative before the first. */
function turnNumber(rotation: Rotation, zone: string, at: Date): number {
  const local = DateTime.fromJSDate(at, { zone }).toFormat('yyyy-MM-dd');
  const passed = DateTime.fromISO(local, { zone: 'utc' }).diff(
    DateTime.fromISO(rotation.starts, { zone: 'utc' }),
    'days',
  );
  let n = Math.floor(passed.days / rotation.days);
  while (turnStart(rotation, zone, n) > at) n -= 1;
  while (turnStart(rotation, zone, n + 1) <= at) n += 1;
  return n;
}

/** Changes that are looked at before a turn counts as one without an end. */
const MAX_CHANGES = 60;

/** The first instant after this one at which somebody else has it. */
function changeAfter(rota: Rota, at: Date): Date | undefined {
  const { person } = holderAt(rota, at);
  let edge: Date | undefined = at;
  for (let n = 0; n < MAX_CHANGES; n++) {
    edge = nextEdge(rota, edge);
    if (edge === undefined) return undefined;
    if (holderAt(rota, edge).person !== person) return edge;
  }
  return undefined;
}

/** The next instant at which anything begins or ends. While somebody has it out of turn, regular changes do not matter. */
function nextEdge({ rotation, zone, overrides }: Rota, at: Date): Date | undefined {
  const edges = overrides.map(({ from }) => from);
  const holding = overrideAt(overrides, at);
  if (holding?.to) edges.push(holding.to);
  if (!holding && rotation) edges.push(turnStart(rotation, zone, Math.max(0, turnNumber(rotation, zone, at) + 1)));
  const later = edges.filter((edge) => edge > at).map((edge) => edge.getTime());
  return later.length === 0 ? undefined : new Date(Math.min(...later));
}

const overrideAt = (overrides: readonly Override[], at: Date): Override | undefined =>
  overrides.findLast(({ from, to }) => from <= at && (to === undefined || at < to));
