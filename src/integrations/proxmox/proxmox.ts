import { isIP } from 'node:net';
import type { z } from 'zod';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Edges, Probe, SecretSource } from '../define.ts';
import { agentInterfaces, containerInterfaces, outerAddresses } from './addresses.ts';
import { type Call, createGuestBackups } from './backups.ts';
import { type Asked, connectionError, errorOf, permissionError, readEnvelope } from './errors.ts';
import { type Permissions, holdsAt, sight } from './permissions.ts';
import type { Guest, Proxmox, ResourceKind, TaskRow } from './port.ts';
import { nodeTransport, type Transport } from './transport.ts';
import { requireUpid, startedTask } from './upid.ts';
import { followTask } from './wait.ts';
import * as wire from './wire.ts';

export interface ProxmoxSettings {
  /** The short name of this installation in the configuration; error sentences call it so. */
  readonly id: string;
  /** `https://pve1.lan:8006`. */
  readonly url: string;
  /** `USER@REALM!NAME`. */
  readonly tokenId: string;
  readonly token: SecretSource;
  readonly ca?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** For one request; default 15000. A refused token alone takes the host 3 s. */
  readonly timeoutMs?: number | undefined;
}

export type ProxmoxEdges = Edges & { readonly transport?: Transport };

type Parameters = Readonly<Record<string, string | number | undefined>>;

/** Which privilege opens which list, and where. Source: `PVE/API2/Cluster.pm`, `resources`. */
const SIGHT: Record<ResourceKind, { root: string; privilege: string }> = {
  node: { root: '/nodes', privilege: 'Sys.Audit' },
  vm: { root: '/vms', privilege: 'VM.Audit' },
  storage: { root: '/storage', privilege: 'Datastore.Audit' },
};
const KINDS: readonly ResourceKind[] = ['node', 'vm', 'storage'];

/** The host's largest page of lists that come in pages. */
const PAGE = 500;

