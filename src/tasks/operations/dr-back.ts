import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { drArgs, drDoc, drHidden, drResult, resultOf } from '../dr/report.ts';

export const messages = defineMessages({
  en: `
    op-dr-back = Disaster checklist: the last step was not done after all
    op-dr-back-arg-scenario = Of which checklist?
    dr-back-plan = the last step of “{ $scenario }” is open again
    dr-back-seen = the step is open
  `,
  ru: `
    op-dr-back = Чек-лист катастрофы: последний шаг всё-таки не выполнен
    op-dr-back-arg-scenario = В каком чек-листе?
    dr-back-plan = последний шаг «{ $scenario }» снова открыт
    dr-back-seen = шаг открыт
  `,
});

export default defineOperation({
  name: 'dr.back',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ ...drArgs, ...drHidden }),
  fields: { step: { hidden: true }, session: { hidden: true } },
  result: drResult,
  ports: ['dr'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports }, { scenario, step, session }) => {
    const { steps } = await ports.dr.view(scenario, session);
    const n = step ?? steps.findLast(({ state }) => state === 'done' || state === 'skipped')?.n;
    const bound = n === undefined ? {} : { bound: { n } };
    return { target: scenario, lines: [{ key: 'dr-back-plan', args: { scenario } }], ...bound };
  },
  run: async ({ ports, actor, clock, plan }, { scenario, session }) => {
    const n = z.number().optional().parse(plan.bound?.['n']);
    const which = { ...(n === undefined ? {} : { n }), ...(session === undefined ? {} : { id: session }) };
    return { state: 'succeeded', result: resultOf(await ports.dr.back(scenario, which), actor, clock.now()) };
  },
  verify: async ({ ports }, { scenario, session }, { current }) => {
    const { steps } = await ports.dr.view(scenario, session);
    return { ok: steps.some(({ n, startedAt }) => n === current && startedAt), text: { key: 'dr-back-seen' } };
  },
  reconcile: async () => ({ state: 'again' }),
  report: (result, _args, view) => drDoc(result, view),
});
