import type { Labels } from '../../core/alertmanager.ts';
import { quoted } from '../../core/promql.ts';
import type { Prometheus, Range, Series } from '../../integrations/prometheus/port.ts';

/** With more than this, Prometheus is asked for the series of the alerts only. */
const ALL_MAX = 60;
/** Alternatives in one such question. */
const ALERTS_MAX = 20;

/** Whether a series may be the one behind an alert: no label of both is different. The alert has further ones of its rule. */
export const belongs = (metric: Labels, alert: Labels): boolean =>
  Object.entries(metric).every(([name, value]) => name === '__name__' || (alert[name] ?? value) === value);

/** The series of an expression over time that belong to the given alerts, in the order of the alerts. */
export async function seriesOf(
  prometheus: Pick<Prometheus, 'query' | 'queryRange'>,
  expr: string,
  alerts: readonly Labels[],
  range: Range,
  signal: AbortSignal,
): Promise<readonly Series[]> {
  const now = await prometheus.query(expr, range.to, signal);
  const mine = now.filter(({ metric }) => alerts.some((alert) => belongs(metric, alert)));
  const asked = now.length > ALL_MAX && mine.length > 0 ? narrowed(expr, mine) : expr;
  const found = await prometheus.queryRange(asked, range, signal);
  const rank = ({ metric }: Series): number => alerts.findIndex((alert) => belongs(metric, alert));
  return found.filter((series) => rank(series) >= 0).toSorted((a, b) => rank(a) - rank(b));
}

/** The same expression, kept to these series by a join, which needs no knowledge of what the expression is made of. */
function narrowed(expr: string, series: readonly { readonly metric: Labels }[]): string {
  const names = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))]
    .filter((name) => name !== '__name__' && /^[a-zA-Z_][a-zA-Z0-9_]*$/u.test(name))
    .toSorted();
  if (names.length === 0) return expr;
  const one = (metric: Labels): string =>
    names.reduce((of, name) => {
      const value = quoted((metric[name] ?? '').replaceAll('$', '$$$$'));
      return `label_replace(${of}, ${quoted(name)}, ${value}, "", "")`;
    }, 'vector(1)');
  const wanted = series
    .slice(0, ALERTS_MAX)
    .map(({ metric }) => one(metric))
    .join(' or ');
  return `(${expr}) and on (${names.join(', ')}) (${wanted})`;
}

/** Names of labels that tell these series apart; the telling ones first. */
export function distinguishing(all: readonly Labels[]): string[] {
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  names.delete('__name__');
  const differ = [...names].filter((name) => new Set(all.map((labels) => labels[name] ?? '')).size > 1);
  const rank = (name: string): number => (TELLING.includes(name) ? TELLING.indexOf(name) : TELLING.length);
  return differ.toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

const TELLING = ['instance', 'host', 'node', 'guest', 'vm', 'name', 'service', 'container', 'mountpoint', 'device'];
