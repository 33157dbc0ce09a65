import { z } from 'zod';
import { type Clock, days } from '../../core/clock.ts';
import { type GoalSettings, goalsOf } from '../../core/recovery.ts';
import { type Catalogue, defineMessages, type Translate } from '../../core/i18n.ts';
import type { Config } from '../../config/schema.ts';
import type { Database } from '../../store/db.ts';
import { putPicture } from '../../store/pictures.ts';
import { type RestoreDrill, restoreDrills } from '../../store/recovery.ts';
import { drawLineChart } from '../charts/line-chart.ts';
import { formatValue } from '../charts/numbers.ts';
import { pngOf } from '../charts/png.ts';
import type { Theme } from '../charts/theme.ts';
import { readerOf } from '../evidence/reader.ts';

export const messages = defineMessages({
  en: `
    slo-title-rto = How long a restore takes (RTO)
    slo-title-rpo = How much would be lost (RPO)
    slo-subtitle = Good drills of the last 90 days
    slo-goal-line = goal { $goal }
    slo-goal-share = 100 % is the goal of each
    slo-share-subtitle = Share of its goal, in good drills of the last 90 days
    slo-more = { $n } more not drawn
  `,
  ru: `
    slo-title-rto = Сколько длится восстановление (RTO)
    slo-title-rpo = Сколько пропало бы (RPO)
    slo-subtitle = Удачные учения за последние 90 дней
    slo-goal-line = норма { $goal }
    slo-goal-share = 100 % — норма каждой цели
    slo-share-subtitle = Доля от нормы в удачных учениях за последние 90 дней
    slo-more = ещё { $n } не показано
  `,
});

export const METRICS = ['rto', 'rpo'] as const;
export type Metric = (typeof METRICS)[number];

/** `goal`: what it has to reach; `of`: whose goal that is, where it is not that of all. */
const measured = z.object({
  last: z.number(),
  median: z.number(),
  worst: z.number(),
  goal: z.number(),
  of: z.string().exactOptional(),
});

/** What was measured of one target in the last 90 days, in milliseconds. */
export const sloRow = z.object({
  target: z.string(),
  drills: z.number(),
  /** Those that failed, or could not be done. */
  bad: z.number(),
  lastAt: z.coerce.date(),
  rto: measured.exactOptional(),
  rpo: measured.exactOptional(),
});
export type Measured = z.output<typeof measured>;
export type SloRow = z.output<typeof sloRow>;

export const sloSchema = z.object({
  rows: z.array(sloRow),
  picture: z.string().exactOptional(),
});
export type Slo = z.output<typeof sloSchema>;

export interface SloDesk {
  /** What was measured against what recovery has to reach, with a picture of the trend, drawn for whom the run is for. */
  look(metric: Metric, theme: Theme, runId: string, signal: AbortSignal): Promise<Slo>;
}

export const SLO_DAYS = 90;
/** Lines in one picture; more cannot be told apart. */
const LINES = 6;
const LEDGER_MAX = 5000;

/** Of each target what was measured, those that miss a goal by the most first. */
export function sloRows(drills: readonly RestoreDrill[], settings: GoalSettings): SloRow[] {
  const ended = drills.filter(({ state, error }) => state !== 'running' && error?.key !== 'err-cancelled');
  const targets = [...new Set(ended.map(({ target }) => target))];
  const rows = targets.map((target): SloRow => {
    // The newest first, as the ledger gives them.
    const of = ended.filter((one) => one.target === target);
    const good = of.filter(({ state }) => state === 'passed');
    const { rtoMs: rtoGoal, rpoMs: rpoGoal, rtoOf, rpoOf } = goalsOf(target, settings);
    const rto = measure(
      good.flatMap(({ rtoMs }) => rtoMs ?? []),
      rtoGoal,
      rtoOf,
    );
    const rpo = measure(
      good.flatMap(({ rpoMs }) => rpoMs ?? []),
      rpoGoal,
      rpoOf,
    );
    return {
      target,
      drills: of.length,
      bad: of.length - good.length,
      lastAt: of[0]?.startedAt ?? new Date(0),
      ...(rto ? { rto } : {}),
      ...(rpo ? { rpo } : {}),
    };
  });
  const weight = ({ rto, rpo }: SloRow): number =>
    rto ? Math.max(rto.last / rto.goal, rpo ? rpo.last / rpo.goal : 0) : Infinity;
  return rows.toSorted((a, b) => weight(b) - weight(a) || (a.target < b.target ? -1 : 1));
}

