import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { watchDoc, watchReport, watchSchema } from '../watch/watch-doc.ts';

export const messages = defineMessages({
  en: `
    op-watch-take = Take the watch
    op-watch-take-arg-hours = For how many hours? Without a number: until the next change.
    watch-take-plan = { $who } takes the watch
    watch-seen = { $who } is on watch
  `,
  ru: `
    op-watch-take = Взять вахту на себя
    op-watch-take-arg-hours = На сколько часов? Без числа — до следующей смены.
    watch-take-plan = { $who } берёт вахту
    watch-seen = на вахте { $who }
  `,
});

export default defineOperation({
  name: 'watch.take',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ hours: z.coerce.number().int().min(1).max(336).optional() }),
  result: watchSchema,
  ports: ['watch'],
  inline: true,
  timeoutMs: seconds(10),
  plan: ({ ports, actor }) => {
    const { id, name } = ports.watch.person(actor.id);
    return Promise.resolve({ target: id, lines: [{ key: 'watch-take-plan', args: { who: name } }] });
  },
  run: async ({ ports, actor, runId }, { hours }) => {
    await ports.watch.give({ runId, person: actor.id, by: actor.id, hours });
    return { state: 'succeeded', result: await watchReport(ports.watch) };
  },
  verify: async ({ ports, actor }) => ({
    ok: (await ports.watch.look()).now.person === actor.id,
    text: { key: 'watch-seen', args: { who: ports.watch.nameOf(actor.id) } },
  }),
  reconcile: async ({ ports, runId }) =>
    (await ports.watch.given(runId))
      ? { state: 'succeeded', result: await watchReport(ports.watch) }
      : { state: 'again' },
  report: (result, _args, view) => watchDoc(result, view),
  undo: () => ({ operation: 'watch.cancel', args: {} }),
});
