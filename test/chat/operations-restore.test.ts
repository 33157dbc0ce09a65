import { describe, expect, it } from 'vitest';
import { hours, systemClock } from '../../src/core/clock.ts';
import restoreEnd from '../../src/tasks/operations/restore-end.ts';
import restorePg from '../../src/tasks/operations/restore-pg.ts';
import { createScratchDesk } from '../../src/tasks/scratch/desk.ts';
import { several } from '../../src/tasks/several.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import { createLockPaths } from '../../src/tasks/lock-paths.ts';
import { openChat } from './support/chat.ts';
import { as, openLife } from './support/life.ts';
import { createFakeRestores, type FakeRestores } from './support/restores.ts';
import { shownRun } from './support/shown.ts';

const OPERATIONS = [restorePg, restoreEnd];
/** 12:00 in Moscow, where everybody is. */
const NOW = new Date('2026-11-23T09:00:00Z');
const WINDOW = { from: new Date('2026-11-22T02:00:11Z'), to: new Date('2026-11-23T08:59:00Z') };

async function openRestores() {
  const ports: { -readonly [K in keyof Ports]?: Ports[K] } = {};
  const life = await openLife({ operations: OPERATIONS, ports });
  const scratch = createScratchDesk({ db: life.db, clock: life.clock });
  const fake = createFakeRestores(scratch, WINDOW);
  ports.scratch = scratch;
  ports.restores = several([['main', fake.restorer]]);
  fake.stoppedAt = new Date('2026-11-23T08:00:30Z');
  const ask = async (at: string, keep?: number) => {
    const args = { stanza: 'main', at, ...(keep === undefined ? {} : { keep }) };
    const { id } = await life.requests.request(as('anna'), 'restore.pg', args);
    await life.deliver();
    return life.run(id);
  };
  const confirm = async (id: string) => {
    await life.requests.answer(id, 'confirm', as('anna'));
    await life.deliver();
    return life.run(id);
  };
  const card = async (id: string) => shownRun(await life.run(id), life, OPERATIONS, life.clock.now());
  return { life, scratch, fake, ask, confirm, card };
}

