import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { actorName } from '../../core/people.ts';
import { defineOperation } from '../define.ts';
import { drArgs, drDoc, drHidden, drResult, resultOf } from '../dr/report.ts';

export const messages = defineMessages({
  en: `
    op-dr-abort = Disaster checklist: give the session up, and say why
    op-dr-abort-arg-scenario = Which checklist?
    op-dr-abort-arg-reason = Why is it given up?
    dr-abort-plan = “{ $scenario }” is given up: { $reason }
    dr-abort-seen = the session is over
  `,
  ru: `
    op-dr-abort = Чек-лист катастрофы: прекратить сессию и сказать почему
    op-dr-abort-arg-scenario = Какой чек-лист?
    op-dr-abort-arg-reason = Почему прекращаем?
    dr-abort-plan = «{ $scenario }» прекращается: { $reason }
    dr-abort-seen = сессии больше нет
  `,
});

export default defineOperation({
  name: 'dr.abort',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ ...drArgs, reason: z.string().trim().min(1).max(200), session: drHidden.session }),
  fields: { reason: { rest: true }, session: { hidden: true } },
  result: drResult,
  ports: ['dr'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports }, { scenario, reason, session }) => {
    const bound = { id: (await ports.dr.view(scenario, session)).session.id };
    return { target: scenario, lines: [{ key: 'dr-abort-plan', args: { scenario, reason } }], bound };
  },
  run: async ({ ports, actor, clock, plan }, { scenario, reason }) => {
    const id = z.string().parse(plan.bound?.['id']);
    const view = await ports.dr.abort(scenario, actorName(actor), reason, id);
    return { state: 'succeeded', result: resultOf(view, actor, clock.now()) };
  },
  verify: async ({ ports }, _args, { number }) => ({
    ok: (await ports.dr.byNumber(number))?.state === 'aborted',
    text: { key: 'dr-abort-seen' },
  }),
  reconcile: async () => ({ state: 'again' }),
  report: (result, _args, view) => drDoc(result, view),
});
