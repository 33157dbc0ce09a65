import { z } from 'zod';
import type { Press } from '../core/doc.ts';
import { toJson } from '../core/json.ts';
import type { Queryable } from './db.ts';
import { at, first, int, only, optional, touched } from './rows.ts';

/** A press that is to mend an incident; also part of the origin of its run. */
export const pressedFix = z.object({
  key: z.string(),
  fingerprints: z.array(z.string()),
  clearsMinutes: z.number(),
  label: z.object({ ru: z.string(), en: z.string() }).exactOptional(),
});

const press = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('operation'),
    operation: z.string(),
    args: z.record(z.string(), z.unknown()),
    fix: pressedFix.exactOptional(),
  }),
  z.object({ kind: z.literal('run'), verb: z.enum(['confirm', 'approve', 'reject', 'cancel']), runId: z.string() }),
  z.object({ kind: z.literal('view'), view: z.string() }),
]) satisfies z.ZodType<Press>;

const action_ = z.object({
  token: z.string(),
  press,
  specHash: z.string(),
  cardId: optional(z.string()),
  chat: int,
  onlyFor: optional(z.string()),
  state: z.enum(['open', 'claimed', 'expired']),
  expiresAt: at,
  createdAt: at,
  claimedBy: optional(z.string()),
  claimedAt: optional(at),
  runId: optional(z.string()),
});

/** What a button stands for. */
export type Action = z.output<typeof action_>;

const columns = `token, press, spec_hash as "specHash", card_id as "cardId", chat_id as chat, only_for as "onlyFor", state,
  expires_at as "expiresAt", created_at as "createdAt", claimed_by as "claimedBy", claimed_at as "claimedAt", run_id as "runId"`;

export interface NewAction {
  readonly token: string;
  readonly press: Press;
  /** Equal for buttons that do the same on the same card. */
  readonly specHash: string;
  readonly cardId?: string | undefined;
  readonly chat: number;
  /** The only operator who may press it. */
  readonly onlyFor?: string | undefined;
  readonly expiresAt: Date;
}

/** The token of the button: that of the open one on the same card with the same spec, living longer now, else the given one. */
export async function openAction(q: Queryable, action: NewAction, now: Date): Promise<string> {
  const { token } = await only(
    q,
    z.object({ token: z.string() }),
    `insert into actions as a (token, press, spec_hash, card_id, chat_id, only_for, expires_at, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (card_id, spec_hash) where state = 'open' and card_id is not null
       do update set expires_at = greatest(a.expires_at, excluded.expires_at) returning token`,
    [
      action.token,
      toJson(action.press),
      action.specHash,
      action.cardId,
      action.chat,
      action.onlyFor,
      action.expiresAt,
      now,
    ],
  );
  return token;
}

export function findAction(q: Queryable, token: string): Promise<Action | undefined> {
  return first(q, action_, `select ${columns} from actions where token = $1`, [token]);
}

export type ClaimOutcome =
  | { readonly won: true; readonly action: Action }
  /** `state` is absent when nobody knows the token. */
  | {
      readonly won: false;
      readonly by?: string | undefined;
      readonly at?: Date | undefined;
      readonly state?: Action['state'] | undefined;
      readonly runId?: string | undefined;
    };

/** Presses the button: of any number of presses exactly one wins, and none after its time. */
export async function claimAction(q: Queryable, token: string, by: string, now: Date): Promise<ClaimOutcome> {
  const won = await first(
    q,
    action_,
    `update actions set state = 'claimed', claimed_by = $2, claimed_at = $3
     where token = $1 and state = 'open' and expires_at > $3 returning ${columns}`,
    [token, by, now],
  );
  if (won) return { won: true, action: won };
  const is = await findAction(q, token);
  if (!is) return { won: false };
  return {
    won: false,
    by: is.claimedBy,
    at: is.claimedAt,
    state: is.state === 'open' ? 'expired' : is.state,
    runId: is.runId,
  };
}

/** Opens a button again whose press came to nothing (denied, refused arguments). */
export async function reopenAction(q: Queryable, token: string): Promise<void> {
  await q.query(
    `update actions a set state = 'open', claimed_by = null, claimed_at = null where token = $1 and state = 'claimed' and run_id is null
       and not exists (select from actions o where o.card_id = a.card_id and o.spec_hash = a.spec_hash and o.state = 'open')`,
    [token],
  );
}

/** Notes what a press led to, so that a second one can point there. */
export async function linkRun(q: Queryable, token: string, runId: string): Promise<void> {
  await q.query('update actions set run_id = $2 where token = $1', [token, runId]);
}

/** True when this callback query comes for the first time; Telegram repeats an update that was not confirmed. */
export async function seenCallback(q: Queryable, id: string, now: Date): Promise<boolean> {
  const rows = await touched(
    q,
    'insert into callback_seen (callback_id, seen_at) values ($1, $2) on conflict do nothing',
    [id, now],
  );
  return rows > 0;
}

/** Closes buttons whose time has passed; how many. */
export function expire(q: Queryable, now: Date): Promise<number> {
  return touched(q, "update actions set state = 'expired' where state = 'open' and expires_at <= $1", [now]);
}

/** Forgets buttons that ended, and callbacks that were seen, before. */
export async function purge(q: Queryable, before: Date): Promise<number> {
  const callbacks = await touched(q, 'delete from callback_seen where seen_at < $1', [before]);
  return callbacks + (await touched(q, "delete from actions where state <> 'open' and expires_at < $1", [before]));
}
