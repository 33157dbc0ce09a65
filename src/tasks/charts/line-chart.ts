import { DateTime } from 'luxon';
import type { Unit } from '../../core/promql.ts';
import { timeTicks, valueScale } from './scale.ts';
import { clipText, escapeXml, textWidth } from './svg-text.ts';
import { type Palette, PALETTES, type Theme } from './theme.ts';

export interface ChartPoint {
  readonly at: Date;
  /** Not a number or infinite: a gap. */
  readonly value: number;
}

export interface ChartSeries {
  /** Stands at the end of the line, before its last value; empty where there is one line and the title says it. */
  readonly label: string;
  readonly points: readonly ChartPoint[];
  /** Instead of the last value in the words of the axis. */
  readonly last?: string;
}

export interface LineChart {
  readonly theme: Theme;
  readonly title: string;
  readonly subtitle: string;
  /** Says which day and zone the times are of. */
  readonly footer: string;
  readonly zone: string;
  readonly from: Date;
  readonly to: Date;
  /** Points farther apart than one and a half of these are not connected. */
  readonly stepSeconds: number;
  readonly unit: Unit;
  readonly series: readonly ChartSeries[];
  readonly threshold?: { readonly value: number; readonly label: string };
  /** Times in which the alert fired. */
  readonly bands: readonly { readonly from: Date; readonly to: Date }[];
  readonly bandLabel: string;
  readonly format: (value: number) => string;
  /** The times are so far apart that days stand at the axis. */
  readonly dates?: boolean;
  /** Each point is a measurement of its own, and stands out. */
  readonly dots?: boolean;
}

/** A phone shows it at about a quarter of this width, so nothing is smaller than 26. */
const WIDTH = 1280;
const HEIGHT = 820;

const TITLE = 42;
const TEXT = 27;
const AXIS = 28;
const LABEL = 30;
const EDGE = 36;
const TOP = 174;
const BOTTOM = HEIGHT - 104;
const LABEL_LINE = 36;
const LABELS_MAX = 330;
/** Names that do not fit beside their values stand above them. */
const NAME = 27;
const NAMES_MAX = 400;
const DASH = '14 10';

/** The chart as SVG: opaque, with labels at the lines themselves instead of a legend. */
export function drawLineChart(chart: LineChart): string {
  const palette = PALETTES[chart.theme];
  const scale = valueScale(
    chart.series.flatMap(({ points }) => points.map(({ value }) => value)),
    chart.threshold?.value,
    chart.unit,
  );
  const tickTexts = scale.ticks.map((value) => chart.format(value));
  const left = EDGE + Math.max(40, ...tickTexts.map((text) => textWidth(text, AXIS))) + 18;
  const ends = endsOf(chart);
  const right = WIDTH - EDGE - Math.min(NAMES_MAX, Math.max(40, ...ends.map(({ width }) => width))) - 20;
  const span = Math.max(1, chart.to.getTime() - chart.from.getTime());
  const x = (at: Date): number =>
    left + Math.min(1, Math.max(0, (at.getTime() - chart.from.getTime()) / span)) * (right - left);
  const y = (value: number): number => BOTTOM - ((value - scale.from) / (scale.to - scale.from)) * (BOTTOM - TOP);
  const frame: Frame = { chart, palette, left, right, x, y };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="DejaVu Sans">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${palette.background}"/>`,
    text(EDGE, 66, clipText(chart.title, WIDTH - 2 * EDGE, TITLE, true), {
      size: TITLE,
      fill: palette.text,
      weight: 'bold',
    }),
    text(EDGE, 112, clipText(chart.subtitle, WIDTH - 2 * EDGE, TEXT), { size: TEXT, fill: palette.muted }),
    ...bands(frame),
    ...scale.ticks.flatMap((value, n) => [
      rule(left, right, y(value), palette.grid),
      text(left - 16, y(value) + AXIS * 0.35, tickTexts[n] ?? '', { size: AXIS, fill: palette.muted, anchor: 'end' }),
    ]),
    ...timeAxis(frame),
    ...thresholdLine(frame, scale),
    ...chart.series.map((series, n) => linePath(frame, series, colour(palette, n))),
    ...endLabels(frame, ends),
    text(EDGE, HEIGHT - 22, clipText(chart.footer, WIDTH - 2 * EDGE, 26), { size: 26, fill: palette.muted }),
    '</svg>',
  ].join('\n');
}

interface Frame {
  readonly chart: LineChart;
  readonly palette: Palette;
  readonly left: number;
  readonly right: number;
  readonly x: (at: Date) => number;
  readonly y: (value: number) => number;
}

const colour = (palette: Palette, n: number): string => palette.lines[n % palette.lines.length] ?? palette.text;

/** One digit behind the point is finer than a pixel. */
const px = (value: number): string => String(Math.round(value * 10) / 10);

