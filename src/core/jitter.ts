import type { Random } from './random.ts';

/** Between a half and the whole of `ms`, so that many who wait do not return at once. */
export function jitter(random: Random, ms: number): number {
  const share = random.bytes(2).readUInt16BE() / 0xffff;
  return Math.round(ms * (0.5 + share / 2));
}
