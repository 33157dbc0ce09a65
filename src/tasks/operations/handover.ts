import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-handover = Hand an incident over to somebody
    op-handover-arg-incident = Which incident? Its number stands on the card.
    op-handover-arg-person = Who takes it over?
    handover-plan = { $who } hands incident #{ $id } over to { $to }: { $title }
    handover-seen = the incident is in the name of { $to }
    handover-done = Incident #{ $id } is now in the name of { $to }, who is told in private.
  `,
  ru: `
    op-handover = Передать инцидент другому человеку
    op-handover-arg-incident = Какой инцидент? Номер есть на карточке.
    op-handover-arg-person = Кому передать?
    handover-plan = { $who } передаёт инцидент #{ $id }. Кому: { $to }. { $title }
    handover-seen = инцидентом занимается { $to }
    handover-done = Теперь инцидентом #{ $id } занимается { $to }; бот напишет лично.
  `,
});

const boundSchema = z.object({ from: z.string().optional(), to: z.string() });

export default defineOperation({
  name: 'handover',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ incident: z.coerce.number().int().positive(), person: z.string().min(1) }),
  fields: {
    person: {
      choices: ({ operators }) => operators.filter(({ role }) => role !== 'viewer').map(({ id }) => id),
    },
  },
  result: z.object({ owner: z.string(), name: z.string() }),
  ports: ['incidents', 'watch'],
  inline: true,
  quiet: true,
  timeoutMs: seconds(10),
  plan: async ({ ports, actor, operator }, { incident, person }) => {
    const to = ports.watch.person(person, 'handover-no-person');
    const { title, owner } = await ports.incidents.get(incident);
    return {
      target: `#${incident}`,
      lines: [
        { key: 'handover-plan', args: { who: operator?.name ?? actor.id, id: String(incident), to: to.name, title } },
      ],
      bound: { ...(owner === undefined ? {} : { from: owner }), to: to.id },
    };
  },
  run: async ({ ports, actor, plan }, { incident }) => {
    const { from, to } = boundSchema.parse(plan.bound);
    await ports.incidents.handOver(incident, { from, to, by: actor.id });
    return { state: 'succeeded', result: { owner: to, name: ports.watch.person(to).name } };
  },
  verify: async ({ ports }, { incident }, { owner, name }) => ({
    ok: (await ports.incidents.get(incident)).owner === owner,
    text: { key: 'handover-seen', args: { to: name } },
  }),
  reconcile: async ({ ports }, { incident, person }) => {
    const { id, name } = ports.watch.person(person);
    const { owner } = await ports.incidents.get(incident);
    return owner === id ? { state: 'succeeded', result: { owner: id, name } } : { state: 'again' };
  },
  report: ({ name }, { incident }, { t }) => doc(line(t('handover-done', { id: String(incident), to: name }))),
});
