import { describe, expect, it } from 'vitest';
import { parseExpire } from '../../src/integrations/pgbackrest/expire.ts';
import { isUnreadable, missingSegments, parseVerify } from '../../src/integrations/pgbackrest/verify.ts';
import { endOf, archiverOf } from '../../src/integrations/postgres/archive.ts';

const verbose = (status: string, backup: string, wal = 'total WAL checked: 4, total valid WAL: 4') => `stanza: main
status: ${status}
  archiveId: 15-1, ${wal}
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
  backup: 20261124-000905F, ${backup}
`;
const GOOD = `status: valid, total files checked: 964, total valid files: 964
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0`;

describe('what pgBackRest verify says (its exit code is 0 either way)', () => {
  it('everything valid', () => {
    expect(parseVerify(verbose('ok', GOOD))).toEqual({
      status: 'ok',
      archives: [{ id: '15-1', files: 4, valid: 4, missing: 0, checksum: 0, size: 0, other: 0 }],
      backups: [
        { id: '20261124-000905F', status: 'valid', files: 964, valid: 964, missing: 0, checksum: 0, size: 0, other: 0 },
      ],
      problems: [],
    });
  });

  it('a damaged file', () => {
    const bad = `status: invalid, total files checked: 964, total valid files: 963
    missing: 0, checksum invalid: 1, size invalid: 0, other: 0`;
    expect(parseVerify(verbose('error', bad))).toMatchObject({
      status: 'error',
      backups: [{ checksum: 1, valid: 963 }],
    });
    // Not verbose, it tells the bad counts only.
    const short = `stanza: main
status: error
  backup: 20261124-000905F, status: invalid, total files checked: 964, total valid files: 963
    checksum invalid: 1
`;
    expect(parseVerify(short)).toMatchObject({ status: 'error', archives: [], backups: [{ checksum: 1, missing: 0 }] });
  });

  it('counts that do not add up are damage, whatever the verdict above them', () => {
    expect(parseVerify(verbose('ok', GOOD.replace('valid files: 964', 'valid files: 960')))).toMatchObject({
      status: 'error',
    });
    expect(parseVerify(verbose('ok', GOOD, 'total WAL checked: 4, total valid WAL: 3'))).toMatchObject({
      status: 'error',
    });
  });

  it('a backup that is being made is no damage; a missing manifest is', () => {
    const as = (status: string) =>
      parseVerify(verbose('ok', `status: ${status}, total files checked: 0, total valid files: 0`))?.status;
    expect(as('in-progress')).toBe('ok');
    expect(as('manifest missing')).toBe('error');
  });

  it('lines that it does not count are problems', () => {
    expect(parseVerify('stanza: main\nstatus: error\n  No usable backup.info file\n')).toMatchObject({
      status: 'error',
      problems: ['No usable backup.info file'],
    });
  });

  it('an empty repository is told as that; silence is no verdict', () => {
    const empty = 'stanza: main\nstatus: ok\n  archiveId: none found\n  backup: none found\n';
    expect(parseVerify(empty)).toEqual({ status: 'ok', archives: [], backups: [], problems: [] });
    expect(parseVerify('')).toBeUndefined();
    // As 2.45 ends when it is asked for no output: it looks like success.
    expect(parseVerify('2026-11-24 00:09:15.253 P00   INFO: verify command end: completed successfully (243ms)')).toBe(
      undefined,
    );
  });

  it('the log of versions without --output', () => {
    const old = `2021-05-01 10:00:00.000 P00   INFO: verify command begin 2.33: --stanza=main
2021-05-01 10:00:01.000 P00   INFO: Results:
                                      archiveId: 15-1, total WAL checked: 4, total valid WAL: 4
                                        missing: 0, checksum invalid: 0, size invalid: 0, other: 0
                                      backup: 20261124-000905F, status: invalid, total files checked: 3, total valid files: 2
                                        missing: 1, checksum invalid: 0, size invalid: 0, other: 0
2021-05-01 10:00:01.001 P00   INFO: verify command end: completed successfully (185ms)
`;
    expect(parseVerify(old)).toMatchObject({ status: 'error', problems: [], backups: [{ missing: 1 }] });
    expect(
      parseVerify(
        old
          .replace('invalid, total files checked: 3', 'valid, total files checked: 2')
          .replace('missing: 1', 'missing: 0'),
      ),
    ).toMatchObject({ status: 'ok', problems: [] });
  });

  it('a file that does not unpack ends it without a verdict: that is damage, a wrong option is not', () => {
    expect(isUnreadable(29, 'ERROR: [029]: zst error: [-20] Data corruption detected')).toBe(true);
    expect(isUnreadable(29, "ERROR: [029]: unable to convert 'x' to a time")).toBe(false);
    expect(isUnreadable(0, '')).toBe(false);
  });
});

