import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Clock, seconds } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { allowed, authenticate, type SimToken } from './access.ts';
import { forbidden, type Host, type Route, SimError } from './host.ts';
import { checkParameters } from './parameters.ts';
import { routes } from './routes.ts';
import { type SimDatastore, type SimServer, type SimSnapshot, smallServer } from './state.ts';
import { createTasks } from './tasks.ts';

export interface PbsSimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: readonly SimToken[];
  /** Default: the small server of `state.ts`. */
  readonly server?: SimServer;
  /** With it the server speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default 4.2.6. */
  readonly version?: string;
}

export interface SimRequest {
  readonly method: string;
  /** With the query string. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface SimAnswer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
}

/** What goes wrong, until it is set back. */
export interface Faults {
  /** Connections are closed at once. */
  refuse: boolean;
  /** Requests are taken and never answered. */
  hang: boolean;
  /** The next changing request is carried out, but its answer is lost. */
  loseAnswer: boolean;
}

const REASON: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
};

/**
 * Stands in for the API of one Proxmox Backup Server: `/api2/json` with tokens, privileges, silently filtered lists, tasks that take
 * time, and refusals in plain text. Its behaviour follows proxmox-backup and proxmox-rest-server.
 */
export function createPbsSimulator(options: PbsSimulatorOptions) {
  const { clock, random, version = '4.2.6' } = options;
  const server = options.server ?? smallServer(clock.now());
  const tasks = createTasks(clock, random, server.node);
  const host: Host = { server, tasks, version, now: () => Math.floor(clock.now().getTime() / 1000) };
  const faults: Faults = { refuse: false, hang: false, loseAnswer: false };

  const answer = (status: number, body: string): SimAnswer => ({ status, reason: REASON[status] ?? 'Error', body });

  const handle = async (request: SimRequest): Promise<SimAnswer> => {
    const url = new URL(request.path, 'http://server');
    const path = url.pathname.startsWith('/api2/json/') ? url.pathname.slice('/api2/json'.length) : undefined;
    const token = authenticate(options.tokens, request.headers['authorization']);
    if (token === undefined) {
      await clock.sleep(seconds(3));
      return answer(401, 'authentication failed');
    }
    const found = path === undefined ? undefined : match(request.method, path);
    if (found === undefined) return answer(404, `Path '${url.pathname}' not found.`);
    const { route, uri } = found;
    const given = { ...Object.fromEntries(url.searchParams), ...Object.fromEntries(new URLSearchParams(request.body)) };
    try {
      if (route.needs !== undefined) {
        const [template, ...privileges] = route.needs;
        const object = template.replace(/\{(\w+)\}/g, (_, name: string) => uri[name] ?? '');
        if (!allowed(token, object, ...privileges)) throw forbidden();
      }
      const twice = Object.keys(uri).find((name) => name in given);
      if (twice !== undefined)
        throw new SimError(400, `parameter verification failed - '${twice}': duplicate parameter.`);
      const problem = checkParameters(route.parameters ?? {}, { ...given, ...uri });
      if (problem !== undefined) throw new SimError(400, problem);
      return answer(200, JSON.stringify(route.run({ host, token, p: { ...given, ...uri } })));
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      if (error.status === 403) await clock.sleep(500);
      return answer(error.status, error.message);
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (faults.refuse) return void request.socket.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (faults.hang) return;
    const { method = 'GET', url = '/', headers } = request;
    const body = Buffer.concat(chunks).toString('utf8');
    const given = await handle({ method, path: url, headers: { authorization: headers.authorization }, body });
    if (faults.loseAnswer && method !== 'GET') {
      faults.loseAnswer = false;
      return void request.socket.destroy();
    }
    // JSON by its type, whatever it is: refusals are plain text.
    response.writeHead(given.status, given.reason, {
      'Content-Type': 'application/json;charset=UTF-8',
      'Content-Length': String(Buffer.byteLength(given.body)),
    });
    response.end(given.body);
  };

  const store = (name: string): SimDatastore => {
    const found = server.datastores.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the simulated server has no datastore ${name}`);
    return found;
  };

  let listening: Server | undefined;
  return {
    server,
    tasks,
    faults,
    /** Throws when there is none. */
    store,
    /** The newest snapshot of a group, as `ct/101`; throws when there is none. */
    newest: (name: string, group: string): SimSnapshot => {
      const found = store(name)
        .snapshots.filter(({ type, id }) => `${type}/${id}` === group)
        .toSorted((a, b) => b.time - a.time)[0];
      if (found === undefined) throw new Error(`the simulated server has no ${group} in ${name}`);
      return found;
    },
    /** Answers without a socket, for tests that hold the clock still. */
    handle,
    /** Listens, and gives the address for the client's settings. */
    start: async (port = 0, address = '127.0.0.1'): Promise<string> => {
      const listener = (request: IncomingMessage, response: ServerResponse) => {
        serve(request, response).catch((error: unknown) => {
          response.destroy(error instanceof Error ? error : new Error(String(error)));
        });
      };
      const opened = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener);
      listening = opened;
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject);
        opened.listen(port, address, resolve);
      });
      const { port: actual } = opened.address() as AddressInfo;
      return `${options.tls ? 'https' : 'http'}://${address}:${actual}`;
    },
    stop: async (): Promise<void> => {
      const opened = listening;
      listening = undefined;
      if (opened === undefined) return;
      const closed = new Promise((resolve) => opened.close(resolve));
      opened.closeAllConnections();
      await closed;
    },
  };
}

export type PbsSimulator = ReturnType<typeof createPbsSimulator>;

function match(method: string, path: string): { route: Route; uri: Record<string, string> } | undefined {
  const parts = path.split('/');
  for (const route of routes) {
    const template = route.path.split('/');
    if (route.method !== method || template.length !== parts.length) continue;
    const uri: Record<string, string> = {};
    const fits = template.every((part, i) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      const value = decodeURIComponent(parts[i] ?? '');
      if (name === undefined) return part === value;
      uri[name] = value;
      return value !== '';
    });
    if (fits) return { route, uri };
  }
  return undefined;
}
