import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { days, systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { systemRandom } from '../../src/core/random.ts';
import { Secret } from '../../src/core/secret.ts';
import { createAlertmanager } from '../../src/integrations/alertmanager/alertmanager.ts';
import { createLocalExecutor } from '../../src/integrations/exec/local.ts';
import { createPgBackRest } from '../../src/integrations/pgbackrest/pgbackrest.ts';
import { createProxmox } from '../../src/integrations/proxmox/proxmox.ts';
import { prepareRepository, simulatorCommand } from '../../src/simulators/pgbackrest/index.ts';
import { PVEAuditor, type SimToken } from '../../src/simulators/proxmox/access.ts';
import { createProxmoxSimulator } from '../../src/simulators/proxmox/simulator.ts';
import { upsert } from '../../src/store/certificates.ts';
import { createOverview } from '../../src/tasks/overview.ts';
import digest from '../../src/tasks/operations/digest.ts';
import status from '../../src/tasks/operations/status.ts';
import { several } from '../../src/tasks/several.ts';
import { temporaryFolder } from '../support/components/index.ts';
import { builtFolder } from '../support/program.ts';
import { as, openLife } from './support/life.ts';
import { configWith, shown } from './support/shown.ts';

const TOKEN: SimToken = {
  id: 'vakhta@pve!watch',
  secret: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  acl: [{ path: '/', privileges: PVEAuditor }],
};

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1';

async function openOverview(options: { readonly alertmanager?: boolean; readonly token?: SimToken } = {}) {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  const folder = join(path, 'repo');
  mkdirSync(folder);
  // Nightly backups, the last one this night.
  prepareRepository(folder, { stanzas: ['main'], now: new Date(systemClock.now().getTime() + days(1)) });
  const token = options.token ?? TOKEN;
  const simulator = createProxmoxSimulator({ clock: systemClock, random: systemRandom, tokens: [token] });
  const url = await simulator.start();
  onTestFinished(() => simulator.stop());
  const secret = () => Promise.resolve(new Secret(token.secret));
  const pve = createProxmox(
    { id: 'pve1', url, tokenId: token.id, token: secret },
    { clock: systemClock, log: silentLog },
  );
  const local = createLocalExecutor({}, { clock: systemClock });
  const main = createPgBackRest(
    { id: 'main', stanza: 'main', binary: simulatorCommand(folder, await builtFolder()) },
    { executor: local, clock: systemClock },
  );
  const config = configWith({
    postgres: [{ id: 'main', stanza: 'main' }],
    certificates: { endpoints: [{ id: 'web', host: 'web.example' }] },
  });
  const ports: { overview?: ReturnType<typeof createOverview> } = {};
  const life = await openLife({
    operations: [status, digest, { name: 'test.set', risk: 'change' }],
    ports,
    time: systemClock,
  });
  ports.overview = createOverview({
    db: life.db,
    // Nobody here is silent: a source may take as long as a busy machine needs.
    clock: { ...systemClock, after: (ms, run) => systemClock.after(5 * ms, run) },
    config,
    proxmox: several([['pve1', pve]]),
    pgbackrest: several([['main', main]]),
    alertmanager: options.alertmanager
      ? createAlertmanager({ url: NOWHERE }, { fetch, clock: systemClock })
      : undefined,
    queued: () => Promise.resolve(0),
  });
  const seen = (daysLeft: number) => ({
    problems: [],
    serial: '01',
    notAfter: new Date(systemClock.now().getTime() + daysLeft * 86_400_000),
  });
  await upsert(life.db, 'web', seen(80), '01', systemClock.now());
  const look = async (operation: typeof status, args: Record<string, unknown> = {}) => {
    const { id } = await life.requests.request(as('vera'), operation.name, args);
    await life.deliver();
    const run = await life.run(id);
    expect(run.state).toBe('succeeded');
    const now = systemClock.now();
    return shown(
      ({ t, language }) => operation.report(run.result, run.args, { t, language, now }),
      life,
      [status, digest],
      now,
      config,
    );
  };
  return { life, simulator, folder, look, seen };
}

describe('/status', () => {
  it('is green when everything was seen and is well', async () => {
    const { look } = await openOverview();
    const { en, ru } = await look(status);
    expect(en.icon).toBe('ok');
    expect(en.text.split('\n')[0]).toContain('Status · All is well');
    expect(ru.text.split('\n')[0]).toContain('Всё в порядке');
    expect(en.text).toContain('pve1: CPU');
    expect(en.text).toContain('9 running, 0 stopped');
    expect(en.text).toContain('local-zfs 57 %');
  });

  it('names a host that is down as unknown, with the reason, and shows the rest', async () => {
    const { look, simulator } = await openOverview();
    simulator.faults.refuse = true;
    const { en, ru } = await look(status);
    expect(en.icon).toBe('unknown');
    expect(en.text.split('\n')[0]).toContain('1 source is silent');
    expect(ru.text.split('\n')[0]).toContain('молчит 1 источник');
    expect(en.text).toMatch(/pve1: unknown: .+/);
    expect(en.text).toContain('Backups');
  });

  it('names an Alertmanager that is down: no alerts is then no good news', async () => {
    const { look } = await openOverview({ alertmanager: true });
    const { en, ru } = await look(status);
    expect(en.icon).toBe('unknown');
    expect(en.text).toMatch(/Alertmanager: unknown: .+/);
    expect(ru.text).toMatch(/Alertmanager: неизвестно: .+/);
  });

  it('a token without rights, or with some only, is no green', async () => {
    const none = await openOverview({ token: { ...TOKEN, acl: [{ path: '/', privileges: ['Sys.Audit'] }] } });
    expect((await none.look(status)).en.text).toContain('VM.Audit');
    const some = await openOverview({
      token: {
        ...TOKEN,
        acl: [
          { path: '/nodes', privileges: ['Sys.Audit'] },
          { path: '/storage', privileges: ['Datastore.Audit'] },
          { path: '/vms/101', privileges: ['VM.Audit'] },
        ],
      },
    });
    const { en, ru } = await some.look(status);
    expect(en.icon).toBe('unknown');
    expect(en.text).toContain('the lists may be incomplete');
    expect(ru.text).toContain('списки могут быть неполны');
  });

  it('a full or missing storage, a late backup and a stopped node need attention', async () => {
    const { look, simulator, folder } = await openOverview();
    const [first, second] = simulator.inventory.storage;
    if (first) first.used = first.total * 0.95;
    if (second) second.active = false;
    prepareRepository(folder, { stanzas: ['main'] });
    const { en } = await look(status);
    expect(en.icon).toBe('warning');
    expect(en.text.split('\n')[0]).toContain('2 things need attention');
    expect(en.text).toContain('local 95 %');
    expect(en.text).toContain('local-zfs: not available');
  });

  it('a certificate that nobody looked at lately is unknown, as is one never seen', async () => {
    const { look, life } = await openOverview();
    await life.db.query(`update certificates set checked_at = now() - interval '2 days'`);
    expect((await look(status)).en.icon).toBe('unknown');
    await life.db.query('delete from certificates');
    const { en } = await look(status);
    expect(en.icon).toBe('unknown');
    expect(en.text).toContain('web: no answer');
  });
});

describe('/digest', () => {
  it('tells of a quiet night, in order', async () => {
    const { look } = await openOverview();
    const { en, ru } = await look(digest);
    expect(en.text.split('\n')[0]).toContain('Morning digest · All is well');
    expect(en.text).toContain('a quiet night');
    expect(ru.text).toContain('спокойная ночь');
  });

  it('tells of failed runs with a button for each, and of a source that is down', async () => {
    const { look, life, simulator } = await openOverview();
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    await life.db.query(`update runs set state = 'failed', finished_at = now() where id = $1`, [id]);
    simulator.faults.refuse = true;
    const { en, ru } = await look(digest);
    expect(en.icon).toBe('unknown');
    expect(en.text).toContain('#1 /test set failed');
    expect(ru.text).toContain('#1 /test set: неудача');
    expect(JSON.stringify(en.keyboard)).toContain('#1 again');
  });

  it('that comes late says so', async () => {
    const { look } = await openOverview();
    const yesterday = new Date(systemClock.now().getTime() - days(1)).toISOString().slice(0, 10);
    const { en, ru } = await look(digest, { due: `${yesterday}T05:00:00Z` });
    expect(en.text).toContain('This digest is late');
    expect(ru.text).toContain('Сводка опоздала');
    expect(ru.text).toContain('08:00');
  });
});
