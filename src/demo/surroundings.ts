import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import { type AlertmanagerSimulator, startAlertmanagerSimulator } from '../simulators/alertmanager/index.ts';
import { type EndpointServers, startEndpoints } from '../simulators/endpoints/index.ts';
import { prepareRepository, simulatorCommand } from '../simulators/pgbackrest/index.ts';
import { preparePostgres, type SimulatedPostgres } from '../simulators/postgres/index.ts';
import { startLokiSimulator } from '../simulators/loki/index.ts';
import { startPrometheusSimulator } from '../simulators/prometheus/index.ts';
import { DRILL, PVEAuditor, PVEDatastoreUser, PVEVMUser } from '../simulators/proxmox/access.ts';
import { backedUpCompany, mirrorDatastore } from '../simulators/proxmox/backed-up.ts';
import { createProxmoxSimulator, type ProxmoxSimulator } from '../simulators/proxmox/simulator.ts';
import { createTelegramSimulator, type Person, type TelegramSimulator } from '../simulators/telegram/index.ts';
import { CURVES, linesOf } from './measurements.ts';
import { startDemoPbs } from './pbs.ts';

/** The people of the demo: one of each role, a second operator, and somebody who does not belong. */
export const CAST = [
  {
    id: 100_000_001,
    operator: 'anna',
    first_name: 'Анна',
    username: 'anna',
    role: 'admin',
    language_code: 'ru',
    color: '#b5546c',
  },
  {
    id: 100_000_002,
    operator: 'boris',
    first_name: 'Борис',
    username: 'boris',
    role: 'operator',
    language_code: 'ru',
    color: '#3f7fb5',
  },
  {
    id: 100_000_003,
    operator: 'carol',
    first_name: 'Carol',
    username: 'carol',
    role: 'operator',
    language_code: 'en',
    color: '#4e9a6b',
  },
  {
    id: 100_000_004,
    operator: 'dina',
    first_name: 'Дина',
    username: 'dina',
    role: 'viewer',
    language_code: 'ru',
    color: '#9a7b3f',
  },
  {
    id: 100_000_099,
    first_name: 'Mallory',
    username: 'mallory',
    role: 'outsider',
    language_code: 'en',
    color: '#777777',
  },
] as const satisfies readonly (Person & { readonly operator?: string })[];

export const GROUP = -1_001_000_000_001;
export const TOPICS = { alerts: 11, backups: 12, certificates: 13 } as const;

const TOKEN = '700000001:demo-token-that-is-not-a-secret-0000';
const PVE_TOKEN = '00000000-0000-4000-8000-000000000001';
const WEBHOOK_TOKEN = 'demo-webhook-token';

export interface Surroundings {
  readonly telegram: TelegramSimulator;
  readonly telegramUrl: string;
  readonly alertmanager: AlertmanagerSimulator;
  readonly proxmox: ProxmoxSimulator;
  readonly endpoints: EndpointServers;
  /** Folder with everything that the installation writes. */
  readonly folder: string;
  /** The variables that the configuration refers to. */
  readonly env: Readonly<Record<string, string>>;
  /** The configuration file, as an operator would write it. */
  readonly yaml: string;
  stop(): Promise<void>;
}

export interface SurroundingsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Port of the web chat; the next free one when it is taken. */
  readonly webPort: number;
  /** Port on which Vakhta takes webhooks. */
  readonly httpPort: number;
  /** Time of day of the digest, `HH:MM` in `zone`. */
  readonly digestAt: string;
  readonly zone: string;
  readonly language: 'ru' | 'en';
  /** How long a simulated backup takes. */
  readonly backupMs?: number;
}

