import type { Probeable } from '../define.ts';
import type { Matcher } from './matchers.ts';

export type { Matcher } from './matchers.ts';

export type Labels = Readonly<Record<string, string>>;

export interface AlertFilter {
  readonly matchers?: readonly Matcher[];
  /** Each defaults to true, as in Alertmanager. */
  readonly active?: boolean;
  readonly silenced?: boolean;
  readonly inhibited?: boolean;
}

export interface Alert {
  /** 16 hex digits of the label set: the same labels give the same fingerprint at all times. */
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly generatorURL: string;
  readonly state: 'active' | 'suppressed' | 'unprocessed';
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
}

export interface Silence {
  readonly id: string;
  readonly state: 'active' | 'pending' | 'expired';
  readonly matchers: readonly Matcher[];
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly createdBy: string;
  readonly comment: string;
}

export interface NewSilence {
  readonly matchers: readonly Matcher[];
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly createdBy: string;
  readonly comment: string;
}

export interface PostedAlert {
  readonly labels: Labels;
  readonly annotations?: Labels;
  readonly startsAt?: Date;
  /** In the past: resolved. */
  readonly endsAt?: Date;
  readonly generatorURL?: string;
}

export interface AlertmanagerStatus {
  readonly version: string;
  readonly clusterStatus: string;
  readonly startedAt: Date;
}

export interface Alertmanager extends Probeable {
  /** `GET /api/v2/alerts` */
  alerts(filter?: AlertFilter, signal?: AbortSignal): Promise<readonly Alert[]>;
  /** `GET /api/v2/silences`, expired ones too as long as Alertmanager keeps them. */
  silences(signal?: AbortSignal): Promise<readonly Silence[]>;
  /** `GET /api/v2/silence/{id}`. Errors: `silence-not-found` (usage). */
  silence(id: string, signal?: AbortSignal): Promise<Silence>;
  /**
   * `POST /api/v2/silences`; the new id. Errors: `silence-too-wide` and `silence-times` (usage, never sent),
   * `alertmanager-*`.
   */
  createSilence(silence: NewSilence, signal?: AbortSignal): Promise<string>;
  /** `DELETE /api/v2/silence/{id}`: it stays listed as expired. Again is fine. Errors: `silence-not-found` (usage). */
  expireSilence(id: string, signal?: AbortSignal): Promise<void>;
  /** `GET /api/v2/status` */
  status(signal?: AbortSignal): Promise<AlertmanagerStatus>;
  /** `POST /api/v2/alerts`: what Prometheus does. For drills. */
  postAlerts(alerts: readonly PostedAlert[], signal?: AbortSignal): Promise<void>;
}
