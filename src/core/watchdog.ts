import type { AlertGroup, Labels } from './alertmanager.ts';
import { minutes } from './clock.ts';
import type { LabelTest } from './routing.ts';

export type LabelTests = Readonly<Record<string, LabelTest>>;

/** Whether all tests hold; a label that is absent counts as empty, as Alertmanager has it. */
export const matchesLabels = (tests: LabelTests, labels: Labels): boolean =>
  Object.entries(tests).every(([label, test]) => {
    const value = labels[label] ?? '';
    return 'equals' in test ? value === test.equals : test.pattern.test(value);
  });

/**
 * Takes the alert that always fires out of what arrived. What else was in its group stays; a group of nothing else goes.
 * `seen`: it was there and fires. That it ended says nothing more than its absence will.
 */
export function splitWatchdog(
  groups: readonly AlertGroup[],
  match: LabelTests,
): { readonly rest: readonly AlertGroup[]; readonly seen: boolean } {
  let seen = false;
  const rest = groups.flatMap((group): AlertGroup[] => {
    const others = group.alerts.filter(({ labels }) => !matchesLabels(match, labels));
    if (others.length === group.alerts.length) return [group];
    seen ||= group.alerts.some((alert) => alert.status === 'firing' && !others.includes(alert));
    if (others.length === 0) return [];
    const status = others.some((alert) => alert.status === 'firing') ? 'firing' : 'resolved';
    return [{ ...group, alerts: others, status }];
  });
  return { rest, seen };
}

export interface WatchdogSight {
  /** When it last arrived; absent when it never has. */
  readonly seenAt?: Date | undefined;
  /** Since when this program could have taken it. */
  readonly listeningSince: Date;
  readonly missingMs: number;
}

/**
 * Since when it is missing; undefined while all is well. While the program was away nothing could arrive, so that time alone
 * proves nothing: after a start it has half of the usual time (one to five minutes) to come by, and the whole of it where it was
 * never seen.
 */
export function missingSince({ seenAt, listeningSince, missingMs }: WatchdogSight, now: Date): Date | undefined {
  const graceMs = Math.min(missingMs, minutes(5), Math.max(minutes(1), missingMs / 2));
  const due = seenAt
    ? Math.max(seenAt.getTime() + missingMs, listeningSince.getTime() + graceMs)
    : listeningSince.getTime() + missingMs;
  return now.getTime() >= due ? (seenAt ?? listeningSince) : undefined;
}
