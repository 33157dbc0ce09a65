/** How a datastore is judged, over the simulator: none of the traps may render green. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/core/i18n.ts';
import { messages as words } from '../../src/integrations/pbs/messages.ts';
import { DatastoreAudit, type SimToken } from '../../src/simulators/pbs/access.ts';
import type { SimServer, SimSnapshot } from '../../src/simulators/pbs/state.ts';
import { smallServer } from '../../src/simulators/pbs/state.ts';
import { createPbsLook, pbsParts, snapshotsOf } from '../../src/tasks/recovery/pbs.ts';
import { messages } from '../../src/tasks/recovery/pbs-messages.ts';
import { several } from '../../src/tasks/several.ts';
import type { Config } from '../../src/config/schema.ts';
import { inProcess, TOKEN } from '../conformance/pbs/subject.ts';

const AT = '2026-11-23T08:00:00Z';
const anybody = new AbortController().signal;

const servers = [
  {
    id: 'pbs1',
    url: 'https://pbs1.lan:8007',
    tokenId: TOKEN.id,
    token: { scheme: 'env', name: 'X' },
    datastores: [
      { name: 'main', storage: 'pbs', maxAgeHours: 26, verifyDays: 30, offsite: false },
      { name: 'offsite', maxAgeHours: 50, verifyDays: 30, offsite: true },
    ],
  },
] satisfies Config['pbs'];

/** The look at a server that was changed before. */
function world(change: (server: SimServer) => void = () => {}, tokens: SimToken[] = [TOKEN]) {
  const server = smallServer(new Date(AT));
  change(server);
  const opened = inProcess({ at: AT, server, tokens });
  const pbs = several([['pbs1', opened.pbs]]);
  const look = createPbsLook(servers, pbs, { clock: opened.clock });
  const { sources, verifiables } = pbsParts(servers, { clock: opened.clock, pbs, look });
  const state = async (store = 'main') => {
    const [source] = sources;
    const states = (await source?.states(anybody)) ?? [];
    const found = states.find(({ target }) => target === `pbs:pbs1/${store}`);
    if (found === undefined) throw new Error(`nothing was said of ${store}`);
    const keys = [found.line, ...found.notes].map(({ key }) => key);
    return { ...found, keys };
  };
  return { ...opened, server, sources, verifiables, look, state };
}

