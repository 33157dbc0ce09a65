import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { watchDoc, watchReport, watchSchema } from '../watch/watch-doc.ts';

export const messages = defineMessages({
  en: `
    op-watch-cancel = Back to the rotation: end what was taken or given by command
    watch-cancel-plan = the watch follows the rotation again
    watch-cancel-seen = the watch follows the configuration
  `,
  ru: `
    op-watch-cancel = Вернуть вахту к графику: отменить взятое или переданное командой
    watch-cancel-plan = вахта снова идёт по графику
    watch-cancel-seen = вахта идёт по конфигурации
  `,
});

export default defineOperation({
  name: 'watch.cancel',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({}),
  result: watchSchema,
  ports: ['watch'],
  inline: true,
  timeoutMs: seconds(10),
  plan: () => Promise.resolve({ target: 'watch', lines: [{ key: 'watch-cancel-plan' }] }),
  run: async ({ ports }) => {
    await ports.watch.cancel();
    return { state: 'succeeded', result: await watchReport(ports.watch) };
  },
  verify: async ({ ports }) => ({
    ok: (await ports.watch.look()).now.why !== 'taken',
    text: { key: 'watch-cancel-seen' },
  }),
  reconcile: async ({ ports }) =>
    (await ports.watch.look()).now.why === 'taken'
      ? { state: 'again' }
      : { state: 'succeeded', result: await watchReport(ports.watch) },
  report: (result, _args, view) => watchDoc(result, view),
});
