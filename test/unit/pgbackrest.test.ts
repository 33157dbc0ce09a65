import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/core/i18n.ts';
import type { Executor, RunOptions, RunResult } from '../../src/integrations/exec/executor.ts';
import { ERROR_CODES, exitError } from '../../src/integrations/pgbackrest/errors.ts';
import { parseInfo, STANZA_STATES } from '../../src/integrations/pgbackrest/info.ts';
import { firstError, parseLogLine } from '../../src/integrations/pgbackrest/log.ts';
import { messages } from '../../src/integrations/pgbackrest/messages.ts';
import {
  type BackupProgress,
  createBackupLog,
  createPgBackRest,
  stanzaLine,
} from '../../src/integrations/pgbackrest/pgbackrest.ts';
import { contract, contractPath, haveContracts } from '../support/contracts.ts';
import { createManualClock } from '../support/manual-clock.ts';

const fixture = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../fixtures/pgbackrest/${name}`, import.meta.url)), 'utf8');
const [badPage] = parseInfo(fixture('info-bad-page.json'));
const now = new Date('2026-11-23T20:30:00Z');
const ru = catalogue([messages]).for('ru');
const en = catalogue([messages]).for('en');

describe('info', () => {
  test('the 64-bit system id stays exact', () => {
    const id = /"system-id":(\d+)/.exec(fixture('info-bad-page.json'))?.[1];
    expect(badPage?.databases[0]?.systemId).toBe(id);
    expect(String(Number(id))).not.toBe(id);
  });

  test('a damaged page makes the stanza red, though its status is ok', () => {
    expect(badPage?.state).toBe('ok');
    expect(badPage?.backups.at(-1)).toMatchObject({ type: 'incr', error: true, annotation: { 'vakhta-run': 'r4' } });
    const line = stanzaLine(badPage!, now);
    expect(line).toMatchObject({ state: 'down', text: 'pgbackrest-stanza-page-errors' });
    expect(ru(line.text, line.args)).toContain('повреждённые страницы');
  });

  test('sizes and times of a backup', () => {
    expect(badPage?.backups[0]).toMatchObject({
      label: '20261123-172326F',
      type: 'full',
      prior: null,
      sizeBytes: 23215520,
      repoDeltaBytes: 2856752,
      startedAt: new Date(1795454606_000),
      stoppedAt: new Date(1795454607_000),
      error: false,
    });
  });

  test('a wrong passphrase puts raw bytes into the message: still read, printable, and red', () => {
    const raw = readFileSync(
      fileURLToPath(new URL('../fixtures/pgbackrest/info-wrong-passphrase.bin', import.meta.url)),
    );
    expect(() => JSON.parse(raw.toString('utf8'))).toThrow(SyntaxError);
    const [stanza] = parseInfo(raw.toString('utf8'));
    expect(stanza).toMatchObject({ name: 'main', code: 99, state: 'other' });
    const line = stanzaLine(stanza!, now);
    expect(line.state).toBe('down');
    expect(String(line.args?.['detail'])).toMatch(/^\[FormatError\] unable to load info file/);
    expect(String(line.args?.['detail'])).not.toMatch(/[\p{Cc}\uFFFD]/u);
  });

  test('what is no answer is an error, an unknown status code is never ok', () => {
    expect(() => parseInfo('')).toThrow(/not JSON/);
    expect(() => parseInfo('[{"name":"x"}]')).toThrow(/info:/);
    expect(parseInfo('[]')).toEqual([]);
    expect(parseInfo('[{"name":"x","status":{"code":7,"message":"new"}}]')[0]?.state).toBe('other');
  });

  test('an id inside a text is left alone', () => {
    const text = String.raw`[{"name":"x","status":{"code":99,"message":"\"system-id\":123"}}]`;
    expect(parseInfo(text)[0]?.message).toBe('"system-id":123');
  });

  test('every state but ok with a good backup is down, with a sentence in both languages', () => {
    for (const [code, state] of Object.entries(STANZA_STATES)) {
      if (state === 'ok') continue;
      const [stanza] = parseInfo(`[{"name":"x","status":{"code":${code},"message":"m"}}]`);
      const line = stanzaLine(stanza!, now);
      expect(line.state).toBe('down');
      expect([line.text, ru.has(line.text), en.has(line.text)]).toEqual([line.text, true, true]);
    }
    const [empty] = parseInfo('[{"name":"x","status":{"code":0,"message":"ok"}}]');
    expect(stanzaLine(empty!, now).state).toBe('down');
  });

  test.skipIf(!haveContracts)('every published sample is understood', () => {
    const names = readdirSync(contractPath('pgbackrest-samples')).filter((name) => name.startsWith('info-json-'));
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) {
      const raw = contract('pgbackrest-samples', name) as { name: string; status: { code: number } }[];
      const parsed = parseInfo(readFileSync(contractPath('pgbackrest-samples', name), 'utf8'));
      expect(parsed.map(({ name: n, code }) => [n, code])).toEqual(raw.map((s) => [s.name, s.status.code]));
      for (const stanza of parsed) {
        for (const db of stanza.databases) {
          expect(readFileSync(contractPath('pgbackrest-samples', name), 'utf8')).toContain(db.systemId);
        }
      }
    }
  });

  test.skipIf(!haveContracts)('a running backup tells how far it is', () => {
    const file = 'info-json-progress-only-multiple-stanzas-multi-repo-backup-locks-with-per-r.json';
    const [first] = parseInfo(readFileSync(contractPath('pgbackrest-samples', file), 'utf8'));
    expect(first?.backupLock).toEqual({ held: true, sizeBytes: 6318000, doneBytes: 4124080 });
  });
});

describe('the console log', () => {
  const follow = (...names: string[]) => {
    const seen: BackupProgress[] = [];
    const log = createBackupLog((progress) => seen.push(progress));
    for (const name of names) for (const line of fixture(name).split('\n')) log.line(line);
    return { seen, log };
  };

  test('a full backup: stages in order, percent only rising, label and duration', () => {
    const { seen, log } = follow('full.stdout');
    expect([...new Set(seen.map((p) => p.step.key))]).toEqual([
      'pgbackrest-step-checkpoint',
      'pgbackrest-step-copying',
      'pgbackrest-step-wal',
      'pgbackrest-step-expire',
    ]);
    const percents = seen.flatMap((p) => (p.percent === undefined ? [] : [p.percent]));
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(percents.at(-1)).toBeGreaterThan(99);
    expect(log).toMatchObject({ label: '20261123-172404F', durationMs: 6508, badPages: 0 });
    for (const { step } of seen) expect(ru.has(step.key)).toBe(true);
  });

  test('damaged pages are counted', () => {
    expect(follow('bad-page.stdout', 'bad-page.stderr').log).toMatchObject({ badPages: 1 });
    const line = 'WARN: invalid page checksums found in file /srv/pg/data/base/5/1 at pages 1, 3-5';
    expect(parseLogLine(line)).toEqual({ kind: 'bad-pages', file: '/srv/pg/data/base/5/1', pages: 4 });
  });

  test('lines of every shape', () => {
    expect(parseLogLine('P01 DETAIL: backup file db1:/d/base/1/2 (128MB, 74.52%) checksum ab')).toEqual({
      kind: 'copied',
      percent: 74.52,
      bytes: 128 * 1024 ** 2,
    });
    expect(parseLogLine('2026-11-23 17:24:10.281 P01 DETAIL: match file from prior backup /d/x (0B, 87.00%)')).toEqual({
      kind: 'copied',
      percent: 87,
      bytes: 0,
    });
    expect(parseLogLine('WARN: no prior backup exists, incr backup has been changed to full')).toEqual({
      kind: 'type-changed',
      type: 'full',
    });
    expect(parseLogLine('ERROR: [062]: stop file exists for stanza main')).toEqual({
      kind: 'error',
      code: 62,
      detail: 'stop file exists for stanza main',
    });
    expect(parseLogLine('2026-11-23 17:24:10.281 P00 DETAIL: store zero-length file /d/x')).toBeUndefined();
    expect(parseLogLine('anything else')).toBeUndefined();
  });

  test('the first error is told with its hints', () => {
    expect(firstError(fixture('locked.stderr'))).toBe(
      "[050]: unable to acquire lock on file '/srv/pgbackrest/lock/main-backup.lock': Resource temporarily unavailable HINT: is another pgBackRest process running?",
    );
    expect(firstError('nothing wrong')).toBe('');
  });
});

describe('errors', () => {
  const failed = (code: number, stderr = '') => exitError('main', { code, stdout: '', stderr });
  test.each([
    [50, 'transient', 'pgbackrest-lock-held'],
    [56, 'transient', 'pgbackrest-db-connect'],
    [62, 'permanent', 'pgbackrest-stopped'],
    [37, 'permanent', 'pgbackrest-stanza-unknown'],
    [82, 'permanent', 'pgbackrest-archive-timeout'],
    [25, 'permanent', 'pgbackrest-failed'],
  ])('exit %i is %s: %s', (code, kind, name) => {
    expect(failed(code, fixture('locked.stderr'))).toMatchObject({ kind, code: name });
  });

  test('every error and the death by a signal have a sentence in both languages', () => {
    for (const code of [...ERROR_CODES, 'pgbackrest-failed', 'pgbackrest-output', 'pgbackrest-backup-vanished']) {
      for (const t of [ru, en])
        expect(t(`err-${code}`, { stanza: 'main', detail: 'd', exit: '1', label: 'l' })).not.toMatch(/[{}]/);
    }
    expect(exitError('main', { code: null, signal: 'SIGKILL', stdout: '', stderr: '' }).message).toContain('SIGKILL');
  });
});

describe('the port', () => {
  const answer = (code: number, stdout: string, stderr = ''): RunResult => ({ code, stdout, stderr, truncated: false });
  /** Plays back recorded answers and keeps what was asked. */
  const recorded = (...answers: RunResult[]) => {
    const asked: string[][] = [];
    const executor: Executor = {
      run: (argv, options: RunOptions = {}) => {
        asked.push([...argv]);
        const next = answers.shift();
        if (next === undefined) throw new Error(`unexpected: ${argv.join(' ')}`);
        for (const line of next.stderr.split('\n')) options.onLine?.('stderr', line);
        for (const line of next.stdout.split('\n')) options.onLine?.('stdout', line);
        return Promise.resolve(next);
      },
      describe: () => 'recorded',
      probe: () => Promise.resolve({ state: 'ok', text: 'exec-probe-ok' }),
    };
    const port = createPgBackRest(
      { id: 'pg', stanza: 'main', config: '/etc/pgb.conf', repo: 2 },
      { executor, clock: createManualClock(now) },
    );
    return { port, asked };
  };

  test('a backup with a damaged page is reported as such', async () => {
    const { port, asked } = recorded(
      answer(0, fixture('bad-page.stdout'), fixture('bad-page.stderr')),
      answer(0, fixture('info-bad-page.json')),
    );
    expect(await port.backup('incr', { runId: 'r4' })).toEqual({
      label: '20261123-172404F_20261123-172414I',
      type: 'incr',
      sizeBytes: 180512935,
      deltaBytes: 1823263,
      repoBytes: 188176,
      durationMs: 2741,
      startedAt: new Date(1795454654_000),
      stoppedAt: new Date(1795454656_000),
      error: true,
      errorPages: 1,
    });
    expect(asked[0]).toEqual(
      expect.arrayContaining([
        'pgbackrest',
        '--config=/etc/pgb.conf',
        '--stanza=main',
        '--repo=2',
        '--annotation=vakhta-run=r4',
        '--type=incr',
        'backup',
      ]),
    );
  });

  test('a version without annotations is asked again without', async () => {
    const { port, asked } = recorded(
      answer(31, '', "ERROR: [031]: invalid option '--annotation=vakhta-run=r4'"),
      answer(0, fixture('bad-page.stdout')),
      answer(0, fixture('info-bad-page.json')),
    );
    expect((await port.backup('incr', { runId: 'r4' })).label).toBe('20261123-172404F_20261123-172414I');
    expect(asked[1]?.join(' ')).not.toContain('annotation');
  });

  test('another invalid option is not tried twice', async () => {
    const { port } = recorded(answer(31, '', "ERROR: [031]: invalid option '--repo'"));
    await expect(port.backup('full', { runId: 'x' })).rejects.toMatchObject({ code: 'pgbackrest-option' });
  });

  test('a lock is transient, a backup that info does not know is an error', async () => {
    const locked = recorded(answer(50, fixture('locked.stdout'), fixture('locked.stderr')));
    await expect(locked.port.backup('full')).rejects.toMatchObject({ kind: 'transient', code: 'pgbackrest-lock-held' });
    const vanished = recorded(
      answer(0, fixture('full.stdout').replaceAll('172404F', '999999F')),
      answer(0, fixture('info-bad-page.json')),
    );
    await expect(vanished.port.backup('full')).rejects.toMatchObject({ code: 'pgbackrest-backup-vanished' });
  });

  test('after a crash: found, still running, or absent with candidates by time', async () => {
    const info = fixture('info-bad-page.json');
    const found = await recorded(answer(0, info)).port.findByRun('r2', now);
    expect(found).toMatchObject({ state: 'found', backup: { label: '20261123-172404F' } });
    const held = info.replace('"held":false', '"held":true');
    expect(await recorded(answer(0, held)).port.findByRun('other', now)).toEqual({ state: 'running' });
    expect(await recorded(answer(0, held)).port.findByRun('r2', now)).toMatchObject({ state: 'found' });
    expect(await recorded(answer(0, info)).port.findByRun('other', now)).toEqual({ state: 'absent', candidates: [] });
    const bare = info.replaceAll(/"annotation":\{[^}]*\},/g, '');
    const absent = await recorded(answer(0, bare)).port.findByRun('r4', new Date(1795454654_500));
    expect(absent).toMatchObject({ state: 'absent', candidates: [{ label: '20261123-172404F_20261123-172414I' }] });
  });

  test('the probe never throws', async () => {
    const signal = new AbortController().signal;
    expect(await recorded(answer(0, fixture('info-bad-page.json'))).port.probe(signal)).toMatchObject({
      state: 'down',
    });
    expect(await recorded(answer(0, '[]')).port.probe(signal)).toMatchObject({ state: 'down' });
    expect(await recorded(answer(27, '')).port.probe(signal)).toMatchObject({ state: 'down' });
    const good = fixture('info-bad-page.json').replace('"error":true', '"error":false');
    const line = await recorded(answer(0, good)).port.probe(signal);
    expect(line).toMatchObject({ state: 'ok', args: { hours: 3 } });
    expect(ru(line.text, line.args)).toBe('main: последняя копия 20261123-172404F_20261123-172414I, 3 часа назад');
  });
});
