import { DateTime } from 'luxon';
import { z } from 'zod';
import { type Clock, hours, minutes } from '../../core/clock.ts';
import type { Translate } from '../../core/i18n.ts';
import { type IncidentAlert, incidentData } from '../../core/incident.ts';
import { graphable, type Threshold, unitOf } from '../../core/promql.ts';
import type { Prometheus, Series } from '../../integrations/prometheus/port.ts';
import type { Incident } from '../../store/incidents.ts';
import { drawLineChart } from '../charts/line-chart.ts';
import { formatValue } from '../charts/numbers.ts';
import type { Theme } from '../charts/theme.ts';
import { byWeight } from './pick.ts';
import type { EvidenceReader } from './reader.ts';
import { ruleOf } from './rule.ts';
import { distinguishing, seriesOf } from './series.ts';

/** Lines in one picture; more cannot be told apart. */
const LINES = 6;
const SPAN_MS = hours(6);
const STEP_SECONDS = 60;
/** How much is shown after the end of an incident that is over. */
const AFTER_MS = minutes(30);
const LABEL_MAX = 40;

const maybe = z.number().nullable();
/** A graph in numbers; those that are not finite are null. */
export const graphSchema = z.object({
  kind: z.literal('graph'),
  picture: z.string(),
  title: z.string(),
  expr: z.string(),
  unit: z.enum(['plain', 'bytes', 'seconds']),
  threshold: z.object({ op: z.enum(['>', '>=', '<', '<=', '==', '!=']), value: z.number() }).exactOptional(),
  firing: z.boolean(),
  from: z.coerce.date(),
  to: z.coerce.date(),
  lines: z.array(z.object({ label: z.string(), last: maybe, min: maybe, max: maybe })),
  /** Lines that are not in the picture. */
  more: z.number(),
  /** Values that are no numbers. */
  strange: z.number(),
});
export type Graph = z.output<typeof graphSchema>;

/** Why a piece of evidence is not there; `why` completes the catalogue key `evidence-<piece>-<why>`. */
export const missingSchema = z.object({
  kind: z.literal('missing'),
  why: z.string(),
  args: z.record(z.string(), z.string()),
});
export type Missing = z.output<typeof missingSchema>;

export const missing = (why: string, args: Readonly<Record<string, string>> = {}): Missing => ({
  kind: 'missing',
  why,
  args,
});

export interface GraphEdges {
  readonly prometheus: Prometheus | undefined;
  readonly clock: Clock;
  /** Keeps secrets out of the picture. */
  readonly redact: (text: string) => string;
  /** Turns it into a picture and keeps it; its id. */
  readonly keep: (svg: string, signal: AbortSignal) => Promise<string>;
}

