import {
  bold,
  type Button,
  code,
  type Doc,
  facts,
  type Inline,
  type Inlines,
  line,
  time,
  title,
} from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { formatMatcher } from '../../integrations/alertmanager/matchers.ts';
import { incident } from '../../store/incidents.ts';
import { silence as findSilence, type SilenceRow, silencesOfRun } from '../../store/silences.ts';
import { titleFor } from '../../tasks/incidents.ts';
import { wordsOf } from '../../tasks/silences/comment.ts';
import { type CardContext, defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    silencecard-soon = the silence ends soon
    silencecard-soon-maintenance = maintenance of { $target } ends soon
    silencecard-let = the silence ends, as wished
    silencecard-let-maintenance = maintenance of { $target } ends, as wished
    silencecard-longer = the silence lasts longer
    silencecard-longer-maintenance = maintenance of { $target } lasts longer
    silencecard-over = the silence is over
    silencecard-over-maintenance = maintenance of { $target } is over
    silencecard-ends = Ends
    silencecard-ended = Ended
    silencecard-fires = Fires under it
    silencecard-fires-now = Fires now
    silencecard-n = { $n ->
        [0] nothing
        [one] { $n } alert: { $names }
       *[other] { $n } alerts: { $names }
    }
    silencecard-by = Made by
    silencecard-ended-by = ended by { $name }
    silencecard-why = Why
    silencecard-what = What
    silencecard-extend-1h = ⏳ +1 h
    silencecard-extend-4h = ⏳ +4 h
    silencecard-extend-morning = 🌅 until 09:00
    silencecard-again = 🔕 Silence 1 h more
    silencecard-let-end = ✔ Let it end
    silencecard-not-yet = ⏳ Extend after all
    silencecard-end = 🔔 End now
    silencecard-todo = Without a press it ends by itself, and what fires is heard again.
  `,
  ru: `
    silencecard-soon = заглушка скоро закончится
    silencecard-soon-maintenance = обслуживание { $target } скоро закончится
    silencecard-let = заглушка закончится, как решено
    silencecard-let-maintenance = обслуживание { $target } закончится, как решено
    silencecard-longer = заглушка продлена
    silencecard-longer-maintenance = обслуживание { $target } продлено
    silencecard-over = заглушка закончилась
    silencecard-over-maintenance = обслуживание { $target } закончилось
    silencecard-ends = Закончится
    silencecard-ended = Закончилась
    silencecard-fires = Под ней горит
    silencecard-fires-now = Сейчас горит
    silencecard-n = { $n ->
        [0] ничего
        [one] { $n } алерт: { $names }
        [few] { $n } алерта: { $names }
       *[other] { $n } алертов: { $names }
    }
    silencecard-by = Поставил(а)
    silencecard-ended-by = снял(а) { $name }
    silencecard-why = Почему
    silencecard-what = Что
    silencecard-extend-1h = ⏳ +1 ч
    silencecard-extend-4h = ⏳ +4 ч
    silencecard-extend-morning = 🌅 до 09:00
    silencecard-again = 🔕 Заглушить ещё на 1 ч
    silencecard-let-end = ✔ Пусть кончается
    silencecard-not-yet = ⏳ Всё же продлить
    silencecard-end = 🔔 Снять сейчас
    silencecard-todo = Если не нажимать, она кончится сама, и всё горящее снова станет слышно.
  `,
});

const NAMES_MAX = 4;
const CHAIN_MAX = 50;

interface Shown {
  /** The silence that the card was made for. */
  readonly asked: SilenceRow;
  /** It, or what has taken its place; with those of the same maintenance. */
  readonly rows: readonly [SilenceRow, ...SilenceRow[]];
  readonly title: string | undefined;
}

async function load({ q, t }: Pick<CardContext, 'q' | 't'>, id: string): Promise<Shown | undefined> {
  const asked = await findSilence(q, id);
  if (!asked) return undefined;
  let latest = asked;
  for (let n = 0; latest.replacedBy !== undefined && n < CHAIN_MAX; n++) {
    const next = await findSilence(q, latest.replacedBy);
    if (!next) break;
    latest = next;
  }
  const isGroup = latest.purpose === 'maintenance' && latest.runId !== undefined;
  const others = isGroup && latest.runId !== undefined ? await silencesOfRun(q, latest.runId) : [];
  const rest = others.filter((one) => one.id !== latest.id && one.replacedBy === undefined);
  const its = latest.incident === undefined ? undefined : await incident(q, latest.incident);
  return { asked, rows: [latest, ...rest], title: its && titleFor(t, its) };
}

type Stage = 'soon' | 'let' | 'longer' | 'over';

export function drawSilence(context: Pick<CardContext, 't' | 'people'>, shown: Shown, view: string): Doc {
  const { t, people } = context;
  const { asked, rows } = shown;
  const [row] = rows;
  const isOver = rows.every(({ state }) => state === 'expired');
  const stage: Stage = isOver ? 'over' : asked.replacedBy !== undefined ? 'longer' : view === 'let' ? 'let' : 'soon';
  const n = rows.reduce((sum, one) => sum + one.covers, 0);
  const names = [...new Set(rows.flatMap((one) => one.names))].toSorted();
  const list = `${names.slice(0, NAMES_MAX).join(', ')}${names.length > NAMES_MAX ? ' …' : ''}`;
  const name = (id: string): string => people(id)?.name ?? id;
  const until = new Date(Math.max(...rows.map(({ endsAt }) => endsAt.getTime())));
  const head =
    row.target === undefined
      ? t(`silencecard-${stage}`)
      : t(`silencecard-${stage}-maintenance`, { target: row.target });
  const subject: Inline[] = row.incident === undefined ? [] : [` · ${shown.title ?? ''} `, code(`#${row.incident}`)];
  const ended = row.endedBy === undefined ? [] : [` · ${t('silencecard-ended-by', { name: name(row.endedBy) })}`];
  const fires = t('silencecard-n', { n, names: list });
  const comment = wordsOf(row.comment);
  const matchers = rows.flatMap((one, at): Inline[] => {
    const text = code(one.matchers.map(formatMatcher).join(', '));
    return at > 0 ? [' · ', text] : [text];
  });
  const pairs: (readonly [string, Inlines])[] = [
    [t(isOver ? 'silencecard-ended' : 'silencecard-ends'), [time(until), ...ended]],
    [t(isOver ? 'silencecard-fires-now' : 'silencecard-fires'), n > 0 ? bold(fires) : fires],
    [t('silencecard-by'), name(row.createdBy)],
    ...(comment === '' ? [] : [[t('silencecard-why'), comment] as const]),
    [t('silencecard-what'), matchers],
  ];
  const icon = stage === 'over' ? (n > 0 ? 'warning' : 'ok') : stage === 'soon' ? 'bell' : 'silenced';
  return {
    blocks: [
      title(icon, [head, ...subject]),
      facts(...pairs),
      ...(stage === 'soon' ? [line(t('silencecard-todo'))] : []),
    ],
    buttons: buttonsOf(context, row.id, stage, n > 0),
  };
}

