import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daysLeft, judgeCertificate } from '../../src/core/certificate.ts';
import { days, hours } from '../../src/core/clock.ts';

const NOW = new Date('2026-11-23T09:00:00Z');
const WARN = [30, 14, 7, 3, 1];
const inDays = (n: number): Date => new Date(NOW.getTime() + days(n));
const judge = (left: number, problems: string[] = []) =>
  judgeCertificate({ problems, notAfter: inDays(left) }, NOW, WARN);

describe('days left', () => {
  it('are whole ones, rounded down', () => {
    expect(daysLeft(inDays(1), NOW)).toBe(1);
    expect(daysLeft(new Date(NOW.getTime() + hours(23)), NOW)).toBe(0);
    expect(daysLeft(new Date(NOW.getTime() - 1), NOW)).toBe(-1);
  });
});

describe('the verdict on a certificate', () => {
  it.each([
    [31, 'ok', undefined],
    [30.5, 'expiring', 30],
    [14, 'expiring', 14],
    [8, 'expiring', 14],
    [7.9, 'expiring', 7],
    [3, 'expiring', 3],
    [1, 'expiring', 1],
    [0.1, 'expiring', 1],
    [0, 'broken', 0],
    [-3, 'broken', 0],
  ] as const)('%s days before its end: %s, warning %s', (left, state, threshold) => {
    const verdict = judge(left);
    expect([verdict.state, verdict.threshold]).toEqual([state, threshold]);
  });

  it('is broken for whatever clients refuse, however long it lasts', () => {
    for (const problem of ['wrong-host', 'self-signed', 'incomplete-chain', 'untrusted', 'not-yet-valid']) {
      expect(judge(300, [problem])).toMatchObject({ state: 'broken', threshold: 0 });
    }
  });

  it('is unknown without a certificate, never green', () => {
    expect(judgeCertificate({ problems: ['unreachable'] }, NOW, WARN)).toEqual({ state: 'unknown' });
    expect(judgeCertificate({ problems: [] }, NOW, WARN)).toEqual({ state: 'unknown' });
  });

  it('never becomes milder as time passes', () => {
    const rank = { ok: 0, unknown: 0, expiring: 1, broken: 2 };
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 400, noNaN: true }),
        fc.double({ min: 0, max: 400, noNaN: true }),
        (left, later) => {
          const [before, after] = [judge(left), judge(left - later)];
          expect(rank[after.state]).toBeGreaterThanOrEqual(rank[before.state]);
          expect(after.threshold ?? Infinity).toBeLessThanOrEqual(before.threshold ?? Infinity);
        },
      ),
    );
  });
});
