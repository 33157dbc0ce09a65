import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, int, many, optional, touched } from './rows.ts';

export const DEPLOYMENT_STATES = ['started', 'succeeded', 'failed', 'cancelled'] as const;

const row = z.object({
  id: int,
  service: z.string(),
  version: z.string(),
  environment: optional(z.string()),
  by: optional(z.string()),
  url: optional(z.string()),
  status: z.enum(DEPLOYMENT_STATES),
  at,
});

/** What a pipeline said it has deployed. */
export type Deployment = z.output<typeof row>;

const columns = 'id, service, version, environment, by, url, status, at';

export interface NewDeployment {
  /** The same for the same report, however often it comes. */
  readonly key: string;
  readonly service: string;
  readonly version: string;
  readonly environment?: string | undefined;
  readonly by?: string | undefined;
  readonly url?: string | undefined;
  readonly status: Deployment['status'];
  readonly at: Date;
}

/** The new row; `undefined` when it was known. */
export function addDeployment(q: Queryable, one: NewDeployment, now: Date): Promise<Deployment | undefined> {
  return first(
    q,
    row,
    `insert into deployments (key, service, version, environment, by, url, status, at, received_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (key) do nothing returning ${columns}`,
    [one.key, one.service, one.version, one.environment, one.by, one.url, one.status, one.at, now],
  );
}

/** Deployments in [from, to], newest first. */
export function deployments(q: Queryable, from: Date, to: Date, limit: number): Promise<Deployment[]> {
  return many(
    q,
    row,
    `select ${columns} from deployments where at between $1 and $2 order by at desc, id desc limit $3`,
    [from, to, limit],
  );
}

export function purgeDeployments(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from deployments where at < $1', [before]);
}
