import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../../src/store/embedded.ts';
import { temporaryFolder } from '../../support/components/place.ts';
import { isRoot, until } from '../../support/components/process.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  cleanups.push(remove);
  return join(path, 'data');
}

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ dataDir, log: silentLog });
  cleanups.push(() => server.stop());
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const serverPid = async (dataDir: string) =>
  Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A Vakhta in a process of its own, which can be killed. */
async function anotherVakhta(dataDir: string) {
  const script = `
    import { startEmbedded } from './src/store/embedded.ts';
    import { silentLog } from './src/core/log.ts';
    const { url } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log: silentLog });
    process.stdout.write(url + '\\n');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(async () => void child.kill('SIGKILL'));
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: chunk.toString().trim() };
}

test('the data is there again after a stop; the password is secret and needed', async () => {
  const dataDir = await folder();
  const first = await start(dataDir);
  expect(new URL(first.url).hostname).toBe('127.0.0.1');
  await query(first.url, "create table kept as select 'бэкап' as word");
  const secret = await stat(join(dataDir, 'postgres', 'vakhta.password'));
  expect(secret.mode & 0o777).toBe(0o600);
  const wrong = new URL(first.url);
  wrong.password = 'wrong';
  await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  const pid = await serverPid(dataDir);
  await first.stop();
  expect(alive(pid)).toBe(false);

  const second = await start(dataDir);
  expect(await query(second.url, 'select upper(word) as word from kept')).toEqual([{ word: 'БЭКАП' }]);
});

test('a second Vakhta in the same folder is refused, and harms nothing', async () => {
  const dataDir = await folder();
  const { url } = await start(dataDir);
  await expect(startEmbedded({ dataDir, log: silentLog })).rejects.toMatchObject({
    kind: 'usage',
    code: 'data-dir-in-use',
    args: { dir: dataDir },
  });
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('after SIGKILL the server that was left behind is taken over', async () => {
  const dataDir = await folder();
  const other = await anotherVakhta(dataDir);
  await query(other.url, 'create table kept (n int)');
  const pid = await serverPid(dataDir);
  other.child.kill('SIGKILL');
  await once(other.child, 'exit');
  expect(alive(pid)).toBe(true);

  const mine = await start(dataDir);
  expect(await serverPid(dataDir)).toBe(pid);
  expect(await query(mine.url, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
  await mine.stop();
  await until('the server ended', () => !alive(pid));
});

test('after the server itself was killed too, it starts again and recovers', async () => {
  const dataDir = await folder();
  const other = await anotherVakhta(dataDir);
  await query(other.url, 'create table kept as select 1 as n');
  const pid = await serverPid(dataDir);
  other.child.kill('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await until('the server is gone', () => !alive(pid));
  const mine = await start(dataDir);
  expect(await query(mine.url, 'select n from kept')).toEqual([{ n: 1 }]);
});

test('a pid file whose number now belongs to another program does not keep it from starting', async () => {
  const dataDir = await folder();
  const first = await start(dataDir);
  await first.stop();
  const text = [process.pid, join(dataDir, 'postgres'), 0, 5432, '', '127.0.0.1', '', 'ready'].join('\n');
  await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${text}\n`);
  const second = await start(dataDir);
  expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('data of another version is refused with both versions', async () => {
  const dataDir = await folder();
  await (await start(dataDir)).stop();
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '12\n');
  await expect(startEmbedded({ dataDir, log: silentLog })).rejects.toMatchObject({
    code: 'embedded-version',
    args: { found: '12', expected: '18' },
  });
});

test.runIf(isRoot())('as root it works below a folder that only root may enter', async () => {
  const { path, remove } = await temporaryFolder();
  cleanups.push(remove);
  const closed = await mkdtemp(join(path, 'private-'));
  await chmod(closed, 0o700);
  const server = await start(join(closed, 'data'));
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test.runIf(isRoot())('the server does not run as root', async () => {
  const dataDir = await folder();
  await start(dataDir);
  const status = await readFile(`/proc/${await serverPid(dataDir)}/status`, 'utf8');
  expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe('0');
});
