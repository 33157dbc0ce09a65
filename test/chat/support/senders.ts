import { Api } from 'grammy';
import { expect, onTestFinished } from 'vitest';
import { defineCard } from '../../../src/bot/cards/define.ts';
import { noMetrics } from '../../../src/bot/metrics.ts';
import { createOutbox, type Outbox } from '../../../src/bot/outbox.ts';
import { createSender } from '../../../src/bot/outbox/sender.ts';
import { abortable } from '../../../src/bot/intake/poller.ts';
import { createReaders } from '../../../src/bot/readers.ts';
import { fileSchema, resolve } from '../../../src/config/schema.ts';
import { type Doc, doc, title } from '../../../src/core/doc.ts';
import { catalogue, defineMessages } from '../../../src/core/i18n.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import { createStage, type Stage } from '../../../src/simulators/telegram/cast.ts';
import {
  createTelegramSimulator,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from '../../../src/simulators/telegram/index.ts';
import type { Message } from '../../../src/simulators/telegram/types.ts';
import { type Card, type CardWish, touchCards, wantCard } from '../../../src/store/cards.ts';
import { putPicture } from '../../../src/store/pictures.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { storeForTest, type StoreDatabase } from '../../support/store.ts';

export const OPS = -1001000000001;
export const DBA = -1001000000002;
export const ADA = 104;
const TOKEN = '4242:test-token';
/** Telegram's own limits, and the bot keeping them. */
export const LIMITS = { perGroupPerMinute: 20, perChatPerSecond: 1, overallPerSecond: 30 };
export const PACE = { per_group_per_minute: 20, per_chat_per_second: 1, overall_per_second: 30 };

export interface Senders {
  readonly clock: ManualClock;
  readonly store: StoreDatabase;
  readonly telegram: TelegramSimulator;
  readonly telegramUrl: string;
  readonly stage: Stage;
  readonly logged: readonly { readonly level: string; readonly message: string; readonly fields: object }[];
  /** What the card of that reference shows when it is drawn next; a text is its title. */
  draws(ref: string, what: string | Doc): void;
  want(ref: string, wish?: Partial<CardWish>): Promise<Card>;
  touch(ref: string): Promise<void>;
  /** Another process with the bot's role. It leads the outbox as soon as nobody else does. */
  sender(): { readonly outbox: Outbox; stop(): Promise<void> };
  /** Whoever leads loses its connection to the database; calls that are under way go on. */
  loseLeadership(): Promise<void>;
  /** Lets time pass until it holds. */
  until(holds: () => unknown, step?: number): Promise<void>;
  messages(chat?: number): readonly Message[];
  /** Texts or captions, first line each. */
  lines(chat?: number): readonly string[];
  picture(width?: number, height?: number): Promise<string>;
  /** What was asked of Telegram, oldest first. */
  readonly sent: readonly Readonly<Record<string, unknown>>[];
  /** From now on a call may take so long, in real time; undefined: as long as a busy machine needs. */
  patience(ms: number | undefined): void;
}

export interface SendersOptions {
  readonly limits?: TelegramSimulatorOptions['limits'];
  readonly pace?: object;
  readonly loudness?: object;
  /** The chat is a forum; with these topics configured. */
  readonly topics?: Readonly<Record<string, number>>;
}

/** Outboxes alone, on a clock that stands still, before the Telegram simulator. */
export async function openSenders(options: SendersOptions = {}): Promise<Senders> {
  const store = await storeForTest();
  const clock = createManualClock('2026-11-23T09:00:00Z');
  const cast = [{ id: ADA, first_name: 'Ada', username: 'ada', language_code: 'en' }];
  const group = (id: number, name: string) => ({ id, title: name, members: [ADA], admins: [ADA] });
  const topics = Object.entries(options.topics ?? {}).map(([name, thread_id]) => ({ name, thread_id }));
  const telegram = createTelegramSimulator({
    clock,
    random: systemRandom,
    token: TOKEN,
    cast,
    chats: [
      { ...group(OPS, 'ops'), ...(options.topics === undefined ? {} : { forum: true, topics }) },
      group(DBA, 'dba'),
    ],
    limits: options.limits ?? 'off',
  });
  const { url } = await telegram.listen();
  const config = resolve(
    fileSchema.parse({
      site: { id: 'test', name: 'Test site', zone: 'Europe/Moscow', language: 'en' },
      telegram: {
        token: 'env:TOKEN',
        api_root: url,
        limits: options.pace ?? { per_chat_per_second: 100, per_group_per_minute: 1000, overall_per_second: 1000 },
      },
      operators: [{ id: 'ada', name: 'Ada', telegram_id: ADA, role: 'admin', language: 'en' }],
      chats: [
        { id: 'ops', chat_id: OPS, ...(options.topics === undefined ? {} : { topics: options.topics }) },
        { id: 'dba', chat_id: DBA },
      ],
      routes: [{ chat: 'ops' }],
      ...(options.loudness === undefined ? {} : { loudness: options.loudness }),
    }),
    {},
  );
  const shown = new Map<string, Doc>();
  const board = defineCard({
    kind: 'board',
    messages: defineMessages({ en: '', ru: '' }),
    render: (_, { ref }) => Promise.resolve(shown.get(ref) ?? doc(title('critical', ref))),
  });
  const sent: Readonly<Record<string, unknown>>[] = [];
  const api = new Api(TOKEN, { apiRoot: url, timeoutSeconds: 60 });
  let patienceMs: number | undefined;
  api.config.use((call, method, payload, signal) => {
    if (method.startsWith('send')) sent.push({ ...payload });
    if (patienceMs === undefined) return call(method, payload, signal);
    const limits = [AbortSignal.timeout(patienceMs), ...(signal ? [signal as AbortSignal] : [])];
    return call(method, payload, abortable(AbortSignal.any(limits)));
  });
  const logged: { level: string; message: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
  const stops: (() => Promise<void>)[] = [];
  const stage = createStage(telegram.cast);
  onTestFinished(async () => {
    await telegram.close();
    await Promise.all(stops.map((stop) => stop()));
  });

  const until = async (holds: () => unknown, step = 250): Promise<void> => {
    await expect
      .poll(
        async () => {
          await clock.advance(step);
          // Time passes no faster than the database answers, however slow the machine is.
          await store.db.query('select 1');
          return Boolean(await holds());
        },
        { timeout: 50_000, interval: 5 },
      )
      .toBe(true);
  };

  return {
    clock,
    store,
    telegram,
    telegramUrl: url,
    stage,
    logged,
    sent,
    patience: (ms) => {
      patienceMs = ms;
    },
    draws: (ref, what) => void shown.set(ref, typeof what === 'string' ? doc(title('critical', what)) : what),
    want: (ref, wish = {}) => wantCard(store.db, { kind: 'board', ref, chat: OPS, priority: 0, ...wish }, clock.now()),
    touch: async (ref) => void (await touchCards(store.db, 'board', ref, clock.now())),
    sender: () => {
      const db = store.another(5);
      const outbox = createOutbox({
        db,
        config,
        cards: new Map([[board.kind, board]]),
        operations: new Map(),
        people: () => undefined,
        readers: createReaders({ db, config, catalogue: catalogue(allMessages), clock }),
        random: systemRandom,
        log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
        sender: createSender(api, noMetrics),
        clock,
        metrics: noMetrics,
      });
      const stopping = new AbortController();
      const running = outbox.run(stopping.signal);
      const stop = async () => {
        stopping.abort(new Error('stopped'));
        await running;
      };
      stops.push(stop);
      return { outbox, stop };
    },
    loseLeadership: async () => {
      await store.db.query(
        `select pg_terminate_backend(pid) from pg_locks
         where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`,
      );
    },
    until,
    messages: (chat = OPS) => telegram.state.messages(chat),
    lines: (chat = OPS) =>
      telegram.state.messages(chat).map((one) => (one.text ?? one.caption ?? '').split('\n')[0] ?? ''),
    picture: (width = 1280, height = 720) =>
      putPicture(store.db, { mime: 'image/png', bytes: pngOf(width, height), width, height }, clock.now()),
  };
}

/** Nothing waits, and nothing is being sent. */
export const isDone = async ({ store }: Senders): Promise<boolean> =>
  (await store.db.query(`select from outbox where state in ('sending', 'queued')`)).rowCount === 0;

export const isSending = async ({ store }: Senders): Promise<boolean> =>
  (await store.db.query(`select from outbox where state = 'sending'`)).rowCount > 0;

export const refused = ({ telegram }: Senders) => telegram.state.calls.filter((call) => call.outcome === 429);

/** A PNG as far as anybody looks: signature and size. */
function pngOf(width: number, height: number): Buffer {
  const data = Buffer.alloc(64);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(data);
  data.writeUInt32BE(width, 16);
  data.writeUInt32BE(height, 20);
  return data;
}
