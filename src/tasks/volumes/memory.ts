import { z } from 'zod';
import type { Queryable } from '../../store/db.ts';
import { observation, observe } from '../../store/observations.ts';

const checks = z.object({
  /** Into how many shares the data is divided. */
  of: z.number(),
  /** When each share was read last, and found good. */
  read: z.record(z.string(), z.coerce.date()),
  /** A check found damage, and none has shown since that it is gone. */
  failedAt: z.coerce.date().exactOptional(),
  /** `3/28`: where it was found; absent when it may be elsewhere, too. */
  failedShare: z.string().exactOptional(),
});
export type Checks = z.output<typeof checks>;

const incomplete = z.record(z.string(), z.object({ snapshot: z.string(), skipped: z.number() }));

const checksKey = (set: string): string => `restic.${set}.checks`;
const incompleteKey = (set: string): string => `restic.${set}.incomplete`;

/** What was read of a repository, share by share; a new number of shares begins anew, and keeps what is known of damage. */
export async function checksOf(q: Queryable, set: string, of: number): Promise<Checks> {
  const seen = checks.safeParse((await observation(q, checksKey(set)))?.data).data;
  if (seen?.of === of) return seen;
  return { ...seen, of, read: {} };
}

/**
 * What is known after one more check. Damage is not gone because another share is good: the share in which it was found has to be, or
 * all of them have to be read since then. With another number of shares nobody knows in which one it lies.
 */
export function withCheck(before: Checks, part: number, ok: boolean, now: Date): Checks {
  const { of, read, failedAt, failedShare } = before;
  const share = `${part}/${of}`;
  if (!ok) {
    const isOnly = failedAt === undefined || failedShare === share;
    return { of, read, failedAt: now, ...(isOnly ? { failedShare: share } : {}) };
  }
  const next: Checks = { of, read: { ...read, [part]: now } };
  if (failedAt === undefined || failedShare === share) return next;
  const isAllRead = Object.values(next.read).filter((at) => at > failedAt).length >= of;
  return isAllRead ? next : { ...next, failedAt, ...(failedShare === undefined ? {} : { failedShare }) };
}

export async function noteCheck(q: Queryable, set: string, of: number, part: number, ok: boolean, now: Date) {
  const next = withCheck(await checksOf(q, set, of), part, ok, now);
  await observe(q, checksKey(set), next.failedAt === undefined, next, now);
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
