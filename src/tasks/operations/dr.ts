import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { bold, type Button, code, type Inlines, line, list, time, title } from '../../core/doc.ts';
import { SCENARIOS } from '../../core/dr.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-dr = Disasters: the checklists, and when they were last walked through
    dr-list-live = Disaster recovery · { $n ->
        [one] a session is under way
       *[other] { $n } sessions are under way
    }
    dr-list-never = Disaster recovery · { $n } of { $of } checklists were never walked through
    dr-list-old = Disaster recovery · { $n } of { $of } checklists were not walked through for { $days } days
    dr-list-ok = Disaster recovery · every checklist was walked through lately
    dr-list-item-never = never walked through
    dr-list-item-live = session #{ $number } ({ $mode }), { $where }
    dr-list-item-last = took { $took }, { $mode }
    dr-list-item-late = took { $took }, over the target of { $target }, { $mode }
    dr-list-item-skipped = skipped: { $n }
    dr-list-plan = { $steps } steps, about { $minutes } min
    dr-list-how = Start: /dr start SCENARIO drill, or real when it burns.
    dr-list-start = 🧯 Drill…
    dr-list-real = 🔥 For real…
    dr-list-read = 📖 { $name }
  `,
  ru: `
    op-dr = Катастрофы: чек-листы и когда по ним проходили
    dr-list-live = Аварийное восстановление · { $n ->
        [one] идёт { $n } сессия
        [few] идут { $n } сессии
       *[other] идёт { $n } сессий
    }
    dr-list-never = Аварийное восстановление · не пройдено ни разу: { $n } из { $of }
    dr-list-old = Аварийное восстановление · { $n } из { $of } не проходили больше { $days } дней
    dr-list-ok = Аварийное восстановление · все чек-листы пройдены недавно
    dr-list-item-never = ни разу не проходили
    dr-list-item-live = сессия #{ $number } ({ $mode }), { $where }
    dr-list-item-last = заняло { $took }, { $mode }
    dr-list-item-late = заняло { $took }, дольше цели в { $target }, { $mode }
    dr-list-item-skipped = пропущено: { $n }
    dr-list-plan = шагов: { $steps }, около { $minutes } мин
    dr-list-how = Начать: /dr start СЦЕНАРИЙ drill, а если горит — real.
    dr-list-start = 🧯 Учение…
    dr-list-real = 🔥 Всерьёз…
    dr-list-read = 📖 { $name }
  `,
});

const mode = z.enum(['drill', 'real']);
const both = z.object({ en: z.string(), ru: z.string() });
const item = z.object({
  scenario: z.enum(SCENARIOS),
  title: both,
  minutes: z.number(),
  steps: z.number(),
  live: z.object({ number: z.number(), mode, step: z.number().optional() }).exactOptional(),
  last: z
    .object({
      number: z.number(),
      mode,
      at: z.coerce.date(),
      by: z.string(),
      ms: z.number(),
      skipped: z.number(),
    })
    .exactOptional(),
});

/** A checklist that nobody has walked through for half a year describes another infrastructure. */
const OLD_DAYS = 180;

export default defineOperation({
  name: 'dr',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({}),
  result: z.object({ scenarios: z.array(item), targetMs: z.number() }),
  ports: ['dr'],
  inline: true,
  timeoutMs: seconds(10),
  plan: async () => ({ target: 'dr', lines: [] }),
  run: async ({ ports }) => ({
    state: 'succeeded',
    result: { scenarios: (await ports.dr.scenarios()).map((one) => item.parse(one)), targetMs: ports.dr.targetMs },
  }),
  report: ({ scenarios, targetMs }, _args, { t, language, now }) => {
    const live = scenarios.filter((one) => one.live).length;
    const never = scenarios.filter(({ last }) => !last).length;
    const old = scenarios.filter(
      ({ last }) => last && now.getTime() - last.at.getTime() > OLD_DAYS * 86_400_000,
    ).length;
    const of = scenarios.length;
    const head =
      live > 0
        ? title('running', bold(t('dr-list-live', { n: live })))
        : never > 0
          ? title('warning', bold(t('dr-list-never', { n: never, of })))
          : old > 0
            ? title('warning', bold(t('dr-list-old', { n: old, of, days: OLD_DAYS })))
            : title('ok', bold(t('dr-list-ok')));
    const items = scenarios.map((one): Inlines => {
      const name: Inlines = [bold(one.title[language]), ' ', code(one.scenario)];
      if (one.live) {
        const where = one.live.step === undefined ? t('dr-all-done') : t('dr-of', { n: one.live.step, of: one.steps });
        const words = { number: String(one.live.number), mode: t(`dr-mode-${one.live.mode}`), where };
        return [...name, ` · ${t('dr-list-item-live', words)}`];
      }
      const { last } = one;
      const plan = t('dr-list-plan', { steps: one.steps, minutes: one.minutes });
      if (!last) return [...name, ` · ${t('dr-list-item-never')} · ${plan}`];
      const key = last.ms > targetMs ? 'dr-list-item-late' : 'dr-list-item-last';
      const words = {
        took: formatDuration(last.ms, t),
        target: formatDuration(targetMs, t),
        mode: t(`dr-mode-${last.mode}`),
      };
      const skipped = last.skipped > 0 ? [`, ${t('dr-list-item-skipped', { n: last.skipped })}`] : [];
      return [...name, ' · ', time(last.at, 'ago'), ` · ${t(key, words)}`, ...skipped];
    });
    const press = (label: string, operation: string, args: Record<string, unknown>): Button => ({
      kind: 'press',
      label,
      press: { kind: 'operation', operation, args },
    });
    return {
      blocks: [head, list(items), line(t('dr-list-how'))],
      buttons: [
        [
          press(t('dr-list-start'), 'dr.start', { mode: 'drill' }),
          press(t('dr-list-real'), 'dr.start', { mode: 'real' }),
        ],
      ],
    };
  },
});
