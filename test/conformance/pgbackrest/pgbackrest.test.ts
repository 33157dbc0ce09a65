import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import {
  type BackupProgress,
  createPgBackRest,
  type PgBackRest,
} from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import { prepareRepository, simulatorCommand } from '../../../src/simulators/pgbackrest/index.ts';
import { builtFolder } from '../../support/program.ts';
import {
  startPgBackRest,
  startPostgres,
  temporaryFolder,
  until,
  withComponents,
} from '../../support/components/index.ts';

interface Subject {
  readonly binary: readonly string[];
  run(...args: string[]): Promise<unknown>;
  /** From now on a backup comes to its first step and no further, until what this gives is called. */
  hold(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

const executor = createLocalExecutor({}, { clock: systemClock });

describe('pgBackRest simulator', () => {
  suite(async () => {
    const { path, remove } = await temporaryFolder();
    const folder = join(path, 'repo');
    mkdirSync(folder);
    const lasting = (durationMs: number) =>
      prepareRepository(folder, { stanzas: ['main'], durationMs, databaseBytes: 400_000_000 });
    lasting(800);
    const binary = simulatorCommand(folder, await builtFolder());
    const run = (...args: string[]) => executor.run([...binary, '--stanza=main', ...args]);
    await run('stanza-create');
    const hold = () => {
      lasting(3_600_000);
      return Promise.resolve(() => Promise.resolve(lasting(800)));
    };
    return { binary, run, hold, stop: remove };
  });
});

withComponents(['pgbackrest', 'postgres'], () => {
  suite(async () => {
    const cluster = await startPostgres({ version: 15 });
    const backrest = await startPgBackRest(cluster, {
      global: { 'compress-type': 'gz', 'compress-level': '6', 'process-max': '1' },
    });
    return {
      binary: backrest.argv,
      run: (...args) => backrest.run(...args),
      hold: async () => {
        const checkpointer = `select pid from pg_stat_activity where backend_type = 'checkpointer'`;
        const pid = Number((await cluster.query(checkpointer))[0]?.['pid']);
        process.kill(pid, 'SIGSTOP');
        return async () => {
          process.kill(pid, 'SIGCONT');
          // The session of a backup that was broken off waits for its checkpoint, and keeps the next one out as long.
          const sessions = `select from pg_stat_activity where application_name like 'pgBackRest%'`;
          await until('the end of its session', async () => (await cluster.query(sessions)).length === 0);
        };
      },
      stop: async () => {
        await cluster.stop();
        await backrest.stop();
      },
    };
  });
});

/** The same expectations of the real program and of the simulated one. */
function suite(start: () => Promise<Subject>): void {
  let subject: Subject;
  let port: PgBackRest;
  const open = (stanza = 'main') =>
    createPgBackRest({ id: stanza, stanza, binary: subject.binary }, { executor, clock: systemClock });
  beforeAll(async () => {
    subject = await start();
    port = open();
  });
  afterAll(() => subject?.stop());

  test('without a backup the stanza is red and says so', async () => {
    expect(await port.info()).toMatchObject({ state: 'no-valid-backups', backups: [], backupLock: { held: false } });
    expect(await port.probe(new AbortController().signal)).toEqual({
      state: 'down',
      text: 'pgbackrest-stanza-no-valid-backups',
      args: { stanza: 'main' },
    });
  });

  test('an incr without a full before it becomes a full; progress rises, label and sizes are told', async () => {
    const seen: BackupProgress[] = [];
    const made = await port.backup('incr', { runId: 'run-1', onProgress: (progress) => seen.push(progress) });
    expect(made).toMatchObject({
      type: 'full',
      error: false,
      label: expect.stringMatching(/^\d{8}-\d{6}F$/) as string,
    });
    expect(made.sizeBytes).toBeGreaterThan(1_000_000);
    expect(made.repoBytes).toBeGreaterThan(100_000);
    expect(made.deltaBytes).toBeLessThanOrEqual(made.sizeBytes);
    expect(made.durationMs).toBeGreaterThan(0);
    expect(made.stoppedAt.getTime()).toBeGreaterThanOrEqual(made.startedAt.getTime());
    expect([...new Set(seen.map((p) => p.step.key))]).toEqual([
      'pgbackrest-step-checkpoint',
      'pgbackrest-step-copying',
      'pgbackrest-step-wal',
      'pgbackrest-step-expire',
    ]);
    const percents = seen.flatMap((p) => (p.percent === undefined ? [] : [p.percent]));
    expect(percents.length).toBeGreaterThan(5);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(await port.probe(new AbortController().signal)).toMatchObject({ state: 'ok', args: { label: made.label } });
  });

  test('the run is recognised afterwards, another is not', async () => {
    expect(await port.findByRun('run-1', new Date())).toMatchObject({ state: 'found', backup: { type: 'full' } });
    expect(await port.findByRun('run-x', new Date(0))).toEqual({ state: 'absent', candidates: [] });
  });

  test('diff and incr hang on the full backup', async () => {
    const diff = await port.backup('diff', { runId: 'run-2' });
    const incr = await port.backup('incr', { runId: 'run-3' });
    expect([diff.type, incr.type]).toEqual(['diff', 'incr']);
    const { backups } = await port.info();
    expect(backups.map((each) => each.type)).toEqual(['full', 'diff', 'incr']);
    expect(backups[2]?.prior).toBe(diff.label);
    expect(diff.label.startsWith(`${backups[0]?.label}_`)).toBe(true);
  });

  test('the system id has all its digits', async () => {
    const { databases } = await port.info();
    expect(databases[0]?.systemId).toMatch(/^\d{19}$/);
    expect(String(Number(databases[0]?.systemId))).not.toBe(databases[0]?.systemId);
  });

  test('a second backup beside a running one is refused as transient; cancelling ends the first without a backup', async () => {
    const controller = new AbortController();
    const letGo = await subject.hold();
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const first = port.backup('full', {
      runId: 'run-4',
      signal: controller.signal,
      onProgress: (progress) => progress.step.key === 'pgbackrest-step-checkpoint' && begun(),
    });
    // Answered for below, also when something before it fails.
    first.catch(() => {});
    try {
      await started;
      expect(await port.findByRun('run-4', new Date())).toEqual({ state: 'running' });
      await expect(port.backup('full', { runId: 'run-5' })).rejects.toMatchObject({
        kind: 'transient',
        code: 'pgbackrest-lock-held',
      });
      controller.abort();
      await expect(first).rejects.toMatchObject({ code: 'exec-cancelled' });
      expect(await port.findByRun('run-4', new Date())).toEqual({ state: 'absent', candidates: [] });
    } finally {
      controller.abort();
      await letGo();
    }
    expect((await port.info()).backupLock.held).toBe(false);
  });

  test('a stop file is told, and lifted by start', async () => {
    await subject.run('stop');
    await expect(port.backup('incr')).rejects.toMatchObject({ kind: 'permanent', code: 'pgbackrest-stopped' });
    await subject.run('start');
    expect((await port.backup('incr')).type).toBe('incr');
  });

  test('an unknown stanza is red in the probe and an error in a backup', async () => {
    const unknown = open('nope');
    expect(await unknown.info()).toMatchObject({ state: 'missing-stanza-path' });
    expect(await unknown.probe(new AbortController().signal)).toMatchObject({ state: 'down' });
    await expect(unknown.backup('full')).rejects.toMatchObject({
      kind: 'permanent',
      code: 'pgbackrest-stanza-unknown',
    });
  });

  test('full backups beyond the retention go, with what hangs on them', async () => {
    await port.backup('full');
    await port.backup('full');
    const { backups } = await port.info();
    expect(backups.map((each) => each.type)).toEqual(['full', 'full']);
  });
}