interface TextStyle {
  readonly size: number;
  readonly fill: string;
  readonly weight?: 'bold';
  readonly anchor?: 'middle' | 'end';
  /** Colour of a rim that keeps it legible over lines. */
  readonly rim?: string;
}

function text(x: number, y: number, of: string, { size, fill, weight, anchor, rim }: TextStyle): string {
  const more = [
    weight ? ` font-weight="${weight}"` : '',
    anchor ? ` text-anchor="${anchor}"` : '',
    rim ? ` paint-order="stroke" stroke="${rim}" stroke-opacity="0.7" stroke-width="6" stroke-linejoin="round"` : '',
  ].join('');
  return `<text x="${px(x)}" y="${px(y)}" font-size="${size}" fill="${fill}"${more}>${escapeXml(of)}</text>`;
}

const rule = (from: number, to: number, y: number, stroke: string): string =>
  `<line x1="${px(from)}" x2="${px(to)}" y1="${px(y)}" y2="${px(y)}" stroke="${stroke}" stroke-width="2"/>`;

function bands({ chart, palette, left, right, x }: Frame): string[] {
  const shown = chart.bands.filter(({ from, to }) => to > chart.from && from < chart.to);
  const newest = shown.at(-1);
  const width = textWidth(chart.bandLabel, TEXT);
  return [
    ...shown.flatMap(({ from, to }) => {
      const [a, b] = [x(from), Math.max(x(from) + 4, x(to))];
      return [
        `<rect x="${px(a)}" y="${TOP}" width="${px(b - a)}" height="${BOTTOM - TOP}" fill="${palette.firing}" fill-opacity="${palette.bandOpacity}"/>`,
        `<rect x="${px(a)}" y="${TOP - 6}" width="${px(b - a)}" height="6" fill="${palette.firing}"/>`,
      ];
    }),
    ...(newest
      ? [
          text(Math.max(left, Math.min(x(newest.from), right - width)), TOP - 16, chart.bandLabel, {
            size: TEXT,
            fill: palette.firing,
          }),
        ]
      : []),
  ];
}

function timeAxis({ chart, palette, left, right, x }: Frame): string[] {
  const room = Math.max(2, Math.floor((right - left) / 130));
  const ticks = chart.dates ? dayTicks(chart, room) : timeTicks(chart.from, chart.to, chart.zone, room);
  return [
    rule(left, right, BOTTOM, palette.axis),
    ...ticks.flatMap((at) => [
      `<line x1="${px(x(at))}" x2="${px(x(at))}" y1="${BOTTOM}" y2="${BOTTOM + 9}" stroke="${palette.axis}" stroke-width="2"/>`,
      text(
        x(at),
        BOTTOM + 42,
        DateTime.fromJSDate(at, { zone: chart.zone }).toFormat(chart.dates ? 'dd.MM' : 'HH:mm'),
        {
          size: AXIS,
          fill: palette.muted,
          anchor: 'middle',
        },
      ),
    ]),
  ];
}

/** Midnights, whole weeks apart, the last one as near to the end as it can be. */
function dayTicks({ from, to, zone }: LineChart, room: number): Date[] {
  const weeks = Math.max(1, Math.ceil((to.getTime() - from.getTime()) / (7 * 86_400_000) / room));
  const ticks: Date[] = [];
  for (let at = DateTime.fromJSDate(to, { zone }).startOf('day'); at.toJSDate() >= from; at = at.minus({ weeks })) {
    ticks.unshift(at.toJSDate());
  }
  return ticks;
}

function thresholdLine(
  { chart, palette, left, right, y }: Frame,
  scale: { readonly from: number; readonly to: number },
): string[] {
  const { threshold } = chart;
  if (!threshold) return [];
  const style: TextStyle = { size: LABEL, fill: palette.threshold, weight: 'bold', rim: palette.background };
  if (threshold.value > scale.to) return [text(left + 12, TOP + 66, `↑ ${threshold.label}`, style)];
  if (threshold.value < scale.from) return [text(left + 12, BOTTOM - 14, `↓ ${threshold.label}`, style)];
  const at = y(threshold.value);
  // Above the line, unless the top is too near, where bands have their label.
  const label = at - TOP > 84 || chart.bands.length === 0 ? at - 13 : at + 37;
  return [
    `<line x1="${px(left)}" x2="${px(right)}" y1="${px(at)}" y2="${px(at)}" stroke="${palette.threshold}" stroke-width="4" stroke-dasharray="${DASH}"/>`,
    text(left + 12, label, threshold.label, style),
  ];
}

