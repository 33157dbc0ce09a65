import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { startAlertmanagerSimulator } from '../../src/simulators/alertmanager/index.ts';
import { startEndpoints } from '../../src/simulators/endpoints/index.ts';
import { prepareRepository, simulatorCommand } from '../../src/simulators/pgbackrest/index.ts';
import { DatastoreReader, RemoteAudit } from '../../src/simulators/pbs/access.ts';
import { createPbsSimulator } from '../../src/simulators/pbs/simulator.ts';
import { PVEAuditor, PVEVMUser } from '../../src/simulators/proxmox/access.ts';
import { createProxmoxSimulator } from '../../src/simulators/proxmox/simulator.ts';
import { createVaultSimulator } from '../../src/simulators/vault/simulator.ts';
import {
  freePort,
  startPrometheus,
  startRedis,
  startSshd,
  until,
  withComponents,
} from '../support/components/index.ts';
import { type Installation, startInstallation } from '../support/installation.ts';
import { builtFolder } from '../support/program.ts';
import { startTarget } from '../support/scrape-target.ts';

const SECRET_ID = 'doctor-test-secret-id-91ab';
const PVE_TOKEN = '5f0c7d1e-9a3b-4c68-8f27-3d1b0a9e6c52';
const PBS_TOKEN = '7b1d2c3e-9a3b-4c68-8f27-3d1b0a9e6c53';

