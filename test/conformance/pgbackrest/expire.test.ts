import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import { prepareRepository, simulatorCommand } from '../../../src/simulators/pgbackrest/index.ts';
import { builtFolder } from '../../support/program.ts';
import { startPgBackRest, startPostgres, temporaryFolder, withComponents } from '../../support/components/index.ts';

interface Subject {
  readonly argv: readonly string[];
  stop(): Promise<void>;
}

const executor = createLocalExecutor({}, { clock: systemClock });

describe('pgBackRest simulator', () => {
  suite(async () => {
    const { path, remove } = await temporaryFolder();
    prepareRepository(path, { stanzas: ['main'], durationMs: 300 });
    const argv = simulatorCommand(path, await builtFolder());
    await executor.run([...argv, '--stanza=main', 'stanza-create']);
    return { argv, stop: remove };
  });
});

withComponents(['pgbackrest', 'postgres'], () => {
  suite(async () => {
    const cluster = await startPostgres({ version: 15 });
    const backrest = await startPgBackRest(cluster);
    return {
      argv: backrest.argv,
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
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(() => subject?.stop());

  test('a dry run says what goes and leaves it; the real one takes just that', async () => {
    const port = createPgBackRest(
      { id: 'main', stanza: 'main', binary: subject.argv },
      { executor, clock: systemClock },
    );
    const first = await port.backup('full');
    expect(await port.expire({ dryRun: true })).toEqual({ backups: [], archives: [] });
    await port.backup('full');
    const short = (dryRun: boolean) =>
      executor.run([
        ...subject.argv,
        '--stanza=main',
        '--repo1-retention-full=1',
        '--log-level-console=info',
        ...(dryRun ? ['--dry-run'] : []),
        'expire',
      ]);
    expect((await short(true)).stdout).toContain(first.label);
    expect((await port.info()).backups).toHaveLength(2);
    expect((await short(false)).code).toBe(0);
    expect((await port.info()).backups.map(({ label }) => label)).not.toContain(first.label);
    expect(await port.expire({ dryRun: false })).toEqual({ backups: [], archives: [] });
  });
}
