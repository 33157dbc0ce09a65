import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it, onTestFinished } from 'vitest';
import { days, hours, systemClock } from '../../src/core/clock.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { Secret } from '../../src/core/secret.ts';
import { schedulesOf } from '../../src/app/schedules.ts';
import { createLocalExecutor } from '../../src/integrations/exec/local.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { observe } from '../../src/store/observations.ts';
import { openKit } from '../../src/tasks/kit/check.ts';
import { createKitDesk, type KitDesk, kitSource } from '../../src/tasks/kit/desk.ts';
import kit from '../../src/tasks/operations/kit.ts';
import { BOARD_KEY } from '../../src/tasks/recovery/board.ts';
import { loadRunbooks } from '../../src/tasks/runbooks.ts';
import { several } from '../../src/tasks/several.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shownRun } from './support/shown.ts';

const NONE = new AbortController().signal;
const RUNBOOKS = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));

/** The operation on a folder of its own; the machine elsewhere is another folder, behind a real shell. */
async function open(options: { readonly keep?: number; readonly offsite?: boolean; readonly notes?: string[] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'vakhta-kit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const identity = await generateIdentity();
  const there = join(folder, 'there');
  const configFile = join(folder, 'vakhta.yaml');
  await writeFile(configFile, 'site: { name: Test site }\n');
  const config = configWith({
    site: { id: 'home', name: 'Test site', zone: 'Europe/Moscow', language: 'en' },
    data_dir: folder,
    hosts: [{ id: 'nas', address: 'nas', user: 'v', private_key: 'env:K', host_key: `SHA256:${'a'.repeat(43)}` }],
    kit: {
      recipients: [await identityToRecipient(identity)],
      keep: options.keep ?? 5,
      notes: options.notes ?? [],
      ...(options.offsite === false ? {} : { offsite: { host: 'nas', dir: there } }),
    },
  });
  const ports: { kit?: KitDesk } = {};
  const life = await openLife({ operations: [kit], ports });
  const { db, clock } = life;
  const desk = createKitDesk({
    config,
    configFile,
    db,
    clock,
    version: '1.2.3',
    runbooks: await loadRunbooks(RUNBOOKS),
    catalogue: catalogue(allMessages),
    redact: (text) => text,
    hosts: several([['nas', createLocalExecutor({}, { clock: systemClock })]]),
  });
  ports.kit = desk;
  const source = kitSource(desk, config, clock);
  if (!source) throw new Error('no source');
  await observe(db, BOARD_KEY, true, { states: [], sources: [] }, clock.now());
  const here = join(folder, 'kit');
  return {
    life,
    clock,
    config,
    here,
    there,
    desk,
    identity: new Secret(identity),
    make: async () => {
      const { id } = await life.requests.request(as('ada'), 'kit', {});
      await life.deliver();
      return life.run(id);
    },
    state: async () => (await source.states(NONE))[0],
  };
}

describe('/kit', () => {
  it('makes a kit that its key opens, keeps it here and brings the same elsewhere', async () => {
    const { life, clock, make, here, there, identity } = await open();
    const run = await make();
    expect(run.state).toBe('succeeded');
    expect(run.verified?.ok).toBe(true);
    const name = 'vakhta-kit-home-20261123T090000Z.age';
    expect(await readdir(here)).toEqual([name]);
    expect((await stat(join(here, name))).mode & 0o777).toBe(0o600);
    const sealed = await readFile(join(here, name));
    expect((await readFile(join(there, name))).equals(sealed)).toBe(true);
    const { files } = await openKit(sealed, [identity]);
    expect(files.find(({ path }) => path === 'config/vakhta.yaml')?.content.toString()).toBe(
      'site: { name: Test site }\n',
    );
    const { en, ru } = await shownRun(run, life, [kit], clock.now());
    expect(en.text).toContain(name);
    expect(en.text).toMatch(/Elsewhere: nas, as sent/);
    expect(en.text).toContain(`age -d -i key.txt ${name} | tar x`);
    expect(ru.text).toMatch(/Вне площадки: nas, сверено/);
  });

  it('keeps as many as it should, here and elsewhere', async () => {
    const { make, clock, here, there } = await open({ keep: 2 });
    for (let n = 0; n < 3; n++) {
      await make();
      await clock.advance(hours(1));
    }
    const newest = ['vakhta-kit-home-20261123T100000Z.age', 'vakhta-kit-home-20261123T110000Z.age'];
    expect((await readdir(here)).toSorted()).toEqual(newest);
    expect((await readdir(there)).toSorted()).toEqual(newest);
  });

  it('is made all the same when it cannot be brought elsewhere, and says so', async () => {
    const { life, make, clock, there, here, state } = await open();
    await writeFile(there, 'no folder');
    const run = await make();
    expect(run.state).toBe('warning');
    expect(await readdir(here)).toHaveLength(1);
    const { en } = await shownRun(run, life, [kit], clock.now());
    expect(en.text).toMatch(/Elsewhere: The copy on nas: /);
    expect(await state()).toMatchObject({ state: 'warn', line: { key: 'kit-line-no-offsite' } });
  });

  it('fails with the file that cannot be read, and leaves nothing half done', async () => {
    const { make, here } = await open({ notes: ['/nowhere/notes.md'] });
    const run = await make();
    expect(run).toMatchObject({ state: 'failed', error: { code: 'kit-file', args: { path: '/nowhere/notes.md' } } });
    expect(await readdir(here).catch(() => [])).toEqual([]);
  });

  it('says when it lacks something, and that it stays only here', async () => {
    const { life, make, clock } = await open({ offsite: false });
    await life.db.query('delete from observations');
    const run = await make();
    expect(run.state).toBe('warning');
    const { en, ru } = await shownRun(run, life, [kit], clock.now());
    expect(en.text).toContain('Not in it: the backups, nobody has looked yet');
    expect(en.text).toContain('Only here.');
    expect(ru.text).toContain('Чего в нём нет: копий');
  });

  it('removes what a process that died had begun', async () => {
    const { make, here, there } = await open();
    const part = 'vakhta-kit-home-20261101T090000Z.age.part';
    for (const folder of [here, there]) {
      await mkdir(folder);
      await writeFile(join(folder, part), 'half');
    }
    await make();
    for (const folder of [here, there]) expect(await readdir(folder)).toEqual(['vakhta-kit-home-20261123T090000Z.age']);
  });

  it.each([
    ['had made it', true],
    ['had only begun', false],
  ])('of a worker that died and %s is there once', async (_what, isMade) => {
    const { life, clock, here, desk } = await open();
    const { id } = await life.requests.request(as('ada'), 'kit', {});
    life.queued.length = 0;
    const name = desk.nameOf(clock.now());
    if (isMade) await desk.make(NONE, { name });
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3,
       plan = '{"target":"kit","lines":[]}' where id = $1`,
      [id, new Date(clock.now().getTime() - hours(1)), JSON.stringify({ name })],
    );
    await clock.advance(1000);
    await life.round();
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded' });
    expect(await readdir(here)).toEqual([isMade ? name : desk.nameOf(clock.now())]);
  });

  it('is asked for by its schedule on Sundays', async () => {
    const { life, config, clock, here } = await open();
    const schedule = schedulesOf(config, life.requests, clock).find(({ name }) => name === 'kit');
    expect(schedule?.spec).toEqual({ zone: 'Europe/Moscow', at: '05:00', weekdays: ['sun'] });
    await life.db.tx(async (tx) => schedule?.run(tx, clock.now(), { late: false }));
    await clock.advance(1000);
    await life.deliver();
    expect(await readdir(here)).toHaveLength(1);
  });
});

describe('the kit on the board', () => {
  it('is bad when there is none, in order when it is here and elsewhere, and old after its days', async () => {
    const { make, state, clock } = await open();
    expect(await state()).toMatchObject({ target: 'kit:home', state: 'down', line: { key: 'kit-line-none' } });
    await make();
    expect(await state()).toMatchObject({
      state: 'ok',
      line: { key: 'kit-line-ok-offsite' },
      newestAt: clock.now(),
      count: 1,
    });
    await clock.advance(days(8) + hours(1));
    expect(await state()).toMatchObject({ state: 'warn', line: { key: 'kit-line-old', args: { days: 8 } } });
  });

  it('looks at the bytes, on both sides', async () => {
    const { make, state, here, there } = await open();
    await make();
    const [name = ''] = await readdir(there);
    await chmod(join(there, name), 0o600);
    await writeFile(join(there, name), 'something else');
    expect(await state()).toMatchObject({ state: 'warn', line: { key: 'kit-line-differs' } });
    await rm(join(there, name));
    expect(await state()).toMatchObject({ state: 'warn', line: { key: 'kit-line-no-offsite' } });
    await writeFile(join(here, name), 'something else');
    expect(await state()).toMatchObject({ state: 'warn', line: { key: 'kit-line-damaged' } });
  });
});
