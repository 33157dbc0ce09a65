import type { AddressInfo } from 'node:net';
import { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { ApiError } from './api-error.ts';
import { type BotApi, botRequest, checkToken, failure, type LoggedCall } from './bot-http.ts';
import { createAdmin } from './cast-admin.ts';
import { type CastApi, createCastApi } from './cast-api.ts';
import { castRoutes } from './cast-http.ts';
import { Faults } from './faults.ts';
import { Files } from './files.ts';
import { Flood, type FloodLimits, TELEGRAM_LIMITS } from './flood.ts';
import { methods } from './methods/index.ts';
import { Params } from './params.ts';
import { Profile } from './profile.ts';
import { staticFile } from './static-files.ts';
import type { GroupSpec, Message, Person, User } from './types.ts';
import { Updates } from './updates.ts';
import { Webhook } from './webhook.ts';
import { World } from './world.ts';

export type { CastApi } from './cast-api.ts';
export type { GroupSpec, Message, Person } from './types.ts';

export interface TelegramSimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `<bot id>:<secret>`. */
  readonly token: string;
  readonly botUser?: { readonly id?: number; readonly first_name?: string; readonly username?: string };
  readonly cast: readonly Person[];
  readonly chats: readonly GroupSpec[];
  /** Default `on`: Telegram's own limits. */
  readonly limits?: 'on' | 'off' | FloodLimits;
  /** Default `on`, as for every new bot. */
  readonly privacy?: 'on' | 'off';
  /** Folder of the web chat; default the one beside this module. */
  readonly webRoot?: string;
  /** How webhooks are called. */
  readonly fetch?: typeof fetch;
}

/** What the simulator knows, for assertions. */
export interface SimulatorState {
  /** Calls in order of arrival, the newest 10,000. */
  readonly calls: readonly LoggedCall[];
  /** Every message of a chat, oldest first. */
  messages(chat: number): readonly Message[];
  readonly pendingUpdates: number;
  /** Whether a long poll waits now. */
  readonly polling: boolean;
  bannedUntil(chat: number): Date | undefined;
}

export interface TelegramSimulator {
  listen(port?: number, host?: string): Promise<{ url: string; port: number }>;
  /** Hangs up on everybody and stops listening. */
  close(): Promise<void>;
  /** Hangs up and refuses connections until `up`; people go on talking meanwhile. */
  down(): Promise<void>;
  /** Listens again on the port of before. */
  up(): Promise<void>;
  /** `down` and `up` at once: waiting polls break off, what was stored stays. */
  restart(): Promise<void>;
  readonly state: SimulatorState;
  readonly cast: CastApi;
  readonly faults: Faults;
  readonly clock: Clock;
}

const CALLS_KEPT = 10_000;

/** A Bot API server with people in it. It is no kinder than the real one. */
export function createTelegramSimulator(options: TelegramSimulatorOptions): TelegramSimulator {
  const { clock, random, token } = options;
  const bot: User = {
    id: options.botUser?.id ?? Number.parseInt(token, 10),
    is_bot: true,
    first_name: options.botUser?.first_name ?? 'Vakhta',
    username: options.botUser?.username ?? 'vakhta_bot',
  };
  const updates = new Updates(clock, random);
  const world = new World({
    clock,
    random,
    updates,
    bot,
    privacy: options.privacy ?? 'on',
    cast: options.cast,
    chats: options.chats,
  });
  const flood = new Flood(clock, limitsOf(options.limits));
  const files = new Files(random);
  const profile = new Profile();
  const faults = new Faults({ random, updates, flood });
  const webhook = new Webhook({
    clock,
    random,
    updates,
    fetch: options.fetch ?? fetch,
    call: (name, values) => callFromWebhook(name, values),
  });
  const context = { world, updates, webhook, flood, files, profile };
  const calls: LoggedCall[] = [];
  const api: BotApi = {
    token,
    context,
    faults,
    log: (call) => {
      calls.push(call);
      if (calls.length > CALLS_KEPT * 2) calls.splice(0, CALLS_KEPT);
    },
  };
  const cast = createCastApi({ world, files, profile, faults, admin: createAdmin(world, faults, () => restart()) });
  const app = routes(api, cast, options.webRoot ?? fileURLToPath(new URL('./web', import.meta.url)));

  /** Errors of such a call go nowhere: the server does not report them to the webhook either. */
  function callFromWebhook(name: string, values: Readonly<Record<string, unknown>>): void {
    const run = methods.get(name.toLowerCase());
    try {
      void Promise.resolve(run?.({ ...context, signal: undefined }, new Params(values))).catch(() => undefined);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  let server: Server | undefined;
  let address: { port: number; host: string } | undefined;

  async function listen(port = 0, host = '127.0.0.1'): Promise<{ url: string; port: number }> {
    const created = createAdaptorServer({ fetch: app.fetch });
    if (!(created instanceof Server)) throw new TypeError('expected an HTTP/1 server');
    // Idle connections stay: a client that reuses one just as the server drops it would see a reset nobody asked for.
    created.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve, reject) => {
      created.once('error', reject);
      created.listen(port, host, resolve);
    });
    server = created;
    const bound = (created.address() as AddressInfo).port;
    address = { port: bound, host };
    return { url: `http://${host}:${bound}`, port: bound };
  }

  async function stop(): Promise<void> {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    await new Promise<void>((resolve) => {
      closing.close(() => resolve());
      closing.closeAllConnections();
    });
  }

  async function up(): Promise<void> {
    if (address !== undefined && server === undefined) await listen(address.port, address.host);
  }

  async function restart(): Promise<void> {
    await stop();
    await up();
  }

  return {
    listen,
    close: async () => {
      webhook.clear();
      await stop();
    },
    down: stop,
    up,
    restart,
    state: {
      calls,
      messages: (chat) => [...world.chat(chat).messages.values()].map((stored) => stored.message),
      get pendingUpdates() {
        return updates.pendingCount;
      },
      get polling() {
        return updates.polling;
      },
      bannedUntil: (chat) => flood.bannedUntil(chat),
    },
    cast,
    faults,
    clock,
  };
}

const limitsOf = (limits: TelegramSimulatorOptions['limits']): FloodLimits | undefined =>
  limits === undefined || limits === 'on' ? TELEGRAM_LIMITS : limits === 'off' ? undefined : limits;

function routes(api: BotApi, cast: CastApi, webRoot: string): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all('/:bot{bot[^/]+}/:method', (c) => botRequest(api, c, c.req.param('bot').slice(3), c.req.param('method')));
  app.get('/file/:bot{bot[^/]+}/:path{.+}', (c) => {
    try {
      checkToken(api, c.req.param('bot').slice(3));
      const file = api.context.files.byPath(c.req.param('path'));
      if (file === undefined) throw new ApiError(404, 'Not Found');
      return c.body(new Uint8Array(file.bytes), 200, { 'content-type': 'application/octet-stream' });
    } catch (error) {
      if (error instanceof ApiError) return failure(error);
      throw error;
    }
  });
  app.route('/cast', castRoutes(cast));
  app.get('*', async (c) => (await staticFile(webRoot, c.req.path)) ?? failure(new ApiError(404, 'Not Found')));
  app.notFound(() => failure(new ApiError(404, 'Not Found')));
  // A mistake of the simulator's own; the words help whoever meets it.
  app.onError((error) => failure(new ApiError(500, `Internal Server Error: ${error.message}`)));
  return app;
}
