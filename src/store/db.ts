import pg from 'pg';
import { type Clock, systemClock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import { createLeader } from './db-leader.ts';
import { createListener } from './db-listener.ts';
import { asStoreError, codeOf } from './errors.ts';

export interface Result {
  readonly rows: readonly unknown[];
  readonly rowCount: number;
}

/** The pool or a transaction: the first parameter of every function of the store. Errors of a lost database are `transient`. */
export interface Queryable {
  query(text: string, params?: readonly unknown[]): Promise<Result>;
}

/** A query inside a transaction; functions that are only right in one ask for this type. */
export interface Tx extends Queryable {
  readonly inTransaction: true;
  /**
   * For statements whose answer nobody needs: it answers no rows at once, and they travel together with the commit. The
   * transaction counts as committed only when each of them succeeded.
   */
  readonly late: Queryable;
}

export interface Database extends Queryable {
  /** Runs `work` in one transaction; on a serialization failure or deadlock from the start again, at most thrice. */
  tx<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Calls `handler` for each notification of the channel, and once without a payload after each reconnect ("something may
   * have happened"). Resolves when the first subscription holds; the answer ends it.
   */
  listen(channel: string, handler: (payload?: string) => void): Promise<() => Promise<void>>;
  /**
   * Waits until this process holds the lock `name` alone, then runs `run`. When the connection (and so the lock) is lost, the
   * signal of `run` aborts, and after `run` ended the wait starts anew. Resolves when `run` ends by itself or `signal` aborts.
   */
  leader(name: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<void>): Promise<void>;
  /** Ends leaderships (their signals abort) and subscriptions, then waits for queries that run. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string | pg.ClientConfig;
  /** Connections in the pool; default 10. Listener and leaders have their own. */
  readonly max?: number;
  readonly log: Log;
  readonly clock?: Clock;
}

/** Identities and Telegram ids fit into 2^53, so bigint columns are numbers; one that does not fit is a bug, not a rounding. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): unknown {
    if (oid === pg.types.builtins.INT8 && format !== 'binary') return parseBigint;
    return pg.types.getTypeParser(oid, format);
  },
};

function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint out of range: ${text}`);
  return value;
}

/** The options of every connection: dead peers are noticed within seconds on both sides. */
export function connectionConfig(url: string | pg.ClientConfig): pg.ClientConfig {
  const given: pg.ClientConfig = typeof url === 'string' ? { connectionString: url } : url;
  return {
    application_name: 'vakhta',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    ...given,
    types,
  };
}

/** Connects when first used. */
export function openDatabase(options: DatabaseOptions): Database {
  const { log, clock = systemClock } = options;
  const config = connectionConfig(options.url);
  const pool = new pg.Pool({
    ...config,
    // Statements that do not wait for each other's answers travel together.
    pipeline: true,
    max: options.max ?? 10,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
  });
  // An idle connection that dies is replaced by the pool; without a listener the event would end the process.
  pool.on('error', (error) => log.warn({ error: error.message }, 'idle database connection lost'));

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(config);
    client.on('error', () => {});
    await client.connect();
    // The server frees the locks of a peer that vanished without a word.
    await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3');
    return client;
  };
  const closing = new AbortController();
  const listener = createListener({ connect, clock, log });
  const lead = createLeader({ connect, clock, log, closing: closing.signal });
  const leading = new Set<Promise<void>>();

  const tx = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(pool, work);
      } catch (error) {
        const code = codeOf(error);
        if ((code !== '40001' && code !== '40P01') || attempt > 3) throw error;
        log.debug({ code, attempt }, 'transaction starts again');
      }
    }
  };

  return {
    query: (text, params) => query(pool, text, params),
    tx,
    listen: (channel, handler) => listener.listen(channel, handler),
    leader: async (name, signal, run) => {
      const term = lead(name, signal, run);
      leading.add(term);
      try {
        await term;
      } finally {
        leading.delete(term);
      }
    },
    async close() {
      closing.abort(new Error('the database is closing'));
      await Promise.allSettled(leading);
      await listener.close();
      await pool.end();
    },
  };
}

/** Sends a notification when the transaction commits; equal ones of one transaction arrive once. */
export async function notify(q: Queryable, channel: Channel, payload = ''): Promise<void> {
  await q.query('select pg_notify($1, $2)', [channel, payload]);
}

/**
 * In the `where` of a statement of its own: its commit does not wait for the disk. For counts that a crash of the whole machine
 * may lose; a crash of this program loses nothing.
 */
export const UNHURRIED = "set_config('synchronous_commit', 'off', true) is not null";

export type Channel = 'vakhta_outbox' | 'vakhta_cancel' | 'vakhta_webhooks';

const names = new Map<string, string>();

/** Every text of the program is planned once for each connection; there are as many as there are places in the source. */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `v${names.size + 1}`;
  names.set(text, name);
  return name;
}

async function query(on: pg.Pool | pg.PoolClient, text: string, params: readonly unknown[] = []): Promise<Result> {
  try {
    const { rows, rowCount } = await on.query<Record<string, unknown>>(
      params.length === 0 ? { text } : { name: nameOf(text), text, values: [...params] },
    );
    return { rows, rowCount: rowCount ?? 0 };
  } catch (error) {
    throw asStoreError(error);
  }
}

const NOTHING: Result = { rows: [], rowCount: 0 };

/** What is sent in one turn of the event loop leaves in one packet. */
function gather({ connection: { stream } }: pg.PoolClient): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

async function once<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw asStoreError(error);
  }
  // Between two queries a lost connection says so by this event only; the next query then fails.
  const ignore = () => {};
  client.on('error', ignore);
  let broken: Error | undefined;
  const sent: Promise<Result>[] = [];
  const ask = (text: string, params?: readonly unknown[]): Promise<Result> => {
    gather(client);
    return query(client, text, params);
  };
  /** Its end is awaited, and its failure heard, before the transaction ends. */
  const send = (text: string, params?: readonly unknown[]): void => {
    const answer = ask(text, params);
    answer.catch(ignore);
    sent.push(answer);
  };
  const late: Queryable = {
    query: (text, params) => {
      send(text, params);
      return Promise.resolve(NOTHING);
    },
  };
  try {
    send('begin');
    const result = await work({ query: ask, late, inTransaction: true });
    gather(client);
    const ended = client.query('commit');
    ended.catch(ignore);
    for (const answer of sent) await answer;
    // PostgreSQL answers a commit after a failed statement with a rollback, and does not call that an error.
    const { command } = await ended.catch((error: unknown) => {
      throw asStoreError(error);
    });
    if (command !== 'COMMIT') {
      throw new VakhtaError('bug', 'internal', 'a statement of a transaction failed and its error was not passed on');
    }
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}
