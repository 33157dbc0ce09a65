import { programCommand } from '../../support/program.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { stringify } from 'yaml';
import { systemClock } from '../../../src/core/clock.ts';
import { PVEAuditor, PVEVMUser } from '../../../src/simulators/proxmox/access.ts';
import { createProxmoxSimulator, type ProxmoxSimulator } from '../../../src/simulators/proxmox/simulator.ts';
import { type CastPerson, createStage } from '../../../src/simulators/telegram/cast.ts';
import { createTelegramSimulator, type TelegramSimulator } from '../../../src/simulators/telegram/index.ts';
import {
  type Cluster,
  freePort,
  httpOk,
  launch,
  type Launched,
  startEmbeddedPostgres,
  startRedis,
  temporaryFolder,
  until,
} from '../../support/components/index.ts';
import type { Dice } from './seed.ts';
import { type Ledger, watchMessages } from './ledger.ts';

export const WEBHOOK_TOKEN = 'fault-test-webhook-token-55aa';
const TELEGRAM_TOKEN = '700000009:AAfaultTestTokenThatMustNeverShow0009';
const PVE_TOKEN = '00000000-0000-4000-8000-00000000fa17';
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export const PEOPLE = [
  { id: 100_000_001, username: 'anna', first_name: 'Anna', role: 'admin' },
  { id: 100_000_002, username: 'boris', first_name: 'Boris', role: 'operator' },
  { id: 100_000_003, username: 'carol', first_name: 'Carol', role: 'operator' },
] as const;
export const TEAMS = ['east', 'west', 'north', 'south'] as const;
export const chatOf = (team: string): number => -1_002_000_000_001 - TEAMS.findIndex((one) => one === team);

/** Higher than Telegram's, so that a storm fits into a test; the program is told the same. */
const LIMITS = { perGroupPerMinute: 600, perChatPerSecond: 20, overallPerSecond: 60 };

export type Role = 'start' | 'bot' | 'worker';

