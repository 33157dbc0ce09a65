/** Volumes and files through the whole life of a run: backup, retention, the copy elsewhere, drills. */
import { describe, expect, it } from 'vitest';
import { days, hours } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import backupVolume from '../../src/tasks/operations/backup-volume.ts';
import drillRestore from '../../src/tasks/operations/drill-restore.ts';
import forget from '../../src/tasks/operations/forget.ts';
import offsiteSync from '../../src/tasks/operations/offsite-sync.ts';
import verify from '../../src/tasks/operations/verify.ts';
import type { BackupState } from '../../src/tasks/recovery/define.ts';
import { volumeRemovers } from '../../src/tasks/volumes/removers.ts';
import { several } from '../../src/tasks/several.ts';
import { as } from './support/life.ts';
import { shownRun } from './support/shown.ts';
import { openVolumes } from './support/volumes.ts';

const OPERATIONS = [backupVolume, forget, offsiteSync, drillRestore, verify];
const signal = new AbortController().signal;

async function open() {
  const opened = await openVolumes(OPERATIONS);
  const { life, parts } = opened;
  const ask = async (operation: string, args: Record<string, unknown>) => {
    const { id } = await life.requests.request(as('anna'), operation, args);
    await life.deliver();
    return life.run(id);
  };
  const backup = (volume: string, more: Record<string, unknown> = {}) => ask('backup.volume', { volume, ...more });
  const approve = async (id: string) => {
    await life.requests.answer(id, 'approve', as('boris'));
    await life.deliver();
    return life.run(id);
  };
  const card = (run: Awaited<ReturnType<typeof ask>>) => shownRun(run, life, OPERATIONS, life.clock.now());
  const state = async (target: string): Promise<BackupState> => {
    const source = parts.sources.find(({ targets }) => targets.includes(target));
    const found = (await source?.states(signal))?.find((one) => one.target === target);
    if (!found) throw new Error(`no state of ${target}`);
    return found;
  };
  return { ...opened, ask, backup, approve, card, state };
}

