import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { VakhtaError } from '../../src/core/error.ts';
import { quieting } from '../../src/store/quietings.ts';
import { moveRun } from '../../src/store/run-steps.ts';
import { defineOperation } from '../../src/tasks/define.ts';
import backupPg from '../../src/tasks/operations/backup-pg.ts';
import guestRestart from '../../src/tasks/operations/guest-restart.ts';
import guestStart from '../../src/tasks/operations/guest-start.ts';
import { scopesOfNames } from '../../src/tasks/silences/selection.ts';
import { withComponents } from '../support/components/index.ts';
import { as, gate, lifeMessages } from './support/life.ts';
import { MINUTE, openSilencing, real, simulator, type Start } from './support/silencing.ts';

const DOWN = { alertname: 'HostDown', instance: 'db1:9100' };
const OTHER = { alertname: 'HostDown', instance: 'db10:9100' };

/** An operation that makes its target noisy; what it does is the test's. */
const noisy = (does: () => Promise<void>) =>
  defineOperation({
    name: 'life',
    messages: lifeMessages,
    role: 'operator',
    risk: 'change',
    args: z.object({ what: z.string() }),
    result: z.object({ what: z.string() }),
    ports: [],
    timeoutMs: 12 * 60 * MINUTE,
    plan: async (_context, { what }) => ({ target: what, lines: [] }),
    quiets: async ({ what }, _plan, names) => scopesOfNames(await names.place(what), ['instance', 'host']),
    run: async ({ remember }, args) => {
      await remember({ begun: true });
      await does();
      return { state: 'succeeded', result: args };
    },
    verify: async () => ({ ok: true, text: { key: 'life-seen' } }),
    reconcile: async () => ({ state: 'failed', text: { key: 'life-lost' } }),
    report: () => ({ blocks: [] }),
  });

describe('with the simulator', () => {
  suite(simulator);
});
withComponents(['alertmanager'], () => {
  suite(real);
});

function suite(start: Start): void {
  test('what the work raises is silenced while it works, and only that', async () => {
    const seen: unknown[] = [];
    const its = await openSilencing(start, {
      operations: [
        noisy(async () => {
          await its.burn(DOWN, OTHER);
          const alerts = await its.port.alerts();
          seen.push(Object.fromEntries(alerts.map(({ labels, state }) => [labels['instance'], state])));
          await its.quench(DOWN);
        }),
      ],
    });
    const run = await its.asks('anna', 'life', { what: 'db1' }, { chat: -1001 });
    expect(run.state).toBe('succeeded');
    expect(seen).toEqual([{ 'db1:9100': 'suppressed', 'db10:9100': 'active' }]);
    expect(await its.active()).toEqual([]);
    expect(await quieting(its.db, run.id)).toMatchObject({ state: 'closed', still: [] });
    const { en, ru } = await its.drawnRun(run);
    expect(en.text).toContain("🔔 The target's alerts are heard again; nothing fires.");
    expect(ru.text).toContain('🔔 Алерты цели снова слышны; ничего не горит.');
  });

  test('what still fires has two minutes after good work, then it is heard and told', async () => {
    const its = await openSilencing(start, { operations: [noisy(() => its.burn(DOWN))] });
    const run = await its.asks('anna', 'life', { what: 'db1' });
    expect(await its.active()).toHaveLength(2);
    expect((await its.drawnRun(run)).en.text).toContain('silenced until');
    await its.round();
    expect(await its.active()).toHaveLength(2);
    await its.later(2 * MINUTE + 1000);
    await its.round();
    expect(await its.active()).toEqual([]);
    expect((await its.drawnRun(run)).en.text).toContain('⚠ Still fires after the work: HostDown db1:9100');
    expect((await its.drawnRun(run)).ru.text).toContain('⚠ После работы ещё горит: HostDown db1:9100');
  });

  test('work that failed is heard at once', async () => {
    const failing = noisy(async () => {
      await its.burn(DOWN);
      throw new VakhtaError('permanent', 'internal', 'it broke');
    });
    const its = await openSilencing(start, { operations: [failing] });
    expect((await its.asks('anna', 'life', { what: 'db1' })).state).toBe('failed');
    expect(await its.active()).toEqual([]);
  });
}

test('a worker that dies leaves its silences to the regular round', async () => {
  const atWork = gate();
  const its = await openSilencing(simulator, {
    operations: [
      noisy(async () => {
        await atWork.pass();
        await new Promise(() => {});
      }),
    ],
  });
  const asked = await its.life.requests.request(as('anna'), 'life', { what: 'db1' });
  void its.life.executor.process(asked.id);
  // By then its silences are made and noted.
  await atWork.reached;
  expect(await its.active()).toHaveLength(2);
  // While nobody knows what became of it, it stays silent; the silence itself is short, and renewed.
  await its.later(45 * MINUTE);
  await its.round();
  const lasting = await its.active();
  expect(lasting).toHaveLength(2);
  for (const { endsAt } of lasting) expect(endsAt.getTime() - its.clock.now().getTime()).toBe(60 * MINUTE);
  await its.db.tx((tx) => moveRun(tx, asked.id, 'running', 'reconciling', {}, its.clock.now()));
  await its.life.worker('other').process(asked.id);
  await its.round();
  expect(await its.active()).toEqual([]);
  expect(await quieting(its.db, asked.id)).toMatchObject({ state: 'closed' });
});

test('work goes on when nothing can be silenced, and says so', async () => {
  const away = () => Promise.reject(new VakhtaError('transient', 'timeout', 'away'));
  const its = await openSilencing(simulator, {
    operations: [noisy(() => Promise.resolve())],
    change: () => ({ createSilence: away }),
  });
  const run = await its.asks('anna', 'life', { what: 'db1' });
  expect(run.state).toBe('succeeded');
  expect((await its.drawnRun(run)).en.text).toContain("⚠ The target's alerts were not silenced.");
});

test('backups and power operations are scoped to their target', async () => {
  const names = {
    place: async (name: string) => [name, '10.0.0.7'],
    stanza: async () => ({ stanza: ['main'], host: ['db1'] }),
  };
  const text = (scopes: readonly (readonly { name: string; value: string }[])[]) =>
    scopes.map((scope) => scope.map(({ name, value }) => `${name}~${value}`).join(' & '));
  const plan = { target: 'web', lines: [], bound: { host: 'pve', vmid: 101, name: 'web', node: 'pve1' } };
  expect(text(await guestRestart.quiets({ guest: 'web' }, plan, names))).toEqual([
    String.raw`guest~10\.0\.0\.7|web`,
    String.raw`host~10\.0\.0\.7|web`,
    String.raw`instance~(?:10\.0\.0\.7|web)(?:\.[^:]+)?(?::\d+)?`,
  ]);
  expect(await guestStart.quiets({ guest: 'web' }, plan, names)).toEqual([]);
  const backup = text(await backupPg.quiets({ stanza: 'main', type: 'full' }, plan, names));
  expect(backup).toHaveLength(3);
  expect(backup[0]).toMatch(/^stanza~main & alertname~/u);
  for (const scope of backup.slice(1)) expect(scope).toMatch(/db1.* & alertname~/u);
});