/** The port to one Proxmox VE installation. Throws `usage` when the settings cannot work. */
export function createProxmox(settings: ProxmoxSettings, edges: ProxmoxEdges): Proxmox {
  const base = checkSettings(settings);
  const transport = edges.transport ?? nodeTransport(settings);
  const { id } = settings;

  const call: Call = async <T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    parameters: Parameters,
    schema: z.ZodType<T>,
    signal?: AbortSignal,
    timeoutMs?: number,
  ): Promise<T> => {
    const asked: Asked = { id, method, path };
    const timeout = new AbortController();
    const limitMs = Math.max(settings.timeoutMs ?? 15_000, timeoutMs ?? 0);
    const stop = edges.clock.after(limitMs, () =>
      timeout.abort(new DOMException(`no answer within ${limitMs} ms`, 'TimeoutError')),
    );
    try {
      const secret = (await settings.token()).reveal().trim();
      const fields = encode(parameters);
      const hasBody = method === 'POST' || method === 'PUT';
      const url = new URL(`${base}/api2/json${path}${hasBody || fields === '' ? '' : `?${fields}`}`);
      const answer = await transport({
        method,
        url,
        headers: {
          Authorization: `PVEAPIToken=${settings.tokenId}=${secret}`,
          Accept: 'application/json',
          ...(hasBody ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
        },
        body: hasBody ? fields : undefined,
        signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
      }).catch((error: unknown) => {
        // The caller's own abort stays what it is; ours is the host's silence.
        throw signal?.aborted === true ? toVakhtaError(signal.reason) : connectionError(error, asked);
      });
      if (answer.status < 200 || answer.status > 299) throw errorOf(answer, asked);
      const body = readEnvelope(answer.body);
      const parsed = schema.safeParse(body === undefined ? undefined : (body.data ?? null));
      if (!parsed.success) {
        const problem =
          parsed.error.issues.map((issue) => `${issue.path.join('.') || 'data'}: ${issue.message}`)[0] ?? '';
        throw new VakhtaError('permanent', 'proxmox-answer', `${method} ${path}: ${problem}`, { args: { problem } });
      }
      return parsed.data;
    } finally {
      stop();
    }
  };
  const get = <T>(path: string, parameters: Parameters, schema: z.ZodType<T>, signal?: AbortSignal) =>
    call('GET', path, parameters, schema, signal);

  const permissions = (signal?: AbortSignal) => get('/access/permissions', {}, wire.permissions, signal);

  /** The kinds seen in part. Rejects when one of the asked kinds cannot be seen at all. */
  const checkSight = (held: Permissions, kinds: readonly ResourceKind[]): ResourceKind[] =>
    kinds.filter((kind) => {
      const { root, privilege } = SIGHT[kind];
      const seen = sight(held, root, privilege);
      if (seen === 'none') throw permissionError(id, privilege, root);
      return seen === 'some';
    });

  const proxmox: Proxmox = {
    id,
    version: (signal) => get('/version', {}, wire.version, signal),
    permissions,

    resources: async (kind, signal) => {
      // Asked anew each time: rights taken away meanwhile must not turn into a short list that looks fine.
      const limited = checkSight(await permissions(signal), kind === undefined ? KINDS : [kind]);
      const rows = await get('/cluster/resources', { type: kind }, wire.resources, signal);
      return { ...rows, limited };
    },

    addresses: async ({ type, vmid, node }, signal) => {
      const guest = `${nodePath(node)}/${type}/${vmid}`;
      return outerAddresses(
        type === 'lxc'
          ? await get(`${guest}/interfaces`, {}, containerInterfaces, signal)
          : await get(`${guest}/agent/network-get-interfaces`, {}, agentInterfaces, signal),
      );
    },

    guest: async (nameOrId, signal) => pick(id, (await proxmox.resources('vm', signal)).guests, String(nameOrId)),

    power: async (guest, action, options = {}, signal) => {
      if (guest.template) {
        throw new VakhtaError('usage', 'proxmox-template', `${guest.vmid} is a template`, {
          args: { guest: guest.name },
        });
      }
      const path = `${nodePath(guest.node)}/${guest.type}/${guest.vmid}/status/${action}`;
      // `start` and `stop` of a container know no time-out, and unknown parameters are refused.
      const timeout = action === 'shutdown' || action === 'reboot' ? options.timeout : undefined;
      const forceStop = action === 'shutdown' && options.forceStop === true ? 1 : undefined;
      const answer = await call('POST', path, { timeout, forceStop }, wire.started, signal);
      const upid = startedTask(answer);
      if (upid === undefined) {
        throw new VakhtaError('permanent', 'proxmox-answer', `${path}: OK instead of a UPID`, {
          args: { problem: 'OK' },
        });
      }
      return upid;
    },

    vzdump: async (guest, { storage, mode = 'snapshot' }, signal) =>
      startedTask(
        await call('POST', `${nodePath(guest.node)}/vzdump`, { vmid: guest.vmid, storage, mode }, wire.started, signal),
      ),

    task: async (node, upid, signal) => get(`${taskPath(node, upid)}/status`, {}, wire.task, signal),

    taskLog: async (node, upid, start = 0, signal) => {
      const path = `${taskPath(node, upid)}/log`;
      const lines: string[] = [];
      for (let next = start; ; ) {
        const page = await get(path, { start: next, limit: PAGE }, wire.taskLog, signal);
        // While a task has no output the host answers one made-up line, numbered 1.
        const real = page.filter((row) => !(page.length === 1 && row.t === 'no content'));
        for (const row of real) lines.push(row.t ?? '');
        next += real.length;
        if (page.length < PAGE) return { lines, next };
      }
    },

    waitForTask: async (upid, options = {}) => followTask(proxmox, edges.clock, requireUpid(upid), options),

    stopTask: async (node, upid, signal) => {
      await call('DELETE', taskPath(node, upid), {}, wire.nothing, signal);
    },

    tasks: async (node, { since, own = false, vmid, type }, signal) => {
      if (!own && !holdsAt(await permissions(signal), `/nodes/${node}`, 'Sys.Audit')) {
        throw permissionError(id, 'Sys.Audit', `/nodes/${node}`);
      }
      const rows = new Map<string, TaskRow>();
      for (let start = 0; ; start += PAGE) {
        const page = await get(
          `${nodePath(node)}/tasks`,
          {
            since: Math.floor(since.getTime() / 1000),
            source: 'all',
            vmid,
            typefilter: type,
            userfilter: own ? settings.tokenId : undefined,
            start,
            limit: PAGE,
          },
          wire.tasks,
          signal,
        );
        // A task that ends between two pages moves from the active list to the archive: keyed, it counts once.
        for (const row of page) rows.set(row.upid, row);
        if (page.length < PAGE) break;
      }
      return [...rows.values()].toSorted((a, b) => b.startTime.getTime() - a.startTime.getTime());
    },

    nodeStatus: async (node, signal) => get(`${nodePath(node)}/status`, {}, wire.nodeStatus, signal),
    certificates: async (node, signal) => get(`${nodePath(node)}/certificates/info`, {}, wire.certificates, signal),

    backups: createGuestBackups({ id, call, permissions, nodePath }),

    probe: async (signal): Promise<Probe> => {
      try {
        const { version } = await proxmox.version(signal);
        const held = await permissions(signal);
        const lacking = KINDS.map((kind) => SIGHT[kind]).find(
          ({ root, privilege }) => sight(held, root, privilege) === 'none',
        );
        if (lacking !== undefined) {
          const args = { version, privilege: lacking.privilege, path: lacking.root, token: settings.tokenId };
          return { state: 'down', text: 'proxmox-probe-no-rights', args };
        }
        const limited = checkSight(held, KINDS);
        return limited.length > 0
          ? { state: 'warn', text: 'proxmox-probe-limited', args: { version, kinds: limited.join(', ') } }
          : { state: 'ok', text: 'proxmox-probe-ok', args: { version } };
      } catch (error) {
        const { text, args } = toVakhtaError(error);
        return { state: 'down', text, args };
      }
    },
  };
  return proxmox;
}

