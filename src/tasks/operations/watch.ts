import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { watchDoc, watchReport, watchSchema } from '../watch/watch-doc.ts';

export const messages = defineMessages({
  en: `
    op-watch = Who is on watch, until when, and who comes next
  `,
  ru: `
    op-watch = Кто на вахте, до какого времени и кто следующий
  `,
});

export default defineOperation({
  name: 'watch',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({}),
  result: watchSchema,
  ports: ['watch'],
  inline: true,
  timeoutMs: seconds(10),
  plan: () => Promise.resolve({ target: 'watch', lines: [] }),
  run: async ({ ports }) => ({ state: 'succeeded', result: await watchReport(ports.watch) }),
  report: (result, _args, view) => watchDoc(result, view),
});
