import { type IncidentAlert, type IncidentData, SEVERITIES, severityOf } from '../../core/incident.ts';
import type { LabelTest } from '../../core/routing.ts';
import type { Labels } from '../../core/alertmanager.ts';

const RANK = { firing: 0, gone: 1, resolved: 2 } as const;

/** The alerts of an incident, those that matter most first: firing, then severe, then old. */
export const byWeight = (data: IncidentData): IncidentAlert[] =>
  Object.values(data.alerts).toSorted(
    (a, b) =>
      RANK[a.status] - RANK[b.status] ||
      SEVERITIES.indexOf(severityOf(a.labels)) - SEVERITIES.indexOf(severityOf(b.labels)) ||
      a.startsAt.localeCompare(b.startsAt) ||
      a.fingerprint.localeCompare(b.fingerprint),
  );

/** Whether all tests hold; a label that is absent counts as empty. */
export const matches = (tests: Readonly<Record<string, LabelTest>>, labels: Labels): boolean =>
  Object.entries(tests).every(([name, test]) => {
    const value = labels[name] ?? '';
    return 'equals' in test ? value === test.equals : test.pattern.test(value);
  });
