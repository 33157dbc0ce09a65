import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createLocalExecutor } from '../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../src/integrations/pgbackrest/pgbackrest.ts';
import { prepareRepository, simulatorCommand, type SimulatorSettings } from '../../src/simulators/pgbackrest/index.ts';
import { several } from '../../src/tasks/several.ts';
import backupPg from '../../src/tasks/operations/backup-pg.ts';
import { temporaryFolder } from '../support/components/index.ts';
import { builtFolder } from '../support/program.ts';
import { as, openLife } from './support/life.ts';
import { shownRun } from './support/shown.ts';

/** The life cycle in front of the pgBackRest simulator, which is a program of its own. */
async function openBackups(settings: Partial<SimulatorSettings> = {}, create = true) {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  const folder = join(path, 'repo');
  mkdirSync(folder);
  const set = (more: Partial<SimulatorSettings>) =>
    prepareRepository(folder, { stanzas: ['main'], durationMs: 800, databaseBytes: 40_000_000, ...settings, ...more });
  set({});
  const binary = simulatorCommand(folder, await builtFolder());
  const local = createLocalExecutor({}, { clock: systemClock });
  const command = (...words: string[]) => local.run([...binary, '--stanza=main', ...words]);
  const port = createPgBackRest({ id: 'main', stanza: 'main', binary }, { executor: local, clock: systemClock });
  const life = await openLife({
    operations: [backupPg],
    ports: { pgbackrest: several([['main', port]]) },
    time: systemClock,
  });
  if (create) await command('stanza-create');
  const backup = async (type = 'full') => {
    const { id } = await life.requests.request(as('anna'), 'backup.pg', { stanza: 'main', type });
    await life.deliver();
    return life.run(id);
  };
  const card = async (run: Awaited<ReturnType<typeof backup>>) => shownRun(run, life, [backupPg], systemClock.now());
  return { life, port, set, command, backup, card };
}

