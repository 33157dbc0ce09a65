import { describe, expect, it, onTestFinished } from 'vitest';
import { systemRandom } from '../../src/core/random.ts';
import { Secret } from '../../src/core/secret.ts';
import { silentLog } from '../../src/core/log.ts';
import { createProxmox } from '../../src/integrations/proxmox/proxmox.ts';
import { PVEAuditor, PVEVMUser, type SimToken } from '../../src/simulators/proxmox/access.ts';
import { createProxmoxSimulator } from '../../src/simulators/proxmox/simulator.ts';
import { several } from '../../src/tasks/several.ts';
import restart from '../../src/tasks/operations/guest-restart.ts';
import shutdown from '../../src/tasks/operations/guest-shutdown.ts';
import start from '../../src/tasks/operations/guest-start.ts';
import stop from '../../src/tasks/operations/guest-stop.ts';
import { createFastClock } from '../conformance/proxmox/fast-clock.ts';
import { as, type Life, openLife } from './support/life.ts';
import { shownRun } from './support/shown.ts';

const OPERATIONS = [restart, start, stop, shutdown];

const TOKEN: SimToken = {
  id: 'vakhta@pve!watch',
  secret: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  acl: [{ path: '/', privileges: [...new Set([...PVEAuditor, ...PVEVMUser])] }],
};

/** The life cycle in front of one or two simulated hosts, on a time that runs twenty times as fast. */
async function openGuests(ids: readonly string[] = ['pve1'], token = TOKEN, speed = 20) {
  const time = createFastClock(speed);
  const hosts = await Promise.all(
    ids.map(async (id) => {
      const posts: string[] = [];
      const simulator = createProxmoxSimulator({
        clock: time,
        random: systemRandom,
        tokens: [token],
        onRequest: ({ method, path }) => {
          if (method !== 'GET') posts.push(`${method} ${path}`);
        },
      });
      const url = await simulator.start();
      onTestFinished(() => simulator.stop());
      const secret = () => Promise.resolve(new Secret(token.secret));
      // An answer takes real time.
      const timeoutMs = 10_000 * speed;
      const settings = { id, url, tokenId: token.id, token: secret, timeoutMs };
      const client = createProxmox(settings, { clock: time, log: silentLog });
      return { id, simulator, client, posts };
    }),
  );
  const ports = { proxmox: several(hosts.map(({ id, client }) => [id, client] as const)) };
  const life = await openLife({ operations: OPERATIONS, ports, time });
  const begin = async (operation: string, guest: string) => {
    const { id } = await life.requests.request(as('anna'), operation, { guest });
    await life.deliver();
    return id;
  };
  const ask = async (operation: string, guest: string) => {
    const id = await begin(operation, guest);
    if ((await life.run(id)).state === 'confirming') {
      await life.requests.answer(id, 'confirm', as('anna'));
      await life.deliver();
    }
    return life.run(id);
  };
  const card = async (run: Awaited<ReturnType<typeof ask>>) => shownRun(run, life, OPERATIONS, time.now());
  const [host] = hosts;
  if (!host) throw new Error('no host');
  return { ...host, hosts, life, begin, ask, card, time };
}

/** The state of a run, which the reconciler looks after. */
const settled = (life: Life, id: string) =>
  expect.poll(
    async () => {
      await life.round();
      return (await life.run(id)).state;
    },
    { timeout: 30_000 },
  );

