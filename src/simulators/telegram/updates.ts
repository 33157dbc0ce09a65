import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { ApiError } from './api-error.ts';
import type { Update, UpdateKind, UpdatePayloads } from './types.ts';

const DAY = 86_400_000;
const KEPT_MS: Partial<Record<UpdateKind, number>> = { callback_query: 150_000 };
/** Kinds that come only when asked for by name (`getUpdates`, allowed_updates). */
const ON_REQUEST = new Set(['chat_member', 'message_reaction', 'message_reaction_count']);

export interface Pending {
  readonly update: Update;
  readonly kind: UpdateKind;
  readonly expires: number;
  /** Updates of one key reach a webhook in order. */
  readonly key: number;
}

interface Poll {
  readonly limit: number;
  readonly finish: (result: readonly Update[] | ApiError) => void;
}

/** The queue of updates that the bot has not confirmed, and the long polls that wait on it. */
export class Updates {
  readonly #clock: Clock;
  readonly #random: Random;
  #queue: Pending[] = [];
  #nextId: number;
  #lastAt: number;
  #allowed: readonly string[] = [];
  #poll: Poll | undefined;
  #webhookActive = false;
  #lateMs = 0;
  #duplicates = 0;
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#nextId = this.#randomId();
    this.#lastAt = clock.now().getTime();
  }

  get allowed(): readonly string[] {
    return this.#allowed;
  }

  get pendingCount(): number {
    this.#expire();
    return this.#queue.length;
  }

  /** Whether a long poll waits now. */
  get polling(): boolean {
    return this.#poll !== undefined;
  }

  /** What waits for delivery, oldest first. */
  pending(): readonly Pending[] {
    this.#expire();
    return this.#queue;
  }

  onPush(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** The next update is held back for `ms`, and so arrives after younger ones. */
  delayNext(ms: number): void {
    this.#lateMs = ms;
  }

  /** The next `times` updates are delivered once more after having been confirmed. */
  duplicateNext(times = 1): void {
    this.#duplicates += times;
  }

  push<K extends UpdateKind>(kind: K, payload: UpdatePayloads[K], key: number): void {
    if (!this.#wants(kind)) return;
    const late = this.#lateMs;
    this.#lateMs = 0;
    if (late > 0) this.#clock.after(late, () => this.#append(kind, payload, key));
    else this.#append(kind, payload, key);
  }

  #append<K extends UpdateKind>(kind: K, payload: UpdatePayloads[K], key: number): void {
    const now = this.#clock.now().getTime();
    // After a quiet week the numbers start again at random: programs must compare them for equality only.
    if (now - this.#lastAt > 7 * DAY) this.#nextId = this.#randomId();
    this.#lastAt = now;
    const update = { update_id: this.#nextId++, [kind]: payload } as Update;
    this.#queue.push({ update, kind, expires: now + (KEPT_MS[kind] ?? DAY), key });
    this.#wake();
  }

  setAllowed(allowed: readonly string[] | undefined): void {
    if (allowed !== undefined) this.#allowed = allowed;
  }

  setWebhookActive(active: boolean): void {
    this.#webhookActive = active;
    if (active) this.#poll?.finish(new ApiError(409, 'Conflict: terminated by setWebhook request'));
  }

  drop(updateId: number): void {
    this.#queue = this.#queue.filter((pending) => pending.update.update_id !== updateId);
  }

  dropAll(): void {
    this.#queue = [];
  }

  /**
   * One `getUpdates`: confirms what is below `offset` (a negative one keeps that many from the end), then answers at once or
   * when something comes, at the latest after `timeoutMs`. Cancelled by the signal, nothing is confirmed or lost.
   */
  poll(request: {
    offset: number;
    limit: number;
    timeoutMs: number;
    allowed: readonly string[] | undefined;
    signal: AbortSignal | undefined;
  }) {
    if (this.#webhookActive) {
      const text =
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
      return Promise.reject(new ApiError(409, text));
    }
    this.#poll?.finish(
      new ApiError(
        409,
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
      ),
    );
    this.setAllowed(request.allowed);
    this.#confirm(request.offset);
    this.#expire();
    if (this.#queue.length > 0 || request.timeoutMs <= 0) return Promise.resolve(this.#batch(request.limit));
    return new Promise<readonly Update[]>((resolve, reject) => {
      const finish = (result: readonly Update[] | ApiError) => {
        if (this.#poll === poll) this.#poll = undefined;
        cancel();
        request.signal?.removeEventListener('abort', onAbort);
        if (result instanceof ApiError) reject(result);
        else resolve(result);
      };
      const onAbort = () => finish([]);
      const poll: Poll = { limit: request.limit, finish };
      const cancel = this.#clock.after(request.timeoutMs, () => finish([]));
      this.#poll = poll;
      request.signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #confirm(offset: number): void {
    if (offset === 0 || this.#queue.length === 0) return;
    const first = this.#queue.length + offset;
    const kept: Pending[] = [];
    const again: Pending[] = [];
    this.#queue.forEach((pending, index) => {
      if (offset < 0 ? index >= first : pending.update.update_id >= offset) kept.push(pending);
      else if (this.#duplicates > again.length) again.push(pending);
    });
    this.#duplicates -= again.length;
    this.#queue = [...again, ...kept];
  }

  #batch(limit: number): readonly Update[] {
    return this.#queue.slice(0, limit).map((pending) => pending.update);
  }

  #wake(): void {
    const poll = this.#poll;
    if (poll !== undefined) poll.finish(this.#batch(poll.limit));
    for (const listener of this.#listeners) listener();
  }

  #expire(): void {
    const now = this.#clock.now().getTime();
    if (this.#queue.some((pending) => pending.expires <= now)) {
      this.#queue = this.#queue.filter((pending) => pending.expires > now);
    }
  }

  #wants(kind: UpdateKind): boolean {
    return this.#allowed.length === 0 ? !ON_REQUEST.has(kind) : this.#allowed.includes(kind);
  }

  #randomId(): number {
    return 100_000_000 + (this.#random.bytes(4).readUInt32BE() % 800_000_000);
  }
}
