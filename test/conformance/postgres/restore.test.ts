import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/core/clock.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { drillPassed } from '../../../src/core/recovery.ts';
import { createPgDrill, type PgDrillOptions } from '../../../src/tasks/recovery/postgres-drill.ts';
import type { WorkContext } from '../../../src/tasks/recovery/define.ts';
import { withComponents } from '../../support/components/index.ts';
import { type RestoreGround, startRestoreGround } from '../../support/components/restores.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const never = new AbortController().signal;

withComponents(['postgres', 'pgbackrest'], () => {
  let ground: RestoreGround;
  let run = 0;
  const steps: string[] = [];
  const context = (signal: AbortSignal = never): WorkContext => ({
    runId: `run-${(run += 1)}`,
    clock: systemClock,
    log,
    signal,
    progress: ({ step }) => void steps.push(step.key),
    remember: () => Promise.resolve(),
  });
  const drill = (options: Partial<PgDrillOptions> = {}) =>
    createPgDrill({
      target: 'pg:main',
      restorer: ground.restorer,
      canary: true,
      lock: 'host-db/pg-main',
      zone: 'Europe/Moscow',
      ...options,
    });
  const left = () => readdir(ground.scratchDir);

  beforeAll(async () => {
    ground = await startRestoreGround();
    const { cluster, backrest } = ground;
    await cluster.query('create table account as select n as id, n * 10 as amount from generate_series(1, 5000) n');
    await cluster.query('analyze account');
    // Restored to where production has it, a tablespace would be overwritten.
    const space = join(cluster.socketFolder, 'tablespace');
    await ground.executor.run(['mkdir', space]);
    await cluster.query(`create tablespace elsewhere location '${space}'`);
    await cluster.query('create table ledger tablespace elsewhere as select 7 as n');
    const made = await backrest.run('backup', '--type=full', '--repo=1');
    if (made.code !== 0) throw new Error(made.stderr);
  }, 120_000);
  afterAll(() => ground?.stop());

  test('a drill finds the canary of the moment and not the later one, measures, and leaves nothing', async () => {
    const { cluster, restorer, backrest } = ground;
    const before = await restorer.control(never);
    const archived = async () =>
      JSON.parse((await backrest.run('info', '--output=json')).stdout)[0].archive.map(
        (one: { max: string }) => one.max,
      );
    const report = await drill().run(context());
    expect(report.proofs.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.proofs.map(({ text }) => text.key)).toEqual([
      'pg-proof-started',
      'pg-proof-moment',
      'pg-proof-canary',
      'pg-proof-production',
      'pg-proof-counts',
      'pg-proof-content',
      'pg-proof-relations',
    ]);
    expect(drillPassed(report)).toBe(true);
    expect(report.rtoMs).toBeGreaterThan(100);
    expect(report.sizeBytes).toBeGreaterThan(10_000_000);
    expect(report.versions).toEqual({ pgbackrest: expect.any(String), postgres: expect.stringMatching(/^15\./) });
    expect(steps).toContain('pgbackrest-step-restoring');
    expect(await left()).toEqual([]);
    expect(ground.scratch.log.slice(-2)).toEqual(['claim pg-cluster main', 'released pg-cluster main']);

    // The copy promoted itself to a new timeline; production and its archive know nothing of it.
    await restorer.mark(never);
    const after = await restorer.control(never);
    expect([after.timeline, after.systemId]).toEqual([before.timeline, before.systemId]);
    for (const max of await archived()) expect(max).toMatch(/^00000001/);
    expect(await cluster.query('select failed_count::int as failed from pg_stat_archiver')).toEqual([{ failed: 0 }]);
  });

  test('a drill from the copy elsewhere restores from that repository alone', async () => {
    const { backrest, cluster } = ground;
    const offsite = drill({ target: 'offsite-pg:main', repo: 2, canary: false });
    await expect(offsite.plan(never)).rejects.toMatchObject({ code: 'pg-no-backup' });
    expect((await backrest.run('backup', '--type=full', '--repo=2')).code).toBe(0);
    const report = await offsite.run(context());
    expect(report.proofs.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.proofs.map(({ text }) => text.key)).not.toContain('pg-proof-canary');
    const { backups } = await ground.restorer.look(never, 2);
    expect(report.source).toBe(backups.at(-1)?.label);
    expect(await cluster.query(`select count(*)::int as n from vakhta.canary`)).toEqual([{ n: 2 }]);
  });

  test('a restore to a moment has what was committed before it, and archives nothing', async () => {
    const { cluster, restorer, scratchDir } = ground;
    await cluster.query(`insert into account values (0, 1)`);
    const [{ at }] = (await cluster.query(
      `select date_trunc('milliseconds', clock_timestamp()) + interval '5 milliseconds' as at, pg_sleep(0.1)`,
    )) as [{ at: Date }];
    await cluster.query(`delete from account`);
    await restorer.mark(never);
    const plan = await restorer.plan({ target: at, zone: 'UTC' }, never);
    expect(plan).toMatchObject({ repo: 1, port: 54_330, target: at });
    const here = context();
    const restored = await restorer.restore(plan, here);
    const copy = restored.server.psql;
    const rows = await copy.rows(
      `select (select count(*) from account) as n, current_setting('archive_mode') as mode,
         current_setting('listen_addresses') as tcp, current_setting('max_logical_replication_workers') as workers,
         current_setting('restore_command') as command`,
      z.record(z.string(), z.unknown()),
    );
    expect(rows).toEqual([{ n: 5001, mode: 'off', tcp: '', workers: '0', command: expect.any(String) }]);
    expect(rows[0]?.['command']).toMatch(/--repo=1 .*--no-archive-async archive-get /);
    // The second copy beside it takes another port.
    expect((await restorer.plan({ target: at, zone: 'UTC' }, never)).port).toBe(54_331);
    const auto = await readFile(join(scratchDir, here.runId, 'data/postgresql.auto.conf'), 'utf8');
    expect(auto).not.toMatch(/archive_command|wal_level/);
    await restorer.discard(here.runId, restored.claim);
    expect(await left()).toEqual([]);
    await cluster.query(`insert into account select n, n from generate_series(1, 5000) n`);
  });

  test('moments outside of the window are refused with the earliest and the latest one', async () => {
    const { restorer } = ground;
    const asked = (target: Date) => restorer.plan({ target, zone: 'Europe/Moscow' }, never);
    const shown = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? \+03:00$/);
    const args = { stanza: 'main', asked: shown, earliest: shown, latest: shown };
    const { window, backups } = await restorer.look(never);
    const inTheSecond = backups[0]?.stoppedAt ?? new Date(0);
    await expect(asked(new Date('2020-01-01T00:00:00Z'))).rejects.toMatchObject({ code: 'pg-target-too-early', args });
    await expect(asked(inTheSecond)).rejects.toMatchObject({ kind: 'usage', code: 'pg-target-too-early' });
    await expect(asked(new Date(Date.now() + 3_600_000))).rejects.toMatchObject({ code: 'pg-target-too-late', args });
    expect(await asked(new Date(inTheSecond.getTime() + 1000))).toMatchObject({ label: backups[0]?.label });
    expect(window?.from).toEqual(new Date(inTheSecond.getTime() + 1000));
    // As after a crash of production, which forgets its counters.
    await ground.cluster.query(`select pg_stat_reset_shared('archiver')`);
    const forgotten = await restorer.look(never);
    expect(forgotten.archive?.lastArchivedAt).toBeUndefined();
    expect(forgotten.window?.from).toEqual(window?.from);
    await restorer.mark(never);
    expect((await restorer.look(never)).archive?.lastArchivedAt).toBeDefined();
    expect(await left()).toEqual([]);
  });

  test('a disk that is too small is refused before anything is made', async () => {
    const executor = {
      ...ground.executor,
      run: async (argv: readonly string[], options?: Parameters<typeof ground.executor.run>[1]) =>
        argv[0] === 'df'
          ? { code: 0, stdout: '     Avail  1B-blocks\n 200000000 1000000000\n', stderr: '', truncated: false }
          : ground.executor.run(argv, options),
    };
    const narrow = ground.restorerWith({ executor, scratch: { freePercent: 18 } });
    await expect(drill({ restorer: narrow }).run(context())).rejects.toMatchObject({
      code: 'pg-scratch-full',
      args: { free: 200, kept: 180 },
    });
    expect(await left()).toEqual([]);
    expect((await ground.restorerWith({ executor }).plan({ zone: 'UTC' }, never)).freeBytes).toBe(200_000_000);
  });

  test('a folder that is not there, or in production, is refused', async () => {
    const at = (dir: string) => ground.restorerWith({ scratch: { dir } }).plan({ zone: 'UTC' }, never);
    await expect(at('/nonexistent/vakhta')).rejects.toMatchObject({ code: 'pg-scratch-dir' });
    await expect(at(join(ground.cluster.dataFolder, 'scratch'))).rejects.toMatchObject({ code: 'pg-scratch-inside' });
    await expect(at(`/tmp/${'x'.repeat(90)}`)).rejects.toMatchObject({ code: 'pg-scratch-path' });
  });

  test('a moment that the archive does not reach is an error with the moment that it reached; nothing is left', async () => {
    const { restorer } = ground;
    const plan = await restorer.plan({ zone: 'UTC' }, never);
    const later = { ...plan, target: new Date(Date.now() + 3_600_000) };
    await expect(restorer.restore(later, context())).rejects.toMatchObject({
      code: 'pg-target-not-reached',
      args: { reached: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/) },
    });
    expect(await left()).toEqual([]);
    expect(await ground.scratch.open()).toEqual([]);
  });

  test('while production is down, the end of the archive is restored, and a drill says that it cannot be', async () => {
    const { cluster, restorer } = ground;
    await cluster.halt();
    try {
      await expect(drill().run(context())).rejects.toMatchObject({ kind: 'transient', code: 'psql-connect' });
      const plan = await restorer.plan({ zone: 'UTC' }, never);
      expect(plan.walBytes).toBeUndefined();
      const here = context();
      const { claim } = await restorer.restore(plan, here);
      await restorer.discard(here.runId, claim);
    } finally {
      await cluster.resume();
    }
    expect(await left()).toEqual([]);
  });

  test('a cancel ends pgBackRest and PostgreSQL within five seconds, and takes the folder away', async () => {
    for (const step of ['pgbackrest-step-restoring', 'pg-step-starting']) {
      const controller = new AbortController();
      let asked = 0;
      const here: WorkContext = {
        ...context(controller.signal),
        progress: (progress) => {
          if (progress.step.key !== step || controller.signal.aborted) return;
          asked = Date.now();
          controller.abort(new VakhtaError('transient', 'exec-cancelled', 'cancelled'));
        },
      };
      const plan = await ground.restorer.plan({ zone: 'UTC' }, never);
      await expect(ground.restorer.restore(plan, here)).rejects.toMatchObject({ code: 'exec-cancelled' });
      // Five seconds are promised; where everything else runs beside it they may become more.
      expect(Date.now() - asked).toBeLessThan(15_000);
      expect((await ground.executor.run(['pgrep', '-f', '--', `${here.runId}[/]data`])).code).toBe(1);
      expect(await left()).toEqual([]);
    }
    expect(await ground.scratch.open()).toEqual([]);
  });

  test('what a killed worker left is removed by its mark; what carries another mark is left alone', async () => {
    const { restorer, executor, scratchDir } = ground;
    const plan = await restorer.plan({ zone: 'UTC' }, never);
    const here = context();
    const { server } = await restorer.restore(plan, here);
    // As the sweeper of another process does it, which knows the run's id only.
    const other = ground.restorerWith({});
    await other.clusters.remove(here.runId);
    await expect(server.psql.run('select 1')).rejects.toMatchObject({ code: 'psql-connect' });
    await other.clusters.remove(here.runId);

    const foreign = join(scratchDir, 'run-foreign');
    await executor.run(['mkdir', foreign]);
    await executor.run(['tee', join(foreign, 'precious')], { stdin: 'data' });
    await expect(other.clusters.remove('run-foreign')).rejects.toMatchObject({ code: 'pg-scratch-foreign' });
    expect(await readdir(foreign)).toEqual(['precious']);
    await executor.run(['rm', '-r', foreign]);
    await executor.run(['mkdir', join(scratchDir, 'run-empty')]);
    await other.clusters.remove('run-empty');
    expect(await left()).toEqual([]);
  });
});
