import { type Doc, facts, type Icon, type Inlines, line, time, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { drill as findDrill, type Drill } from '../../store/drills.ts';
import { legRows } from '../../tasks/watcher/drill-doc.ts';
import { defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    drillcard-running = press the button if you see this
    drillcard-passed = passed
    drillcard-pressed = nobody answered in time
    drillcard-received = came too late
    drillcard-shown = was shown too late
    drillcard-text = Nothing burns. This alert takes the way of real ones, to see that it reaches you.
    drillcard-until = Answer until
    drillcard-seen = 👁 I see it
  `,
  ru: `
    drillcard-running = видите это — нажмите кнопку
    drillcard-passed = пройдено
    drillcard-pressed = никто не ответил вовремя
    drillcard-received = пришло слишком поздно
    drillcard-shown = показано слишком поздно
    drillcard-text = Ничего не горит. Этот алерт идёт путём настоящих: так видно, что до вас доходит.
    drillcard-until = Ответить до
    drillcard-seen = 👁 Вижу
  `,
});

const ICONS: Readonly<Record<Drill['state'], Icon>> = { running: 'bell', passed: 'done', failed: 'warning' };

export default defineCard({
  kind: 'drill',
  messages,
  render: async ({ q, t, people }, card): Promise<Doc | 'gone'> => {
    const drill = await findDrill(q, card.ref);
    if (!drill) return 'gone';
    const { state, failedLeg, pressedBy } = drill;
    const verdict = state === 'failed' ? t(`drillcard-${failedLeg ?? 'pressed'}`) : t(`drillcard-${state}`);
    const rows: (readonly [string, Inlines])[] = [
      ...(state === 'running' ? [[t('drillcard-until'), time(drill.answerBy, 'clock')] as const] : []),
      ...legRows(drill, t, pressedBy === undefined ? undefined : (people(pressedBy)?.name ?? pressedBy)),
    ];
    const seen = { kind: 'operation', operation: 'drill.seen', args: { drill: drill.id } } as const;
    return {
      blocks: [
        title(ICONS[state], `${t('drill-word')} #${drill.number} · ${verdict}`),
        line(t('drillcard-text')),
        facts(...rows),
      ],
      buttons: drill.pressedAt ? [] : [[{ kind: 'press', label: t('drillcard-seen'), style: 'primary', press: seen }]],
    };
  },
});
