import { days } from './clock.ts';

/** How full something was at a time, in bytes. */
export interface Fill {
  readonly at: Date;
  readonly used: number;
  readonly total: number;
}

export type Forecast =
  /** Too short a time was seen, or too few readings; `seenMs` of the `neededMs`. */
  | { readonly state: 'unknown'; readonly seenMs: number; readonly neededMs: number }
  | { readonly state: 'full' }
  /** It does not grow. */
  | { readonly state: 'steady'; readonly bytesPerDay: number }
  | { readonly state: 'filling'; readonly bytesPerDay: number; readonly fullAt: Date };

/** Less than this says nothing: a backup at night looks like growth by noon. */
const NEEDED_MS = days(3);
const NEEDED_READINGS = 3;
/** Growth that would fill it only after this long is none that anybody plans for. */
const HORIZON_MS = days(3650);

/**
 * When it will be full, if it goes on as it did: a straight line by least squares through the readings, carried on from the newest
 * one. Readings may come in any order; those after `now` are left out. With less than three days nobody knows.
 */
export function forecastFill(readings: readonly Fill[], now: Date): Forecast {
  const seen = readings
    .filter(({ at, total }) => at.getTime() <= now.getTime() && total > 0)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const first = seen[0];
  const last = seen.at(-1);
  if (last !== undefined && last.used >= last.total) return { state: 'full' };
  const seenMs = first && last ? last.at.getTime() - first.at.getTime() : 0;
  if (last === undefined || seen.length < NEEDED_READINGS || seenMs < NEEDED_MS) {
    return { state: 'unknown', seenMs, neededMs: NEEDED_MS };
  }
  const bytesPerDay = slope(seen) * days(1);
  if (bytesPerDay <= 0) return { state: 'steady', bytesPerDay };
  const leftMs = ((last.total - last.used) / bytesPerDay) * days(1);
  if (leftMs > HORIZON_MS) return { state: 'steady', bytesPerDay };
  return { state: 'filling', bytesPerDay, fullAt: new Date(last.at.getTime() + leftMs) };
}

/** Bytes per millisecond. */
function slope(readings: readonly Fill[]): number {
  const n = readings.length;
  const origin = readings[0]?.at.getTime() ?? 0;
  const points = readings.map(({ at, used }) => ({ x: at.getTime() - origin, y: used }));
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  const above = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

/** The readings with one more: at most one in each span, none older than `keepMs`. The newest of a span counts. */
export function addFill(readings: readonly Fill[], one: Fill, spanMs: number, keepMs: number): Fill[] {
  const span = (at: Date): number => Math.floor(at.getTime() / spanMs);
  const kept = readings.filter(({ at }) => span(at) < span(one.at) && at.getTime() > one.at.getTime() - keepMs);
  return [...kept, one];
}
