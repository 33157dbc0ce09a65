import type { SimToken } from './access.ts';
import type { Parameters } from './parameters.ts';
import type { SimDatastore, SimServer } from './state.ts';
import type { Tasks } from './tasks.ts';

/** A refusal: the text is all that there is in the body. */
export class SimError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const forbidden = (): SimError => new SimError(403, 'permission check failed');

export interface Host {
  readonly server: SimServer;
  readonly tasks: Tasks;
  readonly version: string;
  /** Seconds since the epoch. */
  now(): number;
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
  /** `/admin/datastore/{store}/status`. */
  readonly path: string;
  readonly parameters?: Parameters;
  /** Checked before the parameters; any of the privileges will do. Other routes check by themselves. */
  readonly needs?: readonly [path: string, ...privileges: string[]];
  readonly run: (call: Call) => Reply;
}

export function storeOf({ server }: Host, name: string | undefined): SimDatastore {
  const found = server.datastores.find((one) => one.name === name);
  if (found === undefined) throw new SimError(400, `no such datastore '${name ?? ''}'`);
  if (found.error !== undefined) throw new SimError(400, found.error);
  return found;
}
