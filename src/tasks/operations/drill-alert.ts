import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-drill-alert = Send a drill alert on the way of real ones
    drill-alert-plan = a synthetic alert goes to the chat; somebody has to press its button
    drill-alert-seen = the alert is on its way
    drill-alert-done = Drill #{ $number } is on its way. Its card shows how long each leg takes; /drills has the last ten.
  `,
  ru: `
    op-drill-alert = Отправить учебный алерт путём настоящих
    drill-alert-plan = учебный алерт придёт в чат, и кто-то должен нажать его кнопку
    drill-alert-seen = алерт в пути
    drill-alert-done = Учение #{ $number } началось. Карточка покажет, сколько занял каждый отрезок; последние десять — в /drills.
  `,
});

export default defineOperation({
  name: 'drill.alert',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({}),
  result: z.object({ number: z.number() }),
  ports: ['drills'],
  timeoutMs: seconds(30),
  locks: () => ['drill.alert'],
  plan: async () => ({ target: 'drill', lines: [{ key: 'drill-alert-plan' }] }),
  run: async ({ ports, actor, runId, remember, signal }) => {
    await remember({ drill: runId });
    await ports.drills.begin(runId, actor.id);
    await ports.drills.post(runId, signal);
    return { state: 'succeeded', result: { number: (await ports.drills.get(runId)).number } };
  },
  verify: async ({ ports, runId, signal }) => ({
    ok: await ports.drills.isUnderWay(runId, signal),
    text: { key: 'drill-alert-seen' },
  }),
  // The drill has the id of the run, and the same alert sent twice is one alert.
  reconcile: async ({ ports, runId, signal }, _args, external) => {
    const begun = external !== undefined && (await ports.drills.last(20)).find(({ id }) => id === runId);
    if (!begun || !(await ports.drills.isUnderWay(runId, signal))) return { state: 'again' };
    return { state: 'succeeded', result: { number: begun.number } };
  },
  report: ({ number }, _args, { t }) => doc(line(t('drill-alert-done', { number: String(number) }))),
});
