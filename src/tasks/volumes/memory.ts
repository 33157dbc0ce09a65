import { z } from 'zod';
import type { Queryable } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';

const checks = z.object({
  /** Into how many shares the data is divided. */
  of: z.number(),
  /** When each share was read last, and found good. */
  read: z.record(z.string(), z.coerce.date()),
  /** The newest check found damage. */
  failedAt: z.coerce.date().exactOptional(),
});
export type Checks = z.output<typeof checks>;

const incomplete = z.record(z.string(), z.object({ snapshot: z.string(), skipped: z.number() }));

const checksKey = (set: string): string => `restic.${set}.checks`;
const incompleteKey = (set: string): string => `restic.${set}.incomplete`;

/** What was read of a repository, share by share; a new number of shares begins anew. */
export async function checksOf(q: Queryable, set: string, of: number): Promise<Checks> {
  const seen = checks.safeParse((await observation(q, checksKey(set)))?.data).data;
  return seen?.of === of ? seen : { of, read: {}, ...(seen?.failedAt ? { failedAt: seen.failedAt } : {}) };
}

export async function noteCheck(q: Queryable, set: string, of: number, part: number, ok: boolean, now: Date) {
  const { read } = await checksOf(q, set, of);
  const next: Checks = ok ? { of, read: { ...read, [part]: now } } : { of, read, failedAt: now };
  await observe(q, checksKey(set), ok, next, now);
}

/** The share that was not read for the longest time; never is longest. */
export function nextPart({ of, read }: Checks): number {
  let chosen = 1;
  let oldest = Number.POSITIVE_INFINITY;
  for (let part = 1; part <= of; part += 1) {
    const at = read[String(part)]?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (at < oldest) [chosen, oldest] = [part, at];
  }
  return chosen;
}

/** Of each volume the newest snapshot that lacks files, by the beginning of its id. */
export async function incompleteOf(q: Queryable, set: string): Promise<z.output<typeof incomplete>> {
  return incomplete.safeParse((await observation(q, incompleteKey(set)))?.data).data ?? {};
}

export async function noteBackup(
  q: Queryable,
  set: string,
  volume: string,
  made: { readonly snapshot: string; readonly skipped: number },
  now: Date,
): Promise<void> {
  const { [volume]: _before, ...others } = await incompleteOf(q, set);
  const next = made.skipped > 0 ? { ...others, [volume]: made } : others;
  await observe(q, incompleteKey(set), true, next, now);
}
