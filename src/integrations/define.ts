import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';

export type { Log } from '../core/log.ts';

/** Gives a secret's present value, read from its store at the time of the call, so that a rotation needs no restart. */
export type SecretSource = () => Promise<Secret>;

/** What every integration is handed of the outside. */
export interface Edges {
  readonly clock: Clock;
  readonly log: Log;
}

/** One line of `vakhta doctor`, and a row of /status: was the system reached, and what should the operator do. */
export interface Probe {
  readonly state: 'ok' | 'warn' | 'down';
  /** Catalogue key of the line, with its arguments. */
  readonly text: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

/** What every port offers besides its own calls. Never throws: what went wrong is in the answer. */
export interface Probeable {
  probe(signal: AbortSignal): Promise<Probe>;
}