describe('/restore pg', () => {
  it('shows the plan first, restores beside production, tells what was seen, and leaves nothing', async () => {
    const { fake, ask, confirm, card, scratch } = await openRestores();
    const asked = await ask('11:00');
    expect(asked).toMatchObject({ state: 'confirming', plan: { target: 'main' } });
    const before = await card(asked.id);
    expect(before.en.text).toContain('main as of 2026-11-23 11:00 +03:00 is restored beside production');
    expect(before.en.text).toContain('from 20261123-020000F');
    expect(before.en.text).toContain('port 54330');
    expect(before.en.text).toContain(
      'any moment from 2026-11-22 05:00:11 +03:00 to 2026-11-23 11:59 +03:00 can be restored',
    );
    expect(before.ru.text).toContain('рядом с рабочей базой');
    expect(fake.done).toEqual([]);

    const run = await confirm(asked.id);
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(fake.done[0]).toBe('restore 2026-11-23T08:00:00.000Z');
    expect(await scratch.open()).toEqual([]);
    const { en, ru } = await card(run.id);
    expect(en.icon).toBe('done');
    expect(en.text).toMatch(/Took \(RTO\):\s*1 min 9 s/);
    expect(en.text).toContain('✔ PostgreSQL 15.8 started and answers');
    expect(en.text).toContain('✔ stopped at 2026-11-23 11:00 +03:00');
    expect(ru.text).toContain('✔ PostgreSQL 15.8 запустился и отвечает');
    expect(en.keyboard.flat().map((button) => button.kind)).not.toContain('nothing');
  });

  it('as far as the archive reaches needs no moment', async () => {
    const { fake, ask, confirm, card } = await openRestores();
    const run = await confirm((await ask('latest')).id);
    expect(run.state).toBe('succeeded');
    expect(fake.done[0]).toBe('restore latest');
    expect((await card(run.id)).en.text).toContain('end of the archive');
  });

  it('that stopped at another moment, or has nothing in it, is amber', async () => {
    const { fake, ask, confirm, card } = await openRestores();
    fake.stoppedAt = undefined;
    const run = await confirm((await ask('11:00')).id);
    expect(run.state).toBe('warning');
    const { en } = await card(run.id);
    expect(en.icon).toBe('warning');
    expect(en.text).toContain('✘ did not stop at 2026-11-23 11:00 +03:00');
  });

  it.each([
    ['2026-11-21 10:00', 'pg-target-too-early'],
    ['11:59:30', 'pg-target-too-late'],
    ['2026-11-24 10:00', 'pg-target-too-late'],
  ])('%s is refused with the earliest and the latest moment, in the zone of who asks', async (at, code) => {
    const { ask, card, fake } = await openRestores();
    const run = await ask(at);
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    for (const { text } of Object.values(await card(run.id))) {
      expect(text).toContain('2026-11-22 05:00:11 +03:00');
      expect(text).toContain('2026-11-23 11:59 +03:00');
    }
    expect(fake.done).toEqual([]);
  });

  it.each([
    ['soon', 'moment-unreadable'],
    ['11:00 keep 48', 'restore-pg-keep'],
  ])('%s is refused in words', async (at, code) => {
    const { ask, card } = await openRestores();
    const run = await ask(at);
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    await card(run.id);
  });

  it('of an hour that comes twice asks which one is meant', async () => {
    const { life, ask, card } = await openRestores();
    const anna = life.people.get('anna');
    if (anna) life.people.set('anna', { ...anna, zone: 'Europe/Berlin' });
    const run = await ask('2026-10-25 02:30');
    expect(run).toMatchObject({ state: 'failed', error: { code: 'moment-twice' } });
    const { en } = await card(run.id);
    expect(en.text).toContain('2026-10-25 02:30 +02:00 or 2026-10-25 02:30 +01:00');
  });

  it('keeps the copy up for the hours that were asked for, until somebody removes it', async () => {
    const { life, fake, ask, confirm, card, scratch } = await openRestores();
    const run = await confirm((await ask('11:00 keep 4')).id);
    expect(run).toMatchObject({ state: 'succeeded', verified: { text: { key: 'restore-pg-seen-kept' } } });
    const until = new Date(NOW.getTime() + hours(4));
    expect(await scratch.open()).toMatchObject([{ what: { port: 54_330, until: until.toISOString() } }]);
    const { en, ru } = await card(run.id);
    expect(en.text).toMatch(/Stays until:.*16:00/);
    const labels = (shown: typeof en) => shown.keyboard.flat().map((button) => ('label' in button ? button.label : ''));
    expect(labels(en)).toContain('⏹ Remove the copy');
    expect(labels(ru)).toContain('⏹ Удалить копию');

    const { id } = await life.requests.request(as('boris'), 'restore.end', { stanza: 'main' });
    await life.deliver();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', result: { n: 1 }, verified: { ok: true } });
    expect(await scratch.open()).toEqual([]);
    expect(fake.done.at(-1)).toBe(`discard ${run.id.slice(-4)}`);
    await card(id);
    const again = await life.requests.request(as('boris'), 'restore.end', { stanza: 'main' });
    await life.deliver();
    expect(await life.run(again.id)).toMatchObject({ state: 'failed', error: { code: 'restore-end-none' } });
    await card(again.id);
  });

  it('that is cancelled takes away what it has made', async () => {
    const { life, fake, ask, card, scratch } = await openRestores();
    let restoring = () => {};
    const reached = new Promise<void>((resolve) => (restoring = resolve));
    fake.during = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        restoring();
      });
    const { id } = await ask('11:00');
    await life.requests.answer(id, 'confirm', as('anna'));
    const working = life.deliver();
    await reached;
    await life.requests.answer(id, 'cancel', as('boris'));
    life.executor.cancel(id);
    await working;
    expect(await life.run(id)).toMatchObject({ state: 'cancelled', error: { args: { by: 'boris' } } });
    expect(await scratch.open()).toEqual([]);
    await card(id);
  });

  it('whose worker died waits until the copy is swept, and then says that it was interrupted', async () => {
    const { life, ask, card, scratch, fake } = await openRestores();
    const { id } = await ask('11:00');
    await life.requests.answer(id, 'confirm', as('anna'));
    life.queued.length = 0;
    const long = new Date(NOW.getTime() - hours(1));
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = '{"begun":"x"}' where id = $1`,
      [id, long],
    );
    const claim = await scratch.claim({ runId: id, kind: 'pg-cluster', place: 'main', what: { port: 54_330 } });
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'reconciling' });
    await fake.restorer.discard(id, claim);
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { text: 'restore-pg-lost' } });
    await card(id);
  });
});

describe('a copy that was to be kept, whose worker died', () => {
  it('is told of at once, with where it is, and can be removed', async () => {
    const { life, ask, card, scratch } = await openRestores();
    const { id } = await ask('11:00 keep 4');
    await life.requests.answer(id, 'confirm', as('anna'));
    life.queued.length = 0;
    const long = new Date(NOW.getTime() - hours(1));
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = '{"begun":"x"}' where id = $1`,
      [id, long],
    );
    const what = { folder: '/scratch/x', port: 54_330, until: new Date(NOW.getTime() + hours(4)).toISOString() };
    await scratch.claim({ runId: id, kind: 'pg-cluster', place: 'main', what });
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { text: 'restore-pg-unseen' } });
    expect((await card(id)).en.text).toContain('/restore end main');
    const end = await life.requests.request(as('boris'), 'restore.end', { stanza: 'main' });
    await life.deliver();
    expect(await life.run(end.id)).toMatchObject({ state: 'succeeded' });
  });
});

