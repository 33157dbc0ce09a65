import { describe, expect, it } from 'vitest';
import { leadsHere, parseHistory } from '../../src/integrations/postgres/lineage.ts';

const HISTORY = '1\t0/5000110\tbefore 2026-11-24 00:13:11.2+00\n\n2\t0/9000000\tno recovery target specified\n';

describe('backups of a cluster that was put back', () => {
  const lineage = parseHistory(3, HISTORY);

  it.each([
    ['before the moment', '000000010000000000000004', true],
    [
      'in the segment of the moment: a backup ends its segment, so it ended after it',
      '000000010000000000000005',
      false,
    ],
    ['after the moment, on what was left', '000000010000000000000006', false],
    ['on the second timeline, up to the segment at whose beginning it was left', '000000020000000000000008', true],
    ['on the second timeline, after it was left', '000000020000000000000009', false],
    ['on the present timeline', '00000003000000000000000A', true],
    ['on one that is newer than what is known here', '00000004000000000000000A', true],
  ])('that ended %s', (_what, walStop, leads) => {
    expect(leadsHere(lineage, walStop)).toBe(leads);
  });

  it('on a timeline that is not among the ancestors do not lead here', () => {
    expect(leadsHere(parseHistory(3, '1\t0/5000110\tx\n'), '000000020000000000000001')).toBe(false);
  });

  it('with segments of another size', () => {
    const large = parseHistory(2, '1\t0/5000110\tx\n', 67_108_864);
    expect(leadsHere(large, '000000010000000000000000')).toBe(true);
    expect(leadsHere(large, '000000010000000000000001')).toBe(false);
  });
});
