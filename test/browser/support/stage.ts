import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { systemRandom } from '../../../src/core/random.ts';
import {
  createTelegramSimulator,
  type Message,
  type Person,
  type TelegramSimulator,
} from '../../../src/simulators/telegram/index.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const chromiumPath = process.env.VAKHTA_CHROMIUM ?? '/usr/bin/chromium';
/** False where there is no Chromium: the tests are then skipped, visibly. */
export const haveChromium = existsSync(chromiumPath);
if (!haveChromium && process.env.CI === 'true') {
  throw new Error(
    `No Chromium at ${chromiumPath}: install it or set VAKHTA_CHROMIUM. With CI=true these tests may not be skipped.`,
  );
}

const TOKEN = '7000000001:test-token-of-the-web-chat-000000000';

/** The fixed cast: every role once, operators twice, and somebody who has no role at all. */
export const CAST = {
  anna: { id: 101, first_name: 'Анна', username: 'anna', role: 'admin', language_code: 'ru' },
  boris: { id: 102, first_name: 'Борис', username: 'boris', role: 'operator', language_code: 'ru' },
  chris: { id: 103, first_name: 'Chris', username: 'chris', role: 'operator', language_code: 'en' },
  vera: { id: 104, first_name: 'Vera', username: 'vera', role: 'viewer', language_code: 'en' },
  oscar: { id: 105, first_name: 'Oscar', username: 'oscar', language_code: 'en' },
} satisfies Record<string, Person>;

export const GROUP = -1001000000001;
export const TOPIC = { alerts: 2, backups: 3 };

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

/** Button rows as the Bot API takes them. */
export type Keyboard = readonly (readonly Record<string, unknown>[])[];

/** What the tests read of an update. */
export interface CastUpdate {
  readonly update_id: number;
  readonly message?: Message;
  readonly callback_query?: { readonly id: string; readonly data: string; readonly from: { readonly id: number } };
}

export interface Stage {
  readonly simulator: TelegramSimulator;
  readonly clock: ManualClock;
  readonly url: string;
  /** Calls a method of the Bot API as the bot, over HTTP. Fails when the simulator refuses. */
  bot<T = Message>(method: string, params: Record<string, unknown>): Promise<T>;
  /** Sends a file as the bot (multipart). */
  upload(method: string, field: string, file: File, params: Record<string, string>): Promise<Message>;
  /** What the cast did to the bot since the last call (confirmed updates). */
  updates(): Promise<readonly CastUpdate[]>;
  close(): Promise<void>;
}

/** The real simulator on a free port, with the cast, a private chat for each and one group with topics. */
export async function openStage(): Promise<Stage> {
  const clock = createManualClock('2026-11-23T08:40:00Z');
  const simulator = createTelegramSimulator({
    clock,
    random: systemRandom,
    token: TOKEN,
    botUser: { first_name: 'Вахта', username: 'vakhta_bot' },
    cast: Object.values(CAST),
    chats: [
      {
        id: GROUP,
        title: 'Дежурство',
        forum: true,
        topics: [
          { name: 'Тревоги', thread_id: TOPIC.alerts },
          { name: 'Копии', thread_id: TOPIC.backups },
        ],
        members: [CAST.anna.id, CAST.boris.id, CAST.chris.id, CAST.vera.id],
      },
    ],
    limits: 'off',
  });
  const { url } = await simulator.listen();
  const call = async <T>(method: string, init: RequestInit): Promise<T> => {
    const response = await fetch(`${url}/bot${TOKEN}/${method}`, { method: 'POST', ...init });
    const body = (await response.json()) as { ok: boolean; result: T; description?: string };
    if (!body.ok) throw new Error(`${method}: ${body.description}`);
    return body.result;
  };
  const bot: Stage['bot'] = (method, params) =>
    call(method, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(params) });
  let offset = 0;
  return {
    simulator,
    clock,
    url,
    bot,
    upload: (method, field, file, params) => {
      const body = new FormData();
      for (const [name, value] of Object.entries(params)) body.set(name, value);
      body.set(field, file);
      return call(method, { body });
    },
    updates: async () => {
      const updates = await bot<readonly CastUpdate[]>('getUpdates', { offset, timeout: 0 });
      offset = (updates.at(-1)?.update_id ?? offset - 1) + 1;
      return updates;
    },
    close: () => simulator.close(),
  };
}

/**
 * Toasts, the light on an edited card, "typing…" and the waiting of a press last some seconds in the page: here they last
 * minutes, for a busy machine looks late. The page also connects again only when it is asked to.
 */
const LASTING = `{
  const after = window.setTimeout;
  window.setTimeout = (run, ms, ...rest) => after(run, ms >= 500 ? ms * 100 : ms, ...rest);
}`;
/** Longer than any machine needs; the test's own limit is the end. */
const PATIENCE_MS = 90_000;

export interface Browser {
  readonly context: BrowserContext;
  /** A new page; `close` fails when a script error was thrown in any of them. */
  page(size?: { width: number; height: number }): Promise<Page>;
  close(): Promise<void>;
}

/** Chromium with a profile of its own that vanishes with it. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'vakhta-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    headless: true,
    timeout: PATIENCE_MS,
    timezoneId: 'Europe/Moscow',
    viewport: DESKTOP,
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript(LASTING);
  const errors: Error[] = [];
  context.on('weberror', (event) => errors.push(event.error()));
  return {
    context,
    page: async (size = DESKTOP) => {
      const page = await context.newPage();
      await page.setViewportSize(size);
      return page;
    },
    close: async () => {
      await context.close();
      // Chromium's helpers write there until they, too, have ended.
      await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
      if (errors.length > 0)
        throw new AggregateError(errors, `script errors in the page: ${errors.map(String).join('; ')}`);
    },
  };
}

/** Opens the chat as somebody, and waits until it is drawn and hears what happens. */
export async function visit(
  page: Page,
  stage: Stage,
  where: { as: Person; chat?: number; thread?: number; theme?: 'dark' | 'light' },
): Promise<void> {
  const params = new URLSearchParams({ as: String(where.as.id) });
  if (where.chat !== undefined) params.set('chat', String(where.chat));
  if (where.thread !== undefined) params.set('thread', String(where.thread));
  if (where.theme !== undefined) params.set('theme', where.theme);
  await page.goto(`${stage.url}/?${params.toString()}`);
  await page.waitForSelector('html[data-ready]');
  await page.evaluate('document.fonts.ready.then(() => undefined)');
}

/** Waits until nothing moves or changes colour any more; what turns for ever does not count. */
export const still = async (page: Page): Promise<void> => {
  await page.evaluate(`Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity)
    .map((one) => one.finished)).then(() => undefined)`);
};

/** A computed property of the first element that matches. */
export const css = (page: Page, selector: string, property: string): Promise<string> =>
  page.evaluate(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).getPropertyValue(${JSON.stringify(property)})`,
  );

/** Answers what the cast has pressed since the last look; gives the data of each press and who pressed. */
export async function answerPresses(
  stage: Stage,
  answer: { text?: string; show_alert?: boolean } = {},
): Promise<readonly { data: string; from: number }[]> {
  const pressed = (await stage.updates()).flatMap(({ callback_query }) => (callback_query ? [callback_query] : []));
  for (const { id } of pressed) await stage.bot('answerCallbackQuery', { callback_query_id: id, ...answer });
  return pressed.map(({ data, from }) => ({ data, from: from.id }));
}
