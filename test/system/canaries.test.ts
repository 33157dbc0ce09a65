import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { DatastoreReader, RemoteAudit } from '../../src/simulators/pbs/access.ts';
import { createPbsSimulator } from '../../src/simulators/pbs/simulator.ts';
import { PVEAuditor, PVEVMUser } from '../../src/simulators/proxmox/access.ts';
import { createProxmoxSimulator } from '../../src/simulators/proxmox/simulator.ts';
import { createVaultSimulator } from '../../src/simulators/vault/simulator.ts';
import { commandLines, databaseDump, finds, redisDump } from '../support/canaries.ts';
import {
  freePort,
  need,
  type RedisServer,
  type SshServer,
  startPostgres,
  startRedis,
  startSshd,
  temporaryFolder,
  type Cluster,
  until,
  withComponents,
} from '../support/components/index.ts';
import {
  GROUP,
  type Installation,
  type ProgramProcess,
  startInstallation,
  TELEGRAM_TOKEN,
  TOPICS,
  WEBHOOK_TOKEN,
} from '../support/installation.ts';
import { slowBackups, type SlowBackups } from '../support/slow-backups.ts';

const SLOW = { timeoutMs: 90_000 };
const THERE = { chat: GROUP, thread: TOPICS.alerts };

/** Each different from every other and from anything a program says by itself. */
const SECRETS = {
  'Telegram token': TELEGRAM_TOKEN,
  'webhook token': WEBHOOK_TOKEN,
  'Proxmox token': 'c4a7e1f0-52d9-4b3e-a6c8-0f9d7e2b1a35',
  'Backup Server token': 'd5b8f2a1-63ea-4c4f-b7d9-1a0e8f3c2b46',
  'Vault secret id': 'canary-secret-id-6ad1?&=%',
  'TOTP secret': 'KNSWG4TFOQWWGYLOMFZHSLJRGIZTINJW',
  'database password': 'canary database+password/9',
  'Redis password': 'canary-redis-password-77',
  'Alertmanager password': 'canary"alertmanager\\password',
  'restic password': 'canary-restic-password-58',
  'restic password elsewhere': 'canary$restic elsewhere/59',
  'Vault value never used': 'canary-of-another-secret-31',
};

/** restic that stands still before a backup until `seen` is there, so that its command line can be looked at. */
async function slowRestic(folder: string) {
  const [binary, seen] = [join(folder, 'slow-restic'), join(folder, 'seen')];
  const wait = `while [ -d '${folder}' ] && [ ! -e '${seen}' ]; do sleep 0.1; done`;
  const lines = ['#!/bin/sh', `case " $* " in *" backup "*) ${wait};; esac`, `exec '${need('restic')}' "$@"`, ''];
  await writeFile(binary, lines.join('\n'), { mode: 0o755 });
  return { binary, goOn: () => writeFile(seen, '') };
}

