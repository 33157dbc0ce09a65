import { z } from 'zod';
import { days } from './clock.ts';

/** What the last handshake with an endpoint showed; `problems` in the words of the prober, `unreachable` among them. */
export const certificateSeen = z.object({
  problems: z.array(z.string()),
  detail: z.string().optional(),
  subject: z.string().optional(),
  issuer: z.string().optional(),
  names: z.array(z.string()).optional(),
  serial: z.string().optional(),
  notBefore: z.coerce.date().optional(),
  notAfter: z.coerce.date().optional(),
});
export type CertificateSeen = z.output<typeof certificateSeen>;

/**
 * - `ok`: trusted, and further from its end than the largest warning
 * - `expiring`: within a warning; `threshold` is the nearest one that was passed
 * - `broken`: served, but clients refuse it (expired, wrong name, incomplete chain …)
 * - `unknown`: no handshake, so nothing can be said. Never green.
 */
export interface CertificateVerdict {
  readonly state: 'ok' | 'expiring' | 'broken' | 'unknown';
  readonly daysLeft?: number;
  /** Days of the warning that applies; 0 for what is broken. */
  readonly threshold?: number;
}

/** Whole days until the end, rounded down: 0 on the last day, negative after it. */
export const daysLeft = (notAfter: Date, now: Date): number =>
  Math.floor((notAfter.getTime() - now.getTime()) / days(1));

export function judgeCertificate(seen: CertificateSeen, now: Date, warnDays: readonly number[]): CertificateVerdict {
  const left = seen.notAfter ? daysLeft(seen.notAfter, now) : undefined;
  const known = left === undefined ? {} : { daysLeft: left };
  if (seen.notAfter === undefined || left === undefined) return { state: 'unknown' };
  if (seen.notAfter <= now || seen.problems.length > 0) return { state: 'broken', threshold: 0, ...known };
  const threshold = warnDays.filter((limit) => left <= limit).sort((a, b) => a - b)[0];
  return threshold === undefined ? { state: 'ok', ...known } : { state: 'expiring', threshold, ...known };
}
