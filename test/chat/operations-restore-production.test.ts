import { describe, expect, it } from 'vitest';
import { days } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import restoreProduction from '../../src/tasks/operations/restore-production.ts';
import type { Ports } from '../../src/tasks/ports.ts';
import type { PgProduction, Settled, Staged } from '../../src/tasks/recovery/postgres-production.ts';
import { STAGE_KIND } from '../../src/tasks/recovery/postgres-production.ts';
import { createLockPaths } from '../../src/tasks/lock-paths.ts';
import { createScratchDesk } from '../../src/tasks/scratch/desk.ts';
import { several } from '../../src/tasks/several.ts';
import { as, openLife } from './support/life.ts';
import { createFakeRestores } from './support/restores.ts';
import { configWith, shownRun } from './support/shown.ts';

/** 12:00 in Moscow, where everybody is. */
const NOW = new Date('2026-11-23T09:00:00Z');
const WINDOW = { from: new Date('2026-11-22T02:00:11Z'), to: new Date('2026-11-23T08:59:00Z') };
const STAGED: Staged = {
  label: '20261123-020000F',
  target: new Date('2026-11-23T08:00:00Z'),
  sizeBytes: 1_500_000_000,
  systemId: '7445566778899001122',
  timeline: 1,
  filesMs: 61_000,
  rehearsalMs: 8200,
  version: '15.8',
  proofs: [{ ok: true, text: { key: 'pg-proof-started', args: { version: '15.8' } } }],
};

async function openProduction() {
  const ports: { -readonly [K in keyof Ports]?: Ports[K] } = {};
  const life = await openLife({ operations: [restoreProduction], ports });
  const scratch = createScratchDesk({ db: life.db, clock: life.clock });
  const { restorer } = createFakeRestores(scratch, WINDOW);
  const fake = {
    done: [] as string[],
    isFresh: true,
    isRunning: true,
    settled: { state: 'new' } as Settled,
    stopping: () => Promise.resolve(),
  };
  const archive = { inRecovery: false, mode: 'on' } as never;
  const production: PgProduction = {
    id: 'main',
    dataDir: '/pg/main',
    restorer: {
      ...restorer,
      backups: {
        backup: () => {
          fake.done.push('backup');
          return Promise.resolve({ label: '20261123-020000F_20261123-090000I' });
        },
      } as never,
      look: () =>
        Promise.resolve({
          backups: [{ label: STAGED.label }] as never,
          repo: 1,
          window: WINDOW,
          ...(fake.isRunning ? { archive } : {}),
        }),
      mark: () => Promise.resolve(archive),
    },
    beforeOf: () => '/pg/main.before-7',
    look: () => Promise.resolve({ isThere: true, isRunning: fake.isRunning }),
    standbys: () => Promise.resolve(2),
    stage: async (plan, _zone, { runId }) => {
      fake.done.push(`stage ${plan.label}`);
      return { staged: STAGED, claim: await scratch.claim({ runId, kind: STAGE_KIND, place: 'main', what: {} }) };
    },
    exchange: async (_runId, _signal, beforeRename) => {
      await fake.stopping();
      await beforeRename();
      fake.done.push('exchange');
    },
    settle: () => {
      fake.done.push('settle');
      return Promise.resolve(fake.settled);
    },
    seen: () => Promise.resolve({ systemId: STAGED.systemId, timeline: 2, isInRecovery: false }),
    proofs: () =>
      Promise.resolve([
        { ok: true, text: { key: 'production-proof-line', args: { timeline: 2, system: STAGED.systemId } } },
      ]),
  };
  ports.scratch = scratch;
  ports.productions = several([['main', production]]);
  ports.lockPaths = createLockPaths(configWith());
  ports.recovery = {
    goals: { rtoMs: 0, rpoMs: 0, drillMaxAgeMs: days(30) },
    lastGoodDrill: () => Promise.resolve({ isFresh: fake.isFresh, at: new Date(NOW.getTime() - days(3)) }),
  } as never;
  const ask = async (at: string, stanza = 'main') => {
    const { id } = await life.requests.request(as('ada'), 'restore.production', { stanza, at });
    await life.deliver();
    return life.run(id);
  };
  const approve = async (id: string) => {
    await life.requests.answer(id, 'confirm', as('ada'), { typed: 'main', code: life.code('ada') });
    await life.deliver();
    await life.requests.answer(id, 'approve', as('cyril'));
    await life.deliver();
    return life.run(id);
  };
  const card = async (id: string) => shownRun(await life.run(id), life, [restoreProduction], life.clock.now());
  return { life, fake, ask, approve, card, scratch };
}

