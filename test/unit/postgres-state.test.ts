/** How the backups of a cluster are judged, over every published answer of `pgbackrest info`: none that is broken renders green. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { hours } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { parseInfo, type StanzaInfo } from '../../src/integrations/pgbackrest/info.ts';
import { parseHistory } from '../../src/integrations/postgres/lineage.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { type PostgresFacts, postgresState } from '../../src/tasks/recovery/postgres-state.ts';
import { contract, contractPath, haveContracts } from '../support/contracts.ts';

const recovery = { rtoMinutes: 30, rpoMinutes: 60, drillMaxAgeDays: 30, damageMaxAgeDays: 30 };
const texts = catalogue(allMessages);

/** Judged an hour after the newest backup: its age is no reason to be red. */
function judged(info: StanzaInfo, more: Partial<PostgresFacts> & { offsiteRepo?: number } = {}) {
  const { offsiteRepo, ...facts } = more;
  const newest = Math.max(0, ...info.backups.map(({ stoppedAt }) => stoppedAt.getTime()));
  const state = postgresState({
    target: 'pg:main',
    stanza: {
      id: 'main',
      stanza: info.name,
      driver: 'pgbackrest',
      host: 'local',
      binary: ['pgbackrest'],
      maxAgeHours: 26,
      offsiteMaxAgeHours: 50,
      ...(offsiteRepo === undefined ? {} : { offsiteRepo }),
    },
    driver: 'pgbackrest',
    info,
    archive: undefined,
    checks: [],
    now: new Date(newest + hours(1)),
    recovery,
    ...facts,
  });
  // Every sentence of it can be said.
  for (const language of ['en', 'ru'] as const) {
    const t = texts.for(language);
    for (const { key, args } of [state.line, ...state.notes]) expect(t(key, args)).not.toBe(key);
  }
  return state;
}

const read = (text: string): StanzaInfo => {
  const [info] = parseInfo(text);
  if (info === undefined) throw new Error('no stanza');
  return info;
};
const GOOD = {
  label: '20261123-020000F',
  type: 'full',
  timestamp: { start: 1_795_399_200, stop: 1_795_399_300 },
  info: { size: 1000, delta: 1000, repository: { size: 100, delta: 100 } },
  database: { id: 1, 'repo-key': 1 },
  error: false,
};
const made = (status: object, repos: readonly number[], backup: readonly object[] = [GOOD]): StanzaInfo =>
  read(
    JSON.stringify([
      {
        name: 'main',
        status,
        repo: repos.map((code, n) => ({ key: n + 1, cipher: 'none', status: { code, message: `code ${code}` } })),
        backup,
      },
    ]),
  );
const ok = { code: 0, message: 'ok' };

interface Raw {
  readonly status: { readonly code: number };
  readonly repo?: readonly { readonly status: { readonly code: number } }[];
  readonly backup?: readonly { readonly error?: boolean }[];
}

