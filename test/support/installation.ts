import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type App, compose, type Composition } from '../../src/app.ts';
import { createLog } from '../../src/app/log.ts';
import { createSystems } from '../../src/app/systems.ts';
import { vaultOf } from '../../src/app/vault.ts';
import { systemReadFile } from '../../src/config/files.ts';
import { parseConfig, requireConfig } from '../../src/config/load.ts';
import { createSecrets } from '../../src/config/secrets.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { type CastPerson, type ChatView, createStage, type Stage } from '../../src/simulators/telegram/cast.ts';
import { createTelegramSimulator, type TelegramSimulator } from '../../src/simulators/telegram/index.ts';
import type { Message } from '../../src/simulators/telegram/types.ts';
import { operations } from '../../src/tasks/operations/registry.gen.ts';
import { freePort, httpOk, launch, type Launched, type Ran, run, temporaryFolder, until } from './components/index.ts';
import { programCommand } from './program.ts';
import { freshDatabase, type TestDatabase } from './database.ts';

/** The people of every installation under test. Mallory is in the group but not in the configuration. */
export const PEOPLE = [
  { id: 100_000_001, username: 'anna', first_name: 'Анна', role: 'admin', language_code: 'ru' },
  { id: 100_000_002, username: 'boris', first_name: 'Борис', role: 'operator', language_code: 'ru' },
  { id: 100_000_003, username: 'carol', first_name: 'Carol', role: 'operator', language_code: 'en' },
  { id: 100_000_004, username: 'dina', first_name: 'Дина', role: 'viewer', language_code: 'ru' },
  { id: 100_000_099, username: 'mallory', first_name: 'Mallory', role: 'outsider', language_code: 'en' },
] as const;

export const GROUP = -1_001_000_000_001;
export const TOPICS = { alerts: 11, backups: 12, certificates: 13 } as const;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const TELEGRAM_TOKEN = '700000001:AAsystemTestTokenThatMustNeverShow01';
export const WEBHOOK_TOKEN = 'system-test-webhook-token-7c1f';

export interface InstallationOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Where the program listens; chosen beforehand when a component has to know it. */
  readonly httpPort?: number;
  /** `shared`: an empty database on the run's PostgreSQL (default). `embedded`: the program starts its own. */
  readonly database?: 'shared' | 'embedded' | { readonly url: string };
  readonly redisUrl?: string;
  /** Further top-level keys of the file, as it spells them; they replace what stands there by default. */
  readonly sections?: Readonly<Record<string, unknown>>;
  /** Variables that references of those sections name. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logLevel?: 'debug' | 'info' | 'warn';
}

export interface ProgramProcess extends Launched {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Waits until `/readyz` answers 200. */
  ready(): Promise<void>;
}

export interface Installation {
  readonly telegram: TelegramSimulator;
  readonly stage: Stage;
  readonly group: ChatView;
  person(name: (typeof PEOPLE)[number]['username']): CastPerson;
  /** The file as an operator would write it, and where it lies. */
  readonly yaml: string;
  readonly file: string;
  readonly folder: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the database is; not with `embedded`. */
  readonly databaseUrl: string | undefined;
  readonly url: string;
  readonly webhookUrl: string;
  /** Log lines of the parts that run in this process. */
  readonly logs: readonly string[];
  /** The program in this process, started. */
  open(role?: Composition): Promise<App>;
  close(app: App): Promise<void>;
  /** The program as `vakhta ROLE` in a process of its own. A second one needs another port. */
  launch(role: 'start' | 'bot' | 'worker', options?: { readonly port?: number }): Promise<ProgramProcess>;
  /** A command of the command line, to its end. */
  command(
    words: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly file?: string },
  ): Promise<Ran>;
  /** The states that a message has been in, oldest first: the text that was sent and each edit. */
  history(message: Message): readonly string[];
  stop(): Promise<void>;
}