describe('/restore production', () => {
  it('says what will be lost and what stays, and does it when the name is typed and a second person agrees', async () => {
    const { fake, ask, approve, card, scratch } = await openProduction();
    const asked = await ask('11:00');
    expect(asked).toMatchObject({ state: 'confirming', plan: { target: 'main' } });
    const plan = await card(asked.id);
    expect(plan.en.text).toContain('PRODUCTION main goes back to 2026-11-23 11:00 +03:00');
    expect(plan.en.text).toContain('the old data stays in /pg/main.before-7');
    expect(plan.en.text).toContain('2 standbys follow it');
    expect(plan.ru.text).toContain('РАБОЧАЯ база main вернётся на 2026-11-23 11:00 +03:00');
    expect(fake.done).toEqual([]);
    const run = await approve(asked.id);
    expect(run).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(fake.done).toEqual(['backup', 'stage 20261123-020000F', 'exchange', 'settle']);
    expect(await scratch.open()).toEqual([]);
    const { en, ru } = await card(run.id);
    expect(en.icon).toBe('done');
    expect(en.text).toContain('Production is restored');
    expect(en.text).toContain('rm -rf -- /pg/main.before-7');
    expect(en.text).toContain('✔ production runs on timeline 2');
    expect(ru.text).toContain('Рабочая база восстановлена');
    const labels = en.keyboard.flat().map((button) => ('label' in button ? button.label : ''));
    expect(labels).toContain('💾 Full backup');
  });

  it('makes no backup of a production that is down, and says so', async () => {
    const { fake, ask, approve, card } = await openProduction();
    fake.isRunning = false;
    const asked = await ask('latest');
    expect((await card(asked.id)).en.text).toContain('no fresh backup can be made first');
    const run = await approve(asked.id);
    expect(run.state).toBe('succeeded');
    expect(fake.done[0]).toBe('stage 20261123-020000F');
    expect((await card(run.id)).en.text).toContain('none: production was down');
  });

  it('is refused without a fresh drill, and where nobody said how the cluster is started', async () => {
    const { fake, ask, card } = await openProduction();
    const elsewhere = await ask('11:00', 'other');
    expect(elsewhere).toMatchObject({ state: 'failed', error: { code: 'restore-production-undeclared' } });
    await card(elsewhere.id);
    fake.isFresh = false;
    const run = await ask('11:00');
    expect(run).toMatchObject({ state: 'failed', error: { code: 'restore-production-unproven' } });
    expect((await card(run.id)).en.text).toContain('/drill restore pg:main');
    expect(fake.done).toEqual([]);
  });

  it.each([
    [{ state: 'old', isUp: true }, 'restore-production-old', 'runs as before'],
    [
      { state: 'back', isUp: true, failed: '/pg/main.failed-7', why: 'FATAL' },
      'restore-production-back',
      'main.failed-7',
    ],
    [{ state: 'stuck', why: 'no disk' }, 'restore-production-stuck', 'no disk'],
  ] as const)('that ends as %j tells where production stands', async (settled, code, text) => {
    const { fake, ask, approve, card } = await openProduction();
    fake.settled = settled;
    const refused = new VakhtaError('permanent', 'pg-production-stop', 'no', { args: { dir: '/pg', detail: 'busy' } });
    if (settled.state === 'old') fake.stopping = () => Promise.reject(refused);
    const run = await approve((await ask('11:00')).id);
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    const { en, ru } = await card(run.id);
    expect(en.text).toContain(text);
    expect(ru.text).toContain('main');
  });
});