describe('/guest', () => {
  it('restart: shows the plan, asks, restarts, and sees by the uptime that it did', async () => {
    // Slower than the others: half a minute of uptime is what a look may come too late.
    const { begin, life, card, posts } = await openGuests(['pve1'], TOKEN, 5);
    const id = await begin('guest.restart', 'pg1');
    const asked = await life.run(id);
    expect(asked).toMatchObject({ state: 'confirming', plan: { target: 'pg1' } });
    const { en, ru } = await card(asked);
    expect(en.text).toContain('pg1 (101) on pve1 is running now');
    expect(ru.text).toContain('pg1 (101) на pve1 сейчас работает');
    expect(posts).toEqual([]);
    await life.requests.answer(id, 'confirm', as('anna'));
    await life.deliver();
    const done = await life.run(id);
    expect(done).toMatchObject({ state: 'succeeded', verified: { ok: true, text: { key: 'guest-restarted' } } });
    expect(posts).toHaveLength(1);
    const after = await card(done);
    expect(after.en.icon).toBe('done');
    expect(after.ru.text).toContain('Состояние: работает');
  });

  it('stop, start, shutdown: do what they say, found by number, name or case', async () => {
    const { ask, simulator } = await openGuests();
    expect(await ask('guest.stop', '105')).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(simulator.guest(105).status).toBe('stopped');
    expect(await ask('guest.start', 'DNS')).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(simulator.guest(105).status).toBe('running');
    expect(await ask('guest.shutdown', 'dns')).toMatchObject({ state: 'succeeded' });
    expect(simulator.guest(105).status).toBe('stopped');
  });

  it('with warnings is amber and shows the log', async () => {
    const { ask, card, simulator } = await openGuests();
    simulator.tasks.script({ vmid: 105, exitstatus: 'WARNINGS: 1', lines: ['WARN: unable to mount something'] });
    const run = await ask('guest.stop', 'dns');
    expect(run).toMatchObject({ state: 'warning', result: { warnings: 1 } });
    const { en } = await card(run);
    expect(en.icon).toBe('warning');
    expect(en.text).toContain('Warnings: 1');
  });

  it.each([
    ['an error', 'command failed: exit code 1', 'guest-task-failed'],
    ['no word', 'unexpected status', 'guest-task-unknown'],
    ['nothing at all', '', 'guest-task-unknown'],
  ])('whose task ends with %s is red', async (_what, exitstatus, code) => {
    const { ask, card, simulator } = await openGuests();
    simulator.tasks.script({ vmid: 105, exitstatus });
    const run = await ask('guest.stop', 'dns');
    expect(run).toMatchObject({ state: 'failed', error: { code } });
    const { en, ru } = await card(run);
    for (const { text } of [en, ru]) expect(text).toContain('dns (105)');
  });

  it('that did not do what it reports is red: the check sees another state', { timeout: 90_000 }, async () => {
    const { ask, card, simulator } = await openGuests();
    simulator.tasks.script({ vmid: 105, exitstatus: 'OK', applies: false });
    const run = await ask('guest.stop', 'dns');
    expect(run).toMatchObject({
      state: 'failed',
      error: { code: 'not-verified' },
      verified: { ok: false, text: { key: 'guest-running' } },
    });
    expect((await card(run)).en.text).toContain('dns (105) is running');
  });

  it('that hangs and is cancelled: its task is stopped, the run says cancelled', async () => {
    const { begin, life, simulator, posts } = await openGuests();
    simulator.tasks.script({ vmid: 105, hang: true });
    const id = await begin('guest.stop', 'dns');
    await life.requests.answer(id, 'confirm', as('anna'));
    const working = life.deliver();
    await expect.poll(async () => (await life.run(id)).external?.['upid'], { timeout: 30_000 }).toBeDefined();
    await life.requests.answer(id, 'cancel', as('boris'));
    life.executor.cancel(id);
    await working;
    await settled(life, id).toBe('cancelled');
    expect(await life.run(id)).toMatchObject({ error: { args: { by: 'boris' } } });
    expect(posts.filter((one) => one.startsWith('DELETE'))).toHaveLength(1);
    expect(simulator.tasks.running('105')).toBeUndefined();
    expect(await life.locks()).toEqual([]);
  });

  it('whose answer is lost is never repeated: the host’s own list tells what became of it', async () => {
    const { begin, life, simulator, posts } = await openGuests();
    const id = await begin('guest.stop', 'dns');
    await life.requests.answer(id, 'confirm', as('anna'));
    simulator.faults.loseAnswer = true;
    await life.deliver();
    await settled(life, id).toBe('succeeded');
    expect((await life.run(id)).error).toBeUndefined();
    expect(posts).toHaveLength(1);
    expect(simulator.guest(105).status).toBe('stopped');
  });

  it('that never reached the host says so at once', async () => {
    const { begin, life, simulator } = await openGuests();
    const id = await begin('guest.stop', 'dns');
    await life.requests.answer(id, 'confirm', as('anna'));
    simulator.faults.refuse = true;
    await life.deliver();
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code: 'proxmox-unreachable' } });
    expect(await life.locks()).toEqual([]);
    expect(simulator.guest(105).status).toBe('running');
  });

  it('whose worker died is told by what the task became', async () => {
    const { begin, life, simulator, client, time, posts } = await openGuests();
    const id = await begin('guest.stop', 'dns');
    const guest = await client.guest('dns');
    const at = time.now();
    const upid = await client.power(guest, 'stop');
    const external = { asked: { host: 'pve1', vmid: 105, name: 'dns', node: 'pve1' }, at, upid: upid.upid };
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3 where id = $1`,
      [id, new Date(at.getTime() - 120_000), JSON.stringify(external)],
    );
    await settled(life, id).toBe('succeeded');
    expect(posts).toHaveLength(1);
    expect(simulator.guest(105).status).toBe('stopped');
  });

  it('whose worker died before the host heard of it is not done, and says so', async () => {
    const { begin, life, card, time, simulator } = await openGuests();
    const id = await begin('guest.stop', 'dns');
    const external = { asked: { host: 'pve1', vmid: 105, name: 'dns', node: 'pve1' }, at: time.now() };
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3 where id = $1`,
      [id, new Date(time.now().getTime() - 120_000), JSON.stringify(external)],
    );
    await life.round();
    const run = await life.run(id);
    expect(run).toMatchObject({ state: 'failed', error: { text: 'err-guest-task-none' } });
    await card(run);
    expect(simulator.guest(105).status).toBe('running');
  });

  it('is refused for a template, for an unknown name, and for one that several hosts have', async () => {
    const { ask } = await openGuests();
    expect(await ask('guest.start', 'debian-13-template')).toMatchObject({
      state: 'failed',
      error: { code: 'proxmox-template' },
    });
    expect(await ask('guest.start', 'nobody')).toMatchObject({
      state: 'failed',
      error: { code: 'proxmox-no-such-guest' },
    });
    const two = await openGuests(['pve1', 'pve2']);
    const run = await two.ask('guest.start', 'dns');
    expect(run).toMatchObject({ state: 'failed', error: { code: 'proxmox-guest-ambiguous' } });
    expect((await two.card(run)).en.text).toContain('pve2: dns (105)');
  });

  it('with a token that may see no guests says which privilege is missing', async () => {
    const { ask, card } = await openGuests(['pve1'], { ...TOKEN, acl: [{ path: '/', privileges: ['Sys.Audit'] }] });
    const run = await ask('guest.start', 'dns');
    expect(run).toMatchObject({
      state: 'failed',
      error: { code: 'proxmox-permission', args: { privilege: 'VM.Audit' } },
    });
    expect((await card(run)).ru.text).toContain('VM.Audit');
  });

  it('does nothing to another guest that took over the number after the plan', async () => {
    const { begin, life, simulator, posts } = await openGuests();
    const id = await begin('guest.stop', 'dns');
    simulator.guest(105).name = 'brand-new';
    await life.requests.answer(id, 'confirm', as('anna'));
    await life.deliver();
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code: 'guest-changed' } });
    expect(posts).toEqual([]);
  });
});