/** A server that repeats in its error what it was sent, as some proxies do. */
async function startParrot() {
  const server = createServer((request, response) => {
    response.statusCode = request.method === 'POST' ? 400 : 500;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ error: `cannot handle ${request.url}`, headers: request.headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

withComponents(['redis', 'postgres', 'sshd', 'ssh-keygen', 'restic'], () => {
  const stops: (() => Promise<unknown>)[] = [];
  let here: Installation;
  let postgres: Cluster;
  let redis: RedisServer;
  let sshd: SshServer;
  let backups: SlowBackups;
  let restic: Awaited<ReturnType<typeof slowRestic>>;
  let bot: ProgramProcess;
  let worker: ProgramProcess;
  let secrets: Record<string, string>;

  beforeAll(async () => {
    const edges = { clock: systemClock, random: systemRandom };
    const proxmox = createProxmoxSimulator({
      ...edges,
      tokens: [
        {
          id: 'vakhta@pve!canary',
          secret: SECRETS['Proxmox token'],
          acl: [{ path: '/', privileges: [...PVEAuditor, ...PVEVMUser] }],
        },
      ],
    });
    const pbs = createPbsSimulator({
      ...edges,
      tokens: [
        {
          id: 'vakhta@pbs!canary',
          secret: SECRETS['Backup Server token'],
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
          secretIds: [{ value: SECRETS['Vault secret id'] }],
          policies: ['v'],
          tokenTtl: 3600,
          tokenMaxTtl: 14_400,
        },
      ],
      policies: { v: { 'secret/data/pve': ['read'], 'secret/data/pbs': ['read'] } },
    });
    vault.kv().write('pve', { token: SECRETS['Proxmox token'], other: SECRETS['Vault value never used'] });
    vault.kv().write('pbs', { token: SECRETS['Backup Server token'] });
    const { path: files, remove } = await temporaryFolder();
    await mkdir(join(files, 'etc'));
    await writeFile(join(files, 'etc', 'hosts'), randomBytes(20_000_000));
    restic = await slowRestic(files);
    const parrot = await startParrot();
    [postgres, redis, sshd, backups] = await Promise.all([
      startPostgres({ version: 15 }),
      startRedis({ password: SECRETS['Redis password'] }),
      startSshd(),
      slowBackups(1500),
    ]);
    const [proxmoxUrl, pbsUrl, vaultUrl] = await Promise.all([proxmox.start(), pbs.start(), vault.start()]);
    stops.push(
      parrot.stop,
      proxmox.stop,
      pbs.stop,
      vault.stop,
      postgres.stop,
      redis.stop,
      sshd.stop,
      backups.stop,
      remove,
    );
    secrets = { ...SECRETS, 'SSH key': await readFile(sshd.privateKeyFile, 'utf8') };
    const databaseUrl = postgres.url.replace(
      'postgres@',
      `postgres:${encodeURIComponent(SECRETS['database password'])}@`,
    );
    const parrotAuth = { basic: { user: 'vakhta', password: 'env:T_ALERTMANAGER_PASSWORD' } };
    here = await startInstallation({
      database: { url: databaseUrl },
      redisUrl: redis.url,
      logLevel: 'debug',
      env: {
        T_SECRET_ID: SECRETS['Vault secret id'],
        T_TOTP: SECRETS['TOTP secret'],
        T_ALERTMANAGER_PASSWORD: SECRETS['Alertmanager password'],
        T_RESTIC: SECRETS['restic password'],
        T_RESTIC_FAR: SECRETS['restic password elsewhere'],
      },
      sections: {
        operators: [
          { id: 'anna', name: 'Анна', telegram_id: 100_000_001, role: 'admin', totp: 'env:T_TOTP' },
          { id: 'boris', name: 'Борис', telegram_id: 100_000_002, role: 'operator' },
        ],
        alertmanager: { url: parrot.url, webhook_token: 'env:T_WEBHOOK_TOKEN', auth: parrotAuth },
        vault: { url: vaultUrl, role_id: 'role', secret_id: 'env:T_SECRET_ID' },
        proxmox: [
          { id: 'pve1', url: proxmoxUrl, token_id: 'vakhta@pve!canary', token: 'vault:secret/pve#token' },
          { id: 'parrot', url: parrot.url, token_id: 'vakhta@pve!canary', token: 'vault:secret/pve#token' },
        ],
        pbs: [
          {
            id: 'pbs1',
            url: pbsUrl,
            token_id: 'vakhta@pbs!canary',
            token: 'vault:secret/pbs#token',
            datastores: [{ name: 'main' }],
          },
          {
            id: 'parrot',
            url: parrot.url,
            token_id: 'vakhta@pbs!canary',
            token: 'vault:secret/pbs#token',
            datastores: [{ name: 'main' }],
          },
        ],
        restic: [
          {
            id: 'files',
            binary: [restic.binary],
            repository: join(files, 'here'),
            password: 'env:T_RESTIC',
            scratch_dir: join(files, 'scratch'),
            free_percent: 0,
            volumes: [{ id: 'etc', paths: [join(files, 'etc')] }],
            offsite: { repository: join(files, 'far'), password: 'env:T_RESTIC_FAR' },
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
        postgres: [
          { id: 'main', stanza: 'main', binary: backups.binary },
          { id: 'far', stanza: 'main', host: 'db1', binary: ['no-such-pgbackrest'] },
        ],
      },
    });
    [bot, worker] = await Promise.all([here.launch('bot'), here.launch('worker', { port: await freePort() })]);
    await Promise.all([bot.ready(), worker.ready()]);
  });
  afterAll(async () => {
    await here?.stop();
    await Promise.all(stops.map((stop) => stop()));
  });

  test('after a day of work no secret stands in the chat, the database, the queue, the logs or a command line', async () => {
    const seen: [string, string][] = [];
    const look = async (): Promise<void> => void seen.push(...(await commandLines([process.pid])));
    const boris = here.person('boris');

    // An alert, and a silence that the parrot refuses with everything it was told.
    const alert = { labels: { alertname: 'Canary', severity: 'critical' }, annotations: { summary: 'Canary sings' } };
    const post = (token: string) =>
      fetch(here.webhookUrl, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          version: '4',
          groupKey: 'k',
          status: 'firing',
          receiver: 'vakhta',
          truncatedAlerts: 0,
          externalURL: 'http://a.example',
          groupLabels: { alertname: 'Canary' },
          commonLabels: alert.labels,
          commonAnnotations: alert.annotations,
          alerts: [
            {
              ...alert,
              status: 'firing',
              fingerprint: 'f1',
              generatorURL: '',
              startsAt: new Date().toISOString(),
              endsAt: '0001-01-01T00:00:00Z',
            },
          ],
        }),
      });
    expect((await post(`${WEBHOOK_TOKEN}x`)).status).toBe(401);
    expect((await post(WEBHOOK_TOKEN)).status).toBe(200);
    await here.group.waitFor('Canary sings', SLOW);
    await (await boris.presses(/🔕/u, { ...SLOW, chat: GROUP })).answered();
    await here.group.waitFor(
      ({ reply_markup }) => (reply_markup?.inline_keyboard ?? []).flat().some(({ text }) => text === '🔕 1 ч'),
      SLOW,
    );
    await (await boris.presses('🔕 1 ч', { ...SLOW, chat: GROUP })).answered();
    await here.group.waitFor(/❌/u, SLOW);

    // Work that succeeds, and work that fails at every system.
    boris.says('/backup pg main full', THERE);
    await here.group.waitFor(/⏳/u, SLOW);
    await look();
    await here.group.waitFor(/Метка:/u, SLOW);
    boris.says('/backup pg far full', THERE);
    await here.group.waitFor(({ text = '' }) => /far/u.test(text) && /❌/u.test(text), SLOW);
    boris.says('/status', THERE);
    await here.group.waitFor(/pve1/u, SLOW);
    boris.says('/guest start docker1', THERE);
    await here.group.waitFor(({ text = '' }) => /docker1/u.test(text) && /🟢|❌|🟠/u.test(text), SLOW);

    for (const target of ['pbs:pbs1/main', 'pbs:parrot/main']) {
      boris.says(`/verify ${target}`, THERE);
      await here.group.waitFor(({ text = '' }) => text.includes(target) && /🟢|❌|🟠/u.test(text), SLOW);
    }

    boris.says('/backup volume etc new', THERE);
    await until('restic', async () => {
      const lines = (await commandLines([process.pid])).filter(([, line]) => /restic .*backup/u.test(line));
      seen.push(...lines);
      return lines.length > 0;
    });
    await restic.goOn();
    await here.group.waitFor(/Снимок:/u, SLOW);
    boris.says('/offsite sync files new', THERE);
    await here.group.waitFor(/скопировано 1/u, SLOW);
    boris.says('/drill restore offsite-volume:etc', THERE);
    await here.group.waitFor(/Восстановлено и проверено/u, SLOW);

    const doctor = here.command(['doctor']);
    await look();
    const commands = [
      await doctor,
      await here.command(['run', 'backup', 'pg', '--stanza', 'main', '--type', 'incr']),
      await here.command(['run', 'status', '--json']),
    ];
    const metrics = await Promise.all([bot, worker].map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    await look();
    const queue = await redisDump(redis.url);
    await Promise.all([bot.stop(), worker.stop()]);

    const calls = here.telegram.state.calls;
    const chats = [GROUP, ...here.telegram.cast.world().chats.map(({ id }) => id)];
    const database = await databaseDump(postgres.url);
    const everything: [string, string][] = [
      ...seen,
      ...queue,
      ...database,
      ['bot log', bot.log()],
      ['worker log', worker.log()],
      ...commands.map(({ stdout, stderr }, n): [string, string] => [`command ${n}`, stdout + stderr]),
      ...metrics.map((text): [string, string] => ['metrics', text]),
      ['Telegram calls', JSON.stringify(calls)],
      ...chats.map((id): [string, string] => [`chat ${id}`, JSON.stringify(here.telegram.state.messages(id))]),
    ];
    expect(finds(secrets, everything)).toEqual([]);

    // The search would have found something: it looked at what it names, and the canaries are real.
    const sizes = new Map(everything.map(([where, text]) => [where, text.length]));
    for (const where of [
      'bot log',
      'worker log',
      'Telegram calls',
      'table public.runs',
      'table public.audit',
      'metrics',
    ]) {
      expect([where, (sizes.get(where) ?? 0) > 100]).toEqual([where, true]);
    }
    expect(queue.length).toBeGreaterThan(0);
    expect(seen.some(([, line]) => line.includes('main.js'))).toBe(true);
    const planted: [string, string][] = [
      ['planted', `x=${Buffer.from(`vakhta:${SECRETS['Redis password']}`).toString('base64')}`],
    ];
    expect(finds(secrets, planted)).toMatchObject([{ secret: 'Redis password' }]);
  });
});
