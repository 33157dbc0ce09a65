import { z } from 'zod';
import type { Queryable, Tx } from './db.ts';
import { at, first, int, many, only, optional, touched } from './rows.ts';

/** A webhook that was answered 200 and is not applied yet: the body as it came. */
export interface Logged {
  readonly seq: number;
  readonly body: string;
  readonly receivedAt: Date;
}

const logged = z.object({ seq: int, body: z.string(), receivedAt: at });

/**
 * Appends bodies in one statement; they are applied in this order. Each body is a parameter of its own, since an array of
 * texts full of quotes costs more to write and to read than all the rest.
 */
export async function appendWebhooks(q: Queryable, bodies: readonly string[], now: Date): Promise<void> {
  if (bodies.length === 0) return;
  await q.query(insertOf(bodies.length), [now, ...bodies]);
}

const inserts: string[] = [];

/** One text for each number of rows, so that it stays prepared. */
function insertOf(rows: number): string {
  return (inserts[rows] ??= `insert into webhook_log (body, bytes, received_at) values ${Array.from(
    { length: rows },
    (_, n) => `($${n + 2}, octet_length($${n + 2}), $1)`,
  ).join(', ')}`);
}

/**
 * Takes the oldest ones out of the log: at most `limit`, and no more than `bytes` of text unless the first alone is longer.
 * Whoever takes them applies them in the same transaction, or has not taken them.
 */
export async function takeWebhooks(
  tx: Tx,
  { limit, bytes }: { readonly limit: number; readonly bytes: number },
): Promise<Logged[]> {
  const rows = await many(
    tx,
    logged,
    `delete from webhook_log where seq in (
       select seq from (
         select seq, sum(bytes) over (order by seq) - bytes as before
         from (select seq, bytes from webhook_log where set_aside_at is null order by seq limit $1) as oldest
       ) as measured where before < $2
     ) returning seq, body, received_at as "receivedAt"`,
    [limit, bytes],
  );
  return rows.sort((a, b) => a.seq - b.seq);
}

/** Takes this one out of the log; `undefined` when it is not there any more. */
export function takeWebhook(tx: Tx, seq: number): Promise<Logged | undefined> {
  return first(
    tx,
    logged,
    `delete from webhook_log where seq = $1 and set_aside_at is null returning seq, body, received_at as "receivedAt"`,
    [seq],
  );
}

/** Notes that it could not be applied; answers how often by now (0 when it is not there any more). */
export async function webhookFailed(q: Queryable, seq: number, error: string): Promise<number> {
  const row = await first(
    q,
    z.object({ attempts: int }),
    'update webhook_log set attempts = attempts + 1, error = $2 where seq = $1 and set_aside_at is null returning attempts',
    [seq, error],
  );
  return row?.attempts ?? 0;
}

/** It is not tried again; the body and the last error stay until `purgeSetAside`. */
export async function setAside(q: Queryable, seq: number, now: Date): Promise<boolean> {
  return (
    (await touched(q, 'update webhook_log set set_aside_at = $2 where seq = $1 and set_aside_at is null', [seq, now])) >
    0
  );
}

/** What was set aside and is still kept: how many, and when the last one was. */
export function setAsideKept(q: Queryable): Promise<{ readonly n: number; readonly last?: Date | undefined }> {
  return only(
    q,
    z.object({ n: int, last: optional(at) }),
    'select count(*) as n, max(set_aside_at) as last from webhook_log where set_aside_at is not null',
  );
}

export interface Backlog {
  /** Answered 200, not yet applied. */
  readonly waiting: number;
  /** How long the oldest of them has waited, in milliseconds; 0 when none waits. */
  readonly oldestMs: number;
  /** Could not be applied, and are kept. */
  readonly setAside: number;
}

export async function webhookBacklog(q: Queryable, now: Date): Promise<Backlog> {
  const { waiting, oldest, aside } = await only(
    q,
    z.object({ waiting: int, oldest: optional(at), aside: int }),
    `select count(*) filter (where set_aside_at is null) as waiting, count(*) filter (where set_aside_at is not null) as aside,
       min(received_at) filter (where set_aside_at is null) as oldest from webhook_log`,
  );
  return { waiting, oldestMs: oldest ? Math.max(0, now.getTime() - oldest.getTime()) : 0, setAside: aside };
}

/** Forgets what was set aside before; how many. */
export function purgeSetAside(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from webhook_log where set_aside_at < $1', [before]);
}
