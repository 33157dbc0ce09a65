import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-ack = Take an incident on
    op-ack-arg-incident = Which incident? Its number stands on the card.
    ack-plan = { $who } takes on incident #{ $id }: { $title }
    ack-seen = the incident is in the name of { $who }
    ack-done = Incident #{ $id } is yours. Others see your name on its card.
  `,
  ru: `
    op-ack = Взять инцидент на себя
    op-ack-arg-incident = Какой инцидент? Номер есть на карточке.
    ack-plan = { $who } берёт на себя инцидент #{ $id }: { $title }
    ack-seen = инцидентом занимается { $who }
    ack-done = Инцидент #{ $id } за вами. Остальные видят ваше имя на карточке.
  `,
});

export default defineOperation({
  name: 'ack',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ incident: z.coerce.number().int().positive() }),
  result: z.object({ owner: z.string() }),
  ports: ['incidents'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports, actor, operator }, { incident }) => {
    const { title } = await ports.incidents.get(incident);
    return {
      target: `#${incident}`,
      lines: [{ key: 'ack-plan', args: { who: operator?.name ?? actor.id, id: String(incident), title } }],
    };
  },
  run: async ({ ports, actor }, { incident }) => {
    await ports.incidents.claim(incident, actor.id);
    return { state: 'succeeded', result: { owner: actor.id } };
  },
  verify: async ({ ports, operator }, { incident }, { owner }) => ({
    ok: (await ports.incidents.get(incident)).owner === owner,
    text: { key: 'ack-seen', args: { who: operator?.name ?? owner } },
  }),
  reconcile: async ({ ports, actor }, { incident }) => {
    const { owner } = await ports.incidents.get(incident);
    return owner === actor.id ? { state: 'succeeded', result: { owner } } : { state: 'again' };
  },
  report: (_result, { incident }, { t }) => doc(line(t('ack-done', { id: String(incident) }))),
  undo: ({ incident }) => ({ operation: 'unack', args: { incident } }),
});