describe('a state of backups', () => {
  test.skipIf(!haveContracts)('no published sample that is broken is green, and a good one is', () => {
    const names = readdirSync(contractPath('pgbackrest-samples')).filter((name) => name.startsWith('info-json-'));
    const seen = { ok: 0, other: 0 };
    for (const name of names) {
      const raw = contract('pgbackrest-samples', name) as Raw[];
      const infos = parseInfo(readFileSync(contractPath('pgbackrest-samples', name), 'utf8'));
      for (const [n, info] of infos.entries()) {
        const { status, repo = [], backup = [] } = raw[n] ?? { status: { code: 99 } };
        const isBroken =
          status.code !== 0 ||
          repo.some((each) => each.status.code !== 0) ||
          backup.length === 0 ||
          backup.at(-1)?.error === true;
        const { state } = judged(info);
        expect([name, info.name, state === 'ok']).toEqual([name, info.name, !isBroken]);
        seen[state === 'ok' ? 'ok' : 'other'] += 1;
      }
    }
    expect(seen.ok).toBeGreaterThan(2);
    expect(seen.other).toBeGreaterThan(10);
  });

  test.each([1, 2, 3, 5, 6, 99, 77])('a repository with the status %i is red, whatever backups are listed', (code) => {
    const alone = code === 2 ? [] : [GOOD];
    expect(judged(made({ code, message: 'x' }, [code], alone)).state).toBe('down');
    expect(judged(made({ code: 4, message: 'x' }, [0, code === 2 ? 99 : code])).state).toBe('down');
  });

  test('a stanza without a list of repositories speaks for itself', () => {
    for (const code of [1, 2, 3, 4, 5, 6, 99, 77]) {
      expect(judged(made({ code, message: 'x' }, [], [])).state).toBe('down');
    }
  });

  test('of two repositories each answers for its own target', () => {
    const info = made({ code: 4, message: 'different across repos' }, [0, 2]);
    expect(judged(info, { offsiteRepo: 2 }).state).toBe('ok');
    expect(judged(info, { offsiteRepo: 2, target: 'offsite-pg:main' }).state).toBe('down');
    // Nobody has said that it is the copy elsewhere.
    expect(judged(info)).toMatchObject({ state: 'warn', line: { key: 'pg-state-repo-empty', args: { repo: 2 } } });
    const other = made({ code: 4, message: 'different across repos' }, [99, 0]);
    expect(judged(other, { offsiteRepo: 2 }).state).toBe('down');
    expect(judged(other, { offsiteRepo: 1 }).state).toBe('down');
  });

  test('a wrong passphrase is red and printable; damaged pages in the newest backup are red', () => {
    const fixture = (name: string) =>
      read(readFileSync(fileURLToPath(new URL(`../fixtures/pgbackrest/${name}`, import.meta.url)), 'utf8'));
    const wrong = judged(fixture('info-wrong-passphrase.bin'));
    expect(wrong.state).toBe('down');
    expect(String(wrong.line.args?.['detail'])).not.toMatch(/[^\P{Cc}]/u);
    expect(judged(fixture('info-bad-page.json'))).toMatchObject({
      state: 'down',
      line: { key: 'pgbackrest-stanza-page-errors' },
    });
  });

  test('damaged pages in an older backup are a note; the good one decides', () => {
    const older = { ...GOOD, label: '20261122-020000F', error: true };
    const state = judged(made(ok, [0], [older, GOOD]));
    expect(state).toMatchObject({ state: 'ok', notes: expect.arrayContaining([]) as unknown });
    expect(state.notes.map(({ key }) => key)).toContain('pg-note-page-errors');
    expect(judged(made(ok, [0], [GOOD, older]))).toMatchObject({ state: 'down' });
  });

  test('a lock is a note: with its percent where pgBackRest tells the size', () => {
    const locked = (lock: object) =>
      judged(made({ ...ok, lock: { backup: lock } }, [0])).notes.map(({ key, args }) => [key, args]);
    expect(locked({ held: true })).toContainEqual(['pg-note-lock', { driver: 'pgBackRest' }]);
    expect(locked({ held: true, size: 200, 'size-cplt': 50 })).toContainEqual([
      'pg-note-lock-percent',
      { percent: 25 },
    ]);
    expect(locked({ held: true, size: 0, 'size-cplt': 0 })).toContainEqual(['pg-note-lock', { driver: 'pgBackRest' }]);
    expect(locked({ held: false }).map(([key]) => key)).not.toContain('pg-note-lock');
  });

  test('backups of a timeline that the cluster has left are not counted, though pgBackRest calls them good', () => {
    const info = read(
      readFileSync(fileURLToPath(new URL('../fixtures/pgbackrest/info-left-timeline.json', import.meta.url)), 'utf8'),
    );
    expect(judged(info)).toMatchObject({ state: 'ok', newestAt: new Date(1_795_485_700_000) });
    // Put back to a moment between the two backups, in segment 5.
    const lineage = parseHistory(2, '1\t0/5000110\tbefore 2026-11-23 14:15:00+00\n');
    const state = judged(info, { lineage });
    expect(state).toMatchObject({
      state: 'ok',
      newestAt: new Date(1_795_399_300_000),
      line: { key: 'pg-state-ok', args: { label: '20261123-020000F' } },
      window: { from: new Date(1_795_399_301_000) },
      count: 2,
    });
    expect(state.notes).toContainEqual({
      key: 'pg-note-left',
      args: { count: 1, label: '20261123-020000F_20261124-020000D' },
    });
    expect(state.backups.map(({ label }) => label)).toEqual(['20261123-020000F']);
    const now = new Date(1_795_485_700_000 + hours(3));
    expect(judged(info, { lineage, now })).toMatchObject({ state: 'warn', line: { key: 'pg-state-old' } });
    // Put back to before all of them, by another repository.
    const before = parseHistory(2, '1\t0/2000110\tbefore 2026-11-22 14:15:00+00\n');
    expect(judged(info, { lineage: before })).toMatchObject({ state: 'down', line: { key: 'pg-state-left' } });
  });

  test('what is too old is amber', () => {
    const info = made(ok, [0]);
    const now = new Date((GOOD.timestamp.stop + 27 * 3600) * 1000);
    expect(judged(info, { now })).toMatchObject({ state: 'warn', line: { key: 'pg-state-old' } });
  });
});
