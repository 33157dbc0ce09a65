import { minutes, seconds } from './clock.ts';

/** What shows whether alerts still reach people. */
export interface Vitals {
  /** Somebody leads the outbox. */
  readonly outboxLed: boolean;
  /** When the oldest critical message was queued that should be on its way by now; chats that Telegram told us to leave alone do not count. */
  readonly oldestCritical?: Date | undefined;
  /** When Telegram last answered a poll; `undefined`: never. */
  readonly polledAt?: Date | undefined;
  /** Updates are asked for by polling, since then. */
  readonly pollingSince?: Date | undefined;
  /** When the oldest webhook came that is not yet an incident. */
  readonly oldestIntake?: Date | undefined;
  /** A process that works lives. */
  readonly workerSeen: boolean;
  /** Since when this process has looked: what has to begin needs a moment. */
  readonly since: Date;
}

export const VITAL_FAULTS = ['outbox', 'critical-late', 'updates', 'intake', 'worker', 'database'] as const;
export type VitalFault = (typeof VITAL_FAULTS)[number];

const SETTLING_MS = seconds(60);
const CRITICAL_LATE_MS = minutes(2);
const INTAKE_LATE_MS = minutes(2);
/** An empty poll takes 50 seconds, the client gives up after 75. */
const POLL_LATE_MS = minutes(4);

/** All that keeps alerts from people, the gravest first; empty when they get through. */
export function faultsOf(vitals: Vitals, now: Date): VitalFault[] {
  const older = (at: Date | undefined, ms: number): boolean => at !== undefined && now.getTime() - at.getTime() > ms;
  const settled = older(vitals.since, SETTLING_MS);
  const faults: VitalFault[] = [];
  if (!vitals.outboxLed && settled) faults.push('outbox');
  if (older(vitals.oldestCritical, CRITICAL_LATE_MS)) faults.push('critical-late');
  const { pollingSince, polledAt } = vitals;
  if (pollingSince && older(polledAt && polledAt > pollingSince ? polledAt : pollingSince, POLL_LATE_MS)) {
    faults.push('updates');
  }
  if (older(vitals.oldestIntake, INTAKE_LATE_MS)) faults.push('intake');
  if (!vitals.workerSeen && settled) faults.push('worker');
  return faults;
}
