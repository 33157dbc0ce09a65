import { z } from 'zod';
import {
  type AuditEntry,
  type AuditFault,
  type AuditHead,
  checkChain,
  checkEnd,
  GENESIS,
  nextEntry,
} from '../core/audit.ts';
import { toJson } from '../core/json.ts';
import type { Queryable, Tx } from './db.ts';
import { at, int, jsonObject, many, only } from './rows.ts';

const entry_ = z.object({
  seq: int,
  at,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: jsonObject,
  prevHash: z.string(),
  hash: z.string(),
});
const columns = 'seq, at, actor, action, subject, detail, prev_hash as "prevHash", hash';
const head_ = z.object({ seq: int, hash: z.string() });

/** Adds a link to the chain, in the transaction that does what it tells of: both happen or neither. */
export async function appendAudit(
  tx: Tx,
  fact: {
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly detail?: Readonly<Record<string, unknown>>;
  },
  now: Date,
): Promise<AuditEntry> {
  // The lock on the head puts all writers in one line until they commit.
  const head = await only(tx, head_, 'select seq, hash from audit_head for update');
  const entry = nextEntry(head, { ...fact, detail: fact.detail ?? {}, at: now });
  await tx.query(
    `with head as (update audit_head set seq = $1, hash = $8)
     insert into audit (seq, at, actor, action, subject, detail, prev_hash, hash) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [entry.seq, entry.at, entry.actor, entry.action, entry.subject, toJson(entry.detail), entry.prevHash, entry.hash],
  );
  return entry;
}

export type AuditVerdict =
  | { readonly ok: true; readonly count: number; readonly head: AuditHead }
  | { readonly ok: false; readonly seq: number; readonly why: AuditFault };

/**
 * Recomputes the whole chain, a page at a time, up to the head at the beginning of the call; `onProgress` hears how many entries
 * are checked. `seq` of a fault is the first place that is wrong. Keep the head's hash elsewhere to notice a chain made anew.
 */
export async function verifyAudit(
  q: Queryable,
  onProgress: (checked: number) => void = () => {},
): Promise<AuditVerdict> {
  const head = await only(q, head_, 'select seq, hash from audit_head');
  let reached = GENESIS;
  for (;;) {
    const page = await many(
      q,
      entry_,
      `select ${columns} from audit where seq > $1 and seq <= $2 order by seq limit 1000`,
      [reached.seq, head.seq],
    );
    if (page.length === 0) break;
    const verdict = checkChain(reached, page);
    if (!verdict.ok) return verdict;
    reached = verdict.head;
    onProgress(reached.seq);
  }
  const end = checkEnd(reached, head);
  return end.ok ? { ok: true, count: head.seq, head } : end;
}

/** The newest entries first. */
export function recentAudit(q: Queryable, limit: number): Promise<AuditEntry[]> {
  return many(q, entry_, `select ${columns} from audit order by seq desc limit $1`, [limit]);
}
