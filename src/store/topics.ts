import { z } from 'zod';
import type { Queryable } from './db.ts';
import { at, first, touched } from './rows.ts';

const claim_ = z.object({ until: at, refused: z.boolean() });

/**
 * `mine`: make the topic now, nobody else does before `until`. Else somebody is at it, or Telegram refused it: ask again at
 * that time.
 */
export type TopicClaim =
  | { readonly kind: 'mine' }
  | { readonly kind: 'taken'; readonly until: Date }
  | { readonly kind: 'refused' };

export async function claimTopic(
  q: Queryable,
  chat: number,
  name: string,
  now: Date,
  until: Date,
): Promise<TopicClaim> {
  const won = await touched(
    q,
    `insert into topic_claims as c (chat_id, name, until) values ($1, $2, $4)
     on conflict (chat_id, name) do update set until = excluded.until, refused = false where c.until <= $3`,
    [chat, name, now, until],
  );
  if (won > 0) return { kind: 'mine' };
  const found = await first(q, claim_, 'select until, refused from topic_claims where chat_id = $1 and name = $2', [
    chat,
    name,
  ]);
  // Gone between the two statements: it was made, or given back.
  if (found === undefined) return { kind: 'taken', until: now };
  return found.refused ? { kind: 'refused' } : { kind: 'taken', until: found.until };
}

/** It was not made after all, and nothing speaks against trying again. */
export async function releaseTopic(q: Queryable, chat: number, name: string): Promise<void> {
  await q.query('delete from topic_claims where chat_id = $1 and name = $2 and not refused', [chat, name]);
}

/** It may not be made, or nobody knows whether it was: not tried again before. */
export async function refuseTopic(q: Queryable, chat: number, name: string, until: Date): Promise<void> {
  await q.query('update topic_claims set refused = true, until = $3 where chat_id = $1 and name = $2', [
    chat,
    name,
    until,
  ]);
}

/** Forgets claims and refusals that ended before; how many. */
export function purgeTopicClaims(q: Queryable, before: Date): Promise<number> {
  return touched(q, 'delete from topic_claims where until < $1', [before]);
}

/** Remembers the thread of a topic by name; the claim to make it ends. */
export async function setTopic(q: Queryable, chat: number, name: string, thread: number): Promise<void> {
  await q.query(
    `with done as (delete from topic_claims where chat_id = $1 and name = $2)
     insert into chat_state as s (chat_id, topics) values ($1, jsonb_build_object($2::text, $3::bigint))
     on conflict (chat_id) do update set topics = s.topics || excluded.topics`,
    [chat, name, thread],
  );
}

/** The topic of that thread was deleted; another one of the same name stays. */
export async function forgetTopic(q: Queryable, chat: number, name: string, thread: number): Promise<void> {
  await q.query(
    `update chat_state set topics = topics - $2::text where chat_id = $1 and topics ->> $2::text = $3::bigint::text`,
    [chat, name, thread],
  );
}
