import { createHash, timingSafeEqual } from 'node:crypto';

/** What is kept of a step-up code between asking and checking: bound to its run, so that it serves no other. */
export const stepUpDigest = (runId: string, code: string): string =>
  createHash('sha256')
    .update(`${runId}:${code.replace(/\s/gu, '')}`)
    .digest('hex');

/** Which of the candidate codes, if any, has this digest; compared in constant time. */
export function matchStepUp(
  runId: string,
  digest: string,
  candidates: readonly { readonly step: number; readonly code: string }[],
): number | undefined {
  const wanted = Buffer.from(digest, 'hex');
  let found: number | undefined;
  for (const { step, code } of candidates) {
    const seen = Buffer.from(stepUpDigest(runId, code), 'hex');
    if (seen.length === wanted.length && timingSafeEqual(seen, wanted)) found = step;
  }
  return found;
}
