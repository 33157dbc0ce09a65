import type pg from 'pg';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { asStoreError } from './errors.ts';

type Handler = (payload?: string) => void;

interface Edges {
  readonly connect: () => Promise<pg.Client>;
  readonly clock: Clock;
  readonly log: Log;
}

const RETRY_MS = 500;
const RETRY_MAX_MS = 10_000;
/** A silent half-open connection is found out by asking. */
const PING_MS = 30_000;

/** All subscriptions of a process on one connection, made anew whenever it is lost. */
export function createListener({ connect, clock, log }: Edges) {
  const handlers = new Map<string, Set<Handler>>();
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let closed = false;
  let cancelTimer = () => {};

  /** One statement after the other: a client takes the next one when it has answered. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (of: pg.Client, text: string): Promise<unknown> => {
    const mine = turn.then(() => of.query(text));
    turn = mine.catch(() => {});
    return mine;
  };

  const call = (handler: Handler, payload?: string) => {
    try {
      handler(payload);
    } catch (error) {
      log.error({ error: String(error) }, 'a notification handler failed');
    }
  };

  const establish = async (): Promise<pg.Client> => {
    const fresh = await connect();
    let lost = false;
    const onLost = () => {
      if (lost) return;
      lost = true;
      if (client === fresh) client = undefined;
      fresh.end().catch(() => {});
      if (!closed) reconnect(RETRY_MS);
    };
    fresh.on('error', onLost);
    fresh.on('end', onLost);
    fresh.on('notification', ({ channel, payload }) => {
      for (const handler of handlers.get(channel) ?? []) call(handler, payload);
    });
    try {
      for (const channel of handlers.keys()) await fresh.query(`listen ${quote(channel)}`);
    } catch (error) {
      onLost();
      throw error;
    }
    if (closed || lost) {
      onLost();
      throw new Error('Connection terminated');
    }
    client = fresh;
    ping(fresh, onLost);
    return fresh;
  };

  const ping = (of: pg.Client, onLost: () => void) => {
    cancelTimer = clock.after(PING_MS, () => {
      if (client !== of) return;
      inTurn(of, 'select 1').then(
        () => ping(of, onLost),
        () => onLost(),
      );
    });
  };

  const connected = (): Promise<pg.Client> => {
    if (client) return Promise.resolve(client);
    connecting ??= establish().finally(() => {
      connecting = undefined;
    });
    return connecting;
  };

  const reconnect = (delay: number) => {
    if (closed || handlers.size === 0) return;
    cancelTimer();
    cancelTimer = clock.after(delay, () => {
      connected().then(
        () => {
          log.info({}, 'listening again');
          for (const set of handlers.values()) for (const handler of set) call(handler);
        },
        (error: Error) => {
          log.warn({ error: error.message }, 'cannot listen to the database');
          reconnect(Math.min(delay * 2, RETRY_MAX_MS));
        },
      );
    });
  };

  return {
    async listen(channel: string, handler: Handler): Promise<() => Promise<void>> {
      const set = handlers.get(channel) ?? new Set();
      handlers.set(channel, set);
      set.add(handler);
      try {
        const on = await connected();
        await inTurn(on, `listen ${quote(channel)}`);
      } catch (error) {
        set.delete(handler);
        if (set.size === 0) handlers.delete(channel);
        throw asStoreError(error);
      }
      return async () => {
        set.delete(handler);
        if (set.size > 0) return;
        handlers.delete(channel);
        if (client) await inTurn(client, `unlisten ${quote(channel)}`).catch(() => {});
      };
    },
    async close(): Promise<void> {
      closed = true;
      cancelTimer();
      await connecting?.catch(() => {});
      const last = client;
      client = undefined;
      await last?.end().catch(() => {});
    },
  };
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
