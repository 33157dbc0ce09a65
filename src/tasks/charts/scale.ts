import { DateTime } from 'luxon';
import type { Unit } from '../../core/promql.ts';

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
}

const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
/** With less of the height than this for the data, a threshold would press it flat. */
const FLAT = 0.04;
const PADDING = 0.07;

/**
 * The range of the vertical axis: all data, from zero where that costs less than half, and the threshold unless it is so far
 * away that the data would be flat.
 */
export function valueScale(values: readonly number[], threshold: number | undefined, unit: Unit): Scale {
  const finite = values.filter((value) => Number.isFinite(value));
  let low = finite.length > 0 ? Math.min(...bounds(finite)) : 0;
  let high = finite.length > 0 ? Math.max(...bounds(finite)) : 1;
  if (threshold !== undefined && Number.isFinite(threshold)) {
    const span = Math.max(high, threshold) - Math.min(low, threshold);
    const isNear = high === low || (high - low) / span >= FLAT || span <= Math.abs(high) * 4;
    if (isNear) [low, high] = [Math.min(low, threshold), Math.max(high, threshold)];
  }
  if (low === high) {
    const around = low === 0 ? 1 : Math.abs(low) * 0.5;
    if (low === 0) high = around;
    else [low, high] = [low - around, high + around];
  }
  if (low > 0 && low < high / 2) low = 0;
  if (high < 0 && high > low / 2) high = 0;
  const pad = (high - low) * PADDING;
  const from = low === 0 ? 0 : low - pad;
  const to = high === 0 ? 0 : high + pad;
  // What is counted has no halves.
  const isCount = finite.every((value) => Number.isInteger(value)) && high - low >= 2;
  const rough = niceStep((to - from) / 5, unit);
  const step = isCount ? Math.max(1, rough) : rough;
  const ticks: number[] = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + step * 1e-9; n += 1) ticks.push(clean(n * step));
  return { from, to, ticks };
}

/** Smallest and largest, without spreading a long list into arguments. */
function bounds(values: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function niceStep(rough: number, unit: Unit): number {
  if (unit === 'seconds' && rough >= 0.5 && rough <= 86_400) return SECONDS.find((step) => step >= rough) ?? 86_400;
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  const nice = share <= 1 ? 1 : share <= 2 ? 2 : share <= 2.5 ? 2.5 : share <= 5 ? 5 : 10;
  return nice * power;
}

/** Without the dust of binary fractions: 0.30000000000000004 is 0.3. */
const clean = (value: number): number => Number(value.toPrecision(12));

const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];

/** Round times of the zone, at most `max` of them. */
export function timeTicks(from: Date, to: Date, zone: string, max: number): Date[] {
  const minutes = (to.getTime() - from.getTime()) / 60_000;
  const step = STEPS_MINUTES.find((one) => minutes / one <= max) ?? 1440 * Math.ceil(minutes / 1440 / max);
  const day = DateTime.fromJSDate(from, { zone }).startOf('day');
  const ticks: Date[] = [];
  // By the wall clock: where it jumps, the ticks after the jump still stand on round hours.
  for (let n = 0; ; n += 1) {
    const at = day.plus({ days: Math.floor((n * step) / 1440) }).set(wall((n * step) % 1440));
    if (at.toMillis() > to.getTime()) return ticks;
    const isNew = at.toMillis() > (ticks.at(-1)?.getTime() ?? -Infinity);
    if (at.toMillis() >= from.getTime() && isNew) ticks.push(at.toJSDate());
  }
}

const wall = (minutes: number) => ({ hour: Math.floor(minutes / 60), minute: minutes % 60 });
