import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { actorName } from '../../core/people.ts';
import { defineOperation } from '../define.ts';
import { drArgs, drDoc, drHidden, drResult, resultOf } from '../dr/report.ts';

export const messages = defineMessages({
  en: `
    op-dr-skip = Disaster checklist: skip the current step, and say why
    op-dr-skip-arg-scenario = Of which checklist?
    op-dr-skip-arg-reason = Why is this step skipped?
    dr-skip-plan = step { $n } of “{ $scenario }” is skipped: { $reason }
    dr-skip-seen = the step has ended
  `,
  ru: `
    op-dr-skip = Чек-лист катастрофы: пропустить текущий шаг и сказать почему
    op-dr-skip-arg-scenario = В каком чек-листе?
    op-dr-skip-arg-reason = Почему этот шаг пропускаем?
    dr-skip-plan = шаг { $n } из «{ $scenario }» пропущен: { $reason }
    dr-skip-seen = шаг закончен
  `,
});

export default defineOperation({
  name: 'dr.skip',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ ...drArgs, reason: z.string().trim().min(1).max(200), ...drHidden }),
  fields: { reason: { rest: true }, step: { hidden: true }, session: { hidden: true } },
  result: drResult,
  ports: ['dr'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports }, { scenario, reason, step, session }) => {
    const { steps } = await ports.dr.view(scenario, session);
    const n = step ?? steps.find(({ state }) => state === 'current')?.n;
    const bound = n === undefined ? {} : { bound: { n } };
    const args = { n: String(n ?? '—'), scenario, reason };
    return { target: scenario, lines: [{ key: 'dr-skip-plan', args }], ...bound };
  },
  run: async ({ ports, actor, clock, plan }, { scenario, reason, session }) => {
    const n = z.number().optional().parse(plan.bound?.['n']);
    const which = { ...(n === undefined ? {} : { n }), ...(session === undefined ? {} : { id: session }) };
    const view = await ports.dr.step(scenario, { state: 'skipped', by: actorName(actor), reason, ...which });
    return { state: 'succeeded', result: resultOf(view, actor, clock.now()) };
  },
  verify: async ({ ports }, { scenario, session }, { steps }) => {
    const ended = steps.filter(({ state }) => state === 'done' || state === 'skipped').length;
    const now = (await ports.dr.view(scenario, session)).steps;
    const still = now.filter(({ state }) => state === 'done' || state === 'skipped').length;
    return { ok: still >= ended, text: { key: 'dr-skip-seen' } };
  },
  reconcile: async () => ({ state: 'again' }),
  report: (result, _args, view) => drDoc(result, view),
});
