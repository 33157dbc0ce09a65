import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { endSilence, silenceSchema, silenceState } from '../incidents.ts';

export const messages = defineMessages({
  en: `
    op-unsilence = End the silence of an incident
    op-unsilence-arg-incident = Which incident? Its number stands on the card.
    unsilence-plan = end the silence of incident #{ $id }
    unsilence-seen = Alertmanager lists the silence as { $state }
    unsilence-done = Incident #{ $id } is no longer silenced.
    err-not-silenced = Incident #{ $id } is not silenced from here.
    err-silence-elsewhere = The silence over incident #{ $id } was not made for it and may cover others too. End it in /silences.
  `,
  ru: `
    op-unsilence = Снять заглушку с инцидента
    op-unsilence-arg-incident = Какой инцидент? Номер есть на карточке.
    unsilence-plan = снять заглушку с инцидента #{ $id }
    unsilence-seen = состояние заглушки в Alertmanager: { $state }
    unsilence-done = Инцидент #{ $id } больше не заглушён.
    err-not-silenced = Инцидент #{ $id } отсюда не заглушали.
    err-silence-elsewhere = Заглушка над инцидентом #{ $id } поставлена не для него и может накрывать другие. Снять её можно в /silences.
  `,
});

export default defineOperation({
  name: 'unsilence',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ incident: z.coerce.number().int().positive() }),
  result: z.object({ id: z.string() }),
  ports: ['alertmanager', 'incidents', 'silences'],
  quiet: true,
  timeoutMs: seconds(30),
  locks: ({ incident }) => [`silence:${incident}`],

  plan: async ({ ports }, { incident }) => {
    const { silence } = await ports.incidents.get(incident);
    if (!silence) {
      throw new VakhtaError('usage', 'not-silenced', `incident ${incident} is not silenced`, {
        args: { id: String(incident) },
      });
    }
    const { id, elsewhere } = silenceSchema.parse(silence);
    if (elsewhere === true) {
      throw new VakhtaError('usage', 'silence-elsewhere', `incident ${incident} is silenced by others`, {
        args: { id: String(incident) },
      });
    }
    return {
      target: `#${incident}`,
      lines: [{ key: 'unsilence-plan', args: { id: String(incident) } }],
      bound: { id },
    };
  },

  run: async ({ ports, actor, plan, remember, signal }, { incident }) => {
    // A silence that has taken the place of the planned one meanwhile is the one that mutes the incident now.
    const { silence } = await ports.incidents.get(incident);
    const now = silence ? silenceSchema.parse(silence) : undefined;
    const id = now && now.elsewhere !== true ? now.id : String(plan.bound?.['id']);
    await remember({ silence: id });
    await endSilence(ports.alertmanager, id, signal);
    if (now?.id === id) await ports.incidents.silenced(incident, null, actor.id);
    await ports.silences.ended(id, actor.id);
    return { state: 'succeeded', result: { id } };
  },

  verify: async ({ ports, signal }, _args, { id }) => {
    const state = await silenceState(ports.alertmanager, id, signal);
    return { ok: state === 'expired' || state === 'missing', text: { key: 'unsilence-seen', args: { state } } };
  },

  reconcile: async ({ ports, actor, signal }, { incident }, external) => {
    const id = external?.['silence'];
    if (typeof id !== 'string') return { state: 'again' };
    const state = await silenceState(ports.alertmanager, id, signal);
    if (state === 'active' || state === 'pending') return { state: 'again' };
    const { silence } = await ports.incidents.get(incident);
    if (silence && silenceSchema.parse(silence).id === id) await ports.incidents.silenced(incident, null, actor.id);
    return { state: 'succeeded', result: { id } };
  },

  report: (_result, { incident }, { t }) => doc(line(t('unsilence-done', { id: String(incident) }))),
});
