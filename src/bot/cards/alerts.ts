import { type AlertFilter, filterWords, parseAlertFilter, passes } from '../../core/alert-filter.ts';
import { type Block, bold, type Button, code, type Doc, type Inline, line, link, list, title } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { type Incident as Reduced, incidentData, SEVERITIES } from '../../core/incident.ts';
import { namesOf } from '../../core/traits.ts';
import { type Card, liveCards } from '../../store/cards.ts';
import { firing, type Incident } from '../../store/incidents.ts';
import { openStorms } from '../../store/storms.ts';
import { titleFor } from '../../tasks/incidents.ts';
import { type CardContext, defineCard } from './define.ts';
import { clip } from './incident/alerts.ts';
import { clock, viewButton } from './incident/common.ts';
import { messageUrl } from '../../core/message-url.ts';
import { activeSilence } from './incident/silence.ts';

export const messages = defineMessages({
  en: `
    alerts-head = { $n ->
        [one] { $n } incident fires
       *[other] { $n } incidents fire
    }
    alerts-shown = { $n } of { $all } that fire
    alerts-none = Nothing fires
    alerts-none-such = Nothing like this fires; { $all ->
        [one] { $all } other incident does
       *[other] { $all } other incidents do
    }
    alerts-filter = Only
    alerts-as-of = as of { $clock }
    alerts-critical = 🔴 Critical · { $n }
    alerts-warning = 🟠 Warning · { $n }
    alerts-info = 🔵 Info · { $n }
    alerts-folded = +{ $n } folded into it
    alerts-free = free
    alerts-silenced = 🔕 until { $clock }
    alerts-storm = A storm goes on: its card collects new ones.
    alerts-page = { $page } of { $pages }
    alerts-button-all = All
    alerts-button-critical = 🔴 Critical
    alerts-button-free = Free ones
    alerts-button-refresh = ↻ Refresh
    alerts-truncated = More than { $max } fire; the rest is left out here.
  `,
  ru: `
    alerts-head = { $n ->
        [one] Горит { $n } инцидент
        [few] Горят { $n } инцидента
       *[other] Горит { $n } инцидентов
    }
    alerts-shown = { $n } из { $all } горящих
    alerts-none = Ничего не горит
    alerts-none-such = Такого не горит; других инцидентов: { $all }
    alerts-filter = Только
    alerts-as-of = на { $clock }
    alerts-critical = 🔴 Критично · { $n }
    alerts-warning = 🟠 Внимание · { $n }
    alerts-info = 🔵 К сведению · { $n }
    alerts-folded = в нём свёрнуто: { $n }
    alerts-free = никто не взял
    alerts-silenced = 🔕 до { $clock }
    alerts-storm = Идёт шквал: новое собирает его карточка.
    alerts-page = { $page } из { $pages }
    alerts-button-all = Все
    alerts-button-critical = 🔴 Критичные
    alerts-button-free = Ничьи
    alerts-button-refresh = ↻ Обновить
    alerts-truncated = Горит больше { $max }; остальное здесь не показано.
  `,
});

const PAGE = 10;
/** More cannot fire without a storm, and then its card has the whole list. */
const MAX = 2000;
const TITLE_MAX = 90;

/** One line of the list: an incident with those that are folded into it. */
interface Item {
  readonly row: Incident;
  readonly folded: number;
}

export default defineCard({
  kind: 'alerts',
  messages,
  render: async (context, card) => {
    const { q, config } = context;
    const { page, filter } = stateOf(card, (name) => config.operators.find(({ id }) => id === name)?.id);
    const rows = (await firing(q, { limit: MAX })).map((row) => ({ ...row, title: titleFor(context.t, row) }));
    const items = arrange(rows, filter);
    const pages = Math.max(1, Math.ceil(items.length / PAGE));
    const at = Math.min(page, pages);
    const shown = items.slice((at - 1) * PAGE, at * PAGE);
    const [cards, storms] = await Promise.all([
      liveCards(
        q,
        'incident',
        shown.map(({ row }) => String(row.id)),
      ),
      openStorms(q),
    ]);
    const links = new Map(cards.flatMap((one) => (messageUrl(one) === undefined ? [] : [[one.ref, messageUrl(one)]])));
    return {
      blocks: [
        ...head(context, rows, items, filter),
        ...sections(context, items, shown, links),
        ...(storms.length > 0 ? [line(context.t('alerts-storm'))] : []),
        ...(rows.length === MAX ? [line(context.t('alerts-truncated', { max: MAX }))] : []),
      ],
      buttons: buttons(context, filter, at, pages),
    } satisfies Doc;
  },
});

/** The page and the filter stand in the view; before the first press, the filter in the reference. */
function stateOf(
  { view, ref }: Card,
  person: (name: string) => string | undefined,
): { page: number; filter: AlertFilter } {
  const [first = '', ...words] = (view === '' ? `1 ${ref.split(' ').slice(1).join(' ')}` : view).split(' ');
  const parsed = parseAlertFilter(
    words.filter((word) => word !== ''),
    undefined,
    person,
  );
  return { page: Math.max(1, Number.parseInt(first, 10) || 1), filter: parsed.ok ? parsed.filter : { names: [] } };
}

