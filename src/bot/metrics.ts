/** What the bot counts; app.ts hands in Prometheus. Durations in milliseconds. */
export interface BotMetrics {
  /** A call of the Bot API that writes: `result` is `ok` or a kind of failure. */
  call(method: 'send' | 'edit' | 'delete' | 'document' | 'photo' | 'topic', result: string): void;
  /** From the wish to Telegram's confirmation. */
  delivered(priority: number, latencyMs: number): void;
  /** Telegram answered 429. */
  flood(retryAfterMs: number): void;
  /**
   * Whether Telegram answers this process: `out` where it leads deliveries, `in` where it polls. `undefined`: it does neither any
   * more, so it knows nothing.
   */
  telegram(way: 'out' | 'in', isUp: boolean | undefined): void;
  update(kind: string): void;
  handled(kind: string, result: 'ok' | 'error' | 'timeout', ms: number): void;
}

export const noMetrics: BotMetrics = {
  call: () => {},
  delivered: () => {},
  flood: () => {},
  telegram: () => {},
  update: () => {},
  handled: () => {},
};
