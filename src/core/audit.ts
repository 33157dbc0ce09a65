import { createHash } from 'node:crypto';
import { canonicalJson, cleanText } from './json.ts';

/** What happened, before it has a place in the chain. `detail` never holds a secret. */
export interface AuditFact {
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The last link of the chain. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

export interface AuditEntry extends AuditFact {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
}

export type AuditFault = 'altered' | 'removed' | 'reordered' | 'tail-removed' | 'head-altered';

/** The head of an empty chain. */
export const GENESIS: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** The entry that follows `head`. */
export function nextEntry(head: AuditHead, fact: AuditFact): AuditEntry {
  const entry = {
    at: fact.at,
    actor: cleanText(fact.actor),
    action: cleanText(fact.action),
    subject: cleanText(fact.subject),
    detail: fact.detail,
    seq: head.seq + 1,
    prevHash: head.hash,
  };
  return { ...entry, hash: hashOf(entry) };
}

/** SHA-256 over the canonical JSON of everything but the hash itself, as 64 hexadecimal digits. */
export function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { prevHash, seq, at, actor, action, subject, detail } = entry;
  return createHash('sha256')
    .update(canonicalJson([prevHash, seq, at.toISOString(), actor, action, subject, detail]))
    .digest('hex');
}

export type ChainVerdict =
  | { readonly ok: true; readonly head: AuditHead }
  | { readonly ok: false; readonly seq: number; readonly why: AuditFault };

/** Does this stretch of entries, in the order of `seq`, continue `from` without a break? */
export function checkChain(from: AuditHead, entries: Iterable<AuditEntry>): ChainVerdict {
  let head = from;
  for (const entry of entries) {
    const seq = head.seq + 1;
    if (entry.seq > seq) return { ok: false, seq, why: 'removed' };
    if (hashOf(entry) !== entry.hash) return { ok: false, seq, why: 'altered' };
    // Whole in itself, but its predecessor is not the one that stands before it.
    if (entry.seq < seq || entry.prevHash !== head.hash) return { ok: false, seq, why: 'reordered' };
    head = { seq, hash: entry.hash };
  }
  return { ok: true, head };
}

/** Is the end that was reached the end that the chain says it has? */
export function checkEnd(reached: AuditHead, head: AuditHead): ChainVerdict {
  if (reached.seq < head.seq) return { ok: false, seq: reached.seq + 1, why: 'tail-removed' };
  if (reached.seq > head.seq || reached.hash !== head.hash) return { ok: false, seq: head.seq, why: 'head-altered' };
  return { ok: true, head };
}
