import { z } from 'zod';
import {
  type Block,
  bold,
  type Button,
  type Doc,
  facts,
  type Inlines,
  line,
  list,
  time,
  title,
} from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { View } from '../define.ts';
import type { WatchDesk } from './rota.ts';

export const messages = defineMessages({
  en: `
    watch-has = { $who } is on watch
    watch-nobody = nobody is on watch
    watch-until = Until
    watch-open = until somebody else takes it
    watch-why = By
    watch-why-rotation = the rotation
    watch-why-override = an exception in the configuration
    watch-why-taken = command
    watch-second = Second
    watch-no-second = nobody
    watch-next = Then
    watch-next-nobody = nobody
    watch-unreachable = ⚠️ Cannot be called in private: { $who }. They have to open a chat with the bot and press Start.
    watch-no-rotation = There is no rotation in the configuration (watch.rotation): who takes the watch has it for 8 hours.
    watch-button-take = ✋ Take the watch
    watch-button-give = 👥 Hand it over…
    watch-button-cancel = ↩ Back to the rotation
    watch-button-refresh = ↻ Refresh
  `,
  ru: `
    watch-has = на вахте { $who }
    watch-nobody = на вахте никого
    watch-until = До
    watch-open = пока не возьмёт кто-то другой
    watch-why = Почему
    watch-why-rotation = по графику
    watch-why-override = исключение в конфигурации
    watch-why-taken = по команде
    watch-second = Следующий
    watch-no-second = никого
    watch-next = Дальше
    watch-next-nobody = никого
    watch-unreachable = ⚠️ Нельзя вызвать лично: { $who }. Нужно открыть чат с ботом и нажать «Старт».
    watch-no-rotation = Графика в конфигурации нет (watch.rotation): кто возьмёт вахту, несёт её 8 часов.
    watch-button-take = ✋ Взять вахту
    watch-button-give = 👥 Передать…
    watch-button-cancel = ↩ Вернуть график
    watch-button-refresh = ↻ Обновить
  `,
});

const who = z.object({ id: z.string(), name: z.string() });
const why = z.enum(['rotation', 'override', 'taken']);

/** The watch as an operation reports it. */
export const watchSchema = z.object({
  person: who.optional(),
  second: who.optional(),
  until: z.coerce.date().optional(),
  why,
  next: z.array(z.object({ name: z.string().optional(), from: z.coerce.date() })),
  unreachable: z.array(z.string()),
  hasRotation: z.boolean(),
});
export type WatchReport = z.output<typeof watchSchema>;

export async function watchReport(desk: WatchDesk): Promise<WatchReport> {
  const { now, next, unreachable, hasRotation } = await desk.look();
  const named = (id: string) => ({ id, name: desk.nameOf(id) });
  return {
    ...(now.person === undefined ? {} : { person: named(now.person) }),
    ...(now.second === undefined ? {} : { second: named(now.second) }),
    ...(now.until === undefined ? {} : { until: now.until }),
    why: now.why,
    next: next.map(({ person, from }) => ({ ...(person === undefined ? {} : { name: desk.nameOf(person) }), from })),
    unreachable: unreachable.map((id) => desk.nameOf(id)),
    hasRotation,
  };
}

/** Who is on watch, until when, who comes next, and what stands in the way. */
export function watchDoc(report: WatchReport, { t }: View): Doc {
  const { person, second, until, next, unreachable } = report;
  const verdict = person ? t('watch-has', { who: person.name }) : t('watch-nobody');
  const isTrouble = person === undefined || unreachable.includes(person.name);
  const rows: (readonly [string, Inlines])[] = [];
  if (person) {
    rows.push([t('watch-until'), until ? time(until) : t('watch-open')]);
    rows.push([t('watch-why'), t(`watch-why-${report.why}`)]);
  }
  if (report.hasRotation) rows.push([t('watch-second'), second?.name ?? t('watch-no-second')]);
  const blocks: Block[] = [title(isTrouble ? 'warning' : 'ok', bold(verdict))];
  if (rows.length > 0) blocks.push(facts(...rows));
  if (next.length > 0) {
    const items = next.map(({ name, from }): Inlines => [time(from), ` ${name ?? t('watch-next-nobody')}`]);
    blocks.push(line(bold(t('watch-next'))), list(items));
  }
  if (!report.hasRotation) blocks.push(line(t('watch-no-rotation')));
  if (unreachable.length > 0) blocks.push(line(t('watch-unreachable', { who: unreachable.join(', ') })));
  const press = (key: string, operation: string): Button => ({
    kind: 'press',
    label: t(key),
    press: { kind: 'operation', operation, args: {} },
  });
  return {
    blocks,
    buttons: [
      [press('watch-button-take', 'watch.take'), press('watch-button-give', 'watch.give')],
      [
        ...(report.why === 'taken' ? [press('watch-button-cancel', 'watch.cancel')] : []),
        press('watch-button-refresh', 'watch'),
      ],
    ],
  };
}
