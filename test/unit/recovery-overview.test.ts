import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/core/i18n.ts';
import { allMessages } from '../../src/messages.gen.ts';
import type { BackupsResult, BoardLine } from '../../src/tasks/recovery/lines.ts';
import { sortLines } from '../../src/tasks/recovery/lines.ts';
import { judgeRecovery, recoveryBlocks } from '../../src/tasks/recovery/overview.ts';
import { backupTargets, checkTargets, drillTargets } from '../../src/tasks/recovery/targets.ts';

const NOW = new Date('2026-11-23T09:00:00Z');
const line = (target: string, changes: Partial<BoardLine> = {}): BoardLine => ({
  target,
  state: 'ok',
  line: { key: 'recovery-lost' },
  drill: { state: 'never' },
  ...changes,
});
const board = (lines: readonly BoardLine[], changes: Partial<BackupsResult> = {}): BackupsResult => ({
  at: NOW,
  lines: [...lines],
  silent: [],
  sources: 1,
  ...changes,
});
const words = (result: BackupsResult | undefined): string =>
  JSON.stringify(recoveryBlocks(result, { t: catalogue(allMessages).for('en'), language: 'en', now: NOW }));

describe('backups in the overview', () => {
  it('says nothing where nobody has looked', () => {
    expect(recoveryBlocks(undefined, { t: catalogue(allMessages).for('en'), language: 'en', now: NOW })).toEqual([]);
    expect(judgeRecovery(undefined, [])).toEqual({ warning: 0, unknown: 0 });
  });

  it('counts what is in order, names the worst, and says what was never restored', () => {
    const many = Array.from({ length: 7 }, (_, n) => line(`guest:vm${n}`, { state: 'warn' }));
    const text = words(board([...many, line('pg:main', { drill: { state: 'fresh', at: NOW } })]));
    expect(text).toContain('7 to look at of 8; 7 targets were never restored');
    expect(text).toContain('… +2');
    expect(words(board([line('pg:main')], { at: new Date(NOW.getTime() - 3_600_000) }))).toContain('as of');
  });

  it('counts a silent source once, however many targets it has, and nothing twice', () => {
    const silent = { name: 'proxmox pve1', why: { key: 'recovery-lost' } };
    const guests = Array.from({ length: 40 }, (_, n) => line(`guest:vm${n}`, { state: 'unknown' }));
    expect(judgeRecovery(board(guests, { silent: [silent] }), [])).toEqual({ warning: 0, unknown: 1 });
    const pg = board([line('pg:main', { state: 'warn' }), line('volume:etc', { state: 'down' })]);
    expect(judgeRecovery(pg, [])).toEqual({ warning: 2, unknown: 0 });
    expect(judgeRecovery(pg, ['pg:main'])).toEqual({ warning: 1, unknown: 0 });
  });

  it('kinds with trouble come first, and in a kind the worst', () => {
    const sorted = sortLines([
      line('pg:a'),
      line('guest:b', { state: 'warn' }),
      line('guest:a'),
      line('volume:x', { state: 'down' }),
      line('volume:a', { state: 'unknown' }),
    ]);
    expect(sorted.map(({ target }) => target)).toEqual(['volume:x', 'volume:a', 'guest:b', 'guest:a', 'pg:a']);
  });
});

it('targets come out of the configuration; a cluster without a place for scratch clusters cannot be tried out', () => {
  const place = { cluster: {}, scratch: {} };
  const config = {
    postgres: [{ id: 'main', offsiteRepo: 2, ...place }, { id: 'small' }],
    restic: [
      { id: 'files', volumes: [{ id: 'etc' }], offsite: {} },
      { id: 'more', volumes: [{ id: 'wiki' }] },
    ],
    proxmox: [],
    pbs: [{ id: 'pbs1', datastores: [{ name: 'main' }] }],
  } as unknown as Parameters<typeof backupTargets>[0];
  expect(backupTargets(config)).toEqual([
    'pg:main',
    'pg:small',
    'volume:etc',
    'volume:wiki',
    'offsite-pg:main',
    'offsite-volume:etc',
  ]);
  expect(drillTargets(config)).toEqual([
    'pg:main',
    'volume:etc',
    'volume:wiki',
    'offsite-pg:main',
    'offsite-volume:etc',
  ]);
  expect(checkTargets(config)).toEqual(['pg:main', 'pg:small', 'restic:files', 'restic:more', 'pbs:pbs1/main']);
});
