import { z } from 'zod';
import { days, hours } from '../../core/clock.ts';
import { addFill, type Fill } from '../../core/forecast.ts';
import type { Queryable } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';

const SPAN_MS = hours(6);
const KEEP_MS = days(30);

const reading = z.tuple([z.number(), z.number(), z.number()]);
const history = z.record(z.string(), z.array(reading));

/** Readings of how full storages are, by their names. */
export type Fills = ReadonlyMap<string, readonly Fill[]>;

const source = (system: string): string => `fill.${system}`;

async function known(q: Queryable, system: string): Promise<Map<string, Fill[]>> {
  const seen = history.safeParse((await observation(q, source(system)))?.data);
  if (!seen.success) return new Map();
  const fills = (rows: readonly z.output<typeof reading>[]): Fill[] =>
    rows.map(([at, used, total]) => ({ at: new Date(at), used, total }));
  return new Map(Object.entries(seen.data).map(([name, rows]) => [name, fills(rows)]));
}

/**
 * Adds readings of a system (`proxmox.pve1`) to its history, one in six hours for thirty days, and answers all that is known. A storage that
 * is not among them keeps its history until that is too old.
 */
export async function noteFills(
  q: Queryable,
  system: string,
  readings: readonly { readonly name: string; readonly used: number; readonly total: number }[],
  now: Date,
): Promise<Fills> {
  const fills = await known(q, system);
  for (const [name, rows] of fills) {
    const kept = rows.filter(({ at }) => now.getTime() - at.getTime() <= KEEP_MS);
    if (kept.length === 0) fills.delete(name);
    else fills.set(name, kept);
  }
  for (const { name, used, total } of readings) {
    fills.set(name, addFill(fills.get(name) ?? [], { at: now, used, total }, SPAN_MS, KEEP_MS));
  }
  const rows = [...fills].map(([name, all]) => [name, all.map(({ at, used, total }) => [at.getTime(), used, total])]);
  await observe(q, source(system), true, Object.fromEntries(rows), now);
  return fills;
}
