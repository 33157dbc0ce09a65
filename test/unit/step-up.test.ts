import { describe, expect, it } from 'vitest';
import { matchStepUp, stepUpDigest } from '../../src/core/step-up.ts';

const candidates = [
  { step: 10, code: '111111' },
  { step: 9, code: '222222' },
  { step: 11, code: '333333' },
];

describe('the digest of a step-up code', () => {
  it('matches its own code, however it was spaced', async () => {
    expect(await matchStepUp('run-1', await stepUpDigest('run-1', ' 222 222 '), candidates)).toBe(9);
  });

  it('matches no other code, and serves no other run', async () => {
    expect(await matchStepUp('run-1', await stepUpDigest('run-1', '444444'), candidates)).toBeUndefined();
    expect(await matchStepUp('run-2', await stepUpDigest('run-1', '222222'), candidates)).toBeUndefined();
  });

  it('that is none matches nothing', async () => {
    for (const digest of ['', 'zz', 'ab', 'f'.repeat(64)])
      expect(await matchStepUp('run-1', digest, candidates)).toBeUndefined();
  });

  it('differs for each run and does not show the code', async () => {
    const [one, two] = await Promise.all([stepUpDigest('run-1', '123456'), stepUpDigest('run-2', '123456')]);
    expect(one).not.toBe(two);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(one).not.toContain('123456');
  });
});
