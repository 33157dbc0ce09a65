import { z } from 'zod';
import { minutes, seconds } from '../../core/clock.ts';
import {
  bold,
  type Button,
  code,
  type Doc,
  type Inline,
  type Inlines,
  line,
  quote,
  time,
  title,
} from '../../core/doc.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import { formatMatcher } from '../../integrations/alertmanager/matchers.ts';
import type { SilenceRow } from '../../store/silences.ts';
import { defineOperation } from '../define.ts';
import { wordsOf } from '../silences/comment.ts';

export const messages = defineMessages({
  en: `
    op-silences = Silences: active and to come
    silences-head = { $n ->
        [0] No silences
        [one] { $n } silence
       *[other] { $n } silences
    }
    silences-empty = Everything that fires is heard.
    silences-never = Alertmanager has not been asked yet. The list comes within half a minute of the start of a worker.
    silences-old = Alertmanager has not answered since
    silences-covers = { $n ->
        [0] mutes nothing now
        [one] mutes { $n } alert
       *[other] mutes { $n } alerts
    }
    silences-until = until
    silences-until-resolved = until incident #{ $id } is over
    silences-from = begins
    silences-maintenance = maintenance of { $target }
    silences-work = around the work of Vakhta
    silences-end = 🔔 { $n } · End
    silences-extend-1h = ⏳ { $n } · +1 h
    silences-extend-4h = ⏳ { $n } · +4 h
    silences-page = { $page } of { $pages }
    silences-refresh = ↻ Refresh
  `,
  ru: `
    op-silences = Заглушки: действующие и будущие
    silences-head = { $n ->
        [0] Заглушек нет
        [one] { $n } заглушка
        [few] { $n } заглушки
       *[other] { $n } заглушек
    }
    silences-empty = Слышно всё, что горит.
    silences-never = Alertmanager ещё не опрошен. Список появится в течение полуминуты после старта обработчика.
    silences-old = Alertmanager не отвечает с
    silences-covers = { $n ->
        [0] сейчас ничего не глушит
        [one] глушит { $n } алерт
        [few] глушит { $n } алерта
       *[other] глушит { $n } алертов
    }
    silences-until = до
    silences-until-resolved = до конца инцидента #{ $id }
    silences-from = начнётся
    silences-maintenance = обслуживание { $target }
    silences-work = на время работы Вахты
    silences-end = 🔔 { $n } · Снять
    silences-extend-1h = ⏳ { $n } · +1 ч
    silences-extend-4h = ⏳ { $n } · +4 ч
    silences-page = { $page } из { $pages }
    silences-refresh = ↻ Обновить
  `,
});

const PAGE = 5;
const OLD_MS = minutes(2);
const NAMES_MAX = 3;

const entry = z.object({
  id: z.string(),
  state: z.enum(['pending', 'active', 'expired']),
  what: z.array(z.string()),
  startsAt: z.coerce.date(),
  endsAt: z.coerce.date(),
  by: z.string(),
  comment: z.string(),
  purpose: z.enum(['incident', 'maintenance', 'work', 'other']),
  incident: z.number().optional(),
  target: z.string().optional(),
  untilResolved: z.boolean(),
  covers: z.number(),
  names: z.array(z.string()),
});
type Entry = z.output<typeof entry>;

/** Silences of one maintenance are one entry. */
function entryOf(rows: readonly SilenceRow[], nameOf: (by: string) => string): Entry[] {
  const [first] = rows;
  if (!first) return [];
  const { id, state, startsAt, endsAt, purpose, incident, target, untilResolved } = first;
  return [
    {
      id,
      state,
      startsAt,
      endsAt,
      purpose,
      untilResolved,
      ...(incident === undefined ? {} : { incident }),
      ...(target === undefined ? {} : { target }),
      what: rows.map((row) => row.matchers.map(formatMatcher).join(', ')),
      by: nameOf(first.createdBy),
      comment: wordsOf(first.comment),
      covers: rows.reduce((sum, row) => sum + row.covers, 0),
      names: [...new Set(rows.flatMap((row) => row.names))].toSorted(),
    },
  ];
}

