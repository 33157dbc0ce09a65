import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { actorName } from '../../core/people.ts';
import { defineOperation } from '../define.ts';
import { drArgs, drDoc, drHidden, drResult, resultOf } from '../dr/report.ts';

export const messages = defineMessages({
  en: `
    op-dr-done = Disaster checklist: the current step is done
    op-dr-done-arg-scenario = Of which checklist?
    dr-done-plan = step { $n } of “{ $scenario }” is done
    dr-done-seen = the step has ended
  `,
  ru: `
    op-dr-done = Чек-лист катастрофы: текущий шаг выполнен
    op-dr-done-arg-scenario = В каком чек-листе?
    dr-done-plan = шаг { $n } из «{ $scenario }» выполнен
    dr-done-seen = шаг закончен
  `,
});

export default defineOperation({
  name: 'dr.done',
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
    const n = step ?? steps.find(({ state }) => state === 'current')?.n;
    // What was asked for is this step, whichever is current by the time it is done.
    const bound = n === undefined ? {} : { bound: { n } };
    return { target: scenario, lines: [{ key: 'dr-done-plan', args: { n: String(n ?? '—'), scenario } }], ...bound };
  },
  run: async ({ ports, actor, clock, plan }, { scenario, session }) => {
    const n = z.number().optional().parse(plan.bound?.['n']);
    const which = { ...(n === undefined ? {} : { n }), ...(session === undefined ? {} : { id: session }) };
    const view = await ports.dr.step(scenario, { state: 'done', by: actorName(actor), ...which });
    return { state: 'succeeded', result: resultOf(view, actor, clock.now()) };
  },
  verify: async ({ ports }, { scenario, session }, { steps }) => {
    const ended = steps.filter(({ state }) => state === 'done' || state === 'skipped').length;
    const now = (await ports.dr.view(scenario, session)).steps;
    const still = now.filter(({ state }) => state === 'done' || state === 'skipped').length;
    return { ok: still >= ended, text: { key: 'dr-done-seen' } };
  },
  reconcile: async () => ({ state: 'again' }),
  report: (result, _args, view) => drDoc(result, view),
});
