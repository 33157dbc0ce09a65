import { scrypt, timingSafeEqual } from 'node:crypto';

/** Tens of milliseconds a guess: a million of them take hours, while the code is good for a minute and a half. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const LENGTH = 32;

const derive = (runId: string, code: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(code.replace(/\s/gu, ''), `vakhta-step-up:${runId}`, LENGTH, COST, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });

/**
 * What is kept of a step-up code between asking and checking, in hex: bound to its run, so that it serves no other, and slow
 * to guess, because six digits alone would be read out of a fast hash at once.
 */
export const stepUpDigest = async (runId: string, code: string): Promise<string> =>
  (await derive(runId, code)).toString('hex');

/** Which of the candidate codes, if any, has this digest; every one is compared, each in constant time. */
export async function matchStepUp(
  runId: string,
  digest: string,
  candidates: readonly { readonly step: number; readonly code: string }[],
): Promise<number | undefined> {
  const wanted = Buffer.from(digest, 'hex');
  const seen = await Promise.all(candidates.map(({ code }) => derive(runId, code)));
  let found: number | undefined;
  seen.forEach((key, n) => {
    if (key.length === wanted.length && timingSafeEqual(key, wanted)) found ??= candidates[n]?.step;
  });
  return found;
}
