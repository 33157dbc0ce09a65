import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../../src/integrations/pgbackrest/pgbackrest.ts';
import {
  type Cluster,
  type PgBackRest,
  startPgBackRest,
  startPostgres,
  withComponents,
} from '../../support/components/index.ts';

withComponents(['pgbackrest', 'postgres'], () => {
  let cluster: Cluster;
  let backrest: PgBackRest;
  beforeAll(async () => {
    cluster = await startPostgres({ version: 15 });
    backrest = await startPgBackRest(cluster);
  });
  afterAll(async () => {
    await cluster?.stop();
    await backrest?.stop();
  });

  test('a dry run says what goes and leaves it; the real one takes just that', async () => {
    const executor = createLocalExecutor({}, { clock: systemClock });
    const open = (...more: string[]) =>
      createPgBackRest(
        { id: 'main', stanza: 'main', binary: [...backrest.argv, ...more] },
        { executor, clock: systemClock },
      );
    const port = open();
    const first = await port.backup('full');
    expect(await port.expire({ dryRun: true })).toEqual({ backups: [], archives: [] });
    await port.backup('full');
    const short = (dryRun: boolean) =>
      executor.run([
        ...backrest.argv,
        '--stanza=main',
        '--repo1-retention-full=1',
        ...(dryRun ? ['--dry-run'] : []),
        'expire',
      ]);
    expect((await short(true)).stdout).toContain(first.label);
    expect((await port.info()).backups).toHaveLength(2);
    expect((await short(false)).code).toBe(0);
    expect((await port.info()).backups.map(({ label }) => label)).not.toContain(first.label);
    expect(await port.expire({ dryRun: false })).toEqual({ backups: [], archives: [] });
  });
});