describe('/backup pg', () => {
  it('makes a backup, shows progress, and sees it in the repository', async () => {
    const { backup, card, port } = await openBackups();
    const run = await backup('incr');
    expect(run).toMatchObject({ state: 'succeeded', result: { type: 'full', error: false }, verified: { ok: true } });
    expect(run.progress?.step.key).toMatch(/^pgbackrest-step-/);
    const [made] = (await port.info()).backups;
    expect(made?.annotation).toMatchObject({ 'vakhta-run': run.id });
    const { en, ru } = await card(run);
    expect(en.icon).toBe('done');
    for (const { text } of [en, ru]) expect(text).toContain(made?.label);
    expect(en.text).toContain('full (incr)');
  });

  it('without a stanza: says what to do, and starts nothing', async () => {
    const { backup, card } = await openBackups({}, false);
    const run = await backup();
    expect(run).toMatchObject({
      state: 'failed',
      error: { code: 'backup-pg-refused', text: 'pgbackrest-stanza-missing-stanza-path' },
    });
    expect(run.startedAt).toBeUndefined();
    const { en, ru } = await card(run);
    expect(en.text).toContain('stanza-create');
    expect(ru.text).toContain('stanza-create');
  });

  it('of a stanza that is not declared is refused with the declared ones', async () => {
    const { life } = await openBackups();
    const { id } = await life.requests.request(as('anna'), 'backup.pg', { stanza: 'other' });
    await life.deliver();
    expect(await life.run(id)).toMatchObject({
      state: 'failed',
      error: { code: 'not-declared', args: { known: 'main' } },
    });
  });

  it('while another backup holds the lock: ends at once, and says so', async () => {
    const { backup, card, command, port, set } = await openBackups();
    // Longer than anything may take: it is ended below.
    set({ durationMs: 120_000 });
    const stop = new AbortController();
    const other = port.backup('full', { signal: stop.signal }).catch(() => undefined);
    await expect.poll(async () => (await port.info()).backupLock.held, { timeout: 30_000, interval: 200 }).toBe(true);
    const run = await backup();
    expect(run).toMatchObject({ state: 'failed', error: { code: 'pgbackrest-lock-held' } });
    await card(run);
    stop.abort();
    await other;
    await command('info');
  });

  it('of a database that is down: ends at once', async () => {
    const { backup } = await openBackups({ databaseDown: true });
    expect(await backup()).toMatchObject({ state: 'failed', error: { code: 'pgbackrest-db-connect' } });
  });

  it('that was stopped on purpose says how it goes on', async () => {
    const { backup, card, command } = await openBackups();
    await command('stop');
    const run = await backup();
    expect(run).toMatchObject({ state: 'failed', error: { code: 'pgbackrest-stopped' } });
    expect((await card(run)).en.text).toContain('pgbackrest start');
  });

  it('with damaged pages is amber, never green', async () => {
    const { backup, card } = await openBackups({ badPages: [17, 18] });
    const run = await backup();
    expect(run).toMatchObject({ state: 'warning', result: { error: true }, verified: { ok: true } });
    const { en, ru } = await card(run);
    expect(en.icon).toBe('warning');
    expect(en.text).toContain('Damaged pages');
    expect(ru.text).toContain('Повреждённые страницы');
  });

  it('whose worker died goes on by itself, is waited for, and found by its annotation', async () => {
    const { life, port, set } = await openBackups();
    // Long enough to be met at work by whoever is slow.
    set({ durationMs: 12_000 });
    const { id } = await life.requests.request(as('anna'), 'backup.pg', { stanza: 'main', type: 'full' });
    life.queued.length = 0;
    const long = new Date(systemClock.now().getTime() - 60_000);
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3 where id = $1`,
      [id, long, JSON.stringify({ startedAt: systemClock.now().toISOString() })],
    );
    await life.db.query(`insert into run_locks (key, run_id, acquired_at) values ('backup:pg:main', $1, $2)`, [
      id,
      long,
    ]);
    const orphan = port.backup('full', { runId: id });
    await expect.poll(async () => (await port.info()).backupLock.held, { timeout: 30_000, interval: 200 }).toBe(true);
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'reconciling', progress: { step: { key: 'backup-pg-busy' } } });
    const { label } = await orphan;
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', result: { label, type: 'full' } });
    expect((await port.info()).backups).toHaveLength(1);
    expect(await life.locks()).toEqual([]);
  });

  it('whose worker died before pgBackRest made anything is told as interrupted', async () => {
    const { life, card } = await openBackups();
    const { id } = await life.requests.request(as('anna'), 'backup.pg', { stanza: 'main', type: 'full' });
    life.queued.length = 0;
    const long = new Date(systemClock.now().getTime() - 60_000);
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3 where id = $1`,
      [id, long, JSON.stringify({ startedAt: long.toISOString() })],
    );
    await life.round();
    const run = await life.run(id);
    expect(run).toMatchObject({ state: 'failed', error: { text: 'backup-pg-absent' } });
    await card(run);
  });

  it('that is cancelled stops pgBackRest, and leaves nothing behind', async () => {
    const { life, port, set, backup, card } = await openBackups();
    set({ durationMs: 60_000 });
    const { id } = await life.requests.request(as('anna'), 'backup.pg', { stanza: 'main', type: 'full' });
    const working = life.deliver();
    await expect.poll(async () => (await port.info()).backupLock.held, { timeout: 30_000, interval: 200 }).toBe(true);
    await life.requests.answer(id, 'cancel', as('boris'));
    life.executor.cancel(id);
    await working;
    const run = await life.run(id);
    expect(run).toMatchObject({ state: 'cancelled', error: { args: { by: 'boris' } } });
    await card(run);
    expect(await port.info()).toMatchObject({ backups: [], backupLock: { held: false } });
    set({ durationMs: 500 });
    expect((await backup()).state).toBe('succeeded');
  });
});
