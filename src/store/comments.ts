import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, int, only } from './rows.ts';

const comments_ = z.object({
  count: int,
  at,
  who: z.string(),
  text: z.string(),
});

/** What people said about an incident: the newest comment, and how many there are. */
export interface Comments {
  readonly count: number;
  readonly last: { readonly who: string; readonly at: Date; readonly text: string };
}

/** `undefined` when nobody said anything. */
export async function comments(q: Queryable, incident: number): Promise<Comments | undefined> {
  const found = await first(
    q,
    comments_,
    `select at, coalesce(actor, '') as who, coalesce(data->>'text', '') as text, count(*) over () as count
     from incident_events where incident_id = $1 and kind = 'commented' order by id desc limit 1`,
    [incident],
  );
  if (!found) return undefined;
  const { count, ...last } = found;
  return { count, last };
}

/** Whether this message was noted as a comment already. */
export async function isCommented(q: Queryable, incident: number, chat: number, message: number): Promise<boolean> {
  const { found } = await only(
    q,
    z.object({ found: z.boolean() }),
    `select exists (select from incident_events where incident_id = $1 and kind = 'commented'
       and (data->>'chat')::bigint = $2 and (data->>'message')::bigint = $3) as found`,
    [incident, chat, message],
  );
  return found;
}
