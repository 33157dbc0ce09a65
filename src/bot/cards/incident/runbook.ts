import type { IncidentData } from '../../../core/incident.ts';
import { alertsOf, type DrawingContext } from './alerts.ts';

type Runbook = { readonly url: string } | { readonly text: string };

/** Where it says what to do: an address that the alerts carry, else the runbook that comes with the program. */
export function runbookOf({ runbooks, language }: DrawingContext, data: IncidentData): Runbook | undefined {
  const alerts = alertsOf(data);
  const given = [data.commonAnnotations, ...alerts.flatMap(({ annotations, labels }) => [annotations, labels])];
  const url = given
    .flatMap((one) => [one['runbook_url'], one['runbook']])
    .find((one) => one !== undefined && isUrl(one));
  if (url !== undefined) return { url: url.trim() };
  const names = [...given.map((one) => one['runbook']), ...alerts.map(({ labels }) => labels['alertname'])];
  for (const name of new Set(names)) {
    const text = name === undefined ? undefined : runbooks?.(name, language);
    if (text !== undefined) return { text };
  }
  return undefined;
}

export const isUrl = (text: string): boolean => /^https?:\/\/\S+$/u.test(text.trim()) && URL.canParse(text.trim());