export default defineOperation({
  name: 'silences',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({}),
  result: z.object({ at: z.coerce.date().optional(), entries: z.array(entry) }),
  ports: ['silences'],
  inline: true,
  timeoutMs: seconds(15),
  plan: async () => ({ target: 'silences', lines: [] }),
  run: async ({ ports }) => {
    const { at, groups } = await ports.silences.list();
    const entries = groups.flatMap((rows) => entryOf(rows, (by) => ports.silences.nameOf(by)));
    return { state: 'succeeded', result: { ...(at ? { at } : {}), entries } };
  },
  report: ({ at, entries }, _args, { t, now, view = '' }): Doc => {
    const refresh: Button = {
      kind: 'press',
      label: t('silences-refresh'),
      press: { kind: 'operation', operation: 'silences', args: {} },
    };
    if (!at)
      return {
        blocks: [title('unknown', t('silences-head', { n: 0 })), line(t('silences-never'))],
        buttons: [[refresh]],
      };
    const isOld = now.getTime() - at.getTime() > OLD_MS;
    const old = isOld ? [line(`${t('silences-old')} `, time(at))] : [];
    if (entries.length === 0) {
      const head = title(isOld ? 'unknown' : 'info', t('silences-head', { n: 0 }));
      return { blocks: [head, ...(isOld ? old : [line(t('silences-empty'))])], buttons: [[refresh]] };
    }
    const pages = Math.ceil(entries.length / PAGE);
    const page = Math.min(pages, Math.max(1, Number.parseInt(view, 10) || 1));
    const shown = entries.slice((page - 1) * PAGE, page * PAGE);
    const number = (n: number): number => (page - 1) * PAGE + n + 1;
    const turn = (to: number, label: string): Button => ({
      kind: 'press',
      label,
      press: { kind: 'view', view: String(to) },
    });
    const place = t('silences-page', { page, pages });
    return {
      blocks: [
        title('silenced', [t('silences-head', { n: entries.length }), ...(pages > 1 ? [` · ${place}`] : [])]),
        ...old,
        ...shown.map((one, n) => quote(linesOf(one, number(n), t))),
      ],
      buttons: [
        ...shown.map((one, n) => buttonsOf(one, number(n), t)),
        [...(page > 1 ? [turn(page - 1, '‹')] : []), refresh, ...(page < pages ? [turn(page + 1, '›')] : [])],
      ],
    };
  },
});

function linesOf(one: Entry, n: number, t: Translate): Inlines[] {
  const head: Inline[] = one.target === undefined ? [] : [t('silences-maintenance', { target: one.target }), ' '];
  const what = one.what.flatMap((text, at): Inline[] => (at > 0 ? [' · ', code(text)] : [code(text)]));
  const names = one.names.slice(0, NAMES_MAX).join(', ');
  const more = one.names.length > NAMES_MAX ? ' …' : '';
  const covers = `${t('silences-covers', { n: one.covers })}${one.covers > 0 && names !== '' ? `: ${names}${more}` : ''}`;
  const until: Inline[] =
    one.untilResolved && one.incident !== undefined
      ? [t('silences-until-resolved', { id: String(one.incident) })]
      : [`${t('silences-until')} `, time(one.endsAt)];
  const from: Inline[] = one.state === 'pending' ? [`${t('silences-from')} `, time(one.startsAt), ' · '] : [];
  const lines: Inlines[] = [[bold(`${n}`), ' ', ...head, ...what], covers, [...from, ...until, ` · ${one.by}`]];
  if (one.purpose === 'work') lines.push(t('silences-work'));
  if (one.comment !== '') lines.push(one.comment);
  return lines;
}

function buttonsOf(one: Entry, n: number, t: Translate): Button[] {
  const extend = (by: '1h' | '4h'): Button => ({
    kind: 'press',
    label: t(`silences-extend-${by}`, { n }),
    press: { kind: 'operation', operation: 'silence.extend', args: { silence: one.id, by } },
  });
  const end: Button = {
    kind: 'press',
    label: t('silences-end', { n }),
    press: { kind: 'operation', operation: 'silence.end', args: { silence: one.id } },
  };
  // What is around a run, or until an incident is over, has its own end.
  return one.purpose === 'work' || one.untilResolved ? [end] : [end, extend('1h'), extend('4h')];
}