withComponents(['redis', 'sshd', 'ssh-keygen', 'prometheus'], () => {
  const stops: (() => Promise<unknown>)[] = [];
  let here: Installation;
  let sections: Record<string, unknown>;
  let old: object;

  beforeAll(async () => {
    const target = await startTarget();
    const edges = { clock: systemClock, random: systemRandom };
    const proxmox = createProxmoxSimulator({
      ...edges,
      tokens: [
        { id: 'vakhta@pve!test', secret: PVE_TOKEN, acl: [{ path: '/', privileges: [...PVEAuditor, ...PVEVMUser] }] },
      ],
    });
    const pbs = createPbsSimulator({
      ...edges,
      tokens: [
        {
          id: 'vakhta@pbs!test',
          secret: PBS_TOKEN,
          acl: [
            { path: '/datastore', privileges: DatastoreReader },
            { path: '/remote', privileges: RemoteAudit },
          ],
        },
      ],
    });
    const vault = createVaultSimulator({
      ...edges,
      roles: [
        {
          name: 'v',
          roleId: 'role',
          secretIds: [{ value: SECRET_ID }],
          policies: ['v'],
          tokenTtl: 3600,
          tokenMaxTtl: 14_400,
        },
      ],
      policies: { v: { 'secret/data/pve': ['read'] } },
    });
    vault.kv().write('pve', { token: PVE_TOKEN });
    const [redis, sshd, prometheus, endpoints, alertmanager, proxmoxUrl, pbsUrl, vaultUrl] = await Promise.all([
      startRedis({ password: 'redis-pass' }),
      startSshd(),
      startPrometheus({ targets: [{ job: 'node', targets: [target.address] }] }),
      startEndpoints(
        [
          { id: 'good', toDays: 90 },
          { id: 'old', toDays: -3 },
        ],
        { now: new Date(), random: systemRandom },
      ),
      startAlertmanagerSimulator({ webhook: { url: 'http://127.0.0.1:9/', token: 'x' } }, { ...edges, fetch }),
      proxmox.start(),
      pbs.start(),
      vault.start(),
    ]);
    const up = `${prometheus.url}/api/v1/query?query=${encodeURIComponent('up == 1')}`;
    await until('the first scrape', async () => (await (await fetch(up)).text()).includes('"metric"'), {
      timeoutMs: 60_000,
    });
    stops.push(
      target.stop,
      redis.stop,
      sshd.stop,
      prometheus.stop,
      endpoints.stop,
      alertmanager.stop,
      proxmox.stop,
      pbs.stop,
      vault.stop,
    );
    sections = {
      alertmanager: { url: alertmanager.url, webhook_token: 'env:T_WEBHOOK_TOKEN' },
      prometheus: { url: prometheus.url },
      vault: { url: vaultUrl, role_id: 'role', secret_id: 'env:T_SECRET_ID' },
      proxmox: [{ id: 'pve1', url: proxmoxUrl, token_id: 'vakhta@pve!test', token: 'vault:secret/pve#token' }],
      pbs: [
        {
          id: 'pbs1',
          url: pbsUrl,
          token_id: 'vakhta@pbs!test',
          token: 'env:T_PBS_TOKEN',
          datastores: [{ name: 'main' }, { name: 'offsite', offsite: true }],
        },
      ],
      hosts: [
        {
          id: 'db1',
          address: sshd.host,
          port: sshd.port,
          user: sshd.user,
          private_key: `file:${sshd.privateKeyFile}`,
          host_key: sshd.hostKey,
        },
      ],
    };
    here = await startInstallation({
      redisUrl: redis.url,
      env: { T_SECRET_ID: SECRET_ID, T_PBS_TOKEN: PBS_TOKEN },
      sections,
    });
    const repository = join(here.folder, 'repo');
    prepareRepository(repository, { stanzas: ['main'], now: new Date() });
    const ca = join(here.folder, 'ca.pem');
    await writeFile(ca, endpoints.ca);
    const endpoint = (id: 'good' | 'old') => ({
      id,
      host: '127.0.0.1',
      port: endpoints.ports[id],
      servername: 'localhost',
    });
    sections['postgres'] = [{ id: 'main', stanza: 'main', binary: simulatorCommand(repository, await builtFolder()) }];
    sections['certificates'] = { ca, endpoints: [endpoint('good')] };
    old = endpoint('old');
  });
  afterAll(async () => {
    await here?.stop();
    await Promise.all(stops.map((stop) => stop()));
  });

  /** The installation's file with these sections in it. */
  const fileWith = async (name: string, changed: Record<string, unknown>): Promise<string> => {
    const file = join(here.folder, name);
    await writeFile(file, stringify({ ...(parse(here.yaml) as object), ...sections, ...changed }));
    return file;
  };
  /** By the name of the system: the state and what is said of it. */
  const table = (stdout: string): Map<string, { state: string; text: string }> =>
    new Map(
      stdout.split('\n').flatMap((line) => {
        const [, state, name, text] = /^(\S+) +((?:\S+ )*?\S+) {2,}(.*)$/u.exec(line) ?? [];
        return state === undefined || name === undefined || text === undefined
          ? []
          : [[name, { state, text }] as const];
      }),
    );
  const SYSTEMS = [
    'configuration',
    'secrets',
    'data_dir',
    'telegram',
    'clock',
    'database',
    'leftovers',
    'redis',
    'vault',
    'alertmanager',
    'prometheus',
    'proxmox pve1',
    'pbs pbs1',
    'host db1',
    'postgres main',
  ];
  /** Who may be called in private. */
  const PERSONS = ['person anna', 'person boris', 'person carol'];

  test('where all is well every system has one line that says so, and the exit code is 0', async () => {
    const file = await fileWith('good.yaml', {});
    const { code, stdout, stderr } = await here.command(['doctor'], { file });
    const seen = table(stdout);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect([...seen.keys()]).toEqual([...SYSTEMS, 'certificate good', ...PERSONS]);
    expect([...seen].filter(([, { state }]) => state !== 'ok')).toEqual([]);
    expect(stdout).toMatch(/19 ok, 0 to look at, 0 failed/u);
  });

  test('every system that is broken has its line with what to do, all in one run, and the exit code is 5', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const blocked = join(here.folder, 'a-file');
    await writeFile(blocked, '');
    const [host] = sections['hosts'] as Record<string, unknown>[];
    const [stanza] = sections['postgres'] as Record<string, unknown>[];
    const [pve] = sections['proxmox'] as Record<string, unknown>[];
    const [pbs] = sections['pbs'] as Record<string, unknown>[];
    const file = await fileWith('broken.yaml', {
      data_dir: join(blocked, 'below'),
      alertmanager: { url: nowhere, webhook_token: 'env:T_NOT_SET' },
      prometheus: { url: nowhere },
      proxmox: [{ ...pve, token: 'env:T_WRONG' }],
      pbs: [{ ...pbs, datastores: [{ name: 'elsewhere' }] }],
      hosts: [{ ...host, host_key: `SHA256:${'B'.repeat(43)}` }],
      postgres: [{ ...stanza, stanza: 'unheard-of' }],
      certificates: { ...(sections['certificates'] as object), endpoints: [old] },
    });
    const { code, stdout, stderr } = await here.command(['doctor'], {
      file,
      env: {
        T_WRONG: '00000000-0000-4000-8000-00000000dead',
        T_SECRET_ID: 'not-the-secret-id',
        T_TELEGRAM_TOKEN: '700000001:AAnotTheTokenOfThisBotNotAtAll000000',
        DATABASE_URL: 'postgresql://vakhta:secret-password@127.0.0.1:9/vakhta',
        REDIS_URL: 'redis://:other-password@127.0.0.1:9',
      },
    });
    const seen = table(stdout);
    expect({ code, stderr }).toEqual({ code: 5, stderr: '' });
    const says: Record<string, RegExp> = {
      secrets: /env:T_NOT_SET .*Set the variables/u,
      data_dir: /cannot be written .*Create the folder/u,
      telegram: /@BotFather/u,
      database: /./u,
      redis: /./u,
      vault: /./u,
      alertmanager: /./u,
      prometheus: /./u,
      'proxmox pve1': /token/iu,
      'pbs pbs1': /datastore elsewhere is not there/u,
      'host db1': /host key/u,
      'postgres main': /./u,
      'certificate old': /expired\. Renew it now/u,
    };
    const failed = Object.keys(says).filter((name) => seen.get(name)?.state !== 'fail');
    if (failed.length > 0) throw new Error(`no line of failure for ${failed.join(', ')}:\n${stdout}`);
    for (const [name, pattern] of Object.entries(says)) expect(`${name}: ${seen.get(name)?.text}`).toMatch(pattern);
    // What to do, not what the program ran into.
    for (const [name, { text }] of seen)
      expect(`${name}: ${text}`).not.toMatch(/check itself failed|at .*\.ts:|\{\s*\$/u);
    for (const name of ['database', 'redis', 'alertmanager', 'prometheus']) {
      expect(`${name}: ${seen.get(name)?.text}`).toMatch(/[Cc]heck|[Ss]tart|running|look at|Try/u);
    }
    expect(stdout).not.toMatch(/secret-password|other-password|not-the-secret-id|AAnotTheToken|00000000dead/u);
  });

  test.each(['en', 'ru'])(
    'mistakes of the file are all told at once with their places, in %s, and it exits with 2',
    async (language) => {
      const file = join(here.folder, 'wrong.yaml');
      const lines = [
        'site: { name: X, zone: Mars/Olympus }',
        'telegram: { token: "700000001:AAliteralTokenInTheFile0000000000000" }',
        'operators:',
        '  - { id: anna, name: Anna, telegram_id: 1, role: boss }',
        '  - { id: anna, name: Anna, telegram_id: 2, role: admin }',
        'chats:',
        '  - { id: watch, chat_id: -100, colour: red }',
        'routes:',
        '  - { chat: nowhere }',
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      const { code, stdout } = await here.command(['doctor'], { file, env: { VAKHTA_LANG: language } });
      const places = stdout
        .split('\n')
        .flatMap((line) => new RegExp(`^${file}:(\\d+):\\d+ `, 'u').exec(line)?.[1] ?? []);
      expect(code).toBe(2);
      expect([...new Set(places)]).toEqual(['1', '2', '4', '5', '7', '9']);
      expect(stdout).not.toContain('AAliteral');
      // Every line in the one language, or in the other.
      const russian = stdout
        .trim()
        .split('\n')
        .map((line) => /[а-яё]{3}/iu.test(line));
      expect(new Set(russian)).toEqual(new Set([language === 'ru']));
      // The program itself refuses to start with the same list.
      const started = await here.command(['start'], { file, env: { VAKHTA_LANG: language } });
      expect(started.code).toBe(2);
      expect(started.stderr.trim()).toBe(stdout.trim());
    },
  );
});
