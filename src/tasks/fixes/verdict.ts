import { minutes } from '../../core/clock.ts';
import type { IncidentData } from '../../core/incident.ts';
import { isFinal } from '../../core/run.ts';
import type { FixAttempt } from '../../store/fixes.ts';

/** What becomes of a fix next. Only `cleared` is a success: that the operation succeeded says nothing of the alert. */
export type Verdict =
  | { readonly state: 'stay' }
  | { readonly state: 'waiting'; readonly clearsBy: Date }
  | { readonly state: 'cleared' }
  /** `failed`: the run did; `expired`: nobody answered its question; `still-firing`: it did its work, and the alert is there. */
  | { readonly state: 'failed'; readonly why: 'failed' | 'expired' | 'still-firing' }
  /** Nobody has to be told: a person took it back, the alert had ended before, or went quiet without an end. */
  | { readonly state: 'dropped'; readonly why: 'cancelled' | 'rejected' | 'before' | 'unseen' };

/** How the alerts of an attempt stand. `unseen`: no longer reported, though nobody said that they are over. */
interface Alerts {
  readonly state: 'firing' | 'unseen' | 'over';
  /** When the last of them ended, if that was said. */
  readonly at?: Date;
}

type Attempt = Pick<
  FixAttempt,
  'state' | 'fingerprints' | 'clearsMinutes' | 'clearsBy' | 'runState' | 'startedAt' | 'finishedAt'
>;

/** The rules of the closed loop. Pure. */
export function verdictOn(attempt: Attempt, data: IncidentData, now: Date): Verdict {
  const alerts = alertsOf(attempt, data);
  if (attempt.state === 'waiting') {
    const end = endOf(attempt, alerts);
    if (end) return end;
    if (attempt.clearsBy === undefined || attempt.clearsBy > now) return { state: 'stay' };
    return { state: 'failed', why: 'still-firing' };
  }
  const { runState } = attempt;
  if (!isFinal(runState)) return { state: 'stay' };
  if (runState === 'cancelled' || runState === 'rejected') return { state: 'dropped', why: runState };
  if (runState === 'failed') return { state: 'failed', why: 'failed' };
  if (runState === 'expired') return { state: 'failed', why: 'expired' };
  const end = endOf(attempt, alerts);
  if (end) return end;
  const from = attempt.finishedAt ?? now;
  return { state: 'waiting', clearsBy: new Date(from.getTime() + minutes(attempt.clearsMinutes)) };
}

function endOf({ startedAt }: Attempt, alerts: Alerts): Verdict | undefined {
  if (alerts.state === 'firing') return undefined;
  if (alerts.state === 'unseen') return { state: 'dropped', why: 'unseen' };
  // It is no merit of what began later.
  if (alerts.at !== undefined && startedAt !== undefined && alerts.at < startedAt) {
    return { state: 'dropped', why: 'before' };
  }
  return { state: 'cleared' };
}

function alertsOf({ fingerprints }: Attempt, data: IncidentData): Alerts {
  const all = fingerprints.flatMap((fingerprint) => data.alerts[fingerprint] ?? []);
  if (all.some(({ status }) => status === 'firing')) return { state: 'firing' };
  if (all.some(({ status }) => status === 'gone')) return { state: 'unseen' };
  const ends = all.map(({ endsAt }) => new Date(endsAt ?? '').getTime()).filter((at) => Number.isFinite(at));
  return ends.length === 0 ? { state: 'over' } : { state: 'over', at: new Date(Math.max(...ends)) };
}
