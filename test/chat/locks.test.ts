import { describe, expect, it } from 'vitest';
import { backupLock, conflict } from '../../src/core/locks.ts';
import { NO_PLAN } from '../../src/tasks/lifecycle/tools.ts';
import { createLockPaths } from '../../src/tasks/lock-paths.ts';
import backupPg from '../../src/tasks/operations/backup-pg.ts';
import restartContainer from '../../src/tasks/operations/container-restart.ts';
import restartGuest from '../../src/tasks/operations/guest-restart.ts';
import { as, gate, type LifeOperation, lifeOperation, openLife } from './support/life.ts';
import { configWith, shownRun } from './support/shown.ts';

const ssh = { address: '192.0.2.1', user: 'vakhta', private_key: 'env:KEY', host_key: `SHA256:${'A'.repeat(43)}` };
const paths = createLockPaths(
  configWith({
    hosts: [
      { ...ssh, id: 'db1', guest: 'pve1/101' },
      { ...ssh, id: 'web1' },
    ],
    postgres: [
      { id: 'main', stanza: 'main', host: 'db1' },
      { id: 'own', stanza: 'own' },
    ],
    docker: [{ id: 'docker1', host: 'db1' }],
  }),
);

describe('the paths of the configured world', () => {
  it('lie in the guest that a host is, else in the host', () => {
    expect(paths.postgres('main')).toBe('pve1/101/pg-main');
    expect(paths.postgres('own')).toBe('host-local/pg-own');
    expect(paths.container('docker1', 'web')).toBe('pve1/101/docker/web');
    expect(paths.machine('web1')).toBe('host-web1');
    expect(paths.guest('pve1', 101)).toBe('pve1/101');
    // Removed from the configuration while somebody still holds it.
    expect(paths.postgres('gone')).toBe('host-gone/pg-gone');
  });

  it('make a restart of the guest wait for what goes on in it, and leave other work on it alone', () => {
    const guest = { host: 'pve1', vmid: 101, name: 'db1', node: 'pve' };
    const ofGuest = restartGuest.locks({ guest: 'db1' }, { ...NO_PLAN, bound: guest });
    const backup = [backupLock(paths.postgres('main'))];
    const ofBackup = backupPg.locks({ stanza: 'main', type: 'full' }, { ...NO_PLAN, bound: { locks: backup } });
    const web = { id: 'c1', name: 'web', locks: [paths.container('docker1', 'web')] };
    const ofContainer = restartContainer.locks({ engine: 'docker1', container: 'web' }, { ...NO_PLAN, bound: web });
    const collide = (a: readonly string[], b: readonly string[]) => a.some((x) => b.some((y) => conflict(x, y)));
    expect(collide(ofGuest, ofBackup)).toBe(true);
    expect(collide(ofGuest, ofContainer)).toBe(true);
    expect(collide(ofContainer, ofBackup)).toBe(false);
    // A run from before there were paths has no such thing in its plan: its old key still excludes the same work.
    expect(collide(backupPg.locks({ stanza: 'main', type: 'full' }, NO_PLAN), ofBackup)).toBe(true);
  });
});

describe('a run that has to wait', () => {
  const openWaiting = async () => {
    const inside = gate();
    const order: string[] = [];
    const spec: LifeOperation = {
      name: 'life',
      risk: 'change',
      locks: ({ what }) => [what],
      does: {
        run: async ({ remember }, args) => {
          await remember({ begun: true });
          order.push(args.what);
          if (args.what.endsWith('/backup')) await inside.pass();
          return { state: 'succeeded', result: args };
        },
      },
    };
    const operations = [lifeOperation(spec, { acted: [] })];
    const life = await openLife({ operations });
    const { id } = await life.requests.request(as('anna'), 'life', { what: 'pve1/101/pg-main/backup' });
    life.queued.length = 0;
    const done = life.executor.process(id);
    await inside.reached;
    return { life, operations, inside, order, holder: await life.run(id), done };
  };

  it('for a part of what it wants says for whom, what that is and who asked, in both languages', async () => {
    const { life, operations, inside, holder, done } = await openWaiting();
    const waiting = await life.ask(as('boris'), 'life', 'pve1/101');
    const { en, ru } = await shownRun(waiting, life, operations, life.clock.now());
    const holds = `#${holder.number} /life pve1/101/pg-main/backup (Anna)`;
    expect(en.text).toContain(`Waiting for run ${holds}, which holds pve1/101/pg-main/backup`);
    expect(ru.text).toContain(`Ждёт запуск ${holds}: занято pve1/101/pg-main/backup`);
    inside.open();
    await done;
  });

  it('is woken when what lay in its way ends; who does not wait for that path is left alone', async () => {
    const { life, order, inside, done } = await openWaiting();
    const whole = await life.ask(as('boris'), 'life', 'pve1');
    const aside = await life.ask(as('boris'), 'life', 'pve1/101/docker');
    expect(whole.state).toBe('queued');
    expect(aside.state).toBe('succeeded');
    life.queued.length = 0;
    inside.open();
    await done;
    expect(life.queued.map(({ id }) => id)).toEqual([whole.id]);
    await life.deliver();
    expect((await life.run(whole.id)).state).toBe('succeeded');
    expect(order).toEqual(['pve1/101/pg-main/backup', 'pve1/101/docker', 'pve1']);
    expect(await life.locks()).toEqual([]);
  });
});
