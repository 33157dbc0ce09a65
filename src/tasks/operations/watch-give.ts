import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { watchDoc, watchReport, watchSchema } from '../watch/watch-doc.ts';

export const messages = defineMessages({
  en: `
    op-watch-give = Hand the watch over to somebody
    op-watch-give-arg-person = Who takes the watch?
    op-watch-give-arg-hours = For how many hours? Without a number: until the next change.
    watch-give-plan = { $who } gives the watch to { $to }
  `,
  ru: `
    op-watch-give = Передать вахту другому человеку
    op-watch-give-arg-person = Кто примет вахту?
    op-watch-give-arg-hours = На сколько часов? Без числа — до следующей смены.
    watch-give-plan = { $who } передаёт вахту. Принимает { $to }
  `,
});

export default defineOperation({
  name: 'watch.give',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ person: z.string().min(1), hours: z.coerce.number().int().min(1).max(336).optional() }),
  fields: {
    person: {
      choices: ({ operators }) => operators.filter(({ role }) => role !== 'viewer').map(({ id }) => id),
    },
  },
  result: watchSchema,
  ports: ['watch'],
  inline: true,
  timeoutMs: seconds(10),
  plan: ({ ports, actor, operator }, { person }) => {
    const { id, name } = ports.watch.person(person);
    const args = { who: operator?.name ?? actor.id, to: name };
    return Promise.resolve({ target: id, lines: [{ key: 'watch-give-plan', args }] });
  },
  run: async ({ ports, actor, runId, plan }, { hours }) => {
    await ports.watch.give({ runId, person: plan.target, by: actor.id, hours });
    return { state: 'succeeded', result: await watchReport(ports.watch) };
  },
  verify: async ({ ports }, { person }) => {
    const { id, name } = ports.watch.person(person);
    return {
      ok: (await ports.watch.look()).now.person === id,
      text: { key: 'watch-seen', args: { who: name } },
    };
  },
  reconcile: async ({ ports, runId }) =>
    (await ports.watch.given(runId))
      ? { state: 'succeeded', result: await watchReport(ports.watch) }
      : { state: 'again' },
  report: (result, _args, view) => watchDoc(result, view),
  undo: () => ({ operation: 'watch.cancel', args: {} }),
});