const storeOf = ({ datastores }: SimServer, name: string) => {
  const found = datastores.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const newest = (server: SimServer, group: string, store = 'main'): SimSnapshot => {
  const all = storeOf(server, store).snapshots.filter(({ type, id }) => `${type}/${id}` === group);
  const [found] = all.toSorted((a, b) => b.time - a.time);
  if (found === undefined) throw new Error(group);
  return found;
};
const jobOf = (server: SimServer, id: string) => {
  const found = server.jobs.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};
const upidAt = (date: Date) =>
  `UPID:pbs1:000004D2:00001F00:00000001:${Math.floor(date.getTime() / 1000)
    .toString(16)
    .toUpperCase()}:verificationjob:main:root@pam:`;

describe('a datastore', () => {
  it('in order is green, says how full it is, and what it holds', async () => {
    const found = await world().state();
    expect(found).toMatchObject({
      state: 'ok',
      line: { key: 'pbs-line-ok', args: { groups: 9, percent: 61 } },
      count: 63,
      newestAt: new Date('2026-11-23T03:40:00Z'),
      verified: { state: 'ok' },
    });
    expect(found.keys).toEqual(['pbs-line-ok', 'pbs-filling', 'pbs-verify-ok', 'pbs-gc-ok', 'pbs-prune-ok']);
    expect(found.notes[0]?.args).toEqual({ percent: 61, days: 127 });
    expect(found.backups[0]).toMatchObject({ label: 'vm/201/2026-11-23T03:40:00Z', kind: 'vm' });
    expect(found.backups).toHaveLength(20);
  });

  it('that is the copy elsewhere tells when it was filled', async () => {
    const found = await world().state('offsite');
    expect(found.state).toBe('ok');
    expect(found.keys).toContain('pbs-sync-ok');
  });

  it.each<[string, (server: SimServer) => void, string, string, string]>([
    [
      'with a damaged snapshot',
      (server) => (newest(server, 'ct/104').verification = { state: 'failed', upid: upidAt(new Date(AT)) }),
      'main',
      'down',
      'pbs-damaged',
    ],
    [
      'with a newest snapshot that was never verified',
      (server) => (newest(server, 'ct/104').verification = undefined),
      'main',
      'warn',
      'pbs-never',
    ],
    [
      'with a newest snapshot that was verified too long ago',
      (server) =>
        (newest(server, 'ct/104').verification = { state: 'ok', upid: upidAt(new Date('2026-10-20T00:00:00Z')) }),
      'main',
      'warn',
      'pbs-old',
    ],
    [
      'whose verification has no date that can be read',
      (server) =>
        (newest(server, 'ct/104').verification = {
          state: 'ok',
          upid: 'UPID:pbs1:00000001:00000002:65000000:x:y:root@pam:',
        }),
      'main',
      'warn',
      'pbs-old',
    ],
    ['without a backup', (server) => storeOf(server, 'main').snapshots.splice(0), 'main', 'down', 'pbs-empty'],
    [
      'whose only backups are being written',
      (server) => storeOf(server, 'main').snapshots.forEach((one) => delete one.size),
      'main',
      'down',
      'pbs-empty',
    ],
    [
      'with no new snapshot for two days',
      (server) => {
        const { snapshots } = storeOf(server, 'main');
        snapshots.splice(
          0,
          snapshots.length,
          ...snapshots.filter(({ time }) => time < Date.parse('2026-11-21T00:00:00Z') / 1000),
        );
      },
      'main',
      'warn',
      'pbs-stale',
    ],
    ['that is full', (server) => (storeOf(server, 'main').used = 3900 * 1024 ** 3), 'main', 'down', 'pbs-full'],
    [
      'that is nearly full',
      (server) => Object.assign(storeOf(server, 'main'), { used: 3500 * 1024 ** 3, history: [] }),
      'main',
      'warn',
      'pbs-used',
    ],
    [
      'that fills within days',
      (server) => (storeOf(server, 'main').history = Array.from({ length: 20 }, (_, i) => 0.2 + i * 0.0215)),
      'main',
      'warn',
      'pbs-filling',
    ],
    [
      'that the server cannot open',
      (server) => (storeOf(server, 'main').error = 'unable to open chunk store'),
      'main',
      'down',
      'pbs-broken',
    ],
    [
      'where garbage was never collected',
      (server) =>
        Object.assign(storeOf(server, 'main').gc, { upid: undefined, lastEnd: undefined, lastState: undefined }),
      'main',
      'warn',
      'pbs-gc-never',
    ],
    [
      'where garbage is left for weeks',
      (server) => (storeOf(server, 'main').gc.lastEnd = Date.parse(AT) / 1000 - 20 * 86_400),
      'main',
      'warn',
      'pbs-gc-old',
    ],
    [
      'whose garbage collection failed',
      (server) => (storeOf(server, 'main').gc.lastState = 'unable to get exclusive lock'),
      'main',
      'warn',
      'pbs-gc-failed',
    ],
    ['with damaged chunks left', (server) => (storeOf(server, 'main').gc.stillBad = 2), 'main', 'warn', 'pbs-gc-bad'],
    [
      'whose verification job failed',
      (server) => (jobOf(server, 'v-main').lastState = 'verification failed - please check the log'),
      'main',
      'down',
      'pbs-verify-failed',
    ],
    [
      'whose verification job was stopped',
      (server) => (jobOf(server, 'v-main').lastState = 'abort requested - aborting task'),
      'main',
      'warn',
      'pbs-verify-failed',
    ],
    [
      'whose verification job ended nobody knows how',
      (server) => (jobOf(server, 'v-main').lastState = 'unknown'),
      'main',
      'warn',
      'pbs-verify-unknown',
    ],
    [
      'whose prune job failed',
      (server) => (jobOf(server, 'p-main').lastState = 'prune failed'),
      'main',
      'warn',
      'pbs-prune-failed',
    ],
    [
      'whose sync left groups out',
      (server) => (jobOf(server, 's-offsite').lastState = 'WARNINGS: 2'),
      'offsite',
      'down',
      'pbs-sync-warnings',
    ],
    [
      'whose sync failed',
      (server) => (jobOf(server, 's-offsite').lastState = 'connection refused'),
      'offsite',
      'down',
      'pbs-sync-failed',
    ],
    [
      'whose sync never ran',
      (server) =>
        Object.assign(jobOf(server, 's-offsite'), { lastState: undefined, lastUpid: undefined, lastEnd: undefined }),
      'offsite',
      'warn',
      'pbs-sync-never',
    ],
    ['that no job fills, elsewhere', (server) => server.jobs.splice(4, 1), 'offsite', 'warn', 'pbs-sync-none'],
    [
      'with old copies, elsewhere',
      (server) => {
        const { snapshots } = storeOf(server, 'offsite');
        snapshots.splice(
          0,
          snapshots.length,
          ...snapshots.filter(({ time }) => time < Date.parse('2026-11-21T06:00:00Z') / 1000),
        );
      },
      'offsite',
      'warn',
      'pbs-stale-offsite',
    ],
  ])('%s is not green', async (_, change, store, state, key) => {
    expect(await world(change).state(store)).toMatchObject({ state, line: { key } });
  });

  it('that is pushed elsewhere tells of that, and is filled by nothing', async () => {
    const push = (server: SimServer) => {
      server.jobs.splice(4, 1);
      for (const store of ['main', 'offsite']) {
        server.jobs.push({
          kind: 'sync',
          id: `push-${store}`,
          store,
          direction: 'push',
          remote: 'far',
          lastState: 'WARNINGS: 1',
        });
      }
    };
    expect(await world(push).state()).toMatchObject({ state: 'down', line: { key: 'pbs-sync-warnings' } });
    expect((await world(push).state('offsite')).keys).toContain('pbs-sync-none');
  });

  it('whose jobs are running is told so, and is no worse for it', async () => {
    const found = await world((server) =>
      Object.assign(jobOf(server, 'v-main'), { lastState: undefined, lastEnd: undefined }),
    ).state();
    expect(found).toMatchObject({ state: 'ok' });
    expect(found.keys).toContain('pbs-running');
  });

  it('names what it speaks of, and at most five', async () => {
    const found = await world(({ datastores }) => {
      for (const one of datastores[0]?.snapshots ?? []) one.verification = undefined;
    }).state();
    expect(found.line.args).toEqual({ names: 'ct/101, ct/102, ct/103, ct/104, ct/105 … +4' });
    expect(found.verified).toEqual({ state: 'never' });
  });

  it('has its worst finding first, the others after it', async () => {
    const found = await world((server) => {
      newest(server, 'ct/104').verification = { state: 'failed', upid: upidAt(new Date(AT)) };
      newest(server, 'ct/105').verification = undefined;
      storeOf(server, 'main').gc.lastState = 'no space left';
    }).state();
    expect(found.keys.slice(0, 3)).toEqual(['pbs-damaged', 'pbs-never', 'pbs-gc-failed']);
    expect(found.line.args).toEqual({ count: 1, names: 'ct/104/2026-11-23T03:15:00Z' });
    expect(found.verified).toEqual({ state: 'failed', at: new Date(AT) });
  });

  it('of which a part is hidden is unknown, however good it looks', async () => {
    const token = { ...TOKEN, acl: [{ path: '/datastore/main', privileges: DatastoreAudit }] };
    const { state } = world(() => {}, [token]);
    expect(await state('offsite')).toMatchObject({ state: 'unknown', line: { key: 'err-pbs-permission' } });
    // The other one can be seen in full.
    expect((await state()).state).toBe('ok');
  });

  it('elsewhere, whose sync jobs cannot be seen, is unknown', async () => {
    const token = { ...TOKEN, acl: [{ path: '/datastore', privileges: DatastoreAudit }] };
    expect(await world(() => {}, [token]).state('offsite')).toMatchObject({
      state: 'unknown',
      line: { key: 'pbs-sync-hidden' },
    });
  });

  it('of a server that does not answer makes its source fail', async () => {
    const { simulator, sources } = world();
    simulator.faults.refuse = true;
    await expect(sources[0]?.states(anybody)).rejects.toMatchObject({ code: 'pbs-unreachable' });
  });

  it.each(['en', 'ru'] as const)('has words for all that can be found, in %s', async (language) => {
    const t = catalogue([messages, words]).for(language);
    const source = await readFile(new URL('../../src/tasks/recovery/pbs-state.ts', import.meta.url), 'utf8');
    const keys = [...source.matchAll(/'(pbs-[a-z-]+)'/g)].map((m) => m[1] ?? '');
    expect(keys.length).toBeGreaterThan(35);
    expect(keys.filter((key) => !t.has(key))).toEqual([]);
    const ago = (args: { n: number; unit: string }) => t('pbs-gc-ok', args).replace(/\s+/g, ' ');
    expect([ago({ n: 5, unit: 'h' }), ago({ n: 5, unit: 'd' })]).toEqual(
      language === 'en'
        ? ['Garbage was collected 5 h ago', 'Garbage was collected 5 d ago']
        : ['Мусор собран 5 ч назад', 'Мусор собран 5 дн. назад'],
    );
    expect(t('pbs-damaged', { count: 2, names: 'a' })).toBe(
      language === 'en' ? '2 damaged snapshots: a' : 'Повреждены 2 снимка: a',
    );
    expect(t('pbs-line-ok', { groups: 5, percent: 61 })).toContain(language === 'en' ? '5 groups' : '5 групп,');
  });
});

describe('a look', () => {
  it('is shared by who asks at the same time, and kept for a minute', async () => {
    const { look, exchanges, clock } = world();
    await Promise.all([look.at('pbs1', anybody), look.at('pbs1', anybody)]);
    const once = exchanges.length;
    await clock.advance(59_000);
    await look.at('pbs1', anybody);
    expect(exchanges.length).toBe(once);
    await clock.advance(2000);
    await look.at('pbs1', anybody);
    expect(exchanges.length).toBe(2 * once);
  });

  it('that took long is kept longer, so that a slow server is not kept busy', async () => {
    const { look, exchanges, clock, pbs, passing } = world();
    const slow = { ...pbs, usage: async () => (await clock.sleep(10_000), pbs.usage()) };
    const patient = createPbsLook(servers, several([['pbs1', slow]]), { clock });
    await passing(patient.at('pbs1', anybody));
    const once = exchanges.length;
    await clock.advance(250_000);
    await patient.at('pbs1', anybody);
    expect(exchanges.length).toBe(once);
    await look.at('pbs1', anybody);
    expect(exchanges.length).toBe(2 * once);
  });

  it('lets go of who has no more time, and goes on for the others', async () => {
    const { look, simulator } = world();
    simulator.faults.hang = true;
    const leave = new AbortController();
    const waiting = look.at('pbs1', leave.signal);
    leave.abort(new Error('out of time'));
    await expect(waiting).rejects.toThrow('out of time');
  });

  it('tells by guest what there is', async () => {
    const { look, clock } = world((server) => {
      newest(server, 'ct/104').verification = { state: 'failed', upid: upidAt(new Date(AT)) };
      storeOf(server, 'main').snapshots.push({
        ns: '',
        type: 'ct',
        id: '101',
        time: Date.parse(AT) / 1000,
        owner: 'x@pbs',
      });
    });
    const { byGuest, unseen } = await snapshotsOf(look, servers, { clock })(anybody);
    expect(unseen).toEqual([]);
    expect(byGuest.get(101)).toMatchObject([
      // The one that is being written does not count.
      { target: 'pbs:pbs1/main', storage: 'pbs', offsite: false, count: 7, newestAt: new Date('2026-11-23T03:00:00Z') },
      { target: 'pbs:pbs1/offsite', offsite: true, count: 3, verified: { state: 'ok' } },
    ]);
    expect(byGuest.get(104)?.[0]).toMatchObject({
      newestAt: new Date('2026-11-22T03:15:00Z'),
      verified: { state: 'failed' },
    });
  });

  it('tells of which datastores nothing may be concluded', async () => {
    const { look, clock, simulator } = world();
    simulator.faults.refuse = true;
    const { byGuest, unseen } = await snapshotsOf(look, servers, { clock })(anybody);
    expect([byGuest.size, unseen.map(({ target, why }) => [target, why.key])]).toEqual([
      0,
      [
        ['pbs:pbs1/main', 'err-pbs-unreachable'],
        ['pbs:pbs1/offsite', 'err-pbs-unreachable'],
      ],
    ]);
  });

  it('of five hundred guests takes as many calls as of nine', async () => {
    const many = world((server) => {
      const { snapshots } = storeOf(server, 'main');
      const one = newest(server, 'ct/101');
      for (let i = 0; i < 500; i++) snapshots.push({ ...one, id: String(1000 + i) });
    });
    await many.state();
    expect(many.exchanges.length).toBeLessThan(20);
    const few = world();
    await few.state();
    expect(many.exchanges.length).toBe(few.exchanges.length);
  });
});