export interface World {
  readonly telegram: TelegramSimulator;
  readonly proxmox: ProxmoxSimulator;
  /** Changing requests to Proxmox: `reboot 101`, in order. */
  readonly powerCalls: readonly string[];
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly webhookUrl: string;
  person(name: (typeof PEOPLE)[number]['username']): CastPerson;
  /** Rows of a query. */
  rows<T extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** Starts the program in a process of its own, and does not wait for it. */
  launch(role?: Role): Launched;
  /** Waits until `/readyz` of that role answers 200. */
  ready(program: Launched, role?: Role): Promise<void>;
  kill(program: Launched): Promise<void>;
  /** PostgreSQL, or Redis, dies at once and comes back after so long. */
  restart(component: 'postgres' | 'redis', awayMs: number): Promise<void>;
  /** Resolves when nothing waits any more, in the program or on its way to it, of what people asked for or are to be told. */
  drained(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** A PostgreSQL that outlives the program, the outside simulated on loopback, and the program as real processes to be killed. */
export async function startWorld(random: Dice, options: { readonly redis?: boolean } = {}): Promise<World> {
  const { path: folder, remove } = await temporaryFolder();
  const cluster = await startEmbeddedPostgres({ durable: true });
  await cluster.query('create database vakhta');
  const redis = options.redis ? await startRedis() : undefined;
  const telegram = createTelegramSimulator({
    clock: systemClock,
    random,
    token: TELEGRAM_TOKEN,
    limits: LIMITS,
    cast: PEOPLE.map((person) => ({ ...person, language_code: 'en' })),
    chats: TEAMS.map((team) => ({
      id: chatOf(team),
      title: `watch ${team}`,
      members: PEOPLE.map(({ id }) => id),
      admins: [PEOPLE[0].id],
    })),
  });
  const stage = createStage(telegram.cast);
  const ledger = watchMessages(telegram);
  const { url: apiRoot } = await telegram.listen();
  const powerCalls: string[] = [];
  const proxmox = createProxmoxSimulator({
    clock: systemClock,
    random,
    tokens: [
      { id: 'vakhta@pve!fault', secret: PVE_TOKEN, acl: [{ path: '/', privileges: [...PVEAuditor, ...PVEVMUser] }] },
    ],
    onRequest: ({ method, path }) => {
      const found = /\/(\d+)\/status\/(\w+)$/.exec(path);
      if (method === 'POST' && found) powerCalls.push(`${found[2]} ${found[1]}`);
    },
  });
  const proxmoxUrl = await proxmox.start();
  const ports = { start: await freePort(), worker: await freePort() };
  const document = {
    site: { name: 'Faults', zone: 'UTC', language: 'en' },
    telegram: {
      token: 'env:T_TELEGRAM_TOKEN',
      api_root: apiRoot,
      limits: {
        per_group_per_minute: LIMITS.perGroupPerMinute,
        per_chat_per_second: LIMITS.perChatPerSecond,
        overall_per_second: LIMITS.overallPerSecond,
      },
    },
    http: { port: ports.start },
    data_dir: join(folder, 'data'),
    log: { level: 'info' },
    operators: PEOPLE.map(({ id, username, first_name, role }) => ({
      id: username,
      name: first_name,
      telegram_id: id,
      role,
    })),
    chats: [
      ...TEAMS.map((team) => ({ id: team, chat_id: chatOf(team) })),
      { id: 'carol', chat_id: PEOPLE[2].id, purpose: 'commands' },
    ],
    routes: [...TEAMS.slice(1).map((team) => ({ match: { team }, chat: team })), { chat: TEAMS[0] }],
    // A storm card collects what comes at once; what still fires then gets a card of its own.
    storm: { calm_minutes: 0.1 },
    alertmanager: { url: `http://127.0.0.1:${await freePort()}`, webhook_token: 'env:T_WEBHOOK_TOKEN' },
    proxmox: [{ id: 'pve1', url: proxmoxUrl, token_id: 'vakhta@pve!fault', token: 'env:T_PVE_TOKEN' }],
  };
  const file = (role: Role): string => join(folder, role === 'worker' ? 'worker.yaml' : 'vakhta.yaml');
  await writeFile(file('start'), stringify(document));
  await writeFile(file('worker'), stringify({ ...document, http: { port: ports.worker } }));
  const urlOf = (role: Role): string => `http://127.0.0.1:${role === 'worker' ? ports.worker : ports.start}`;
  const env = {
    T_TELEGRAM_TOKEN: TELEGRAM_TOKEN,
    T_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
    T_PVE_TOKEN: PVE_TOKEN,
    DATABASE_URL: cluster.urlOf('vakhta'),
    REDIS_URL: redis?.url ?? '',
    VAKHTA_LANG: 'en',
  };

  const pool = new pg.Pool({ connectionString: cluster.urlOf('vakhta'), max: 2 });
  pool.on('error', () => {});
  const rows: World['rows'] = async (sql, values = []) => (await pool.query(sql, [...values])).rows;
  const programs = new Set<Launched>();
  const command = await programCommand();

  return {
    telegram,
    proxmox,
    powerCalls,
    cluster,
    ledger,
    webhookUrl: `${urlOf('start')}/webhooks/alertmanager`,
    person: (name) => stage.person(name),
    rows,
    launch: (role = 'start') => {
      const argv = [...command, role];
      const program = launch(`vakhta ${role}`, argv, {
        cwd: ROOT,
        env: { ...env, VAKHTA_CONFIG: file(role) },
        orphanSignal: 'KILL',
      });
      programs.add(program);
      return program;
    },
    ready: (program, role = 'start') =>
      until(`vakhta ${role}`, () => httpOk(`${urlOf(role)}/readyz`), { process: program, timeoutMs: 180_000 }),
    kill: async (program) => {
      ledger.killed();
      await program.stop('SIGKILL');
      programs.delete(program);
    },
    restart: async (component, awayMs) => {
      const away = () => new Promise((resolve) => setTimeout(resolve, awayMs));
      if (component === 'postgres') {
        await cluster.halt('immediate');
        await away();
        await cluster.resume();
      } else {
        await redis?.crash();
        await away();
        await redis?.resume();
      }
    },
    drained: async (timeoutMs) => {
      const open = async () =>
        (
          await rows<{ outbox: number; inbox: number; runs: number; storms: number; webhooks: number }>(
            `select (select count(*)::int from outbox where state in ('queued', 'sending')) as outbox,
               (select count(*)::int from inbox where state = 'new') as inbox,
               (select count(*)::int from storms where ended_at is null) as storms,
               (select count(*)::int from webhook_log where set_aside_at is null) as webhooks,
               (select count(*)::int from runs where state in
                 ('planning', 'queued', 'running', 'verifying', 'reconciling') and actor->>'kind' = 'operator') as runs`,
          )
        )[0];
      let calm = 0;
      let last = '';
      await until(
        'everything delivered and done',
        async () => {
          const now = await open();
          last = JSON.stringify({ ...now, updates: telegram.state.pendingUpdates });
          const left = now && now.outbox + now.inbox + now.runs + now.storms + now.webhooks;
          const isCalm = left === 0 && telegram.state.pendingUpdates === 0;
          calm = isCalm ? calm + 1 : 0;
          return calm >= 25;
        },
        { timeoutMs },
      ).catch(async (error: unknown) => {
        const stuck = await rows(
          `select id, state, chat_id, priority, attempts, not_before, lease_until, error, now() from outbox
           where state in ('queued', 'sending') limit 5`,
        );
        const open = await rows(`select number, operation, state, progress, error, external from runs
          where state in ('planning', 'queued', 'running', 'verifying', 'reconciling') limit 5`);
        const logs = [...programs].map((program) => program.log().slice(-3000)).join('\n');
        throw new Error(`not drained: ${last}\n${JSON.stringify(stuck)}\n${JSON.stringify(open)}\n${logs}`, {
          cause: error,
        });
      });
    },
    stop: async () => {
      await Promise.all([...programs].map((program) => program.stop()));
      await pool.end();
      await telegram.close();
      await proxmox.stop();
      await redis?.stop();
      await cluster.stop();
      await remove();
    },
  };
}