/** Draws what the alerts of an incident are about: the expression of their rule over six hours, without a guess. */
export async function drawGraph(
  { prometheus, clock, redact, keep }: GraphEdges,
  row: Incident,
  { zone, t }: EvidenceReader,
  theme: Theme,
  signal: AbortSignal,
): Promise<Graph | Missing> {
  if (!prometheus) return missing('no-prometheus');
  const alerts = byWeight(incidentData.parse(row.data));
  const [first] = alerts;
  if (!first) return missing('no-rule', { name: '' });
  const rule = await ruleOf(first, prometheus, signal);
  if (rule.kind === 'missing') return missing(rule.why, { name: rule.name });
  const { expr, threshold } = graphable(rule.expr);
  const alike = alerts.filter(
    (alert) => alert === first || (alert.labels['alertname'] ?? '') === (first.labels['alertname'] ?? ''),
  );
  const range = rangeOf(row, clock.now());
  const found = await seriesOf(
    prometheus,
    expr,
    alike.map(({ labels }) => labels),
    range,
    signal,
  );
  if (found.length === 0) return missing('no-data', { expr: redact(expr) });

  const shown = found.slice(0, LINES);
  const more = found.length - shown.length;
  const names = distinguishing(shown.map(({ metric }) => metric));
  const labels = shown.map(({ metric }) => redact(labelOf(metric, names)));
  const unit = unitOf(expr);
  const format = (value: number): string => formatValue(value, unit, t);
  const title = redact(row.title);
  const others = more > 0 ? ` · ${t('evidence-graph-more', { n: more })}` : '';
  const svg = drawLineChart({
    theme,
    title,
    subtitle: redact(expr),
    footer: `${daysOf(range, zone, t)} · ${zone}${others}`,
    zone,
    ...range,
    unit,
    series: shown.map(({ points }, n) => ({ label: labels[n] ?? '', points })),
    ...(threshold ? { threshold: { value: threshold.value, label: thresholdText(threshold, format, t) } } : {}),
    bands: bandsOf(alike, range.to),
    bandLabel: t('evidence-graph-firing'),
    format,
  });
  return {
    kind: 'graph',
    picture: await keep(svg, signal),
    title,
    expr: redact(expr),
    unit,
    ...(threshold ? { threshold } : {}),
    firing: row.state === 'firing',
    from: range.from,
    to: range.to,
    lines: shown.map((series, n) => ({ label: labels[n] ?? '', ...numbersOf(series) })),
    more,
    strange: shown.reduce((sum, { points }) => sum + points.filter(({ value }) => !Number.isFinite(value)).length, 0),
  };
}

export const thresholdText = ({ op, value }: Threshold, format: (value: number) => string, t: Translate): string =>
  `${t('evidence-graph-threshold')} ${SIGNS[op]} ${format(value)}`;

const SIGNS = { '>': '>', '>=': '≥', '<': '<', '<=': '≤', '==': '=', '!=': '≠' } as const;

/**
 * Until this very moment, so that the value that fired is in it, however fresh it is; of an incident that is over until
 * a little after its end.
 */
function rangeOf(row: Incident, now: Date) {
  const to = row.resolvedAt ? new Date(Math.min(now.getTime(), row.resolvedAt.getTime() + AFTER_MS)) : now;
  return { from: new Date(to.getTime() - SPAN_MS), to, stepSeconds: STEP_SECONDS };
}

function labelOf(metric: Readonly<Record<string, string>>, names: readonly string[]): string {
  const values = names.map((name) => metric[name] ?? '').filter((value) => value !== '');
  return Array.from(values.join(' ')).slice(0, LABEL_MAX).join('');
}

function numbersOf({ points }: Series) {
  const values = points.map(({ value }) => value).filter((value) => Number.isFinite(value));
  const last = values.at(-1);
  if (last === undefined) return { last: null, min: null, max: null };
  const [min, max] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [last, last]);
  return { last, min, max };
}

/** When the alerts fired, as intervals that do not overlap. */
function bandsOf(alerts: readonly IncidentAlert[], to: Date): { from: Date; to: Date }[] {
  const bands: { from: Date; to: Date }[] = [];
  const all = alerts
    .map(({ startsAt, endsAt, status, lastSeen }) => ({
      from: new Date(startsAt),
      to: status === 'firing' ? to : new Date(endsAt ?? lastSeen),
    }))
    .toSorted((a, b) => a.from.getTime() - b.from.getTime());
  for (const one of all) {
    const last = bands.at(-1);
    if (last && one.from <= last.to) last.to = new Date(Math.max(last.to.getTime(), one.to.getTime()));
    else bands.push(one);
  }
  return bands;
}

function daysOf({ from, to }: { readonly from: Date; readonly to: Date }, zone: string, t: Translate): string {
  const day = (at: Date): string => {
    const local = DateTime.fromJSDate(at, { zone });
    return `${local.day} ${t('render-months').split(' ')[local.month - 1] ?? local.month}`;
  };
  return day(from) === day(to) ? day(to) : `${day(from)} – ${day(to)}`;
}