describe('/backup volume', () => {
  it('pauses for the copy only, sets going again, and sees the snapshot in the repository', async () => {
    const { backup, card, log, primary, scratch, life } = await open();
    const run = await backup('web');
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true }, result: { volume: 'web', files: 1 } });
    expect(log).toEqual(['pause nginx', 'copy', 'unpause nginx']);
    expect(primary.state.held[0]?.snapshot.tags).toEqual(['vakhta', 'volume=web', `run=${run.id}`]);
    expect(await scratch.open()).toEqual([]);
    expect(await life.locks()).toEqual([]);
    const { en, ru } = await card(run);
    expect(en.icon).toBe('done');
    expect(en.text).toContain(primary.state.held[0]?.snapshot.shortId);
    expect(en.text).toContain('containers stood still for');
    expect(ru.text).toContain('контейнеры стояли');
  });

  it('holds the set and the containers while it works', async () => {
    const { volumes } = await open();
    expect(volumes.locksOf(volumes.volume('web'))).toEqual([
      'host-local/restic-files/backup',
      'host-local/docker/nginx',
    ]);
  });

  it('dumps first, while the database still runs; files and dump are one snapshot', async () => {
    const { backup, log, primary, disk } = await open();
    const run = await backup('wiki');
    expect(run).toMatchObject({ state: 'succeeded', result: { dumpBytes: 12, files: 2 } });
    expect(log).toEqual(['stop wiki', 'capture pg_dumpall', 'copy', 'start wiki']);
    expect(primary.state.held[0]?.snapshot.paths).toEqual([
      '/var/lib/docker/wiki_data/page',
      '/scratch/dumps/files-wiki/wiki.sql',
    ]);
    expect([...disk.keys()].filter((path) => path.startsWith('/scratch'))).toEqual([]);
  });

  it('of which the dump is empty fails, keeps nothing, and the containers go again', async () => {
    const { backup, log, outside, primary, scratch } = await open();
    outside.dump = '';
    expect(await backup('wiki')).toMatchObject({ state: 'failed', error: { code: 'volume-dump-empty' } });
    expect(log).toEqual(['stop wiki', 'capture pg_dumpall', 'start wiki']);
    expect(primary.state.held).toEqual([]);
    expect(await scratch.open()).toEqual([]);
  });

  it('without a file that could not be read is amber, names it, and so does the board until the next good one', async () => {
    const { backup, card, outside, state, life } = await open();
    outside.unreadable = ['/etc/passwd'];
    const run = await backup('etc');
    expect(run).toMatchObject({ state: 'warning', result: { skippedCount: 1 }, verified: { ok: true } });
    const { en, ru } = await card(run);
    expect(en.icon).toBe('warning');
    expect(en.text).toContain('/etc/passwd');
    expect(ru.text).toContain('Не вошло');
    expect(await state('volume:etc')).toMatchObject({ state: 'warn', notes: [{ key: 'volume-state-incomplete' }] });
    outside.unreadable = [];
    await life.clock.advance(1000);
    expect((await backup('etc')).state).toBe('succeeded');
    expect(await state('volume:etc')).toMatchObject({ state: 'ok', notes: [], count: 2 });
  });

  it('after which a container does not go again is amber, names it, and the sweeper has it', async () => {
    const { backup, card, outside, scratch, volumes, engine, containers } = await open();
    outside.stays.add('nginx');
    const run = await backup('web');
    expect(run).toMatchObject({ state: 'warning', result: { away: ['nginx'] } });
    expect((await card(run)).en.text).toContain('Not running again');
    const [left] = await scratch.open();
    expect(left).toMatchObject({ kind: 'paused-container', place: 'docker1' });
    outside.stays.clear();
    const remover = volumeRemovers(volumes, several([['docker1', engine]])).find(({ kind }) => kind === left?.kind);
    if (left) await remover?.remove(left, signal);
    expect(containers.get('nginx')?.status).toBe('running');
  });

  it('of a path that is not there stops nothing', async () => {
    const { backup, disk, log } = await open();
    disk.delete('/var/lib/docker/web_data/index.html');
    expect(await backup('web')).toMatchObject({ state: 'failed', error: { code: 'restic-source-missing' } });
    expect(log).toEqual([]);
  });

  it('makes a repository only when it is told to', async () => {
    const { backup, primary, card } = await open();
    primary.state.exists = false;
    const refused = await backup('etc');
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'restic-no-repository' } });
    expect((await card(refused)).en.text).toContain('/backup volume NAME new');
    expect(primary.state.exists).toBe(false);
    expect(await backup('etc', { repository: 'new' })).toMatchObject({ state: 'succeeded' });
  });

  it('of a repository that is locked ends at once, and says by whom', async () => {
    const { backup, outside, card } = await open();
    const args = { set: 'files', pid: '4711', host: 'nas', since: '2026-11-23 01:00:00' };
    outside.failsWith = new VakhtaError('transient', 'restic-locked', 'locked', { args });
    const run = await backup('etc');
    expect(run).toMatchObject({ state: 'failed', error: { code: 'restic-locked' } });
    expect((await card(run)).ru.text).toContain('4711');
  });

  it.each([true, false])('whose worker died is found by its tag, if it was made (%s)', async (made) => {
    const { life, primary } = await open();
    const { id } = await life.requests.request(as('anna'), 'backup.volume', { volume: 'etc' });
    life.queued.length = 0;
    const long = new Date(life.clock.now().getTime() - hours(1));
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = '{"begunAt":"x"}' where id = $1`,
      [id, long],
    );
    const file = { text: 'x', mtime: '1' };
    if (made) primary.add(new Map([['/etc/hosts', file]]), ['vakhta', 'volume=etc', `run=${id}`]);
    await life.round();
    const run = await life.run(id);
    // What it could not read nobody knows any more: never green.
    expect(run).toMatchObject(made ? { state: 'warning', result: { isSeen: false, files: 1 } } : { state: 'failed' });
  });
});

describe('/forget', () => {
  const three = async () => {
    const opened = await open();
    for (let n = 0; n < 3; n++) {
      await opened.life.clock.advance(hours(24));
      await opened.backup('etc');
    }
    return opened;
  };

  it('shows what goes, waits for a second person, and removes just that', async () => {
    const { ask, approve, card, primary } = await three();
    const oldest = primary.state.held[0]?.snapshot.id;
    const asked = await ask('forget', { set: 'files' });
    expect(asked.state).toBe('approving');
    expect((await card(asked)).en.text).toContain('etc: one snapshot goes');
    expect(primary.state.held).toHaveLength(3);
    const done = await approve(asked.id);
    expect(done).toMatchObject({ state: 'succeeded', verified: { ok: true }, result: { freedBytes: 2048 } });
    expect(primary.state.held.map(({ snapshot }) => snapshot.id)).not.toContain(oldest);
    expect(primary.state.held).toHaveLength(2);
    const { en, ru } = await card(done);
    expect(en.text).toContain('one snapshot removed, 2 stay');
    expect(ru.text).toContain('1 снимок');
  });

  it('refuses when more would go than was approved', async () => {
    const { ask, approve, backup, primary, life } = await three();
    const asked = await ask('forget', { set: 'files' });
    await life.clock.advance(hours(1) / 2);
    await backup('etc');
    expect(await approve(asked.id)).toMatchObject({ state: 'failed', error: { code: 'forget-changed' } });
    expect(primary.state.held).toHaveLength(4);
  });

  it('removes nothing from a repository that is damaged', async () => {
    const { ask, primary } = await three();
    primary.state.isDamaged = true;
    expect((await ask('verify', { target: 'restic:files' })).state).toBe('failed');
    expect(await ask('forget', { set: 'files' })).toMatchObject({ state: 'failed', error: { code: 'forget-damaged' } });
    primary.state.isDamaged = false;
    await ask('verify', { target: 'restic:files' });
    expect((await ask('forget', { set: 'files' })).state).toBe('approving');
  });
});

describe('/offsite sync', () => {
  it('brings what is missing there, once', async () => {
    const { ask, backup, card, log, offsite, state } = await open();
    await backup('etc');
    expect(await state('offsite-volume:etc')).toMatchObject({ state: 'down' });
    const run = await ask('offsite.sync', {});
    expect(run).toMatchObject({
      state: 'succeeded',
      verified: { ok: true },
      result: { rows: [{ copied: 1, total: 1 }] },
    });
    expect(offsite.state.held).toHaveLength(1);
    const { en, ru } = await card(run);
    expect(en.text).toContain('copied 1, 1 there');
    expect(ru.text).toContain('скопировано 1');
    expect(await state('offsite-volume:etc')).toMatchObject({ state: 'ok', count: 1 });
    await ask('offsite.sync', { set: 'files' });
    expect(log.filter((line) => line.startsWith('offsite'))).toEqual(['offsite 1']);
  });

  it('makes a repository elsewhere only when it is told to', async () => {
    const { ask, backup, offsite } = await open();
    offsite.state.exists = false;
    await backup('etc');
    expect(await ask('offsite.sync', {})).toMatchObject({ state: 'failed', error: { code: 'restic-no-repository' } });
    expect(await ask('offsite.sync', { set: 'files', repository: 'new' })).toMatchObject({ state: 'succeeded' });
  });

  it('is amber on the board when the newest copy there is too old, however new the one here is', async () => {
    const { ask, backup, life, state } = await open();
    await backup('etc');
    await ask('offsite.sync', {});
    await life.clock.advance(days(3));
    await backup('etc');
    expect(await state('volume:etc')).toMatchObject({ state: 'ok' });
    expect(await state('offsite-volume:etc')).toMatchObject({ state: 'warn', line: { key: 'volume-state-old' } });
  });
});

describe('/drill restore volume:…', () => {
  it('restores, compares with the snapshot and with the files that live, and removes all of it', async () => {
    const { ask, backup, card, disk, scratch } = await open();
    await backup('wiki');
    const run = await ask('drill.restore', { target: 'volume:wiki' });
    expect(run).toMatchObject({ state: 'succeeded', result: { passed: true } });
    const { en, ru } = await card(run);
    expect(en.text).toContain('The dump wiki.sql is there');
    expect(ru.text).toContain('совпадают с рабочими');
    expect([...disk.keys()].filter((path) => path.startsWith('/scratch'))).toEqual([]);
    expect(await scratch.open()).toEqual([]);
  });

  it('fails when a file that has not changed differs', async () => {
    const { ask, backup, disk } = await open();
    await backup('etc');
    const before = disk.get('/etc/passwd');
    if (before) disk.set('/etc/passwd', { ...before, text: 'toor' });
    const run = await ask('drill.restore', { target: 'volume:etc' });
    expect(run.state).toBe('failed');
    expect(JSON.stringify(run.result)).toContain('volume-proof-not-live');
  });

  it('fails when the snapshot is damaged', async () => {
    const { ask, backup, primary, scratch } = await open();
    await backup('etc');
    primary.state.isDamaged = true;
    expect(await ask('drill.restore', { target: 'volume:etc' })).toMatchObject({ state: 'failed' });
    expect(await scratch.open()).toEqual([]);
  });

  it('is refused where the disk is too small', async () => {
    const { ask, backup, outside } = await open();
    await backup('etc');
    outside.freeBytes = 100;
    expect(await ask('drill.restore', { target: 'volume:etc' })).toMatchObject({
      state: 'failed',
      error: { code: 'volume-no-room' },
    });
  });

  it('from elsewhere says what it costs, and is refused when it would read too much', async () => {
    const { ask, backup, card, offsite, write } = await open();
    await backup('etc');
    await ask('offsite.sync', {});
    const run = await ask('drill.restore', { target: 'offsite-volume:etc' });
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(JSON.stringify(run.plan)).toContain('volume-drill-price');
    expect((await card(run)).ru.text).toContain('€');
    // Twice as much is stored as is restored, here.
    offsite.repository.size = (_id, as) => Promise.resolve(as === 'stored' ? 1_200_000_000 : 600_000_000);
    write('/etc/new', 'x');
    const refused = await ask('drill.restore', { target: 'offsite-volume:etc' });
    expect(refused).toMatchObject({ state: 'failed', error: { code: 'volume-cost' } });
    expect((await card(refused)).en.text).toContain('read_limit_gb');
  });
});