/** Severe first, then old; one that is folded stands with the incident that shows it, as long as that one fires. */
export function arrange(rows: readonly Incident[], filter: AlertFilter): Item[] {
  const ids = new Set(rows.map(({ id }) => id));
  const isShown = ({ foldedInto }: Incident): boolean => foldedInto === undefined || !ids.has(foldedInto);
  const passing = rows.filter((row) => {
    const names = filter.names.length === 0 ? [] : searchable(row);
    return passes(filter, { severity: row.severity, owner: row.owner, names });
  });
  const folded = new Map<number, number>();
  for (const row of passing) {
    if (isShown(row) || row.foldedInto === undefined) continue;
    folded.set(row.foldedInto, (folded.get(row.foldedInto) ?? 0) + 1);
  }
  const isPassing = new Set(passing.map(({ id }) => id));
  return rows
    .filter((row) => isShown(row) && (isPassing.has(row.id) || folded.has(row.id)))
    .map((row) => ({ row, folded: folded.get(row.id) ?? 0 }));
}

function searchable(row: Incident): string[] {
  const data: Reduced['data'] = incidentData.parse(row.data);
  const alerts = Object.values(data.alerts).map(({ labels }) => (labels['alertname'] ?? '').toLowerCase());
  return [...namesOf(data), ...alerts, row.title.toLowerCase()];
}

function head(context: CardContext, rows: readonly Incident[], items: readonly Item[], filter: AlertFilter): Block[] {
  const { t, people } = context;
  const all = rows.length;
  const words = filterWords(filter).map((word) =>
    word.startsWith('@') ? (people(word.slice(1))?.name ?? word) : word === 'free' ? t('alerts-free') : word,
  );
  const only: Block[] = words.length === 0 ? [] : [line(`${t('alerts-filter')}: `, code(words.join(' · ')))];
  const asOf = ` · ${t('alerts-as-of', { clock: clock(context, context.now) })}`;
  if (all === 0) return [title('ok', [t('alerts-none'), asOf]), ...only];
  if (items.length === 0) return [title('info', [t('alerts-none-such', { all }), asOf]), ...only];
  const n = items.reduce((sum, { folded }) => sum + folded, items.length);
  const worst = SEVERITIES.find((one) => items.some(({ row }) => row.severity === one)) ?? 'warning';
  return [title(worst, [n === all ? t('alerts-head', { n }) : t('alerts-shown', { n, all }), asOf]), ...only];
}

function sections(
  context: CardContext,
  items: readonly Item[],
  shown: readonly Item[],
  links: ReadonlyMap<string, string | undefined>,
): Block[] {
  return SEVERITIES.flatMap((severity) => {
    const mine = shown.filter(({ row }) => row.severity === severity);
    if (mine.length === 0) return [];
    const n = items.filter(({ row }) => row.severity === severity).length;
    return [
      ...(n === items.length ? [] : [line(bold(context.t(`alerts-${severity}`, { n })))]),
      list(mine.map((one) => itemLine(context, one, links.get(String(one.row.id))))),
    ];
  });
}

function itemLine(context: CardContext, { row, folded }: Item, url: string | undefined): Inline[] {
  const { t, now, people } = context;
  const number = `#${row.id}`;
  const silence = activeSilence(row, now);
  const ms = Math.max(0, now.getTime() - row.startedAt.getTime());
  const more = [
    formatDuration(ms < 60_000 ? ms : Math.floor(ms / 60_000) * 60_000, t),
    row.owner === undefined ? t('alerts-free') : (people(row.owner)?.name ?? row.owner),
    ...(silence ? [t('alerts-silenced', { clock: clock(context, silence.until) })] : []),
    ...(folded > 0 ? [t('alerts-folded', { n: folded })] : []),
  ];
  return [url === undefined ? code(number) : link(url, number), ` ${clip(row.title, TITLE_MAX)} · ${more.join(' · ')}`];
}

function buttons({ t }: CardContext, filter: AlertFilter, page: number, pages: number): Button[][] {
  const to = (label: string, number: number, of: AlertFilter = filter): Button =>
    viewButton(label, [String(number), ...filterWords(of)].join(' '));
  const turn: Button[] =
    pages === 1
      ? []
      : [
          to('‹', page === 1 ? pages : page - 1),
          to(t('alerts-page', { page, pages }), page),
          to('›', page === pages ? 1 : page + 1),
        ];
  const { names } = filter;
  return [
    turn,
    [
      to(t('alerts-button-refresh'), page),
      ...(filter.severity === undefined && filter.owner === undefined
        ? [
            to(t('alerts-button-critical'), 1, { names, severity: 'critical' as const }),
            to(t('alerts-button-free'), 1, { names, owner: 'free' as const }),
          ]
        : [to(t('alerts-button-all'), 1, { names: [] })]),
    ],
  ].filter((row) => row.length > 0);
}
