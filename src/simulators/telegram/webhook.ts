import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { badRequest } from './api-error.ts';
import { isRecord } from './params.ts';
import type { Pending, Updates } from './updates.ts';

/** A webhook may answer with a call: `{"method": "sendMessage", …}`. Its result is not reported back. */
export type WebhookCall = (method: string, parameters: Readonly<Record<string, unknown>>) => void;

interface Target {
  readonly url: string;
  readonly secret: string;
  readonly maxConnections: number;
}

const LONGEST_WAIT_MS = 3_600_000;
const TIMEOUT_MS = 60_000;

/** Delivers updates by POST: in order within a chat, several chats at once, again and again until a 2xx. */
export class Webhook {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #updates: Updates;
  readonly #call: WebhookCall;
  readonly #fetch: typeof fetch;
  #target: Target | undefined;
  readonly #inFlight = new Map<number, AbortController>();
  /** Chats whose first update failed, with the number of failures. */
  readonly #waiting = new Map<number, { failures: number; cancel: () => void }>();
  #lastError: { at: Date; message: string } | undefined;

  constructor(options: { clock: Clock; random: Random; updates: Updates; call: WebhookCall; fetch: typeof fetch }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#updates = options.updates;
    this.#call = options.call;
    this.#fetch = options.fetch;
    options.updates.onPush(() => this.#pump());
  }

  /** Switches to the address; an empty one switches the webhook off. */
  set(url: string, options: { secret: string; maxConnections: number }): void {
    if (url === '') return this.clear();
    checkUrl(url);
    this.#stop();
    this.#target = { url, ...options };
    this.#lastError = undefined;
    this.#updates.setWebhookActive(true);
    this.#pump();
  }

  clear(): void {
    this.#stop();
    this.#target = undefined;
    this.#updates.setWebhookActive(false);
  }

  info(): object {
    const error = this.#lastError;
    const allowed = this.#updates.allowed;
    return {
      url: this.#target?.url ?? '',
      has_custom_certificate: false,
      pending_update_count: this.#updates.pendingCount,
      ...(this.#target === undefined ? {} : { max_connections: this.#target.maxConnections, ip_address: '127.0.0.1' }),
      ...(error === undefined
        ? {}
        : { last_error_date: Math.floor(error.at.getTime() / 1000), last_error_message: error.message }),
      ...(allowed.length === 0 ? {} : { allowed_updates: allowed }),
    };
  }

  #stop(): void {
    for (const abort of this.#inFlight.values()) abort.abort();
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#inFlight.clear();
    this.#waiting.clear();
  }

  #pump(): void {
    const target = this.#target;
    if (target === undefined) return;
    const skipped = new Set<number>();
    for (const pending of this.#updates.pending()) {
      if (this.#inFlight.size >= target.maxConnections) return;
      const { key } = pending;
      if (skipped.has(key) || this.#inFlight.has(key) || this.#isWaiting(key)) continue;
      skipped.add(key);
      const abort = new AbortController();
      this.#inFlight.set(key, abort);
      void this.#deliver(target, pending, abort);
    }
  }

  #isWaiting(key: number): boolean {
    const waiting = this.#waiting.get(key);
    return waiting !== undefined && waiting.cancel !== DUE;
  }

  async #deliver(target: Target, pending: Pending, abort: AbortController): Promise<void> {
    const { key, update } = pending;
    const cancel = this.#clock.after(TIMEOUT_MS, () => abort.abort());
    const outcome = await this.#post(target, update, abort.signal);
    cancel();
    if (this.#inFlight.get(key) !== abort) return;
    this.#inFlight.delete(key);
    if (outcome.ok) {
      this.#waiting.delete(key);
      this.#updates.drop(update.update_id);
      if (outcome.call !== undefined) this.#call(outcome.call.method, outcome.call.parameters);
    } else this.#retryLater(key, outcome);
    this.#pump();
  }

  async #post(target: Target, update: object, signal: AbortSignal): Promise<Outcome> {
    try {
      const response = await this.#fetch(target.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(target.secret === '' ? {} : { 'x-telegram-bot-api-secret-token': target.secret }),
        },
        body: JSON.stringify(update),
        redirect: 'manual',
        signal,
      });
      const body = await response.text();
      if (response.ok) return { ok: true, call: callIn(body) };
      const after = Number(response.headers.get('retry-after'));
      return {
        ok: false,
        message: `Wrong response from the webhook: ${response.status} ${response.statusText}`,
        afterMs: after * 1000,
      };
    } catch (error) {
      const refused = error instanceof Error && isRecord(error.cause) && error.cause['code'] === 'ECONNREFUSED';
      return { ok: false, message: refused ? 'Connection refused' : 'Read timeout expired', afterMs: 0 };
    }
  }

  /** 1, 2, 4 … seconds with up to half as much again at random; `Retry-After` is honoured up to an hour. */
  #retryLater(key: number, { message, afterMs }: { message: string; afterMs: number }): void {
    this.#lastError = { at: this.#clock.now(), message };
    const failures = (this.#waiting.get(key)?.failures ?? 0) + 1;
    const base = Math.min(1000 * 2 ** (failures - 1), LONGEST_WAIT_MS);
    const jitter = (base / 2) * ((this.#random.bytes(1)[0] ?? 0) / 255);
    const wait = Math.min(Math.max(base + jitter, afterMs > 0 ? afterMs : 0), LONGEST_WAIT_MS);
    const cancel = this.#clock.after(wait, () => {
      this.#waiting.set(key, { failures, cancel: DUE });
      this.#pump();
    });
    this.#waiting.set(key, { failures, cancel });
  }
}

type Outcome =
  | { readonly ok: true; readonly call: { method: string; parameters: Record<string, unknown> } | undefined }
  | { readonly ok: false; readonly message: string; readonly afterMs: number };

/** Marks a chat whose waiting time is over, but whose failures still count. */
const DUE = (): void => undefined;

function callIn(body: string): { method: string; parameters: Record<string, unknown> } | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (!isRecord(parsed) || typeof parsed['method'] !== 'string') return undefined;
    const { method, ...parameters } = parsed;
    return { method: String(method), parameters };
  } catch {
    return undefined;
  }
}

/** Telegram wants HTTPS; plain HTTP is let through to this machine only, as the server's `--local` mode does. */
function checkUrl(url: string): void {
  if (!URL.canParse(url)) throw badRequest('invalid webhook URL specified');
  const { protocol, hostname } = new URL(url);
  const local = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (protocol !== 'https:' && !(protocol === 'http:' && local)) {
    throw badRequest('bad webhook: An HTTPS URL must be provided for webhook');
  }
}
