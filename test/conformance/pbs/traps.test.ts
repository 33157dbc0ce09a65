/** Each trap of a backup server that has burnt somebody, as our client meets it: none may look fine, and each has its own error. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { catalogue } from '../../../src/core/i18n.ts';
import { silentLog } from '../../../src/core/log.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { messages } from '../../../src/integrations/pbs/messages.ts';
import { createPbs } from '../../../src/integrations/pbs/pbs.ts';
import {
  DatastoreAdmin,
  DatastoreAudit,
  DatastoreBackup,
  RemoteAudit,
  type SimToken,
} from '../../../src/simulators/pbs/access.ts';
import { createPbsSimulator } from '../../../src/simulators/pbs/simulator.ts';
import { errorFrom } from '../proxmox/in-process.ts';
import { cert, fingerprint, key } from '../proxmox/tls-fixture.ts';
import { inProcess, settingsFor, TOKEN } from './subject.ts';

const token = (...acl: SimToken['acl']): SimToken => ({ ...TOKEN, acl });
const anybody = new AbortController().signal;
const remote = { path: '/remote', privileges: RemoteAudit };

describe('a token without the privilege', () => {
  it('that sees no datastore gets an error, while the server answers 200 with an empty list', async () => {
    const { pbs } = inProcess({ tokens: [token(remote)] });
    expect(await pbs.usage()).toEqual([]);
    for (const asked of [pbs.snapshots('main'), pbs.groups('main'), pbs.jobs('main'), pbs.status('main')]) {
      expect(await errorFrom(asked)).toMatchObject({
        kind: 'permanent',
        code: 'pbs-permission',
        args: { host: 'pbs1', privilege: 'Datastore.Audit', path: '/datastore/main' },
      });
    }
    expect(await pbs.probe(anybody)).toMatchObject({ state: 'down', text: 'pbs-probe-no-rights' });
  });

  it('that may only back up, and so sees its own groups alone, is refused', async () => {
    const { pbs, exchanges } = inProcess({ tokens: [token({ path: '/datastore', privileges: DatastoreBackup })] });
    expect((await errorFrom(pbs.snapshots('main'))).code).toBe('pbs-permission');
    expect(exchanges.map(({ answer }) => answer.status)).toEqual([200]);
  });

  it('that holds it on one namespace, or without propagation, sees a part and is refused', async () => {
    for (const acl of [
      { path: '/datastore/main/lab', privileges: DatastoreAudit },
      { path: '/datastore/main', privileges: DatastoreAudit, propagate: false },
    ]) {
      const { pbs, simulator } = inProcess({ tokens: [token(acl)] });
      simulator.store('main').namespaces.push('lab');
      expect((await errorFrom(pbs.snapshots('main'))).code).toBe('pbs-permission');
    }
  });

  it('that does not see the remote knows that sync jobs may be missing', async () => {
    const { pbs } = inProcess({ tokens: [token({ path: '/datastore', privileges: DatastoreAudit })] });
    expect(await pbs.jobs('offsite')).toMatchObject({ sync: [], syncLimited: true });
    expect(await pbs.probe(anybody)).toMatchObject({ state: 'warn', text: 'pbs-probe-no-sync' });
    const seeing = inProcess({ tokens: [token({ path: '/datastore', privileges: DatastoreAudit }, remote)] });
    expect(await seeing.pbs.jobs('offsite')).toMatchObject({ sync: [{ id: 's-offsite' }], syncLimited: false });
    // It cannot verify; it need not.
    expect(await seeing.pbs.probe(anybody)).toMatchObject({ state: 'ok', text: 'pbs-probe-no-verify' });
  });

  it('is told which one, although 403 names none', async () => {
    const { pbs, passing } = inProcess({ tokens: [token({ path: '/datastore', privileges: DatastoreAudit })] });
    expect(await passing(errorFrom(pbs.verify('main', { outdatedAfterDays: 30 })))).toMatchObject({
      code: 'pbs-permission',
      args: { privilege: 'Datastore.Verify', path: '/datastore/main' },
    });
    expect(await errorFrom(pbs.mayDo('main', 'Datastore.Verify'))).toMatchObject({ code: 'pbs-permission' });
  });
});

describe('what is said of snapshots', () => {
  it('absent verification is never, and the date is in the task’s name', async () => {
    const { pbs, simulator } = inProcess();
    simulator.newest('main', 'ct/101').verification = undefined;
    const upid = 'UPID:pbs1:000004D2:00001F00:00000001:6A0B8600:verificationjob:main:root@pam:';
    simulator.newest('main', 'ct/102').verification = { state: 'failed', upid };
    const newest = (await pbs.snapshots('main')).filter(({ at }) => at.getTime() > Date.parse('2026-11-23T00:00:00Z'));
    expect(newest.find(({ id }) => id === '101')).not.toMatchObject({ verification: expect.anything() as object });
    expect(newest.find(({ id }) => id === '102')?.verification).toEqual({
      state: 'failed',
      at: new Date(0x6a0b8600 * 1000),
    });
  });

  it('one that is being written has no size, in all namespaces', async () => {
    const { pbs, simulator } = inProcess();
    const store = simulator.store('main');
    store.namespaces.push('lab');
    store.snapshots.push({ ns: 'lab', type: 'ct', id: '301', time: 1_795_420_000, owner: 'x@pbs' });
    expect((await pbs.snapshots('main')).at(-1)).toMatchObject({ ns: 'lab', id: '301', size: undefined });
    expect((await pbs.groups('main')).filter(({ ns }) => ns === 'lab')).toEqual([]);
  });

  it('a datastore that cannot be opened has an error and no numbers', async () => {
    const { pbs, simulator } = inProcess();
    simulator.store('main').error = 'unable to open chunk store at "/mnt/main/.chunks"';
    expect((await pbs.usage()).find(({ store }) => store === 'main')).toMatchObject({
      error: 'unable to open chunk store at "/mnt/main/.chunks"',
      total: undefined,
      used: undefined,
    });
    expect(await errorFrom(pbs.snapshots('main'))).toMatchObject({ code: 'pbs-failed' });
  });
});

describe('the end of a task', () => {
  const ended = async (exitstatus: string) => {
    const world = inProcess();
    world.simulator.tasks.script({ exitstatus });
    const upid = await world.pbs.collect('main');
    return world.passing(world.pbs.waitForTask(upid.upid));
  };

  it('unknown means that nobody knows', async () => {
    expect(await ended('unknown')).toMatchObject({ outcome: 'unknown' });
  });

  it('WARNINGS: n is neither ok nor an error', async () => {
    expect(await ended('WARNINGS: 3')).toMatchObject({ outcome: 'warning', warnings: 3 });
  });

  it('any other text is an error', async () => {
    expect(await ended('unable to get exclusive lock')).toMatchObject({ outcome: 'error' });
  });

  it('is found again in the list of own tasks when the answer of the start was lost', async () => {
    const { pbs, simulator, clock } = inProcess();
    simulator.faults.loseAnswer = true;
    const since = clock.now();
    expect(await errorFrom(pbs.verify('main', { outdatedAfterDays: 30 }))).toMatchObject({
      kind: 'transient',
      code: 'pbs-unanswered',
    });
    expect(await pbs.ownTasks(since, 'verify')).toMatchObject([{ id: 'main', running: true }]);
  });
});

describe('the way there', () => {
  it('one that is not there is transient, one that is silent too', async () => {
    const { pbs, simulator, passing } = inProcess({ settings: { timeoutMs: 5000 } });
    simulator.faults.refuse = true;
    expect(await errorFrom(pbs.version())).toMatchObject({ kind: 'transient', code: 'pbs-unreachable' });
    simulator.faults.refuse = false;
    simulator.faults.hang = true;
    expect(await passing(errorFrom(pbs.version()))).toMatchObject({ kind: 'transient', code: 'pbs-unreachable' });
  });

  it('what is no backup server is not understood', async () => {
    const { simulator } = inProcess();
    const transport = () => Promise.resolve({ status: 200, reason: 'OK', body: '<html>hello</html>' });
    const pbs = createPbs(settingsFor('https://pbs1.lan:8007', TOKEN), {
      clock: systemClock,
      log: silentLog,
      transport,
    });
    expect(await errorFrom(pbs.version())).toMatchObject({ kind: 'permanent', code: 'pbs-answer' });
    expect(simulator.tasks.all).toEqual([]);
  });

  it('a certificate other than the pinned one is refused before the token is sent', async () => {
    const requests: string[] = [];
    const simulator = createPbsSimulator({
      clock: systemClock,
      random: systemRandom,
      tokens: [token({ path: '/datastore', privileges: DatastoreAdmin })],
      tls: { key, cert },
    });
    const url = await simulator.start();
    onTestFinished(() => simulator.stop());
    const edges = {
      clock: systemClock,
      log: { ...silentLog, debug: (fields: object) => void requests.push(JSON.stringify(fields)) },
    };
    const wrong = createPbs(settingsFor(url, TOKEN, { fingerprint: Array(32).fill('AB').join(':') }), edges);
    expect(await errorFrom(wrong.version())).toMatchObject({
      code: 'pbs-fingerprint',
      args: { host: 'pbs1', actual: fingerprint },
    });
    expect((await createPbs(settingsFor(url, TOKEN, { fingerprint }), edges).version()).version).toBe('4.2');
    expect(await errorFrom(createPbs(settingsFor(url, TOKEN), edges).version())).toMatchObject({ code: 'pbs-tls' });
    expect(requests.join('\n')).not.toContain(TOKEN.secret);
  });

  it.each(['http://pbs1.lan:8007', 'pbs1', 'ftp://pbs1'])('the address %s is refused', (url) => {
    expect(() => inProcess({ settings: { url } })).toThrow(expect.objectContaining({ code: 'pbs-settings' }) as Error);
  });

  it.each([
    ['plain text', (sent: string) => `cannot handle ${sent}`, /cannot handle PBSAPIToken=vakhta@pbs!watch:…/],
    ['JSON', (sent: string) => JSON.stringify({ sent }), /^HTTP 500 Oops$/],
    ['HTML', (sent: string) => `<html>${sent}</html>`, /^HTTP 500 Oops$/],
  ])(
    'something in between that repeats what it was sent, as %s, does not bring the token out',
    async (_, body, text) => {
      const pbs = createPbs(settingsFor('https://pbs1.lan:8007', TOKEN), {
        clock: systemClock,
        log: silentLog,
        transport: ({ headers }) =>
          Promise.resolve({ status: 500, reason: 'Oops', body: body(headers['Authorization'] ?? '') }),
      });
      const error = await errorFrom(pbs.version());
      expect(error).toMatchObject({ kind: 'permanent', code: 'pbs-failed' });
      expect(error.args['problem']).toMatch(text);
      expect(JSON.stringify([error.message, error.args])).not.toContain(TOKEN.secret);
    },
  );

  it('no error text holds the secret', async () => {
    const { pbs, simulator } = inProcess();
    simulator.faults.refuse = true;
    const error = await errorFrom(pbs.snapshots('main'));
    expect(JSON.stringify([error.message, error.args])).not.toContain(TOKEN.secret);
  });

  it.each(['en', 'ru'] as const)('every error has a sentence in %s', async (language) => {
    const t = catalogue([messages]).for(language);
    const folder = new URL('../../../src/integrations/pbs/', import.meta.url);
    const sources = await Promise.all((await readdir(folder)).map((file) => readFile(new URL(file, folder), 'utf8')));
    const codes = new Set(
      sources.flatMap((source) =>
        [...source.matchAll(/'(?:usage|permanent|transient)',\s*'(pbs-[a-z-]+)'/g)].map((m) => m[1] ?? ''),
      ),
    );
    expect(codes.size).toBeGreaterThan(11);
    expect([...codes].filter((code) => !t.has(`err-${code}`))).toEqual([]);
  });
});