/** A small infrastructure like the owner's, simulated on loopback: Telegram with people, Proxmox, monitoring, pgBackRest, TLS. */
export async function startSurroundings(options: SurroundingsOptions): Promise<Surroundings> {
  const { clock, random } = options;
  const folder = await mkdtemp(join(tmpdir(), 'vakhta-demo-'));
  const telegram = createTelegramSimulator({
    clock,
    random,
    token: TOKEN,
    cast: CAST,
    chats: [
      {
        id: GROUP,
        title: options.language === 'ru' ? 'Вахта · дежурные' : 'Vakhta · on watch',
        forum: true,
        topics: [
          { name: options.language === 'ru' ? 'Алерты' : 'Alerts', thread_id: TOPICS.alerts },
          { name: options.language === 'ru' ? 'Копии' : 'Backups', thread_id: TOPICS.backups },
          { name: options.language === 'ru' ? 'Сертификаты' : 'Certificates', thread_id: TOPICS.certificates },
        ],
        members: CAST.map(({ id }) => id),
        admins: [CAST[0].id],
      },
    ],
  });
  const { url: telegramUrl } = await listenNear(telegram, options.webPort);

  const proxmox = createProxmoxSimulator({
    clock,
    random,
    inventory: backedUpCompany(clock.now()),
    tokens: [
      {
        id: 'vakhta@pve!demo',
        secret: PVE_TOKEN,
        acl: [
          { path: '/', privileges: [...PVEAuditor, ...PVEVMUser, ...PVEDatastoreUser] },
          { path: '/pool/vakhta-drill', privileges: DRILL },
          { path: '/sdn/zones/localnetwork', privileges: ['SDN.Audit', 'SDN.Use'] },
        ],
      },
    ],
  });
  const proxmoxUrl = await proxmox.start();
  const backupServer = await startDemoPbs({ clock, random });
  mirrorDatastore(proxmox.inventory, 'pbs', backupServer.pbs.store('main'));

  const endpoints = await startEndpoints(
    [
      { id: 'gitlab', toDays: 5.5 },
      { id: 'grafana', toDays: 61 },
      { id: 'mail', toDays: 24 },
      { id: 'www', toDays: 78 },
      { id: 'old-wiki', toDays: -2 },
      { id: 'registry', toDays: 200, names: ['registry.example.lan'] },
    ],
    { now: clock.now(), random },
  );
  const ca = join(folder, 'demo-ca.pem');
  await writeFile(ca, endpoints.ca);

  const repository = join(folder, 'pgbackrest');
  prepareRepository(repository, {
    stanzas: ['main', 'gitlab'],
    repos: [1, 2],
    durationMs: options.backupMs ?? 14_000,
    now: clock.now(),
    // Whoever lowered what is kept has something to expire.
    allFull: ['gitlab'],
  });
  const postgres = preparePostgres(join(folder, 'pg'), { repository, stanza: 'main', now: clock.now() });
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);

  const alertmanager = await startAlertmanagerSimulator(
    {
      webhook: { url: `http://127.0.0.1:${options.httpPort}/webhooks/alertmanager`, token: WEBHOOK_TOKEN },
      groupBy: ['alertname', 'guest'],
      groupWaitMs: 1000,
      groupIntervalMs: 5000,
    },
    { clock, random, fetch },
  );

  const prometheus = await startPrometheusSimulator(CURVES, { clock });
  const loki = await startLokiSimulator(linesOf(clock));

  const yaml = configurationOf({
    ...options,
    folder,
    prometheusUrl: prometheus.url,
    lokiUrl: loki.url,
    startsOn: clock.now().toISOString().slice(0, 10),
    telegramUrl,
    proxmoxUrl,
    alertmanagerUrl: alertmanager.url,
    ca,
    ports: endpoints.ports,
    repository,
    postgres,
    scratch,
    backupServer: backupServer.yaml,
  });
  return {
    telegram,
    telegramUrl,
    alertmanager,
    proxmox,
    endpoints,
    folder,
    env: {
      VAKHTA_TELEGRAM_TOKEN: TOKEN,
      VAKHTA_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
      VAKHTA_PVE_TOKEN: PVE_TOKEN,
      ...backupServer.env,
      VAKHTA_TOTP_ANNA: 'JBSWY3DPEHPK3PXP',
    },
    yaml,
    stop: async () => {
      await alertmanager.stop();
      await prometheus.stop();
      await loki.stop();
      await endpoints.stop();
      await backupServer.stop();
      await proxmox.stop();
      await telegram.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listenNear(telegram: TelegramSimulator, port: number): Promise<{ url: string; port: number }> {
  try {
    return await telegram.listen(port);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return telegram.listen(0);
    throw error;
  }
}

interface Addresses {
  readonly folder: string;
  readonly telegramUrl: string;
  readonly proxmoxUrl: string;
  readonly alertmanagerUrl: string;
  readonly prometheusUrl: string;
  readonly lokiUrl: string;
  /** Day on which the rotation begins, `YYYY-MM-DD`. */
  readonly startsOn: string;
  readonly ca: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly repository: string;
  readonly postgres: SimulatedPostgres;
  /** Folder for what is restored beside it. */
  readonly scratch: string;
  /** The section of the backup server. */
  readonly backupServer: string;
}

function configurationOf(o: SurroundingsOptions & Addresses): string {
  const binary = JSON.stringify(simulatorCommand(o.repository));
  const operators = CAST.filter((person) => 'operator' in person).map((person) =>
    [
      `  - id: ${person.operator}`,
      `    name: ${person.first_name}`,
      `    telegram_id: ${person.id}`,
      `    role: ${person.role}`,
      `    language: ${person.language_code}`,
      ...(person.operator === 'anna' ? ['    totp: env:VAKHTA_TOTP_ANNA'] : []),
    ].join('\n'),
  );
  const endpoint = (id: string, owner: string) =>
    [
      `    - id: ${id}`,
      '      host: 127.0.0.1',
      `      port: ${o.ports[id] ?? 443}`,
      '      servername: localhost',
      `      name: ${id}.example.lan`,
      `      owner: ${owner}`,
    ].join('\n');
  return `site:
  name: ${o.language === 'ru' ? 'Демо' : 'Demo'}
  zone: ${o.zone}
  language: ${o.language}
telegram:
  token: env:VAKHTA_TELEGRAM_TOKEN
  api_root: ${o.telegramUrl}
http:
  port: ${o.httpPort}
data_dir: ${JSON.stringify(join(o.folder, 'data'))}
log:
  level: warn
operators:
${operators.join('\n')}
chats:
  - id: watch
    chat_id: ${GROUP}
    topics: { alerts: ${TOPICS.alerts}, backups: ${TOPICS.backups}, certificates: ${TOPICS.certificates} }
  - id: anna
    chat_id: ${CAST[0].id}
    purpose: commands
routes:
  - match: { service: certificates }
    chat: watch
    topic: certificates
  - chat: watch
    topic: alerts
alertmanager:
  url: ${o.alertmanagerUrl}
  webhook_token: env:VAKHTA_WEBHOOK_TOKEN
prometheus: { url: '${o.prometheusUrl}' }
loki: { url: '${o.lokiUrl}' }
logs:
  - { match: { guest: '/.+/' }, loki: '{guest="{{guest}}"}' }
watch:
  rotation: { people: [boris, carol, anna], starts: '${o.startsOn}', at: '00:00' }
fixes:
  - match: { alertname: ContainerRestarting }
    operation: guest.restart
    args: { guest: '{{guest}}' }
  - match: { alertname: PostgresReplicationLag }
    operation: guest.restart
    args: { guest: '{{guest}}' }
proxmox:
  - id: pve1
    url: ${o.proxmoxUrl}
    token_id: vakhta@pve!demo
    token: env:VAKHTA_PVE_TOKEN
    backup:
      storage: pbs
      drill: { storage: local-zfs, pool: vakhta-drill, vmid_from: 9000, vmid_to: 9009 }
${o.backupServer}postgres:
  - id: main
    stanza: main
    binary: ${binary}
    offsite_repo: 2
    cluster:
      bin_dir: ${JSON.stringify(o.postgres.binDir)}
      data_dir: ${JSON.stringify(o.postgres.dataDir)}
      socket_dir: ${JSON.stringify(o.postgres.socketDir)}
      port: ${o.postgres.port}
      canary: true
    scratch: { dir: ${JSON.stringify(o.scratch)}, free_percent: 0 }
  - { id: gitlab, stanza: gitlab, binary: ${binary}, offsite_repo: 2, offsite_max_age_hours: 50 }
certificates:
  ca: ${JSON.stringify(o.ca)}
  endpoints:
${[endpoint('gitlab', 'boris'), endpoint('grafana', 'boris'), endpoint('mail', 'anna'), endpoint('www', 'boris'), endpoint('old-wiki', 'anna'), endpoint('registry', 'carol')].join('\n')}
digest:
  - { id: morning, chat: watch, topic: alerts, at: '${o.digestAt}' }
drill: { chat: watch, topic: alerts, at: '04:10', weekdays: [sun] }
recovery: { goals: [{ for: guest, rpo_minutes: 1560 }] }
restore_drills:
  - { target: 'pg:main', at: '05:00', weekdays: [sun] }
  - { target: 'offsite-pg:main', at: '06:00', weekdays: [sat] }
probes:
  - { id: web-chat, name: ${o.language === 'ru' ? 'Веб-чат' : 'Web chat'}, kind: http, target: '${o.telegramUrl}/' }
  - { id: grafana, name: Grafana, kind: tls, target: 'localhost:${o.ports.grafana ?? 443}' }
  - { id: www, name: WWW, kind: tcp, target: '127.0.0.1:${o.ports.www ?? 443}' }
`;
}
