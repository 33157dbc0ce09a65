import type { Labels } from './alertmanager.ts';
import type { Severity } from './incident.ts';

export type LabelTest = { readonly equals: string } | { readonly pattern: RegExp };

export interface RouteRule {
  readonly match?: Readonly<Record<string, LabelTest>>;
  readonly severity?: readonly Severity[];
  readonly chat: string;
  readonly topic?: string;
}

/** The first route whose tests all hold. A label that is absent counts as empty, as Alertmanager has it. */
export function routeFor<R extends RouteRule>(routes: readonly R[], labels: Labels, severity: Severity): R | undefined {
  return routes.find((route) => {
    if (route.severity && !route.severity.includes(severity)) return false;
    return Object.entries(route.match ?? {}).every(([label, test]) => {
      const value = labels[label] ?? '';
      return 'equals' in test ? value === test.equals : test.pattern.test(value);
    });
  });
}
