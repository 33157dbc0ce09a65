import { expressionOf } from '../../core/promql.ts';
import type { IncidentAlert } from '../../core/incident.ts';
import type { Prometheus, Rule } from '../../integrations/prometheus/port.ts';

export type FoundRule =
  | { readonly kind: 'rule'; readonly expr: string }
  | { readonly kind: 'missing'; readonly why: 'no-rule' | 'several-rules'; readonly name: string };

/** The expression of the alert's own rule: the one in its link, else the rule of that name in Prometheus. */
export async function ruleOf(
  alert: IncidentAlert,
  prometheus: Pick<Prometheus, 'rules'>,
  signal: AbortSignal,
): Promise<FoundRule> {
  const linked = expressionOf(alert.generatorUrl);
  if (linked !== undefined) return { kind: 'rule', expr: linked };
  const name = alert.labels['alertname'] ?? '';
  const missing = (why: 'no-rule' | 'several-rules'): FoundRule => ({ kind: 'missing', why, name });
  if (name === '') return missing('no-rule');
  const all = await prometheus.rules(signal);
  const named = all.filter((rule) => rule.type === 'alerting' && rule.name === name);
  const fitting = named.filter((rule) => fits(rule, alert));
  const candidates = fitting.length > 0 ? fitting : named;
  const firing = candidates.filter(({ state }) => state === 'firing');
  const [query, ...others] = new Set((firing.length > 0 ? firing : candidates).map((rule) => rule.query));
  if (query === undefined) return missing('no-rule');
  return others.length === 0 ? { kind: 'rule', expr: query } : missing('several-rules');
}

/** Labels that the rule sets to a fixed text must be on the alert. */
const fits = ({ labels }: Rule, alert: IncidentAlert): boolean =>
  Object.entries(labels).every(([name, value]) => value.includes('{{') || alert.labels[name] === value);
