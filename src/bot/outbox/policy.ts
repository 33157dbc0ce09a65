import { PRIORITY } from '../../core/budget.ts';
import type { OutboxRow } from '../../store/outbox.ts';
import type { Failure } from './classify.ts';
import type { Mode } from './modes.ts';

/** What becomes of a row whose call failed. */
export type Next =
  /** The chat shows what was wanted. */
  | { readonly kind: 'done' }
  /** Again, at once or after `delayMs`; `with` is added to the row's modes. */
  | { readonly kind: 'again'; readonly delayMs: number; readonly with?: Mode; readonly reason: string }
  /** The whole chat waits, then again. */
  | { readonly kind: 'block'; readonly forMs: number }
  /** Nothing is sent anywhere for a while, then again. */
  | { readonly kind: 'pause'; readonly forMs: number; readonly reason: string }
  | { readonly kind: 'migrate'; readonly to: number }
  /** The message to edit is not there: forget it and send a new one. */
  | { readonly kind: 'recreate' }
  | { readonly kind: 'topic' }
  /** The route is dead: disable it and tell the fallback. */
  | { readonly kind: 'disable'; readonly reason: string }
  | { readonly kind: 'settle'; readonly state: 'unknown' | 'failed' | 'dropped'; readonly reason: string };

export interface Attempted {
  readonly priority: number;
  readonly kind: OutboxRow['kind'];
  /** This attempt counted. */
  readonly attempts: number;
  readonly modes: ReadonlySet<Mode>;
  /** It was an edit of a message that is there: repeating it cannot show anything twice. */
  readonly edit: boolean;
  /** Telegram answers nothing at all: the call most likely did not reach it, and nothing that waits may be lost. */
  readonly outage?: boolean;
}

const MAX_ATTEMPTS = 12;
/** Short enough that everything is there soon after Telegram answers again; slower for what never works. */
const backoff = (attempts: number): number =>
  Math.min(attempts <= MAX_ATTEMPTS ? 15_000 : 60_000, 1000 * 2 ** Math.min(10, attempts - 1));

/** The delivery policy of telegram.md as one function. */
export function afterFailure(row: Attempted, failure: Failure): Next {
  const once = (mode: Mode, reason: string): Next =>
    row.modes.has(mode)
      ? { kind: 'settle', state: 'failed', reason }
      : { kind: 'again', delayMs: 0, with: mode, reason };
  switch (failure.kind) {
    case 'same':
      return { kind: 'done' };
    case 'flood':
      return { kind: 'block', forMs: failure.retryAfterMs };
    case 'migrated':
      return { kind: 'migrate', to: failure.to };
    case 'thread-gone':
      return row.modes.has('general') ? { kind: 'settle', state: 'failed', reason: failure.kind } : { kind: 'topic' };
    case 'entities':
      return once('plain', failure.reason);
    case 'picture':
      return once('no-picture', failure.reason);
    case 'too-long':
      return once('document', failure.kind);
    case 'reply-gone':
      return once('no-reply', failure.kind);
    case 'message-gone':
      return row.kind === 'card' && row.edit
        ? { kind: 'recreate' }
        : { kind: 'settle', state: 'dropped', reason: failure.kind };
    case 'chat-gone':
      return row.kind === 'delete'
        ? { kind: 'settle', state: 'dropped', reason: failure.reason }
        : { kind: 'disable', reason: failure.reason };
    case 'unauthorized':
      return { kind: 'pause', forMs: 30_000, reason: 'unauthorized' };
    case 'unsent':
      return { kind: 'pause', forMs: 1000, reason: failure.reason };
    case 'unknown':
      return ambiguous(row, failure.reason);
    case 'refused':
      return { kind: 'settle', state: 'failed', reason: failure.reason };
  }
}

/** Nobody knows whether it arrived: a lost connection, a time-out, 5xx, or a sender that died while sending. */
export function ambiguous(row: Attempted, reason: string): Next {
  const delayMs = backoff(row.attempts);
  if (row.edit || row.kind === 'delete') {
    if (row.attempts >= MAX_ATTEMPTS && row.kind === 'delete') return { kind: 'settle', state: 'unknown', reason };
    return { kind: 'again', delayMs, reason };
  }
  if (row.outage) return { kind: 'again', delayMs, with: 'repeat', reason };
  // Information is not worth a duplicate: the digest tells what may be missing.
  if (row.priority >= PRIORITY.information) return { kind: 'settle', state: 'unknown', reason };
  if (row.priority > PRIORITY.critical && row.attempts >= MAX_ATTEMPTS)
    return { kind: 'settle', state: 'unknown', reason };
  return { kind: 'again', delayMs, with: 'repeat', reason };
}
