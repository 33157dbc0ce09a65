import type { Probeable } from '../define.ts';

export interface LokiLine {
  /** To the millisecond. */
  readonly at: Date;
  readonly text: string;
}

export interface Loki extends Probeable {
  /**
   * The newest lines of a LogQL selector in [from, to), oldest first: `GET /loki/api/v1/query_range` (grafana.com/docs/loki/latest/reference/loki-http-api).
   * Errors: `loki-unreachable`, `loki-login`, `loki-refused`, `loki-answer`.
   */
  lines(
    query: string,
    range: { readonly from: Date; readonly to: Date; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<readonly LokiLine[]>;
}