/** A whole installation in front of the Telegram simulator: the real program, its configuration read from YAML. */
export async function startInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const clock = options.clock ?? systemClock;
  const { path: folder, remove } = await temporaryFolder();
  const httpPort = options.httpPort ?? (await freePort());
  const telegram = createTelegramSimulator({
    clock,
    random: systemRandom,
    token: TELEGRAM_TOKEN,
    limits: 'off',
    cast: PEOPLE,
    chats: [
      {
        id: GROUP,
        title: 'Вахта · дежурные',
        forum: true,
        topics: Object.entries(TOPICS).map(([name, thread_id]) => ({ name, thread_id })),
        members: PEOPLE.map(({ id }) => id),
        admins: [PEOPLE[0].id],
      },
    ],
  });
  const { url: apiRoot } = await telegram.listen();
  let own: TestDatabase | undefined;
  const wanted = options.database ?? 'shared';
  if (wanted === 'shared') own = await freshDatabase();
  const databaseUrl = own?.url ?? (typeof wanted === 'object' ? wanted.url : undefined);
  const dataDir = join(folder, 'data');
  const document = {
    site: { name: 'Система', zone: 'Europe/Moscow', language: 'ru' },
    telegram: {
      token: 'env:T_TELEGRAM_TOKEN',
      api_root: apiRoot,
      limits: { per_chat_per_second: 100, per_group_per_minute: 1000, overall_per_second: 1000 },
    },
    http: { port: httpPort },
    data_dir: dataDir,
    log: { level: options.logLevel ?? 'info' },
    operators: PEOPLE.flatMap(({ id, username, first_name, role, language_code }) =>
      role === 'outsider'
        ? []
        : [{ id: username, name: first_name, telegram_id: id, role, language: language_code, zone: 'Europe/Moscow' }],
    ),
    chats: [{ id: 'watch', chat_id: GROUP, topics: TOPICS }],
    routes: [
      { match: { service: 'certificates' }, chat: 'watch', topic: 'certificates' },
      { chat: 'watch', topic: 'alerts' },
    ],
    ...options.sections,
  };
  const yaml = stringify(document);
  const file = join(folder, 'vakhta.yaml');
  await writeFile(file, yaml);
  const env: Record<string, string> = {
    T_TELEGRAM_TOKEN: TELEGRAM_TOKEN,
    T_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
    // An empty value counts as not set: whatever the developer's shell has must not leak in.
    DATABASE_URL: databaseUrl ?? '',
    REDIS_URL: options.redisUrl ?? '',
    VAKHTA_CONFIG: file,
    VAKHTA_LANG: 'en',
    ...options.env,
  };

  const logs: string[] = [];
  const apps = new Set<App>();
  const processes: Launched[] = [];
  const close = async (app: App): Promise<void> => {
    if (apps.delete(app)) await app.stop();
  };
  const stage = createStage(telegram.cast);
  const versions = new Map<string, string[]>();
  telegram.cast.subscribe((event) => {
    if (event.type !== 'message' && event.type !== 'edit') return;
    const message = telegram.cast.chat(event.chat).messages.get(event.message_id)?.message;
    if (!message) return;
    const key = `${event.chat}:${event.message_id}`;
    versions.set(key, [...(versions.get(key) ?? []), message.text ?? message.caption ?? '']);
  });

  return {
    telegram,
    stage,
    group: stage.chat(GROUP),
    person: (name) => stage.person(name),
    yaml,
    file,
    folder,
    dataDir,
    env,
    databaseUrl,
    url: `http://127.0.0.1:${httpPort}`,
    webhookUrl: `http://127.0.0.1:${httpPort}/webhooks/alertmanager`,
    logs,
    open: async (role = 'start') => {
      const redactor = createRedactor();
      const config = requireConfig(parseConfig(yaml, file, env));
      const edges = {
        env,
        readFile: systemReadFile,
        learn: (secret: Parameters<typeof redactor.learn>[0]) => redactor.learn(secret),
      };
      const log = createLog({ level: options.logLevel ?? 'info', redactor, write: (line) => void logs.push(line) });
      const vault = vaultOf(config, { clock, log, secrets: createSecrets(edges) });
      const secrets = createSecrets(vault ? { ...edges, vault } : edges);
      const app = await compose(config, role, {
        clock,
        random: systemRandom,
        log,
        redactor,
        secrets,
        version: 'test',
        operations,
        configFile: file,
        systems: () =>
          createSystems(config, {
            clock,
            log,
            secrets,
            vault,
            readText: async (path) => (await systemReadFile(path)).text,
          }),
      });
      apps.add(app);
      await app.start();
      return app;
    },
    close,
    launch: async (role, { port = httpPort } = {}) => {
      let config = file;
      if (port !== httpPort) {
        config = join(folder, `vakhta-${role}-${port}.yaml`);
        await writeFile(config, stringify({ ...document, http: { port } }));
      }
      const launched = launch(`vakhta ${role}`, [...(await programCommand()), role], {
        cwd: ROOT,
        env: { ...env, VAKHTA_CONFIG: config },
      });
      processes.push(launched);
      const url = `http://127.0.0.1:${port}`;
      return {
        ...launched,
        url,
        ready: () => until(`vakhta ${role}`, () => httpOk(`${url}/readyz`), { process: launched, timeoutMs: 180_000 }),
      };
    },
    command: async (words, more = {}) =>
      run([...(await programCommand()), ...words], {
        cwd: ROOT,
        env: { ...env, ...(more.file === undefined ? {} : { VAKHTA_CONFIG: more.file }), ...more.env },
      }),
    history: ({ chat, message_id }) => versions.get(`${chat.id}:${message_id}`) ?? [],
    stop: async () => {
      // To look at what the program said: SYSTEM_LOGS=1 npx vitest run --project system …
      if (process.env.SYSTEM_LOGS) process.stderr.write([...logs, ...processes.map((one) => one.log())].join(''));
      await Promise.all([...apps].map(close));
      await Promise.all(processes.map((one) => one.stop()));
      await telegram.close();
      await own?.drop();
      await remove();
    },
  };
}
