import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import { bold, code, type Doc, doc, facts, type Inlines, line, list, time, title } from '../../core/doc.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import { formatValue } from '../charts/numbers.ts';
import { THEMES } from '../charts/theme.ts';
import { defineOperation } from '../define.ts';
import { type Graph, graphSchema, missingSchema, thresholdText } from '../evidence/graph.ts';

export const messages = defineMessages({
  en: `
    op-graph = Graph of an incident over six hours
    op-graph-arg-incident = Which incident? Its number stands on the card.
    op-graph-arg-theme = Dark or light?
    graph-now = Now
    graph-last = Last
    graph-range = In 6 hours
    graph-range-value = { $min } – { $max }
    graph-limit = Threshold
    graph-rule = Rule
    graph-line = { $label }: { $last } ({ $min } – { $max })
    graph-more = … and { $n } more that are not drawn
    graph-strange = { $n ->
        [one] { $n } value was no number and is left out.
       *[other] { $n } values were no numbers and are left out.
    }
    graph-alt = Graph of { $title }
    graph-again = ↻ Draw again
    graph-dark = 🌙 Dark
    graph-light = ☀️ Light
    graph-none = No graph of #{ $id }
    evidence-graph-firing = firing
    evidence-graph-threshold = threshold
    evidence-graph-more = { $n } more not drawn
    evidence-graph-no-prometheus = No Prometheus is configured: section prometheus.
    evidence-graph-no-rule = The alert has no link to its rule, and Prometheus has no rule “{ $name }”.
    evidence-graph-several-rules = Prometheus has several rules “{ $name }”, and the alert does not say which is its own.
    evidence-graph-no-data = Prometheus has no values of this alert for these six hours: { $expr }
  `,
  ru: `
    op-graph = График инцидента за шесть часов
    op-graph-arg-incident = Какой инцидент? Номер есть на карточке.
    op-graph-arg-theme = Тёмный или светлый?
    graph-now = Сейчас
    graph-last = Последнее
    graph-range = За 6 часов
    graph-range-value = { $min } – { $max }
    graph-limit = Порог
    graph-rule = Правило
    graph-line = { $label }: { $last } ({ $min } – { $max })
    graph-more = … и ещё { $n }, на графике их нет
    graph-strange = Пропущено значений, которые не числа: { $n }.
    graph-alt = График: { $title }
    graph-again = ↻ Перерисовать
    graph-dark = 🌙 Тёмный
    graph-light = ☀️ Светлый
    graph-none = Графика #{ $id } нет
    evidence-graph-firing = горит
    evidence-graph-threshold = порог
    evidence-graph-more = ещё { $n } не показано
    evidence-graph-no-prometheus = Prometheus не настроен: раздел prometheus.
    evidence-graph-no-rule = В алерте нет ссылки на его правило, и в Prometheus нет правила «{ $name }».
    evidence-graph-several-rules = В Prometheus несколько правил «{ $name }», а какое из них своё, алерт не говорит.
    evidence-graph-no-data = В Prometheus нет значений этого алерта за эти шесть часов: { $expr }
  `,
});

const EXPR_MAX = 200;

export default defineOperation({
  name: 'graph',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ incident: z.coerce.number().int().positive(), theme: z.enum(THEMES).default('dark') }),
  result: z.discriminatedUnion('kind', [graphSchema, missingSchema]),
  ports: ['evidence'],
  timeoutMs: minutes(1),
  plan: (_context, { incident }) => Promise.resolve({ target: `#${incident}`, lines: [] }),
  run: async ({ ports, runId, signal }, { incident, theme }) => {
    const result = await ports.evidence.graph(incident, theme, runId, signal);
    return { state: result.kind === 'graph' ? 'succeeded' : 'warning', result };
  },
  report: (result, { incident, theme }, { t }): Doc => {
    if (result.kind === 'missing') {
      return doc(
        title('unknown', t('graph-none', { id: incident })),
        line(t(`evidence-graph-${result.why}`, result.args)),
      );
    }
    const other = theme === 'dark' ? 'light' : 'dark';
    const draw = (label: string, as: typeof theme) => ({
      kind: 'press' as const,
      label,
      press: { kind: 'operation' as const, operation: 'graph', args: { incident, theme: as } },
    });
    return {
      picture: { id: result.picture, alt: t('graph-alt', { title: result.title }) },
      blocks: caption(result, incident, t),
      buttons: [[draw(t('graph-again'), theme), draw(t(`graph-${other}`), other)]],
    };
  },
});

/** What the picture says, in words that can be copied; short enough for a caption. */
function caption(graph: Graph, incident: number, t: Translate): Doc['blocks'] {
  const { lines, unit, threshold, more, strange } = graph;
  const format = (value: number | null): string => formatValue(value ?? Number.NaN, unit, t);
  const [only] = lines.length === 1 ? lines : [];
  const rows: (readonly [string, Inlines])[] = only
    ? [
        [t(graph.firing ? 'graph-now' : 'graph-last'), bold(format(only.last))],
        [t('graph-range'), t('graph-range-value', { min: format(only.min), max: format(only.max) })],
      ]
    : [];
  if (threshold) {
    rows.push([t('graph-limit'), thresholdText(threshold, format, t).slice(t('evidence-graph-threshold').length + 1)]);
  }
  rows.push([t('graph-rule'), code(Array.from(graph.expr).slice(0, EXPR_MAX).join(''))]);
  const items = only
    ? []
    : lines.map(({ label, last, min, max }) =>
        t('graph-line', { label, last: format(last), min: format(min), max: format(max) }),
      );
  return [
    line(bold(graph.title), ` · `, code(`#${incident}`), ' · ', time(graph.to, 'clock')),
    facts(...rows),
    ...(items.length > 0 ? [more > 0 ? list(items, t('graph-more', { n: more })) : list(items)] : []),
    ...(strange > 0 ? [line(t('graph-strange', { n: strange }))] : []),
  ];
}