/** Broken where points are missing; a point without neighbours is a dot. */
function linePath({ chart, x, y }: Frame, { points }: ChartSeries, stroke: string): string {
  const apart = chart.stepSeconds * 1500;
  const runs: ChartPoint[][] = [];
  let last: ChartPoint | undefined;
  for (const point of points) {
    if (!Number.isFinite(point.value)) {
      last = undefined;
      continue;
    }
    if (last && point.at.getTime() - last.at.getTime() <= apart) runs.at(-1)?.push(point);
    else runs.push([point]);
    last = point;
  }
  const width = chart.series.length > 1 ? 4 : 5;
  return runs
    .map((run) => {
      const [first] = run;
      if (first && run.length === 1) {
        return `<circle cx="${px(x(first.at))}" cy="${px(y(first.value))}" r="${width}" fill="${stroke}"/>`;
      }
      const d = run.map(({ at, value }, n) => `${n === 0 ? 'M' : 'L'}${px(x(at))} ${px(y(value))}`).join('');
      const dots = chart.dots
        ? run.map(({ at, value }) => `<circle cx="${px(x(at))}" cy="${px(y(value))}" r="7" fill="${stroke}"/>`).join('')
        : '';
      return `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"/>${dots}`;
    })
    .join('\n');
}

interface End {
  readonly point: ChartPoint | undefined;
  readonly label: string;
  readonly value: string;
  readonly width: number;
  /** The name stands above the value. */
  readonly isTall: boolean;
}

/** On two lines each where a name would be cut otherwise, and there is room for that. */
function endsOf(chart: LineChart): readonly End[] {
  const flat = chart.series.map((series) => endOf(series, chart, false));
  const isCut = flat.some(({ label }, n) => label !== chart.series[n]?.label);
  if (!isCut || flat.length * 2 * LABEL_LINE > BOTTOM - TOP) return flat;
  return chart.series.map((series) => endOf(series, chart, true));
}

function endOf({ label, points, last }: ChartSeries, { format }: LineChart, isTall: boolean): End {
  const point = points.findLast(({ value }) => Number.isFinite(value));
  const value = point ? (last ?? format(point.value)) : '—';
  const wide = textWidth(value, LABEL, true);
  if (isTall) {
    const name = clipText(label, NAMES_MAX, NAME);
    return { point, label: name, value, width: Math.max(wide, textWidth(name, NAME)), isTall };
  }
  const room = LABELS_MAX - wide - 14;
  const short = label === '' ? '' : clipText(label, room, LABEL);
  const width = wide + (short === '' ? 0 : textWidth(short, LABEL) + 14);
  return { point, label: short, value, width, isTall };
}

/** Name and last value beside the end of each line, pushed apart where they would overlap. */
function endLabels({ palette, right, x, y }: Frame, ends: readonly End[]): string[] {
  const placed = ends
    .flatMap((end, n) => (end.point ? [{ end, n, point: end.point, at: y(end.point.value) }] : []))
    .toSorted((a, b) => a.at - b.at);
  const isTall = ends.some((end) => end.isTall);
  const top = TOP + (isTall ? 28 : 10);
  const lowest = BOTTOM - (isTall ? 22 : 4);
  const room = lowest - top;
  const line = Math.min((isTall ? 2 : 1) * LABEL_LINE, room / Math.max(1, placed.length));
  const heights = placed.map(({ at }) => at);
  for (let n = 0; n < heights.length; n += 1) {
    heights[n] = Math.max(heights[n] ?? 0, n === 0 ? top : (heights[n - 1] ?? 0) + line);
  }
  for (let n = heights.length - 1; n >= 0; n -= 1) {
    const limit = n === heights.length - 1 ? lowest : (heights[n + 1] ?? 0) - line;
    heights[n] = Math.min(heights[n] ?? 0, limit);
  }
  return placed.flatMap(({ end, n, point, at }, index) => {
    const stroke = colour(palette, n);
    const height = heights[index] ?? at;
    const leads = Math.abs(height - at) > 6 || x(point.at) < right - 6;
    return [
      `<circle cx="${px(x(point.at))}" cy="${px(at)}" r="9" fill="${stroke}" stroke="${palette.background}" stroke-width="3"/>`,
      ...(leads
        ? [
            `<path d="M${px(x(point.at))} ${px(at)}L${px(right + 6)} ${px(height)}" fill="none" stroke="${stroke}" stroke-width="2" stroke-opacity="0.55" stroke-dasharray="3 6"/>`,
          ]
        : []),
      ...(isTall
        ? [
            text(right + 20, height - 6, end.label, { size: NAME, fill: stroke }),
            text(right + 20, height + LABEL - 4, end.value, { size: LABEL, fill: stroke, weight: 'bold' }),
          ]
        : [
            `<text x="${px(right + 20)}" y="${px(height + LABEL * 0.35)}" font-size="${LABEL}" fill="${stroke}">${
              end.label === '' ? '' : `${escapeXml(end.label)} `
            }<tspan font-weight="bold">${escapeXml(end.value)}</tspan></text>`,
          ]),
    ];
  });
}
