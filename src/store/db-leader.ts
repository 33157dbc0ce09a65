import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';

interface Edges {
  readonly connect: () => Promise<pg.Client>;
  readonly clock: Clock;
  readonly log: Log;
  readonly closing: AbortSignal;
}

type Work = (signal: AbortSignal) => Promise<void>;

const RETRY_MS = 1000;
const PING_MS = 5000;

/** Leadership by a session's advisory lock: it cannot outlive its connection, so a dead leader never has to be timed out. */
export function createLeader({ connect, clock, log, closing }: Edges) {
  return async (name: string, signal: AbortSignal, run: Work): Promise<void> => {
    const stop = AbortSignal.any([signal, closing]);
    while (!stop.aborted) {
      const client = await acquire(name, stop);
      if (client && (await lead(client, name, stop, run)) === 'ended') return;
      await clock.sleep(RETRY_MS, stop).catch(() => {});
    }
  };

  /** A connection that holds the lock; `undefined` when there was none to get, or `stop` aborted first. */
  async function acquire(name: string, stop: AbortSignal): Promise<pg.Client | undefined> {
    let client: pg.Client | undefined;
    const giveUp = () => void client?.end().catch(() => {});
    try {
      client = await connect();
      stop.addEventListener('abort', giveUp, { once: true });
      if (stop.aborted) throw new Error('stopped');
      await client.query('select pg_advisory_lock($1::bigint)', [lockKey(name)]);
      if (stop.aborted) throw new Error('stopped');
      return client;
    } catch (error) {
      giveUp();
      if (!stop.aborted) log.warn({ name, error: String(error) }, 'cannot ask the database for leadership');
      return undefined;
    } finally {
      stop.removeEventListener('abort', giveUp);
    }
  }

  async function lead(client: pg.Client, name: string, stop: AbortSignal, run: Work): Promise<'ended' | 'lost'> {
    const lost = new AbortController();
    const onLost = () =>
      lost.abort(new VakhtaError('transient', 'database-down', `leadership of ${name} went with the connection`));
    client.on('error', onLost);
    client.on('end', onLost);
    const stopPings = ping(client, onLost);
    log.info({ name }, 'leading');
    try {
      await run(AbortSignal.any([stop, lost.signal]));
      return lost.signal.aborted && !stop.aborted ? 'lost' : 'ended';
    } catch (error) {
      if (stop.aborted) return 'ended';
      if (!lost.signal.aborted) throw error;
      log.warn({ name }, 'leadership went with the connection');
      return 'lost';
    } finally {
      stopPings();
      await client.end().catch(() => {});
    }
  }

  /** A connection that is gone without a word counts as lost when an answer takes longer than the pause between two questions. */
  function ping(client: pg.Client, onLost: () => void): () => void {
    let cancel = () => {};
    const ask = () => {
      cancel = clock.after(PING_MS, onLost);
      client.query('select 1').then(() => {
        cancel();
        cancel = clock.after(PING_MS, ask);
      }, onLost);
    };
    cancel = clock.after(PING_MS, ask);
    return () => cancel();
  }
}

/** Advisory locks have 64-bit keys; the prefix keeps ours apart from those of other programs in the same database. */
export function lockKey(name: string): string {
  return createHash('sha256').update(`vakhta leader ${name}`).digest().readBigInt64BE(0).toString();
}
