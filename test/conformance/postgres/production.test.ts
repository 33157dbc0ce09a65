import { chown, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { formatMoment } from '../../../src/core/pitr.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createPgBackRest } from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import { createProductionFolder } from '../../../src/integrations/postgres/production.ts';
import { createPsql } from '../../../src/integrations/postgres/psql.ts';
import type { Outcome } from '../../../src/tasks/define.ts';
import restoreProduction from '../../../src/tasks/operations/restore-production.ts';
import { createPgProduction } from '../../../src/tasks/recovery/postgres-production.ts';
import { createPgRestorer } from '../../../src/tasks/recovery/postgres-restore.ts';
import { several } from '../../../src/tasks/several.ts';
import { withComponents } from '../../support/components/index.ts';
import { isRoot, systemUser } from '../../support/components/process.ts';
import { type RestoreGround, startRestoreGround } from '../../support/components/restores.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const never = new AbortController().signal;
const DEAD = new VakhtaError('transient', 'exec-cancelled', 'the worker is dead');

/** What a command is, as far as these tests care; the first of the exchange ends production. */
function nameOf(argv: readonly string[], dataDir: string): string {
  const words = argv.join(' ');
  const where = words.includes('.vakhta-') ? 'beside' : 'production';
  if (argv[0] === 'sh') return words.includes('.before-') && words.includes('[ -s') ? 'exchange' : 'put back';
  if (words.endsWith(' restore')) return 'restore';
  if (words.endsWith(' backup')) return 'backup';
  if (/pg_ctl.* (?:start|stop)$/u.test(words)) return `${argv.at(-1)} ${where}`;
  if (argv[0] === 'sync') return 'sync';
  if (argv.at(-1) === dataDir && argv[0] === 'test') return 'look';
  return basename(argv[0] ?? '');
}

withComponents(['postgres', 'pgbackrest'], () => {
  let ground: RestoreGround;
  let number = 0;
  let dataDir = '';
  let parent = '';
  const SERVER_LOG = 'service.log';

  beforeAll(async () => {
    ground = await startRestoreGround();
    const { cluster, backrest } = ground;
    dataDir = cluster.dataFolder;
    parent = dirname(dataDir);
    if (isRoot()) {
      const { uid, gid } = systemUser(cluster.systemUser);
      await chown(parent, uid, gid);
    }
    await cluster.query('create table account as select n as id from generate_series(1, 5000) n');
    await cluster.query('create table mark (name text)');
    await cluster.query('analyze');
    const made = await backrest.run('backup', '--type=full', '--repo=1');
    if (made.code !== 0) throw new Error(made.stderr);
  }, 120_000);
  afterAll(async () => {
    if (!ground) return;
    await ground.executor.run([`${ground.cluster.bin}/pg_ctl`, '-D', dataDir, '-m', 'immediate', 'stop']);
    await ground.stop();
  });

  /** A worker: with an executor of its own, which may die. */
  const worker = (executor: Executor = ground.executor, more: { readonly start?: readonly string[] } = {}) => {
    const { cluster, backrest, binary, scratch } = ground;
    const { bin: binDir, socketFolder: socketDir, port } = cluster;
    const psql = createPsql({ binDir, socketDir, port, database: 'postgres' }, executor);
    const pgCtl = [`${binDir}/pg_ctl`, '-D', dataDir, '-s', '-w'];
    const clock = systemClock;
    const folder = createProductionFolder(
      {
        binDir,
        dataDir,
        database: 'postgres',
        start: more.start ?? [...pgCtl, '-l', join(parent, SERVER_LOG), 'start'],
        stop: [...pgCtl, '-m', 'fast', 'stop'],
        portFrom: 54_340,
        portTo: 54_343,
        freePercent: 0,
      },
      { executor, service: executor, psql, clock },
    );
    const backups = createPgBackRest({ id: 'main', stanza: backrest.stanza, binary }, { executor, clock });
    const zone = 'Europe/Moscow';
    const { beside: clusters } = folder;
    const restorer = createPgRestorer({
      id: 'main',
      zone,
      backups,
      production: psql,
      binDir,
      dataDir,
      clusters,
      scratch,
      clock,
    });
    return createPgProduction({ id: 'main', restorer, folder, scratch, clock });
  };

  let isFresh = true;
  const contextOf = (runId: string, production: ReturnType<typeof worker>, signal: AbortSignal = never) => ({
    runId,
    actor: { kind: 'operator', id: 'anna' } as const,
    clock: systemClock,
    log,
    signal,
    ports: {
      productions: several([['main', production]]),
      recovery: {
        goals: { rtoMs: 0, rpoMs: 0, drillMaxAgeMs: 30 * 86_400_000 },
        lastGoodDrill: () => Promise.resolve({ isFresh, at: new Date(), drill: {} }),
      },
      lockPaths: { postgres: (id: string) => `host-db/pg-${id}` },
      scratch: ground.scratch,
    } as never,
  });

  /** A row that belongs to the moment, and one that came after it; the moment as it is typed. */
  const moment = async (): Promise<{ readonly at: string; readonly name: string }> => {
    const name = `row-${(number += 1)}`;
    const { cluster } = ground;
    await cluster.query(`insert into mark values ('${name} before')`);
    const [row] = await cluster.query(`select date_trunc('second', now()) + interval '1 second' as at, pg_sleep(1.2)`);
    await cluster.query(`insert into mark values ('${name} after')`);
    await ground.restorer.mark(never);
    return { at: formatMoment(row?.['at'] as Date, 'UTC'), name };
  };
  const marks = async (name: string): Promise<readonly string[]> =>
    (await ground.cluster.query(`select name from mark where name like '${name} %' order by 1`)).map((row) =>
      String(row['name']).slice(name.length + 1),
    );
  const beside = async () => (await readdir(parent)).filter((name) => name.startsWith('data.')).sort();
  const clear = () => ground.executor.run(['sh', '-c', 'rm -rf -- "$1".before-* "$1".failed-*', 'sh', dataDir]);

  /** The operation as the life cycle runs it; `external` is what another worker would find. */
  const go = async (at: string, production = worker(), signal: AbortSignal = never) => {
    const runId = `run-${(number += 1)}`;
    const args = { stanza: 'main', at };
    const healthy = worker();
    const plan = await restoreProduction.plan(contextOf(runId, healthy), args);
    const state: { external?: Readonly<Record<string, unknown>>; steps: string[] } = { steps: [] };
    const context = {
      ...contextOf(runId, production, signal),
      plan: { ...plan, bound: JSON.parse(JSON.stringify(plan.bound)) as Record<string, unknown> },
      progress: ({ step }: { step: { key: string } }) => void state.steps.push(step.key),
      remember: (external: Readonly<Record<string, unknown>>) => {
        state.external = JSON.parse(JSON.stringify(external)) as Record<string, unknown>;
        return Promise.resolve();
      },
    };
    let outcome: Outcome<unknown> | undefined;
    let thrown: unknown;
    try {
      outcome = await restoreProduction.run(context, args);
    } catch (error) {
      thrown = error;
    }
    return {
      runId,
      plan,
      outcome,
      thrown,
      steps: state.steps,
      reconcile: async () => {
        // As the sweeper does it for a run that was lost.
        for (const { id, runId: of } of await ground.scratch.open()) await healthy.restorer.discard(of, id);
        return restoreProduction.reconcile(contextOf(runId, healthy), args, state.external);
      },
      verify: () => restoreProduction.verify(contextOf(runId, healthy), args, outcome?.result),
    };
  };

  /** Ends at a command, before or after it was run: nothing is done any more. */
  const mortal = (at: string, when: 'before' | 'after' | 'half'): Executor => {
    let isDead = false;
    return {
      ...ground.executor,
      run: async (argv, options) => {
        if (isDead) throw DEAD;
        if (nameOf(argv, dataDir) !== at) return ground.executor.run(argv, options);
        isDead = true;
        if (when === 'after') await ground.executor.run(argv, options);
        // Power fails between the two renames.
        if (when === 'half') await ground.executor.run(['mv', '-T', '--', dataDir, String(argv.at(-2))]);
        throw DEAD;
      },
    };
  };

  test('production goes back to the moment, as the same system, and archives on; the old data stays', async () => {
    const { at, name } = await moment();
    const before = await worker().seen(never);
    const { outcome, thrown, runId, plan, verify, steps } = await go(at);
    expect(thrown).toBeUndefined();
    expect(plan.lines.map(({ key }) => key)).toContain('restore-production-plan-backup');
    expect(outcome?.state).toBe('succeeded');
    expect(outcome?.result).toMatchObject({
      before: `${dataDir}.before-${runId}`,
      backup: expect.stringMatching(/I$/u),
      systemId: before.systemId,
      productionTimeline: before.timeline + 1,
    });
    expect(await marks(name)).toEqual(['before']);
    expect(await verify()).toMatchObject({ ok: true });
    expect(steps).toEqual(
      expect.arrayContaining(['restore-production-step-backup', 'pg-step-starting', 'restore-production-step-stop']),
    );
    const { cluster, backrest, scratch } = ground;
    const [settings] = await cluster.query(
      `select current_setting('archive_mode') as mode, current_setting('port') as port,
         current_setting('restore_command') as command, current_setting('cluster_name') as name`,
    );
    expect(settings).toMatchObject({ mode: 'on', port: String(cluster.port), name: '' });
    expect(settings?.['command']).toContain(`--pg1-path=${dataDir}`);
    expect(settings?.['command']).not.toContain('.vakhta-');
    expect(await beside()).toEqual([`data.before-${runId}`]);
    expect(await scratch.open()).toEqual([]);
    // The new timeline can be backed up and restored in its turn.
    expect((await backrest.run('backup', '--type=incr', '--repo=1')).code).toBe(0);
    await clear();
  }, 90_000);

  test('without a moment it has all that was archived, also when production is down and its data is gone', async () => {
    const { name } = await moment();
    const { executor, cluster } = ground;
    await executor.run([`${cluster.bin}/pg_ctl`, '-D', dataDir, '-w', '-m', 'fast', 'stop']);
    await executor.run(['rm', '-rf', '--', dataDir]);
    const { outcome, thrown, plan } = await go('latest');
    expect(thrown).toBeUndefined();
    const lines = plan.lines.map(({ key }) => key);
    expect(lines).toContain('restore-production-plan-down');
    expect(lines).toContain('restore-production-plan-lost');
    expect(outcome?.state).toBe('succeeded');
    expect(outcome?.result).not.toHaveProperty('backup');
    expect(await marks(name)).toEqual(['after', 'before']);
    expect(await beside()).toEqual([]);
  }, 90_000);

  test.for([
    ['backup', 'after', 'old'],
    ['restore', 'after', 'old'],
    ['start beside', 'after', 'old'],
    ['stop beside', 'after', 'old'],
    ['stop production', 'before', 'old'],
    ['stop production', 'after', 'old'],
    ['exchange', 'before', 'old'],
    ['exchange', 'half', 'old'],
    ['exchange', 'after', 'new'],
    ['start production', 'before', 'new'],
    ['start production', 'after', 'new'],
  ] as const)('killed at “%s” (%s): the %s production runs', async ([command, when, which]) => {
    const { at, name } = await moment();
    const run = await go(at, worker(mortal(command, when)));
    expect(run.thrown).toBe(DEAD);
    const end = await run.reconcile();
    if (which === 'new') expect(end.state).toMatch(/^(?:succeeded|warning)$/u);
    else expect(end).toMatchObject({ state: 'failed' });
    expect(await marks(name)).toEqual(which === 'new' ? ['before'] : ['after', 'before']);
    expect(await beside()).toEqual(which === 'new' ? [`data.before-${run.runId}`] : []);
    // A second look changes nothing.
    expect((await run.reconcile()).state).toBe(end.state);
    expect(await marks(name)).toHaveLength(which === 'new' ? 1 : 2);
    await clear();
  });

  test('what does not start gives way to the old data, which runs again', async () => {
    const { at, name } = await moment();
    const { bin } = ground.cluster;
    // The restored cluster is refused by its service; the old one is not.
    const script = `[ -e "$1/mark-of-old" ] || { echo "no such unit" >&2; exit 1; }; exec "$2/pg_ctl" -D "$1" -s -w -l "$3" start`;
    await ground.executor.run(['touch', join(dataDir, 'mark-of-old')]);
    const start = ['sh', '-c', script, 'unit', dataDir, bin, join(parent, SERVER_LOG)];
    const { thrown, runId } = await go(at, worker(ground.executor, { start }));
    const failed = `${dataDir}.failed-${runId}`;
    expect(thrown).toMatchObject({ code: 'restore-production-back', args: { failed, why: 'no such unit' } });
    expect(await marks(name)).toEqual(['after', 'before']);
    expect(await beside()).toEqual([`data.failed-${runId}`]);
    await clear();
    await ground.executor.run(['rm', join(dataDir, 'mark-of-old')]);
  });

  test('a cancel before the exchange leaves production as it is', async () => {
    const { at, name } = await moment();
    const controller = new AbortController();
    const executor: Executor = {
      ...ground.executor,
      run: (argv, options) => {
        if (nameOf(argv, dataDir) === 'stop production') controller.abort(DEAD);
        return ground.executor.run(argv, options);
      },
    };
    const run = await go(at, worker(executor), controller.signal);
    expect(run.thrown).toBeDefined();
    expect(await run.reconcile()).toMatchObject({ state: 'failed' });
    expect(await marks(name)).toEqual(['after', 'before']);
    expect(await beside()).toEqual([]);
  });

  test('without a fresh drill, with links in the data, or while it is mute it is refused, and nothing is done', async () => {
    const { executor, scratch } = ground;
    isFresh = false;
    await expect(go('latest')).rejects.toMatchObject({ code: 'restore-production-unproven' });
    isFresh = true;
    await executor.run(['ln', '-s', '/nowhere', join(dataDir, 'pg_tblspc/77777')]);
    await expect(go('latest')).rejects.toMatchObject({ code: 'pg-production-link' });
    await executor.run(['rm', join(dataDir, 'pg_tblspc/77777')]);
    const mute: Executor = {
      ...executor,
      run: (argv, options) =>
        argv[0]?.endsWith('/psql')
          ? Promise.resolve({ code: 2, stdout: '', stderr: 'connection refused', truncated: false })
          : executor.run(argv, options),
    };
    const plan = restoreProduction.plan(contextOf('run-mute', worker(mute)), { stanza: 'main', at: 'latest' });
    await expect(plan).rejects.toMatchObject({ code: 'restore-production-mute' });
    expect(await scratch.open()).toEqual([]);
    expect(await beside()).toEqual([]);
  });
});
