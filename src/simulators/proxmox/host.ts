import { allowedWithPool, type SimToken } from './access.ts';
import type { Random } from '../../core/random.ts';
import type { Inventory, SimGuest, SimNode } from './inventory.ts';
import type { Parameters } from './parameters.ts';
import type { Tasks } from './tasks.ts';

/** A refusal, as a handler of the host dies with it. */
export class SimError extends Error {
  readonly status: number;
  readonly errors: Readonly<Record<string, string>> | undefined;

  constructor(status: number, message: string, errors?: Readonly<Record<string, string>>) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export interface Host {
  readonly inventory: Inventory;
  readonly tasks: Tasks;
  readonly version: string;
  readonly random: Random;
  /** Seconds since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export interface Call {
  readonly host: Host;
  readonly token: SimToken;
  readonly p: Readonly<Record<string, string>>;
}

/** `total` goes beside `data`, where the handler sets it. */
export interface Reply {
  readonly data: unknown;
  readonly total?: number;
}

export interface Route {
  readonly method: string;
  /** `/nodes/{node}/status`. */
  readonly path: string;
  readonly parameters?: Parameters;
  /** Checked before the parameters, as the host does. `{vmid}` and `{node}` are filled in. */
  readonly needs?: readonly [path: string, privilege: string];
  readonly run: (call: Call) => Reply | Promise<Reply>;
}

export function nodeOf(host: Host, name: string | undefined): SimNode {
  const node = host.inventory.nodes.find((candidate) => candidate.node === name);
  if (node === undefined) throw unknownNode(name ?? '');
  return node;
}

export const unknownNode = (name: string): SimError =>
  new SimError(
    500,
    `hostname lookup '${name}' failed - failed to get address info for: ${name}: Name or service not known\n`,
  );

export function guestOf(host: Host, type: 'lxc' | 'qemu', p: Call['p']): SimGuest {
  const guest = host.inventory.guests.find(
    (candidate) => candidate.node === p['node'] && candidate.type === type && String(candidate.vmid) === p['vmid'],
  );
  if (guest !== undefined) return guest;
  const folder = type === 'lxc' ? 'lxc' : 'qemu-server';
  throw new SimError(500, `Configuration file 'nodes/${p['node']}/${folder}/${p['vmid']}.conf' does not exist\n`);
}

/** Whether any of the privileges is held there, by the token's own lines or by a guest's pool. */
export const may = (host: Host, token: SimToken, path: string, ...privileges: string[]): boolean =>
  allowedWithPool(
    token,
    (vmid) => host.inventory.guests.find((guest) => guest.vmid === vmid)?.pool,
    path,
    ...privileges,
  );

/** Refuses as the host does: several privileges, of which one is enough, are joined. */
export function need(host: Host, token: SimToken, path: string, ...privileges: string[]): void {
  if (may(host, token, path, ...privileges)) return;
  throw new SimError(403, `Permission check failed (${path}, ${privileges.join('|')})\n`);
}
