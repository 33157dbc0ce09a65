import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import restoreProduction from '../../../src/tasks/operations/restore-production.ts';
import { DEAD, nameOf, openProductionGround, type ProductionGround } from '../../fault/support/production.ts';
import { withComponents } from '../../support/components/index.ts';

const never = new AbortController().signal;

// Killed at all its steps it is by `npm run test:faults`; here are those between which production is nowhere.
withComponents(['postgres', 'pgbackrest'], () => {
  let site: ProductionGround;
  beforeAll(async () => {
    site = await openProductionGround();
  }, 120_000);
  afterAll(() => site?.stop());

  test('production goes back to the moment, as the same system, and archives on; the old data stays', async () => {
    const { at, name } = await site.moment();
    const before = await site.worker().seen(never);
    const { outcome, thrown, runId, plan, verify, steps } = await site.go(at);
    expect(thrown).toBeUndefined();
    expect(plan.lines.map(({ key }) => key)).toContain('restore-production-plan-backup');
    expect(outcome?.state).toBe('succeeded');
    expect(outcome?.result).toMatchObject({
      before: `${site.dataDir}.before-${runId}`,
      backup: expect.stringMatching(/I$/u),
      systemId: before.systemId,
      productionTimeline: before.timeline + 1,
    });
    expect(await site.marks(name)).toEqual(['before']);
    expect(await verify()).toMatchObject({ ok: true });
    expect(steps).toEqual(
      expect.arrayContaining(['restore-production-step-backup', 'pg-step-starting', 'restore-production-step-stop']),
    );
    const { cluster, backrest, scratch } = site.ground;
    const [settings] = await cluster.query(
      `select current_setting('archive_mode') as mode, current_setting('port') as port,
         current_setting('restore_command') as command, current_setting('cluster_name') as name`,
    );
    expect(settings).toMatchObject({ mode: 'on', port: String(cluster.port), name: '' });
    expect(settings?.['command']).toContain(`--pg1-path=${site.dataDir}`);
    expect(settings?.['command']).not.toContain('.vakhta-');
    expect(await site.beside()).toEqual([`data.before-${runId}`]);
    expect(await scratch.open()).toEqual([]);
    // The new timeline can be backed up and restored in its turn.
    expect((await backrest.run('backup', '--type=incr', '--repo=1')).code).toBe(0);
    await site.clear();
  }, 90_000);

  test('without a moment it has all that was archived, also when production is down and its data is gone', async () => {
    const { name } = await site.moment();
    const { executor, cluster } = site.ground;
    await executor.run([`${cluster.bin}/pg_ctl`, '-D', site.dataDir, '-w', '-m', 'fast', 'stop']);
    await executor.run(['rm', '-rf', '--', site.dataDir]);
    const { outcome, thrown, plan } = await site.go('latest');
    expect(thrown).toBeUndefined();
    const lines = plan.lines.map(({ key }) => key);
    expect(lines).toContain('restore-production-plan-down');
    expect(lines).toContain('restore-production-plan-lost');
    expect(outcome?.state).toBe('succeeded');
    expect(outcome?.result).not.toHaveProperty('backup');
    expect(await site.marks(name)).toEqual(['after', 'before']);
    expect(await site.beside()).toEqual([]);
  }, 90_000);

  test.for([
    ['stop production', 'half', 'old'],
    ['exchange', 'half', 'old'],
    ['exchange', 'after', 'new'],
  ] as const)('killed at “%s” (%s): the %s production runs', async ([command, when, which]) => {
    expect(await site.killedAt(command, when)).toBe(which);
  });

  test('what does not start gives way to the old data, which runs again', async () => {
    const { at, name } = await site.moment();
    const { bin } = site.ground.cluster;
    // The restored cluster is refused by its service; the old one is not.
    const script = `[ -e "$1/mark-of-old" ] || { echo "no such unit" >&2; exit 1; }; exec "$2/pg_ctl" -D "$1" -s -w -l "$3" start`;
    await site.ground.executor.run(['touch', join(site.dataDir, 'mark-of-old')]);
    const start = ['sh', '-c', script, 'unit', site.dataDir, bin, site.serverLog];
    const { thrown, runId } = await site.go(at, site.worker(site.ground.executor, { start }));
    const failed = `${site.dataDir}.failed-${runId}`;
    expect(thrown).toMatchObject({ code: 'restore-production-back', args: { failed, why: 'no such unit' } });
    expect(await site.marks(name)).toEqual(['after', 'before']);
    expect(await site.beside()).toEqual([`data.failed-${runId}`]);
    await site.clear();
    await site.ground.executor.run(['rm', join(site.dataDir, 'mark-of-old')]);
  });

  test('a cancel before the exchange leaves production as it is', async () => {
    const { at, name } = await site.moment();
    const controller = new AbortController();
    const executor: Executor = {
      ...site.ground.executor,
      run: (argv, options) => {
        if (nameOf(argv, site.dataDir) === 'stop production') controller.abort(DEAD);
        return site.ground.executor.run(argv, options);
      },
    };
    const run = await site.go(at, site.worker(executor), controller.signal);
    expect(run.thrown).toBeDefined();
    expect(await run.reconcile()).toMatchObject({ state: 'failed' });
    expect(await site.marks(name)).toEqual(['after', 'before']);
    expect(await site.beside()).toEqual([]);
  });

  test('without a fresh drill, with links in the data, or while it is mute it is refused, and nothing is done', async () => {
    const { executor, scratch } = site.ground;
    site.proven(false);
    await expect(site.go('latest')).rejects.toMatchObject({ code: 'restore-production-unproven' });
    site.proven(true);
    await executor.run(['ln', '-s', '/nowhere', join(site.dataDir, 'pg_tblspc/77777')]);
    await expect(site.go('latest')).rejects.toMatchObject({ code: 'pg-production-link' });
    await executor.run(['rm', join(site.dataDir, 'pg_tblspc/77777')]);
    const mute: Executor = {
      ...executor,
      run: (argv, options) =>
        argv[0]?.endsWith('/psql')
          ? Promise.resolve({ code: 2, stdout: '', stderr: 'connection refused', truncated: false })
          : executor.run(argv, options),
    };
    const plan = restoreProduction.plan(site.contextOf('run-mute', site.worker(mute)), {
      stanza: 'main',
      at: 'latest',
    });
    await expect(plan).rejects.toMatchObject({ code: 'restore-production-mute' });
    expect(await scratch.open()).toEqual([]);
    expect(await site.beside()).toEqual([]);
  });
});