describe('the picker of the moment', () => {
  const openPicker = async (more: Partial<FakeRestores> = {}) => {
    let fake: FakeRestores | undefined;
    const now = systemClock.now();
    const window = { from: new Date(now.getTime() - hours(100)), to: new Date(now.getTime() - 60_000) };
    const chat = await openChat({
      operations: OPERATIONS,
      restorable: () => Promise.resolve({ window, deployedAt: new Date(now.getTime() - hours(5)) }),
      ports: (db, config) => {
        const scratch = createScratchDesk({ db, clock: systemClock });
        fake = Object.assign(createFakeRestores(scratch, window), more);
        return { scratch, lockPaths: createLockPaths(config), restores: several([['main', fake.restorer]]) };
      },
    });
    return { ...chat, fake: () => fake };
  };

  it('offers the usual moments with their offset, and one press leads to the plan', async () => {
    const { anna } = await openPicker();
    anna.says('/restore pg main');
    const question = await anna.chat.waitFor(/На какой момент\?/u);
    const labels = question.reply_markup?.inline_keyboard?.flat().map(({ text }) => text) ?? [];
    expect(question.text).toMatch(
      /Можно восстановить любой момент с \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+03:00 до \d{4}.* \+03:00/u,
    );
    expect(labels[0]).toMatch(/^15 мин назад · \d{4}-\d\d-\d\d \d\d:\d\d \+03:00$/u);
    expect(labels.some((one) => one.startsWith('до последнего развёртывания · '))).toBe(true);
    expect(labels.at(-1)).toMatch(/^до конца архива · /u);
    const [, wanted] = /· (.*)$/u.exec(labels[0] ?? '') ?? [];
    await anna.presses(labels[0] ?? '');
    const plan = await anna.chat.waitFor(/рядом с рабочей базой/u);
    expect(plan.text).toContain(`main на ${wanted}`);
    await anna.presses('Отменить');
    await anna.chat.waitFor(/ОТМЕНЕНО/iu);
  });

  it('takes a typed moment of several words', async () => {
    const { boris, fake } = await openPicker();
    boris.says('/restore pg main');
    await boris.chat.waitFor(/To which moment\?/u);
    boris.says('yesterday 14:15 keep 2');
    const plan = await boris.chat.waitFor(/is restored beside production/u);
    expect(plan.text).toMatch(/main as of \d{4}-\d\d-\d\d 14:15 \+03:00/u);
    expect(plan.text).toContain('the copy stays for 2 h');
    expect(fake()?.done).toEqual([]);
    boris.says('/restore pg main 2020-01-01 10:00');
    await boris.chat.waitFor(/is before everything that main can be restored to/u);
  });
});
