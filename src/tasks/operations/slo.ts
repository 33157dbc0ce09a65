import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import {
  type Block,
  bold,
  type Button,
  code,
  type Doc,
  type Inlines,
  line,
  list,
  time,
  title,
} from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import { THEMES } from '../charts/theme.ts';
import { defineOperation } from '../define.ts';
import { type Metric, METRICS, type Slo, type SloRow, sloSchema } from '../recovery/slo.ts';
import { goalWords } from '../recovery/words.ts';

export const messages = defineMessages({
  en: `
    op-slo = RTO and RPO as measured, against the goals
    op-slo-arg-metric = How long it takes (rto), or how much would be lost (rpo)?
    op-slo-arg-theme = Dark or light?
    slo-none = Nothing was measured yet
    slo-none-how = RTO and RPO are measured by restoring. Start with /drill restore, and let restore_drills in the configuration do it by the clock.
    slo-head-ok = { $name } · all { $n } within the goal of { $goal }
    slo-head-miss = { $name } · { $bad } of { $n } miss the goal of { $goal }
    slo-head-ok-own = { $name } · all { $n } within their goals
    slo-head-miss-own = { $name } · { $bad } of { $n } miss their goals
    slo-head-none = { $name } · no drill has measured it
    slo-row = { $last } · median { $median } · worst { $worst }
    slo-row-none = no good drill
    slo-row-unknown = cannot be told
    slo-bad = { $bad } of { $n } drills failed
    slo-alt = Trend of { $name } over 90 days
    slo-dark = 🌙 Dark
    slo-light = ☀️ Light
    slo-drills = 🧯 Drills
  `,
  ru: `
    op-slo = Измеренные RTO и RPO против норм
    op-slo-arg-metric = Сколько длится (rto) или сколько пропало бы (rpo)?
    op-slo-arg-theme = Тёмный или светлый?
    slo-none = Пока ничего не измерено
    slo-none-how = RTO и RPO измеряются восстановлением. Начните с /drill restore, а по расписанию это делает раздел restore_drills.
    slo-head-ok = { $name } · все { $n } в пределах нормы { $goal }
    slo-head-miss = { $name } · хуже нормы { $goal }: { $bad } из { $n }
    slo-head-ok-own = { $name } · все { $n } в пределах своих норм
    slo-head-miss-own = { $name } · хуже своей нормы: { $bad } из { $n }
    slo-head-none = { $name } · ни одно учение не измерило
    slo-row = { $last } · медиана { $median } · худшее { $worst }
    slo-row-none = удачных учений нет
    slo-row-unknown = не определить
    slo-bad = провалено учений: { $bad } из { $n }
    slo-alt = { $name } за 90 дней
    slo-dark = 🌙 Тёмный
    slo-light = ☀️ Светлый
    slo-drills = 🧯 Учения
  `,
});

const SHOWN = 6;

export default defineOperation({
  name: 'slo',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ metric: z.enum(METRICS).default('rto'), theme: z.enum(THEMES).default('dark') }),
  result: sloSchema,
  ports: ['slo'],
  timeoutMs: minutes(1),
  plan: async () => ({ target: 'slo', lines: [] }),
  run: async ({ ports, runId, signal }, { metric, theme }) => ({
    state: 'succeeded',
    result: await ports.slo.look(metric, theme, runId, signal),
  }),
  report: (result, { metric, theme }, { t }): Doc => {
    const { rows, picture } = result;
    const show = (label: string, args: Record<string, unknown>): Button => ({
      kind: 'press',
      label,
      press: { kind: 'operation', operation: 'slo', args },
    });
    const drills: Button = {
      kind: 'press',
      label: t('slo-drills'),
      press: { kind: 'operation', operation: 'drills', args: {} },
    };
    if (rows.length === 0) {
      return { blocks: [title('info', bold(t('slo-none'))), line(t('slo-none-how'))], buttons: [[drills]] };
    }
    const otherTheme = theme === 'dark' ? 'light' : 'dark';
    const other = metric === 'rto' ? 'rpo' : 'rto';
    return {
      blocks: [head(result, metric, t), ...rowBlocks(result, metric, t)],
      buttons: [
        [
          show(`📈 ${other.toUpperCase()}`, { metric: other, theme }),
          show(t(`slo-${otherTheme}`), { metric, theme: otherTheme }),
          drills,
        ],
      ],
      ...(picture === undefined ? {} : { picture: { id: picture, alt: t('slo-alt', { name: metric.toUpperCase() }) } }),
    };
  },
});

/** A target without a good drill has nothing to show that it keeps the goal. */
const misses = (row: SloRow, metric: Metric): boolean => {
  const value = row[metric];
  return value === undefined ? metric === 'rto' : value.last > value.goal;
};

function head(result: Slo, metric: Metric, t: Translate): Block {
  const counted = metric === 'rto' ? result.rows : result.rows.filter((row) => row.rpo);
  const name = metric.toUpperCase();
  if (counted.length === 0) return title('unknown', bold(t('slo-head-none', { name })));
  const bad = counted.filter((row) => misses(row, metric)).length;
  const common = commonGoal(counted, metric);
  const own = common === undefined ? '-own' : '';
  const args = { name, bad, n: counted.length, goal: common === undefined ? '' : formatDuration(common, t) };
  return bad === 0
    ? title('ok', bold(t(`slo-head-ok${own}`, args)))
    : title('warning', bold(t(`slo-head-miss${own}`, args)));
}

/** The goal that all of them have; nothing when they differ. */
function commonGoal(rows: readonly SloRow[], metric: Metric): number | undefined {
  const goals = new Set(rows.flatMap((row) => row[metric]?.goal ?? []));
  return goals.size === 1 ? [...goals][0] : undefined;
}

function rowBlocks(result: Slo, metric: Metric, t: Translate): Block[] {
  const isCommon = commonGoal(result.rows, metric) !== undefined;
  const items = result.rows.slice(0, SHOWN).map((row): Inlines => {
    const value = row[metric];
    const isBad = misses(row, metric);
    const mark = value ? (isBad ? '✘' : '✔') : row.rto ? '·' : '✘';
    const words = value
      ? t('slo-row', {
          last: formatDuration(value.last, t),
          median: formatDuration(value.median, t),
          worst: formatDuration(value.worst, t),
        })
      : t(row.rto ? 'slo-row-unknown' : 'slo-row-none');
    return [
      `${mark} `,
      code(row.target),
      ' ',
      isBad ? bold(words) : words,
      ...(value && !isCommon ? [` · ${goalWords(value.goal, value.of, t)}`] : []),
      ' · ',
      time(row.lastAt, 'date'),
      ...(row.bad > 0 ? [` · ${t('slo-bad', { bad: row.bad, n: row.drills })}`] : []),
    ];
  });
  const more = result.rows.length - items.length;
  return [more > 0 ? list(items, `… +${more}`) : list(items)];
}