/** Of values from the newest to the oldest; the median is the lower one of the two in the middle. */
function measure(values: readonly number[], goal: number, of: string | undefined): Measured | undefined {
  const [last] = values;
  if (last === undefined) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return {
    last,
    median: sorted[Math.floor((sorted.length - 1) / 2)] ?? last,
    worst: sorted.at(-1) ?? last,
    goal,
    ...(of === undefined ? {} : { of }),
  };
}

export function createSloDesk({
  db,
  clock,
  config,
  catalogue,
}: {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Pick<Config, 'recovery' | 'operators' | 'chats' | 'site'>;
  readonly catalogue: Catalogue;
}): SloDesk {
  return {
    look: async (metric, theme, runId, signal) => {
      const to = clock.now();
      const from = new Date(to.getTime() - days(SLO_DAYS));
      const drills = await restoreDrills(db, { since: from, limit: LEDGER_MAX });
      const rows = sloRows(drills, config.recovery);
      if (!rows.some((row) => row[metric])) return { rows };
      const { t, zone } = await readerOf(db, runId, config, catalogue);
      const svg = drawSlo({ metric, theme, t, zone, from, to, rows, drills });
      const picture = await putPicture(db, { mime: 'image/png', ...(await pngOf(svg, signal)) }, to);
      return { rows, picture };
    },
  };
}

export interface SloPicture {
  readonly metric: Metric;
  readonly theme: Theme;
  readonly t: Translate;
  readonly zone: string;
  readonly from: Date;
  readonly to: Date;
  readonly rows: readonly SloRow[];
  readonly drills: readonly RestoreDrill[];
}

/** The trend as SVG, with a line for the goal. Where goals differ, as shares of them: one line is that of all then. */
export function drawSlo({ metric, theme, t, zone, from, to, rows, drills }: SloPicture): string {
  const withValues = rows.filter((row) => row[metric]);
  const shown = withValues.slice(0, LINES);
  const more = withValues.length - shown.length;
  const goalOf = (row: SloRow): number => (row[metric]?.goal ?? 0) / 1000;
  const goal = Math.max(...shown.map(goalOf));
  const isShare = shown.some((row) => goalOf(row) !== goal);
  const seconds = (value: number): string => formatValue(value, 'seconds', t);
  const percent = (value: number): string => `${formatValue(value, 'plain', t)} %`;
  const pointsOf = (row: SloRow) =>
    drills
      .filter((one) => one.target === row.target && one.state === 'passed')
      .flatMap(({ startedAt, rtoMs, rpoMs }) => {
        const ms = metric === 'rto' ? rtoMs : rpoMs;
        return ms === undefined ? [] : [{ at: startedAt, value: isShare ? ms / 10 / goalOf(row) : ms / 1000 }];
      })
      .toReversed();
  return drawLineChart({
    theme,
    title: t(`slo-title-${metric}`),
    subtitle: `${t(isShare ? 'slo-share-subtitle' : 'slo-subtitle')}${more > 0 ? ` · ${t('slo-more', { n: more })}` : ''}`,
    footer: zone,
    zone,
    from,
    to,
    dates: true,
    dots: true,
    // Drills are weeks apart, and belong together all the same.
    stepSeconds: (SLO_DAYS * 86_400) / 1.5,
    unit: isShare ? 'plain' : 'seconds',
    series: shown.map((row) => ({
      label: row.target,
      points: pointsOf(row),
      ...(row[metric] ? { last: seconds(row[metric].last / 1000) } : {}),
    })),
    threshold: isShare
      ? { value: 100, label: t('slo-goal-share') }
      : { value: goal, label: t('slo-goal-line', { goal: seconds(goal) }) },
    bands: [],
    bandLabel: '',
    format: isShare ? percent : seconds,
  });
}
