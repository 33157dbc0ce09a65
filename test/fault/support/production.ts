import { chown, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
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
import { isRoot, systemUser } from '../../support/components/process.ts';
import { startRestoreGround } from '../../support/components/restores.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const never = new AbortController().signal;
export const DEAD = new VakhtaError('transient', 'exec-cancelled', 'the worker is dead');

/** What a command is, as far as these tests care; the first of the exchange ends production. */
export function nameOf(argv: readonly string[], dataDir: string): string {
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

/** A production that may be restored over, with workers that may die in the middle of it. */
export async function openProductionGround() {
  let number = 0;
  const SERVER_LOG = 'service.log';
  const ground = await startRestoreGround();
  const { cluster, backrest } = ground;
  const dataDir = cluster.dataFolder;
  const parent = dirname(dataDir);
  if (isRoot()) {
    const { uid, gid } = systemUser(cluster.systemUser);
    await chown(parent, uid, gid);
  }
  await cluster.query('create table account as select n as id from generate_series(1, 5000) n');
  await cluster.query('create table mark (name text)');
  await cluster.query('analyze');
  const made = await backrest.run('backup', '--type=full', '--repo=1');
  if (made.code !== 0) throw new Error(made.stderr);
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
    const [row] = await cluster.query(
      `select at, pg_sleep(extract(epoch from at - clock_timestamp()) + 0.02)
       from (select date_trunc('second', clock_timestamp()) + interval '1 second' as at offset 0) as next`,
    );
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
        if (when === 'half' && at === 'exchange') {
          // Power fails between the two renames.
          await ground.executor.run(['mv', '-T', '--', dataDir, String(argv.at(-2))]);
        } else if (when === 'half') {
          // Asked to stop, and on its way down still when somebody else looks.
          await ground.executor.run(argv.map((word) => (word === '-w' ? '-W' : word)));
        }
        throw DEAD;
      },
    };
  };

  return {
    ground,
    dataDir,
    parent,
    serverLog: join(parent, SERVER_LOG),
    worker,
    contextOf,
    moment,
    marks,
    beside,
    clear,
    go,
    mortal,
    /** Whether the last drill counts. */
    proven: (fresh: boolean) => {
      isFresh = fresh;
    },
    /** The worker is killed at a command; which production runs then. It is whole, and nothing else is left of the run. */
    killedAt: async (command: string, when: 'before' | 'after' | 'half'): Promise<'old' | 'new'> => {
      const { at, name } = await moment();
      const run = await go(at, worker(mortal(command, when)));
      expect(run.thrown).toBe(DEAD);
      const end = await run.reconcile();
      const rows = await marks(name);
      const which = rows.length === 1 ? 'new' : 'old';
      expect(rows).toEqual(which === 'new' ? ['before'] : ['after', 'before']);
      expect(end.state).toMatch(which === 'new' ? /^(?:succeeded|warning)$/u : /^failed$/u);
      if (end.state === 'failed') expect(end.text.key).toMatch(/^restore-production-(?:lost|interrupted)$/u);
      expect(await beside()).toEqual(which === 'new' ? [`data.before-${run.runId}`] : []);
      // A second look changes nothing.
      expect((await run.reconcile()).state).toBe(end.state);
      expect(await marks(name)).toEqual(rows);
      await clear();
      return which;
    },
    stop: async () => {
      await ground.executor.run([`${ground.cluster.bin}/pg_ctl`, '-D', dataDir, '-m', 'immediate', 'stop']);
      await ground.stop();
    },
  };
}

export type ProductionGround = Awaited<ReturnType<typeof openProductionGround>>;