/** The guest that a person means. Pure; throws `usage` when there is none, or several. */
export function pick(host: string, guests: readonly Guest[], wanted: string): Guest {
  const name = wanted.trim();
  const byId = guests.find((guest) => String(guest.vmid) === name || `${guest.type}/${guest.vmid}` === name);
  if (byId !== undefined) return byId;
  const named = guests.filter((guest) => guest.name.toLowerCase() === name.toLowerCase());
  const [first] = named;
  if (first === undefined) {
    throw new VakhtaError('usage', 'proxmox-no-such-guest', `no guest ${name}`, { args: { host, guest: name } });
  }
  if (named.length > 1) {
    const candidates = named.map((guest) => `${guest.vmid} (${guest.type}, ${guest.node})`).join(', ');
    throw new VakhtaError('usage', 'proxmox-guest-ambiguous', `${name}: ${candidates}`, {
      args: { guest: name, candidates },
    });
  }
  return first;
}

/** `/nodes/pve1`. Throws `usage` for what is no node name: nothing else may become part of a path. */
function nodePath(node: string): string {
  if (/^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(node)) return `/nodes/${node}`;
  throw new VakhtaError('usage', 'proxmox-no-such-node', `not a node name: ${node}`, {
    args: { host: '', problem: node },
  });
}

const taskPath = (node: string, upid: string): string =>
  `${nodePath(node)}/tasks/${encodeURIComponent(requireUpid(upid).upid)}`;

function encode(parameters: Parameters): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) fields.set(name, String(value));
  return fields.toString();
}

function checkSettings({ id, url, tokenId, fingerprint }: ProxmoxSettings): string {
  const refuse = (problem: string) =>
    new VakhtaError('usage', 'proxmox-settings', `proxmox ${id}: ${problem}`, { args: { host: id, problem } });
  if (!URL.canParse(url)) throw refuse(`url: ${url}`);
  const { protocol, hostname, origin, pathname } = new URL(url);
  const local =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
  if (protocol !== 'https:' && !(protocol === 'http:' && local)) throw refuse(`url: ${url} (https)`);
  if (!/^[^\s:/@]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/.test(tokenId)) {
    throw refuse(`tokenId: ${tokenId} (USER@REALM!NAME)`);
  }
  if (fingerprint !== undefined && !/^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/.test(fingerprint)) {
    throw refuse('fingerprint: SHA-256, AB:CD:…');
  }
  return origin + pathname.replace(/\/$/, '');
}
