import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { createBot, type Bot, type BotOptions } from '../../../src/bot/bot.ts';
import { fileSchema, resolve } from '../../../src/config/schema.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { doc, line } from '../../../src/core/doc.ts';
import { catalogue, defineMessages } from '../../../src/core/i18n.ts';
import type { Log } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import {
  createTelegramSimulator,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from '../../../src/simulators/telegram/index.ts';
import { createStage, type CastPerson, type Stage } from '../../../src/simulators/telegram/cast.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { Database } from '../../../src/store/db.ts';
import type { Run } from '../../../src/store/runs.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import { defineOperation, type Facts, type Operation } from '../../../src/tasks/define.ts';
import { createExecutor } from '../../../src/tasks/lifecycle/executor.ts';
import { createRequests } from '../../../src/tasks/lifecycle/requests.ts';
import { createStepUp } from '../../../src/tasks/lifecycle/step-up.ts';
import { storeForTest, type StoreDatabase } from '../../support/store.ts';

export const TOKEN = '4242:test-token';
export const OPS = -1001000000001;
/** Not a supergroup yet. */
export const PLAIN_GROUP = -5001;
export const TOPIC = 77;
export const TOTP_SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** The cast: every role, a second operator, and somebody whom the configuration does not know. */
const CAST = [
  { id: 101, id_: 'vera', first_name: 'Vera', role: 'viewer', language: 'en' },
  { id: 102, id_: 'anna', first_name: 'Anna', role: 'operator', language: 'ru' },
  { id: 103, id_: 'boris', first_name: 'Boris', role: 'operator', language: 'en' },
  { id: 104, id_: 'ada', first_name: 'Ada', role: 'admin', language: 'en' },
  { id: 105, id_: 'cyril', first_name: 'Cyril', role: 'admin', language: 'ru' },
] as const;
const OUTSIDER = { id: 999, first_name: 'Mallory', username: 'mallory', language_code: 'en' };

const messages = defineMessages({
  en: `
    op-test-echo = Repeat a word
    op-test-echo-arg-word = Which word?
    op-test-echo-arg-size = How big?
    op-test-swap = Change something
    op-test-stop = Stop something
    op-test-stop-arg-what = What is to be stopped?
    op-test-wipe = Destroy something
    op-test-wipe-arg-what = What is to be destroyed?
    test-plan = will be touched: { $what }
    test-done = done with { $what }
    test-seen = it is so
  `,
  ru: `
    op-test-echo = Повторить слово
    op-test-echo-arg-word = Какое слово?
    op-test-echo-arg-size = Какого размера?
    op-test-swap = Поменять что-то
    op-test-stop = Остановить что-то
    op-test-stop-arg-what = Что остановить?
    op-test-wipe = Уничтожить что-то
    op-test-wipe-arg-what = Что уничтожить?
    test-plan = будет затронуто: { $what }
    test-done = готово: { $what }
    test-seen = это так
  `,
});

/** Operations of each risk, that count how often they ran. */
export function testOperations(): { operations: Operation[]; ran: string[] } {
  const ran: string[] = [];
  const what = z.object({ what: z.enum(['db1', 'web1']) });
  const acting = (name: string, risk: 'change' | 'disrupt' | 'destroy', extra: { readonly approval?: 'second' } = {}) =>
    defineOperation({
      name,
      messages,
      role: risk === 'destroy' ? 'admin' : 'operator',
      risk,
      ...extra,
      args: what,
      result: z.object({ what: z.string() }),
      ports: [],
      timeoutMs: 60_000,
      plan: (_, args) => Promise.resolve({ target: args.what, lines: [{ key: 'test-plan', args }] }),
      run: (_, args) => {
        ran.push(`${name} ${args.what}`);
        return Promise.resolve({ state: 'succeeded', result: args });
      },
      verify: () => Promise.resolve({ ok: true, text: { key: 'test-seen' } }),
      reconcile: () => Promise.resolve({ state: 'again' }),
      report: (result, _, { t }) => doc(line(t('test-done', result))),
      ...(risk === 'change'
        ? {
            undo: (args: { what: string }) => ({
              operation: name,
              args: { what: args.what === 'db1' ? 'web1' : 'db1' },
            }),
          }
        : {}),
    });
  const echo = defineOperation({
    name: 'test.echo',
    messages,
    role: 'viewer',
    risk: 'read',
    args: z.object({
      word: z.string().min(1).max(10),
      size: z.enum(['small', 'big']),
      times: z.number().int().max(5).default(1),
    }),
    result: z.object({ text: z.string() }),
    ports: [],
    inline: true,
    timeoutMs: 60_000,
    plan: (_, args) => Promise.resolve({ target: args.word, lines: [] }),
    run: (_, args) => {
      ran.push(`test.echo ${args.word}`);
      const text = Array.from({ length: args.times }, () => args.word).join(' ');
      return Promise.resolve({ state: 'succeeded', result: { text: args.size === 'big' ? text.toUpperCase() : text } });
    },
    report: (result) => doc(line(`echo: ${result.text}`)),
  });
  const operations = [
    echo,
    acting('test.swap', 'change'),
    acting('test.stop', 'disrupt'),
    acting('test.wipe', 'destroy'),
  ];
  return { operations, ran };
}

export interface ChatTest {
  readonly telegram: TelegramSimulator;
  readonly stage: Stage;
  readonly store: StoreDatabase;
  readonly vera: CastPerson;
  readonly anna: CastPerson;
  readonly boris: CastPerson;
  readonly ada: CastPerson;
  readonly cyril: CastPerson;
  readonly mallory: CastPerson;
  readonly ops: ReturnType<Stage['chat']>;
  readonly bot: Bot;
  readonly logged: readonly { readonly level: string; readonly message: string; readonly fields: object }[];
  /** What the operations did. */
  readonly ran: readonly string[];
  /** As after a crash: another bot on the same database and the same Telegram. */
  restart(): Promise<void>;
}

export interface ChatOptions {
  readonly limits?: TelegramSimulatorOptions['limits'];
  /** Messages a second to one chat, and a minute to a group, that the bot allows itself. Default: as good as no limit. */
  readonly pace?: {
    readonly per_chat_per_second: number;
    readonly per_group_per_minute: number;
    readonly overall_per_second: number;
  };
  readonly bot?: Partial<Pick<BotOptions, 'cards' | 'commands' | 'metrics' | 'answerPressWithinMs'>>;
  readonly topics?: boolean;
  /** Further sections of the configuration, as they stand in the file. */
  readonly sections?: Readonly<Record<string, unknown>>;
  /** What the picker of the moment knows. */
  readonly restorable?: Facts['restorable'];
  /** Beside the test operations. */
  readonly operations?: readonly Operation[];
  /** What those may use of the outside. */
  readonly ports?: (db: Database, config: Config) => Partial<Ports>;
}

/** The real bot and life cycle on an own database, in front of the Telegram simulator. What nobody expected fails the test. */
export async function openChat(options: ChatOptions = {}): Promise<ChatTest> {
  const store = await storeForTest();
  const members = [...CAST.map((one) => one.id), OUTSIDER.id];
  const telegram = createTelegramSimulator({
    clock: systemClock,
    random: systemRandom,
    token: TOKEN,
    cast: [
      ...CAST.map((one) => ({
        id: one.id,
        first_name: one.first_name,
        username: one.id_,
        language_code: one.language,
      })),
      OUTSIDER,
    ],
    chats: [
      {
        id: OPS,
        title: 'ops',
        forum: options.topics ?? false,
        ...(options.topics ? { topics: [{ name: 'alerts', thread_id: TOPIC }] } : {}),
        members,
        admins: [104],
      },
      { id: PLAIN_GROUP, title: 'old group', type: 'group', members },
    ],
    limits: options.limits ?? 'off',
  });
  const { url } = await telegram.listen();
  const config = resolve(
    fileSchema.parse({
      site: { name: 'Test site', zone: 'Europe/Moscow', language: 'en' },
      telegram: {
        token: 'env:TOKEN',
        api_root: url,
        limits: options.pace ?? { per_chat_per_second: 100, per_group_per_minute: 1000, overall_per_second: 1000 },
      },
      operators: CAST.map((one) => ({
        id: one.id_,
        name: one.first_name,
        telegram_id: one.id,
        role: one.role,
        language: one.language,
        ...(one.id_ === 'ada' || one.id_ === 'cyril' ? { totp: 'env:TOTP' } : {}),
      })),
      chats: [
        { id: 'ops', chat_id: OPS, ...(options.topics ? { topics: { alerts: TOPIC } } : {}) },
        { id: 'old', chat_id: PLAIN_GROUP },
      ],
      routes: [{ chat: 'ops' }],
      ...options.sections,
    }),
    {},
  );
  const logged: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const { operations: list, ran } = testOperations();
  const operations = new Map([...list, ...(options.operations ?? [])].map((one) => [one.name, one]));
  const people = (id: string) => config.operators.find((one) => one.id === id);
  const pending = new Set<Promise<void>>();
  const later = (run: Run): Promise<void> => {
    const done: Promise<void> = executor.process(run.id).finally(() => pending.delete(done));
    pending.add(done);
    return Promise.resolve();
  };
  const shared = { operations, people, policy: config.policy, clock: systemClock, random: systemRandom, log };
  const { db } = store;
  const executor = createExecutor({
    ...shared,
    db,
    ports: (options.ports?.(db, config) ?? {}) as never,
    worker: 'test',
    stepUp: createStepUp({ secrets: () => () => Promise.resolve(new Secret(TOTP_SECRET)) }),
    enqueue: later,
  });
  const requests = createRequests({ ...shared, db, enqueue: later, processInline: (id) => executor.process(id) });
  const make = (): Bot =>
    createBot({
      config,
      db,
      requests,
      operations,
      catalogue: catalogue([...allMessages, messages]),
      facts: {
        stanzas: [],
        endpoints: [],
        operators: config.operators,
        guests: () => Promise.resolve([]),
        engines: [],
        containers: () => Promise.resolve([]),
        backupTargets: () => Promise.resolve([]),
        drillTargets: () => Promise.resolve([]),
        restorable: options.restorable ?? (() => Promise.resolve({})),
        checkTargets: [],
        volumes: [],
        resticSets: [],
        offsiteSets: [],
      },
      clock: systemClock,
      random: systemRandom,
      log,
      telegram: { token: new Secret(TOKEN), apiRoot: url },
      // On a busy machine a press would be answered with “working” before it is known what to say.
      answerPressWithinMs: 15_000,
      ...options.bot,
    });
  let bot = make();
  await bot.start();
  const stage = createStage(telegram.cast);
  onTestFinished(async () => {
    await bot.stop();
    await Promise.all(pending);
    await telegram.close();
    stage.expectQuiet();
  });
  const person = (name: string): CastPerson => stage.person(name);
  return {
    telegram,
    stage,
    store,
    vera: person('vera'),
    anna: person('anna'),
    boris: person('boris'),
    ada: person('ada'),
    cyril: person('cyril'),
    mallory: person('mallory'),
    ops: stage.chat(OPS),
    get bot() {
      return bot;
    },
    logged,
    ran,
    restart: async () => {
      await bot.stop();
      bot = make();
      await bot.start();
    },
  };
}
