import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/core/clock.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import { archiveFails, archiveLag, archiveOf } from '../../../src/integrations/postgres/archive.ts';
import { createPsql, type Psql } from '../../../src/integrations/postgres/psql.ts';
import { asUser } from '../../support/components/process.ts';
import { type Cluster, startPostgres, withComponents } from '../../support/components/index.ts';

withComponents(['postgres'], () => {
  let cluster: Cluster;
  let psql: Psql;
  const open = (port = cluster.port) =>
    createPsql(
      { binDir: cluster.bin, socketDir: cluster.socketFolder, port, database: 'postgres', user: 'postgres' },
      createLocalExecutor({ prefix: asUser(cluster.systemUser, []) }, { clock: systemClock }),
    );
  beforeAll(async () => {
    cluster = await startPostgres({ version: 15 });
    psql = open();
  });
  afterAll(() => cluster?.stop());

  test('parameters are quoted by psql: what an attacker types stays a value', async () => {
    const evil = `x'; drop table t; -- "\\ ünïcode`;
    const rows = await psql.rows(`select :'v' as v, 1::int8 as n`, z.object({ v: z.string(), n: z.number() }), {
      params: { v: evil },
    });
    expect(rows).toEqual([{ v: evil, n: 1 }]);
  });

  test('no row is an empty list; a row that was inserted comes back', async () => {
    await psql.run('create table t (id int); insert into t values (1);');
    const id = z.object({ id: z.number() });
    expect(await psql.rows('select id from t where id = 2', id)).toEqual([]);
    expect(await psql.rows('insert into t values (3) returning id', id)).toEqual([{ id: 3 }]);
    expect(await psql.rows('select id from t order by 1', id)).toEqual([{ id: 1 }, { id: 3 }]);
  });

  test('a refused statement, a server that is not there, an unexpected answer: three errors', async () => {
    await expect(psql.run('select 1/0')).rejects.toMatchObject({ code: 'psql-failed', kind: 'permanent' });
    await expect(psql.run('select 1/0')).rejects.toThrow(/division by zero/);
    await expect(open(1).run('select 1')).rejects.toMatchObject({ code: 'psql-connect', kind: 'transient' });
    await expect(psql.rows('select 1 as a', z.object({ b: z.string() }))).rejects.toMatchObject({
      code: 'psql-output',
    });
  });

  test('a statement that takes too long is ended on the server', async () => {
    await expect(psql.run('select pg_sleep(30)', { timeoutMs: 200 })).rejects.toThrow(/statement timeout/);
  });

  test('the archive: off, working, failing', async () => {
    expect(await archiveOf(psql)).toMatchObject({ mode: 'off', archiver: 'none', failedCount: 0, inRecovery: false });

    await cluster.configure({ wal_level: 'replica', archive_mode: 'on', archive_command: 'true # pgbackrest' });
    const from = new Date();
    await psql.run('insert into t values (4); select pg_switch_wal();');
    await expect
      .poll(async () => (await archiveOf(psql)).lastArchivedWal, { timeout: 15_000 })
      .toMatch(/^[0-9A-F]{24}$/);
    const works = await archiveOf(psql);
    expect(works).toMatchObject({ mode: 'on', archiver: 'pgbackrest', failedCount: 0, timeline: 1 });
    expect(archiveFails(works)).toBe(false);
    expect(archiveLag(works)).toBeLessThan(60_000);
    expect(works.lastArchivedAt?.getTime()).toBeGreaterThan(from.getTime() - 1000);
    expect(works.unarchivedBytes).toBeLessThan(16 * 1024 * 1024);
    expect(works.version).toMatch(/^15\.\d+$/);

    await cluster.configure({ archive_command: 'false' });
    await psql.run('insert into t values (5); select pg_switch_wal();');
    await expect.poll(async () => archiveFails(await archiveOf(psql)), { timeout: 15_000 }).toBe(true);
    expect(await archiveOf(psql)).toMatchObject({ archiver: 'other', lastFailedWal: expect.any(String) as string });
  });
});
