import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { actorName } from '../../core/people.ts';
import { defineOperation } from '../define.ts';
import { drArgs, drDoc, drResult, resultOf } from '../dr/report.ts';

export const messages = defineMessages({
  en: `
    op-dr-start = Walk through a disaster's checklist, step by step and timed
    op-dr-start-arg-scenario = What is lost?
    op-dr-start-arg-mode = Is it a drill, or does it burn?
    dr-start-plan = the checklist “{ $title }” begins: { $n } steps, about { $minutes } min
    dr-start-seen = the session is under way
  `,
  ru: `
    op-dr-start = Пройти чек-лист катастрофы по шагам, с замером времени
    op-dr-start-arg-scenario = Что потеряно?
    op-dr-start-arg-mode = Учение или всерьёз?
    dr-start-plan = начнётся чек-лист «{ $title }»: шагов { $n }, около { $minutes } мин
    dr-start-seen = сессия идёт
  `,
});

export default defineOperation({
  name: 'dr.start',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ ...drArgs, mode: z.enum(['drill', 'real']).default('drill') }),
  result: drResult,
  ports: ['dr'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports, operator }, { scenario }) => {
    const { steps, title } = ports.dr.checklist(scenario)[operator?.language ?? 'en'];
    const minutes = steps.reduce((sum, one) => sum + one.minutes, 0);
    return { target: scenario, lines: [{ key: 'dr-start-plan', args: { title, n: steps.length, minutes } }] };
  },
  run: async ({ ports, actor, runId, remember, clock }, { scenario, mode }) => {
    await remember({ session: runId });
    const view = await ports.dr.begin(runId, scenario, mode, actorName(actor));
    return { state: 'succeeded', result: resultOf(view, actor, clock.now()) };
  },
  verify: async ({ ports, runId }, { scenario }) => {
    const { steps } = await ports.dr.view(scenario, runId);
    return { ok: steps.length > 0, text: { key: 'dr-start-seen' } };
  },
  // The session has the id of the run: beginning it again changes nothing.
  reconcile: async () => ({ state: 'again' }),
  report: (result, _args, view) =>
    result.full ? drDoc(result, view) : doc(line(view.t('dr-noted-card', { number: String(result.number) }))),
});
