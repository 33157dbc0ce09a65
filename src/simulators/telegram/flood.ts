import type { Clock } from '../../core/clock.ts';
import { ApiError } from './api-error.ts';

export interface FloodLimits {
  readonly perGroupPerMinute: number;
  readonly perChatPerSecond: number;
  readonly overallPerSecond: number;
  /** Default true: a call during a ban makes it longer. */
  readonly penalty?: boolean;
}

export const TELEGRAM_LIMITS: FloodLimits = { perGroupPerMinute: 20, perChatPerSecond: 1, overallPerSecond: 30 };

/** A ban never grows beyond this; hours were seen. */
const LONGEST_BAN_MS = 6 * 3_600_000;
const FIRST_PENALTY_MS = 5_000;

interface Bucket {
  /** Instants of the newest sends and edits, oldest first. */
  readonly sent: number[];
  bannedUntil: number;
  /** Calls made during the running ban; each doubles what the next adds. */
  strikes: number;
}

/**
 * The budget of messages. Sends and edits share one bucket per chat; the windows slide, without credit for bursts
 * (Telegram "may allow short bursts", a program should not rely on it).
 */
export class Flood {
  readonly #clock: Clock;
  readonly #limits: FloodLimits | undefined;
  readonly #chats = new Map<number, Bucket>();
  #overall: number[] = [];

  constructor(clock: Clock, limits: FloodLimits | undefined) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Bans a chat by hand, as a fault. */
  ban(chat: number, seconds: number): void {
    const bucket = this.#bucket(chat);
    bucket.bannedUntil = Math.max(bucket.bannedUntil, this.#clock.now().getTime() + seconds * 1000);
  }

  /** When the ban of a chat ends; undefined when there is none. */
  bannedUntil(chat: number): Date | undefined {
    const until = this.#chats.get(chat)?.bannedUntil ?? 0;
    return until > this.#clock.now().getTime() ? new Date(until) : undefined;
  }

  /** Throws 429 while the chat is banned, and makes the ban longer for having asked. */
  respect(chat: number): void {
    const bucket = this.#chats.get(chat);
    const now = this.#clock.now().getTime();
    if (bucket === undefined || bucket.bannedUntil <= now) return;
    if (this.#limits?.penalty === false) throw tooMany(bucket.bannedUntil - now);
    const penalty = FIRST_PENALTY_MS * 2 ** bucket.strikes;
    bucket.strikes++;
    bucket.bannedUntil = Math.min(bucket.bannedUntil + penalty, now + LONGEST_BAN_MS);
    throw tooMany(bucket.bannedUntil - now);
  }

  /**
   * Spends `count` messages of the chat's and of the overall budget, or throws 429 with `retry_after` in seconds. An album
   * passes when one message would, but counts in full for what follows.
   */
  spend(chat: number, count = 1): void {
    this.respect(chat);
    if (this.#limits === undefined) return;
    const now = this.#clock.now().getTime();
    const bucket = this.#bucket(chat);
    bucket.strikes = 0;
    const group = chat < 0;
    const wait = Math.max(
      untilFree(bucket.sent, now, this.#limits.perChatPerSecond, 1000),
      group ? untilFree(bucket.sent, now, this.#limits.perGroupPerMinute, 60_000) : 0,
      untilFree(this.#overall, now, this.#limits.overallPerSecond, 1000),
    );
    if (wait > 0) {
      bucket.bannedUntil = now + Math.ceil(wait / 1000) * 1000;
      throw tooMany(bucket.bannedUntil - now);
    }
    keep(bucket.sent, now, count, Math.max(this.#limits.perChatPerSecond, group ? this.#limits.perGroupPerMinute : 0));
    keep(this.#overall, now, count, this.#limits.overallPerSecond);
  }

  #bucket(chat: number): Bucket {
    let bucket = this.#chats.get(chat);
    if (bucket === undefined) {
      bucket = { sent: [], bannedUntil: 0, strikes: 0 };
      this.#chats.set(chat, bucket);
    }
    return bucket;
  }
}

function tooMany(ms: number): ApiError {
  const retryAfter = Math.max(1, Math.ceil(ms / 1000));
  return new ApiError(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter });
}

/** Milliseconds until one more fits into a window of `limit` per `window`; 0 when it fits now. */
function untilFree(sent: readonly number[], now: number, limit: number, window: number): number {
  const nth = sent[sent.length - limit];
  return nth === undefined ? 0 : Math.max(0, nth + window - now);
}

function keep(sent: number[], now: number, count: number, limit: number): void {
  for (let i = 0; i < count; i++) sent.push(now);
  if (sent.length > limit) sent.splice(0, sent.length - limit);
}
