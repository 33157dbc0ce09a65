import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-drill-seen = Answer a drill: it is seen
    drill-seen-plan = { $who } has seen drill #{ $number }
    drill-seen-noted = the answer is noted
    drill-seen-done = Drill #{ $number } is answered.
  `,
  ru: `
    op-drill-seen = Ответить на учение: вижу
    drill-seen-plan = { $who } видит учение #{ $number }
    drill-seen-noted = ответ записан
    drill-seen-done = На учение #{ $number } ответили.
  `,
});

export default defineOperation({
  name: 'drill.seen',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ drill: z.string().max(64) }),
  fields: { drill: { hidden: true } },
  result: z.object({ number: z.number() }),
  ports: ['drills'],
  inline: true,
  unlisted: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports, actor, operator }, { drill }) => {
    const { number } = await ports.drills.get(drill);
    const args = { who: operator?.name ?? actor.id, number: String(number) };
    return { target: `#${number}`, lines: [{ key: 'drill-seen-plan', args }] };
  },
  run: async ({ ports, actor }, { drill }) => {
    const { number } = await ports.drills.seen(drill, actor.id);
    return { state: 'succeeded', result: { number } };
  },
  verify: async ({ ports }, { drill }) => ({
    ok: (await ports.drills.get(drill)).pressedAt !== undefined,
    text: { key: 'drill-seen-noted' },
  }),
  reconcile: async ({ ports, actor }, { drill }) => {
    const { pressedBy, number } = await ports.drills.get(drill);
    return pressedBy === actor.id ? { state: 'succeeded', result: { number } } : { state: 'again' };
  },
  report: ({ number }, _args, { t }) => doc(line(t('drill-seen-done', { number: String(number) }))),
});
