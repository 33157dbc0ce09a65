import type { Random } from '../../core/random.ts';
import type { Flood } from './flood.ts';
import type { Updates } from './updates.ts';

/**
 * What can go wrong with a call. `accept-…`: the call is carried out first, so that the caller cannot know.
 * `truncated-json` is carried out too; `html-502` is a proxy that never reached the server.
 */
export const FAULT_KINDS = [
  'reset',
  'hang',
  'accept-reset',
  'accept-hang',
  'html-502',
  'accept-html-502',
  'truncated-json',
  'revoked',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type Fault =
  | FaultKind
  /** Any refusal by the server; the call is not carried out. */
  | {
      readonly error_code: number;
      readonly description: string;
      readonly parameters?: { readonly retry_after?: number };
    }
  /** 429, and the chat stays banned for that long. */
  | { readonly flood: number }
  /** The call is carried out at once, or when `before` resolves, and answered when `answer` does. */
  | { readonly before?: Promise<unknown>; readonly answer: Promise<unknown> };

/** What can go wrong with an update on its way to the bot. */
export type UpdateFault = 'duplicate-update' | 'late-update';

interface Scripted {
  readonly method: string;
  readonly fault: Fault;
  readonly chat: number | undefined;
  times: number;
}

export class Faults {
  readonly #random: Random;
  readonly #updates: Updates;
  readonly #flood: Flood;
  #scripted: Scripted[] = [];
  #outage: Fault | undefined;
  #rates: readonly (readonly [FaultKind, number])[] = [];
  #rateMethods: ReadonlySet<string> | undefined;
  #doublePresses = 0;

  constructor(options: { random: Random; updates: Updates; flood: Flood }) {
    this.#random = options.random;
    this.#updates = options.updates;
    this.#flood = options.flood;
  }

  /** Lets the next calls of a method (`*`: any) fail, `times` of them (1), only to `chat` when given. */
  next(
    method: string,
    fault: Fault | UpdateFault | 'double-press',
    options: { times?: number; chat?: number; delayMs?: number } = {},
  ): void {
    const times = options.times ?? 1;
    if (fault === 'duplicate-update') this.#updates.duplicateNext(times);
    else if (fault === 'late-update') this.#updates.delayNext(options.delayMs ?? 5_000);
    else if (fault === 'double-press') this.#doublePresses += times;
    else this.#scripted.push({ method: method.toLowerCase(), fault, chat: options.chat, times });
  }

  /** Every call fails in this way until `clear`. */
  outage(fault: Fault): void {
    this.#outage = fault;
  }

  /** Each call fails by chance: a probability from 0 to 1 for each kind, of all methods or of those named. */
  probability(rates: Partial<Record<FaultKind, number>>, methods?: readonly string[]): void {
    this.#rates = FAULT_KINDS.flatMap((kind) => (rates[kind] === undefined ? [] : [[kind, rates[kind]] as const]));
    this.#rateMethods = methods && new Set(methods.map((name) => name.toLowerCase()));
  }

  clear(): void {
    this.#scripted = [];
    this.#outage = undefined;
    this.#rates = [];
    this.#doublePresses = 0;
  }

  /** Whether the next press arrives twice, as from two impatient fingers. */
  takeDoublePress(): boolean {
    if (this.#doublePresses === 0) return false;
    this.#doublePresses--;
    return true;
  }

  /** The fault of this call, used up by asking. */
  take(method: string, chat: number | undefined): Fault | undefined {
    const fault = this.#takeScripted(method, chat) ?? this.#outage ?? this.#byChance(method);
    if (typeof fault === 'object' && 'flood' in fault && chat !== undefined) {
      this.#flood.ban(chat, fault.flood);
    }
    return fault;
  }

  #takeScripted(method: string, chat: number | undefined): Fault | undefined {
    if (this.#scripted.length === 0) return undefined;
    const found = this.#scripted.find(
      (entry) => (entry.method === '*' || entry.method === method) && (entry.chat === undefined || entry.chat === chat),
    );
    if (found === undefined) return undefined;
    if (--found.times <= 0) this.#scripted = this.#scripted.filter((entry) => entry !== found);
    return found.fault;
  }

  #byChance(method: string): FaultKind | undefined {
    if (this.#rates.length === 0 || (this.#rateMethods !== undefined && !this.#rateMethods.has(method)))
      return undefined;
    let dice = this.#random.bytes(4).readUInt32BE() / 2 ** 32;
    for (const [kind, rate] of this.#rates) {
      if (dice < rate) return kind;
      dice -= rate;
    }
    return undefined;
  }
}
