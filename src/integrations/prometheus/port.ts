import type { Probeable } from '../define.ts';

export type Labels = Readonly<Record<string, string>>;

/** `value` may be NaN, Infinity or -Infinity: check before you calculate. */
export interface Sample {
  readonly metric: Labels;
  readonly at: Date;
  readonly value: number;
}

/** A line of a graph; like `Sample`, with values that may be no numbers. */
export interface Series {
  readonly metric: Labels;
  readonly points: readonly { readonly at: Date; readonly value: number }[];
}

/** From and to, both included, in steps of whole seconds. */
export interface Range {
  readonly from: Date;
  readonly to: Date;
  readonly stepSeconds: number;
}

export interface Rule {
  readonly type: 'alerting' | 'recording';
  readonly group: string;
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  /** Of alerting rules: `firing`, `pending` or `inactive`, and how long it must hold, in seconds. */
  readonly state?: string;
  readonly duration?: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface Target {
  readonly job: string;
  readonly instance: string;
  readonly health: string;
  readonly lastError: string;
  readonly lastScrape: Date;
  readonly labels: Labels;
}

export interface PrometheusAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: string;
  readonly activeAt: Date;
  readonly value: number;
}

export interface Prometheus extends Probeable {
  /** Instant query, `GET /api/v1/query`. A scalar is one sample without labels. Errors: `prometheus-*`. */
  query(expr: string, at?: Date, signal?: AbortSignal): Promise<readonly Sample[]>;
  /** `GET /api/v1/query_range`. A scalar is one series without labels. Where there was no value, a point is missing. */
  queryRange(expr: string, range: Range, signal?: AbortSignal): Promise<readonly Series[]>;
  /** `GET /api/v1/rules` */
  rules(signal?: AbortSignal): Promise<readonly Rule[]>;
  /** Active targets, `GET /api/v1/targets`. */
  targets(signal?: AbortSignal): Promise<readonly Target[]>;
  /** Pending and firing alerts as Prometheus sees them, `GET /api/v1/alerts`. */
  alerts(signal?: AbortSignal): Promise<readonly PrometheusAlert[]>;
}
