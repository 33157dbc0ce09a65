import { isIP } from 'node:net';
import type { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import type { Edges, Probe, SecretSource } from '../define.ts';
import { type Permissions, sight } from '../proxmox/permissions.ts';
import { nodeTransport, type Transport } from '../proxmox/transport.ts';
import { followTask } from '../proxmox/wait.ts';
import { type Asked, connectionError, errorOf, permissionError } from './errors.ts';
import type { Pbs, TaskRow } from './port.ts';
import { parseUpid, requireUpid, type Upid } from './upid.ts';
import * as wire from './wire.ts';

export interface PbsSettings {
  /** The short name in the configuration; error sentences call it so. */
  readonly id: string;
  /** `https://pbs1.lan:8007`. */
  readonly url: string;
  /** `user@realm!name`. */
  readonly tokenId: string;
  readonly token: SecretSource;
  readonly ca?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** Datastores that `probe` looks for. */
  readonly datastores: readonly string[];
  /** For one request; default 15000. A list of snapshots may take eight times as long: the server reads a manifest for each. */
  readonly timeoutMs?: number | undefined;
}

export type PbsEdges = Edges & { readonly transport?: Transport };

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

interface Request<T> {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly parameters?: Parameters;
  readonly schema: z.ZodType<T>;
  readonly needs?: Asked['needs'];
  readonly patience?: number;
  readonly signal: AbortSignal | undefined;
}

const PAGE = 500;
/** The server takes this for its own name. */
const NODE = 'localhost';

/** The port to one Proxmox Backup Server. Throws `usage` when the settings cannot work. */
export function createPbs(settings: PbsSettings, edges: PbsEdges): Pbs {
  const base = checkSettings(settings);
  const transport = edges.transport ?? nodeTransport(settings);
  const { id } = settings;
  const timeoutMs = settings.timeoutMs ?? seconds(15);

  const call = async <T>(request: Request<T>): Promise<T> => {
    const { method = 'GET', path, parameters = {}, signal, patience = 1 } = request;
    const asked: Asked = { id, method, path, needs: request.needs };
    const timeout = new AbortController();
    const limit = timeoutMs * patience;
    const stop = edges.clock.after(limit, () =>
      timeout.abort(new DOMException(`no answer within ${limit} ms`, 'TimeoutError')),
    );
    try {
      const secret = (await settings.token()).reveal().trim();
      const fields = encode(parameters);
      const url = new URL(`${base}/api2/json${path}${method === 'POST' || fields === '' ? '' : `?${fields}`}`);
      const answer = await transport({
        method,
        url,
        headers: {
          // A colon before the secret, where Proxmox VE has an equals sign.
          Authorization: `PBSAPIToken=${settings.tokenId}:${secret}`,
          Accept: 'application/json',
          ...(method === 'POST' ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
        },
        body: method === 'POST' ? fields : undefined,
        signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
      }).catch((error: unknown) => {
        // The caller's own abort stays what it is; ours is the server's silence.
        throw signal?.aborted === true ? toVakhtaError(signal.reason) : connectionError(error, asked);
      });
      if (answer.status < 200 || answer.status > 299) throw errorOf(answer, asked, secret);
      const parsed = request.schema.safeParse(dataOf(answer.body));
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const problem = `${issue?.path.join('.') || 'data'}: ${issue?.message ?? ''}`;
        throw new VakhtaError('permanent', 'pbs-answer', `${method} ${path}: ${problem}`, { args: { problem } });
      }
      return parsed.data;
    } finally {
      stop();
    }
  };

  const permissions = (signal?: AbortSignal) => call({ path: '/access/permissions', schema: wire.permissions, signal });

  /** Lists are filtered silently: without the privilege on all of it, nothing that they say may be believed. */
  const check = (held: Permissions, store: string, privilege: string): void => {
    const path = aclPath(store);
    if (sight(held, path, privilege) !== 'all') throw permissionError(id, privilege, path);
  };

  // Asked anew each time: rights taken away meanwhile must not turn into a short list that looks fine.
  const mustSee = async (store: string, signal?: AbortSignal): Promise<Permissions> => {
    const held = await permissions(signal);
    check(held, store, 'Datastore.Audit');
    return held;
  };

  const audit = (store: string) => ({ privilege: 'Datastore.Audit', path: aclPath(store) });

  const listNamespaces = (store: string, signal?: AbortSignal) =>
    call({ path: `${storePath(store)}/namespace`, schema: wire.namespaces, needs: audit(store), signal });

  /** One list of each namespace, joined. */
  const ofAll = async <T>(
    store: string,
    what: 'groups' | 'snapshots',
    schema: (ns: string) => z.ZodType<T[]>,
    signal?: AbortSignal,
  ): Promise<T[]> => {
    await mustSee(store, signal);
    const path = `${storePath(store)}/${what}`;
    const lists = await Promise.all(
      (await listNamespaces(store, signal)).map((ns) =>
        call({
          path,
          parameters: { ns: ns === '' ? undefined : ns },
          schema: schema(ns),
          needs: audit(store),
          patience: 8,
          signal,
        }),
      ),
    );
    return lists.flat();
  };

  const jobsOf = (kind: 'verify' | 'prune' | 'sync', store: string, signal?: AbortSignal) =>
    call({
      path: `/admin/${kind}`,
      // Only pulling ones are listed unless all are asked for.
      parameters: { store, 'sync-direction': kind === 'sync' ? 'all' : undefined },
      schema: wire.jobs,
      signal,
    });

  const begin = async (
    store: string,
    action: string,
    parameters: Parameters,
    privilege: string,
    signal?: AbortSignal,
  ) => {
    const needs = { privilege, path: aclPath(store) };
    const path = `${storePath(store)}/${action}`;
    return startedTask(await call({ method: 'POST', path, parameters, schema: wire.started, needs, signal }));
  };

  const pbs: Pbs = {
    id,
    version: (signal) => call({ path: '/version', schema: wire.version, signal }),
    permissions,
    mayDo: async (store, privilege, signal) => check(await permissions(signal), store, privilege),
    usage: (signal) => call({ path: '/status/datastore-usage', schema: wire.usage, signal }),
    status: async (store, signal) => {
      await mustSee(store, signal);
      return call({ path: `${storePath(store)}/status`, schema: wire.status, needs: audit(store), signal });
    },
    namespaces: async (store, signal) => {
      await mustSee(store, signal);
      return listNamespaces(store, signal);
    },
    groups: (store, signal) => ofAll(store, 'groups', wire.groups, signal),
    snapshots: async (store, signal) =>
      (await ofAll(store, 'snapshots', wire.snapshots, signal)).toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    collection: (store, signal) =>
      call({ path: `${storePath(store)}/gc`, schema: wire.collection, needs: audit(store), signal }),

    jobs: async (store, signal) => {
      const held = await mustSee(store, signal);
      const [verify, prune, sync] = await Promise.all(
        (['verify', 'prune', 'sync'] as const).map((kind) => jobsOf(kind, store, signal)),
      );
      return {
        verify: verify ?? [],
        prune: prune ?? [],
        sync: sync ?? [],
        syncLimited: sight(held, '/remote', 'Remote.Audit') !== 'all',
      };
    },

    verify: (store, { outdatedAfterDays }, signal) =>
      begin(
        store,
        'verify',
        { 'ignore-verified': true, 'outdated-after': outdatedAfterDays },
        'Datastore.Verify',
        signal,
      ),
    collect: (store, signal) => begin(store, 'gc', {}, 'Datastore.Modify', signal),

    task: (node, upid, signal) => call({ path: `${taskPath(node, upid)}/status`, schema: wire.task, signal }),

    taskLog: async (node, upid, start = 0, signal) => {
      const path = `${taskPath(node, upid)}/log`;
      const lines: string[] = [];
      for (let next = start; ; ) {
        const page = await call({ path, parameters: { start: next, limit: PAGE }, schema: wire.taskLog, signal });
        const real = page.filter((row) => !(page.length === 1 && row.t === 'no content'));
        for (const row of real) lines.push(row.t);
        next += real.length;
        if (page.length < PAGE) return { lines, next };
      }
    },

    waitForTask: async (upid, options = {}) => followTask(pbs, edges.clock, requireUpid(upid), options),

    stopTask: async (node, upid, signal) => {
      await call({ method: 'DELETE', path: taskPath(node, upid), schema: wire.nothing, signal });
    },

    ownTasks: async (since, type, signal) => {
      const rows = new Map<string, TaskRow>();
      for (let start = 0; ; start += PAGE) {
        const parameters = {
          since: Math.floor(since.getTime() / 1000),
          typefilter: type,
          userfilter: settings.tokenId,
          start,
          limit: PAGE,
        };
        const page = await call({ path: `/nodes/${NODE}/tasks`, parameters, schema: wire.tasks, signal });
        for (const row of page) rows.set(row.upid, row);
        if (page.length < PAGE) break;
      }
      return [...rows.values()].toSorted((a, b) => b.startTime.getTime() - a.startTime.getTime());
    },

    probe: async (signal): Promise<Probe> => {
      try {
        const told = await pbs.version(signal);
        const version = `${told.version}-${told.release}`;
        const held = await permissions(signal);
        const say = (state: Probe['state'], text: string, args: Record<string, string> = {}): Probe => ({
          state,
          text,
          args: { version, ...args },
        });
        const dark = settings.datastores.find((store) => sight(held, aclPath(store), 'Datastore.Audit') !== 'all');
        if (dark !== undefined) {
          const args = { privilege: 'Datastore.Audit', path: aclPath(dark), token: settings.tokenId };
          return say('down', 'pbs-probe-no-rights', args);
        }
        const there = await pbs.usage(signal);
        const missing = settings.datastores.find((store) => !there.some((one) => one.store === store));
        if (missing !== undefined) return say('down', 'pbs-probe-no-datastore', { store: missing });
        if (sight(held, '/remote', 'Remote.Audit') !== 'all') return say('warn', 'pbs-probe-no-sync');
        const looking = settings.datastores.find((store) => sight(held, aclPath(store), 'Datastore.Verify') !== 'all');
        // Looking is all that it has to do: the role that may verify may also read what is in the backups.
        return looking === undefined ? say('ok', 'pbs-probe-ok') : say('ok', 'pbs-probe-no-verify', { store: looking });
      } catch (error) {
        const { text, args } = toVakhtaError(error);
        return { state: 'down', text, args };
      }
    },
  };
  return pbs;
}

/** The answer of a call that starts a task. What cannot be followed must not look done. */
function startedTask(answer: string): Upid {
  const upid = parseUpid(answer);
  if (upid !== undefined) return upid;
  const message = `expected a UPID, got ${JSON.stringify(answer.slice(0, 100))}`;
  throw new VakhtaError('permanent', 'pbs-answer', message, { args: { problem: 'UPID?' } });
}

function dataOf(body: string): unknown {
  try {
    const read = wire.envelope.safeParse(JSON.parse(body));
    return read.success ? (read.data.data ?? null) : undefined;
  } catch {
    return undefined;
  }
}

const aclPath = (store: string): string => `/datastore/${store}`;

/** Throws `usage` for what is no name of a datastore: nothing else may become part of a path. */
function storePath(store: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$/.test(store)) return `/admin/datastore/${store}`;
  throw new VakhtaError('usage', 'pbs-no-such-datastore', `not a datastore: ${store}`, { args: { host: '', store } });
}

function taskPath(node: string, upid: string): string {
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(node)) {
    throw new VakhtaError('usage', 'pbs-upid', `not a node: ${node}`, { args: { upid } });
  }
  return `/nodes/${node}/tasks/${encodeURIComponent(requireUpid(upid).upid)}`;
}

function encode(parameters: Parameters): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) fields.set(name, String(value));
  return fields.toString();
}

function checkSettings({ id, url, tokenId }: PbsSettings): string {
  const refuse = (problem: string) =>
    new VakhtaError('usage', 'pbs-settings', `pbs ${id}: ${problem}`, { args: { host: id, problem } });
  if (!URL.canParse(url)) throw refuse(`url: ${url}`);
  const { protocol, hostname, origin, pathname } = new URL(url);
  const local =
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
  if (protocol !== 'https:' && !(protocol === 'http:' && local)) throw refuse(`url: ${url} (https)`);
  if (!/^[^\s:/@]+@[A-Za-z0-9_][A-Za-z0-9._-]*![A-Za-z0-9_][A-Za-z0-9._-]*$/.test(tokenId)) {
    throw refuse(`token_id: ${tokenId} (user@realm!name)`);
  }
  return origin + pathname.replace(/\/$/, '');
}