function buttonsOf({ t }: Pick<CardContext, 't'>, id: string, stage: Stage, fires: boolean): Button[][] {
  const press = (label: string, operation: string, args: Record<string, unknown>): Button => ({
    kind: 'press',
    label: t(label),
    press: { kind: 'operation', operation, args: { silence: id, ...args } },
  });
  const turn = (label: string, view: string): Button => ({
    kind: 'press',
    label: t(label),
    press: { kind: 'view', view },
  });
  const end = press('silencecard-end', 'silence.end', {});
  switch (stage) {
    case 'soon':
      return [
        [
          press('silencecard-extend-1h', 'silence.extend', { by: '1h' }),
          press('silencecard-extend-4h', 'silence.extend', { by: '4h' }),
          press('silencecard-extend-morning', 'silence.extend', { by: '09:00' }),
        ],
        [turn('silencecard-let-end', 'let'), end],
      ];
    case 'let':
      return [[turn('silencecard-not-yet', ''), end]];
    case 'longer':
      return [[end]];
    case 'over':
      return fires ? [[press('silencecard-again', 'silence.extend', { by: '1h' })]] : [];
  }
}

/** A silence that ends soon while something fires under it, and what became of it. */
export default defineCard({
  kind: 'silence',
  messages,
  render: async (context, card) => {
    const shown = await load(context, card.ref);
    return shown ? drawSilence(context, shown, card.view) : 'gone';
  },
});
