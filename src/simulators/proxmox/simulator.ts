import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { authenticate, type SimToken } from './access.ts';
import { type Host, need, type Route, SimError, unknownNode } from './host.ts';
import { type Inventory, smallCompany } from './inventory.ts';
import { checkParameters } from './parameters.ts';
import { routes } from './routes.ts';
import { createTasks } from './tasks.ts';

export interface ProxmoxSimulatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: readonly SimToken[];
  /** Default: the small company of `inventory.ts`. */
  readonly inventory?: Inventory;
  /** With it the server speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default 9.2.10. */
  readonly version?: string;
  /** False for hosts before 2025, which tell the error text in the reason phrase alone. */
  readonly messageInBody?: boolean;
  /** Told of each request that reaches the host. */
  readonly onRequest?: (request: SimRequest) => void;
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
  /** The front end cannot reach the node: 595 with this text. */
  nodeError: string | undefined;
}

/**
 * Stands in for the API server of one Proxmox VE host: `/api2/json` with tokens, privileges, silently filtered lists,
 * tasks that take time, and the texts of the real one. Its behaviour follows pve-http-server, pve-manager,
 * pve-container and qemu-server.
 */
export function createProxmoxSimulator(options: ProxmoxSimulatorOptions) {
  const { clock, random, version = '9.2.10', messageInBody = true } = options;
  const inventory = options.inventory ?? smallCompany(clock.now());
  const tasks = createTasks(clock, random, () => inventory.nodes[0]?.bootedAt ?? 0);
  const host: Host = {
    inventory,
    tasks,
    version,
    random,
    now: () => Math.floor(clock.now().getTime() / 1000),
    sleep: (ms) => clock.sleep(ms),
  };
  const faults: Faults = { refuse: false, hang: false, loseAnswer: false, nodeError: undefined };

  const json = (status: number, reason: string, body: object): SimAnswer => ({
    status,
    reason,
    body: JSON.stringify(body),
  });
  const refused = (status: number, message: string, errors?: Readonly<Record<string, string>>): SimAnswer =>
    json(status, message.split('\n')[0] ?? '', {
      data: null,
      ...(messageInBody ? { message } : {}),
      ...(errors === undefined ? {} : { errors }),
    });

  const handle = async (request: SimRequest): Promise<SimAnswer> => {
    options.onRequest?.(request);
    const url = new URL(request.path, 'http://host');
    if (!url.pathname.startsWith('/api2/json/'))
      return { status: 404, reason: `no such file '${url.pathname}'`, body: '' };
    const path = url.pathname.slice('/api2/json'.length);
    if (request.body !== '' && (request.method === 'GET' || request.method === 'DELETE')) {
      return refused(501, `Unexpected content for method '${request.method}'`);
    }
    const token = authenticate(options.tokens, request.headers['authorization']);
    if (token === undefined) {
      await clock.sleep(3000);
      const missing = request.headers['authorization'] === undefined;
      return { status: 401, reason: missing ? 'No ticket' : 'Authentication failed!', body: '' };
    }
    const found = match(request.method, path);
    if (found === undefined) return refused(501, `Method '${request.method} ${path}' not implemented`);
    const { route, uri } = found;
    const given = { ...Object.fromEntries(url.searchParams), ...Object.fromEntries(new URLSearchParams(request.body)) };
    try {
      if (route.needs !== undefined) {
        const [template, privilege] = route.needs;
        const object = template.replace(/\{(\w+)\}/g, (_, name: string) => uri[name] ?? '');
        need(host, token, object, privilege);
      }
      const node = uri['node'];
      if (node !== undefined) {
        const known = inventory.nodes.find((candidate) => candidate.node === node);
        if (known === undefined) throw unknownNode(node);
        if (faults.nodeError !== undefined) throw new SimError(595, faults.nodeError);
        if (!known.online) throw new SimError(595, 'No route to host');
      }
      const conflicts = Object.keys(uri).filter((name) => name in given && given[name] !== uri[name]);
      const errors = {
        ...checkParameters(route.parameters ?? {}, { ...given, ...uri }),
        ...Object.fromEntries(
          conflicts.map((name) => [name, 'duplicate parameter (already defined in URI) with conflicting values!']),
        ),
      };
      if (Object.keys(errors).length > 0) throw new SimError(400, 'Parameter verification failed.\n', errors);
      const reply = await route.run({ host, token, p: { ...given, ...uri } });
      return json(200, 'OK', reply.total === undefined || reply.total === 0 ? { data: reply.data } : reply);
    } catch (error) {
      if (error instanceof SimError) return refused(error.status, error.message, error.errors);
      throw error;
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (faults.refuse) return void request.socket.destroy();
    if (request.headers['transfer-encoding'] !== undefined) {
      return send(response, refused(501, 'chunked transfer encoding not supported'));
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (faults.hang) return;
    const { method = 'GET', url = '/', headers } = request;
    const body = Buffer.concat(chunks).toString('utf8');
    const answer = await handle({ method, path: url, headers: { authorization: headers.authorization }, body });
    if (faults.loseAnswer && method !== 'GET') {
      faults.loseAnswer = false;
      return void request.socket.destroy();
    }
    send(response, answer);
  };

  let server: Server | undefined;
  return {
    inventory,
    tasks,
    faults,
    /** The guest of this number; throws when there is none. */
    guest: (vmid: number) => {
      const guest = inventory.guests.find((candidate) => candidate.vmid === vmid);
      if (guest === undefined) throw new Error(`the simulated host has no guest ${vmid}`);
      return guest;
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
      const listening = options.tls ? createHttpsServer(options.tls, listener) : createHttpServer(listener);
      server = listening;
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject);
        listening.listen(port, address, resolve);
      });
      const { port: actual } = listening.address() as AddressInfo;
      return `${options.tls ? 'https' : 'http'}://${address}:${actual}`;
    },
    stop: async (): Promise<void> => {
      const listening = server;
      server = undefined;
      if (listening === undefined) return;
      const closed = new Promise((resolve) => listening.close(resolve));
      listening.closeAllConnections();
      await closed;
    },
  };
}

export type ProxmoxSimulator = ReturnType<typeof createProxmoxSimulator>;

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

function send(response: ServerResponse, { status, reason, body }: SimAnswer): void {
  // The status line carries UTF-8 bytes, which node:http takes as latin-1 characters.
  response.writeHead(status, Buffer.from(reason, 'utf8').toString('latin1'), {
    'Content-Type': 'application/json;charset=UTF-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Server: 'pve-api-daemon/3.0',
    'Cache-Control': 'max-age=0',
    Pragma: 'no-cache',
    ...(status >= 400 ? { Connection: 'close' } : {}),
  });
  // As bytes: node:http would join a text body with the head, and encode both as UTF-8.
  response.end(Buffer.from(body));
}
