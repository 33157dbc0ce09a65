import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-unack = Give an incident back
    op-unack-arg-incident = Which incident? Its number stands on the card.
    unack-plan = { $who } gives back incident #{ $id }: { $title }
    unack-seen = the incident is in nobody’s name
    unack-done = Incident #{ $id } is nobody’s again.
  `,
  ru: `
    op-unack = Снять инцидент с себя
    op-unack-arg-incident = Какой инцидент? Номер есть на карточке.
    unack-plan = { $who } снимает с себя инцидент #{ $id }: { $title }
    unack-seen = инцидентом больше никто не занимается
    unack-done = Инцидентом #{ $id } снова никто не занимается.
  `,
});

export default defineOperation({
  name: 'unack',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ incident: z.coerce.number().int().positive() }),
  result: z.object({}),
  ports: ['incidents'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports, actor, operator }, { incident }) => {
    const { title } = await ports.incidents.get(incident);
    return {
      target: `#${incident}`,
      lines: [{ key: 'unack-plan', args: { who: operator?.name ?? actor.id, id: String(incident), title } }],
    };
  },
  run: async ({ ports, actor }, { incident }) => {
    await ports.incidents.release(incident, actor.id);
    return { state: 'succeeded', result: {} };
  },
  verify: async ({ ports, actor }, { incident }) => ({
    ok: (await ports.incidents.get(incident)).owner !== actor.id,
    text: { key: 'unack-seen' },
  }),
  reconcile: async ({ ports, actor }, { incident }) => {
    const { owner } = await ports.incidents.get(incident);
    return owner === actor.id ? { state: 'again' } : { state: 'succeeded', result: {} };
  },
  report: (_result, { incident }, { t }) => doc(line(t('unack-done', { id: String(incident) }))),
});
