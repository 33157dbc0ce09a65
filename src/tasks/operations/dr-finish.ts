import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { actorName } from '../../core/people.ts';
import { defineOperation } from '../define.ts';
import { drArgs, drDoc, drHidden, drResult, resultOf } from '../dr/report.ts';

export const messages = defineMessages({
  en: `
    op-dr-finish = Disaster checklist: all is done, write it into the ledger
    op-dr-finish-arg-scenario = Which checklist?
    dr-finish-plan = “{ $scenario }” is finished and enters the ledger
    dr-finish-seen = the session is finished
  `,
  ru: `
    op-dr-finish = Чек-лист катастрофы: всё сделано, записать в журнал
    op-dr-finish-arg-scenario = Какой чек-лист?
    dr-finish-plan = «{ $scenario }» завершается и попадает в журнал
    dr-finish-seen = сессия завершена
  `,
});

export default defineOperation({
  name: 'dr.finish',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ ...drArgs, session: drHidden.session }),
  fields: { session: { hidden: true } },
  result: drResult,
  ports: ['dr'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports }, { scenario, session }) => {
    const bound = { id: (await ports.dr.view(scenario, session)).session.id };
    return { target: scenario, lines: [{ key: 'dr-finish-plan', args: { scenario } }], bound };
  },
  run: async ({ ports, actor, clock, plan }, { scenario }) => {
    const id = z.string().parse(plan.bound?.['id']);
    const view = await ports.dr.finish(scenario, actorName(actor), id);
    return { state: 'succeeded', result: resultOf(view, actor, clock.now()) };
  },
  verify: async ({ ports }, _args, { number }) => ({
    ok: (await ports.dr.byNumber(number))?.state === 'finished',
    text: { key: 'dr-finish-seen' },
  }),
  reconcile: async () => ({ state: 'again' }),
  report: (result, _args, view) => drDoc(result, view),
});