describe('holes in the archive, which verify does not see', () => {
  const MiB16 = 16 * 1024 * 1024;
  const wal = (log: string, segment: string) => `00000001${log.padStart(8, '0')}${segment.padStart(8, '0')}`;
  it.each([
    [wal('0', '1'), wal('0', '4'), 4, MiB16, 0],
    [wal('0', '1'), wal('0', '4'), 3, MiB16, 1],
    [wal('0', 'FE'), wal('1', '1'), 4, MiB16, 0],
    [wal('0', '3E'), wal('1', '1'), 4, 64 * 1024 * 1024, 0],
    // More than expected: another timeline ran beside.
    [wal('0', '1'), wal('0', '4'), 9, MiB16, 0],
  ])('%s … %s with %i segments', (min, max, seen, size, missing) => {
    expect(missingSegments({ min, max }, seen, size)).toBe(missing);
  });
  it('of segments of an unknown size counts as far as their names run through', () => {
    expect(missingSegments({ min: wal('0', '1'), max: wal('0', '4') }, 3, undefined)).toBe(1);
    // 64 MiB: 3E, 3F, 100000000. Taken for 16 MiB, 192 segments would be missed that never were.
    expect(missingSegments({ min: wal('0', '3E'), max: wal('1', '0') }, 3, 4 * MiB16)).toBe(0);
    expect(missingSegments({ min: wal('0', '3E'), max: wal('1', '0') }, 3, undefined)).toBeUndefined();
  });
  it('says nothing where it cannot tell', () => {
    expect(missingSegments({ min: null, max: null }, 0, MiB16)).toBeUndefined();
    // The names belong to smaller segments than was said.
    expect(missingSegments({ min: wal('0', '1'), max: wal('0', 'FFF') }, 4095, MiB16)).toBeUndefined();
  });
});

describe('what expire removes', () => {
  it('reads a dry run', () => {
    const log = `2026-11-24 00:09:44.800 P00   INFO: [DRY-RUN] expire command begin 2.45: --stanza=main
2026-11-24 00:09:44.801 P00   INFO: [DRY-RUN] repo1: expire full backup 20261124-000935F
2026-11-24 00:09:44.801 P00   INFO: [DRY-RUN] repo1: remove expired backup 20261124-000935F
2026-11-24 00:09:44.802 P00   INFO: [DRY-RUN] repo1: 15-1 remove archive, start = 000000010000000000000006, stop = 000000010000000000000008
2026-11-24 00:09:44.802 P00   INFO: [DRY-RUN] expire command end: completed successfully (8ms)`;
    expect(parseExpire(log)).toEqual({
      backups: [{ label: '20261124-000935F', repo: 1 }],
      archives: [{ repo: 1, archive: '15-1', from: '000000010000000000000006', to: '000000010000000000000008' }],
    });
  });
  it('reads that nothing goes', () => {
    expect(parseExpire('P00   INFO: [DRY-RUN] repo1: 15-1 no archive to remove')).toEqual({
      backups: [],
      archives: [],
    });
  });
});

describe('the archive of WAL', () => {
  it('knows its program by the command', () => {
    expect(archiverOf('pgbackrest --stanza=main archive-push %p', '')).toBe('pgbackrest');
    expect(archiverOf('/usr/local/bin/wal-g wal-push %p', '')).toBe('wal-g');
    expect(archiverOf('cp %p /mnt/%f', '')).toBe('other');
    expect(archiverOf('(disabled)', '')).toBe('none');
    expect(archiverOf('', 'basic_archive')).toBe('other');
  });
  it('knows where a segment ends', () => {
    expect(endOf('000000010000000000000001', 16 * 1024 * 1024)).toBe(32 * 1024 * 1024);
    expect(endOf('000000030000000200000000', 16 * 1024 * 1024)).toBe(2 * 2 ** 32 + 16 * 1024 * 1024);
    expect(endOf('00000002.history', 16 * 1024 * 1024)).toBeUndefined();
  });
});
