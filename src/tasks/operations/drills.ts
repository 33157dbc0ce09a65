import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { bold, type Button, facts, type Inlines, line, list, time, title } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { LEGS, type Leg, legMs, legText, wayMs } from '../watcher/drill-doc.ts';
import { drillBlocks, drillLine as restoreLine, drillLines } from '../recovery/overview.ts';

export const messages = defineMessages({
  en: `
    op-drills = The last drills, and how long alerts take
    drills-head-passed = Drills · the last one passed
    drills-head-failed = Drills · the last one failed
    drills-head-running = Drills · one is under way
    drills-none = There was no drill yet. Start one with /drill alert.
    drills-median = Alert to chat
    drills-median-value = { $way } (median of { $n })
    drills-answer = Answer of a person
    drills-way = in the chat after { $way }
    drills-answered = answered after { $time }
    drills-start = 🧯 Start a drill
  `,
  ru: `
    op-drills = Последние учения и время доставки алертов
    drills-head-passed = Учения · последнее пройдено
    drills-head-failed = Учения · последнее провалено
    drills-head-running = Учения · одно идёт
    drills-none = Учений ещё не было. Начните: /drill alert.
    drills-median = От алерта до чата
    drills-median-value = { $way } (медиана, всего { $n })
    drills-answer = Ответ человека
    drills-way = в чате через { $way }
    drills-answered = ответ через { $time }
    drills-start = 🧯 Начать учение
  `,
});

const drillLine = z.object({
  number: z.number(),
  via: z.enum(['alertmanager', 'direct']),
  state: z.enum(['running', 'passed', 'failed']),
  failedLeg: z.enum(['received', 'shown', 'pressed']).optional(),
  startedAt: z.coerce.date(),
  postedAt: z.coerce.date().optional(),
  receivedAt: z.coerce.date().optional(),
  shownAt: z.coerce.date().optional(),
  pressedAt: z.coerce.date().optional(),
});
type DrillLine = z.output<typeof drillLine>;

const SHOWN = 10;
const ICON = { passed: '🟢', failed: '🟠', running: '⏳' } as const;

export default defineOperation({
  name: 'drills',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({}),
  result: z.object({ drills: z.array(drillLine), restores: z.array(restoreLine).default([]) }),
  ports: ['drills', 'recovery'],
  inline: true,
  timeoutMs: seconds(10),
  plan: async () => ({ target: 'drills', lines: [] }),
  run: async ({ ports }) => {
    const [alerts, restores] = await Promise.all([
      ports.drills.last(SHOWN),
      drillLines(ports.recovery, { limit: SHOWN }),
    ]);
    return { state: 'succeeded', result: { drills: alerts.map((one) => drillLine.parse(one)), restores } };
  },
  report: ({ drills, restores }, _args, view) => {
    const { t } = view;
    const start: Button = {
      kind: 'press',
      label: t('drills-start'),
      press: { kind: 'operation', operation: 'drill.alert', args: {} },
    };
    const [newest] = drills;
    if (!newest) {
      return { blocks: [title('info', t('drills-none')), ...drillBlocks(restores, view)], buttons: [[start]] };
    }
    const icon = newest.state === 'passed' ? 'ok' : newest.state === 'failed' ? 'warning' : 'running';
    const rows: (readonly [string, Inlines])[] = [];
    const ways = drills.flatMap((one) => wayMs(one) ?? []);
    const answers = drills.flatMap((one) => legMs(one, 'pressed') ?? []);
    const value = (all: readonly number[]): string =>
      t('drills-median-value', { way: formatDuration(median(all), t), n: all.length });
    if (ways.length > 0) rows.push([t('drills-median'), value(ways)]);
    if (answers.length > 0) rows.push([t('drills-answer'), value(answers)]);
    return {
      blocks: [
        title(icon, bold(t(`drills-head-${newest.state}`))),
        ...(rows.length > 0 ? [facts(...rows)] : [line(t('drill-waits'))]),
        list(drills.map((one) => brief(one, t))),
        ...drillBlocks(restores, view),
      ],
      buttons: newest.state === 'running' ? [] : [[start]],
    };
  },
});

function brief(one: DrillLine, t: Translate): Inlines {
  const way = wayMs(one);
  const answer = legMs(one, 'pressed');
  const lost = LEGS.find((leg: Leg) => one.failedLeg === leg);
  const parts = [
    ...(way === undefined ? [] : [t('drills-way', { way: formatDuration(way, t) })]),
    ...(lost ? [legText(one, lost, t)] : []),
    ...(answer !== undefined && lost !== 'pressed' ? [t('drills-answered', { time: formatDuration(answer, t) })] : []),
    ...(one.state === 'running' && way === undefined ? [t('drill-waits')] : []),
  ];
  return [`${ICON[one.state]} #${one.number} `, time(one.startedAt), ` · ${parts.join(', ')}`];
}

/** The lower one of the two in the middle. */
const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor((all.length - 1) / 2)] ?? 0;
