import { z } from 'zod';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

const row = z.object({
  endpoint: z.string(),
  /** What the last handshake showed, as integrations/tls describes it. */
  seen: z.unknown(),
  checkedAt: at,
  serial: optional(z.string()),
  /** The nearest threshold, in days, that was announced for this serial. */
  announced: optional(int),
  announcedAt: optional(at),
});
export type CertificateRow = z.output<typeof row>;

/** Notes a handshake. Another serial is another certificate: nothing has been announced for it. */
export async function upsert(
  q: Queryable,
  endpoint: string,
  seen: unknown,
  serial: string | undefined,
  now: Date,
): Promise<void> {
  await q.query(
    `insert into certificates as c (endpoint, seen, serial, checked_at) values ($1, $2, $3, $4)
     on conflict (endpoint) do update set seen = excluded.seen, checked_at = excluded.checked_at,
       serial = coalesce(excluded.serial, c.serial),
       announced = case when excluded.serial is null or c.serial = excluded.serial then c.announced end,
       announced_at = case when excluded.serial is null or c.serial = excluded.serial then c.announced_at end`,
    [endpoint, toJson(seen), serial, now],
  );
}

const columns = `endpoint, seen, checked_at as "checkedAt", serial, announced, announced_at as "announcedAt"`;

export function certificate(q: Queryable, endpoint: string): Promise<CertificateRow | undefined> {
  return first(q, row, `select ${columns} from certificates where endpoint = $1`, [endpoint]);
}

export function list(q: Queryable): Promise<CertificateRow[]> {
  return many(q, row, `select ${columns} from certificates order by endpoint`);
}

/** True for the first who announces that this certificate has at most `threshold` days left; each threshold once a serial. */
export async function announce(
  q: Queryable,
  endpoint: string,
  serial: string,
  threshold: number,
  now: Date,
): Promise<boolean> {
  const rows = await touched(
    q,
    `update certificates set announced = $3, announced_at = $4
     where endpoint = $1 and serial = $2 and (announced is null or announced > $3)`,
    [endpoint, serial, threshold, now],
  );
  return rows > 0;
}

/** Forgets endpoints that are no longer declared. */
export function keepOnly(q: Queryable, endpoints: readonly string[]): Promise<number> {
  return touched(q, 'delete from certificates where endpoint <> all ($1::text[])', [endpoints]);
}
