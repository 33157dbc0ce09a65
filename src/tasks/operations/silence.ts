import { z } from 'zod';
import { hours, minutes, seconds } from '../../core/clock.ts';
import { doc, facts, line, time } from '../../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { incidentData } from '../../core/incident.ts';
import type { Alertmanager, Silence } from '../../integrations/alertmanager/port.ts';
import { formatMatcher, type Matcher } from '../../integrations/alertmanager/matchers.ts';
import { defineOperation } from '../define.ts';
import {
  ALERTMANAGER,
  endSilence,
  type IncidentSilence,
  silenceMatchers,
  silenceSchema,
  silenceState,
} from '../incidents.ts';

export const messages = defineMessages({
  en: `
    op-silence = Silence an incident in Alertmanager
    op-silence-arg-incident = Which incident? Its number stands on the card.
    op-silence-arg-duration = For how long?
    silence-plan = silence { $matchers } for { $duration }
    silence-seen = Alertmanager lists the silence as { $state }
    silence-done = Silenced
    silence-until = Until
    silence-matchers = What
    err-silence-match-all = This incident has no label that tells it from others, so a silence would cover everything. Silence it in Alertmanager with matchers of your own.
    err-silence-not-alertmanager = Incident #{ $id } does not come from Alertmanager, so it cannot be silenced there.
  `,
  ru: `
    op-silence = Заглушить инцидент в Alertmanager
    op-silence-arg-incident = Какой инцидент? Номер есть на карточке.
    op-silence-arg-duration = На сколько?
    silence-plan = заглушить { $matchers } на { $duration }
    silence-seen = состояние заглушки в Alertmanager: { $state }
    silence-done = Заглушено
    silence-until = До
    silence-matchers = Что
    err-silence-match-all = У инцидента нет метки, отличающей его от других: заглушка накрыла бы всё. Поставьте её в Alertmanager сами, со своими условиями.
    err-silence-not-alertmanager = Инцидент #{ $id } пришёл не из Alertmanager, заглушить его там нельзя.
  `,
});

const DURATIONS = { '15m': minutes(15), '1h': hours(1), '4h': hours(4), '24h': hours(24) } as const;
const KEYS = ['15m', '1h', '4h', '24h'] as const;

const matcherText = (matchers: readonly Matcher[]): string => matchers.map(formatMatcher).join(', ');
const boundSchema = z.object({
  matchers: z
    .array(z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() }))
    .min(1),
});

/** How a silence of ours is recognised after a crash: its comment ends with the run. */
const mark = (runId: string): string => `run ${runId}`;

/** The silence that this run has made, if it got so far. */
async function made(port: Alertmanager, runId: string, signal: AbortSignal): Promise<Silence | undefined> {
  const all = await port.silences(signal);
  return all.find(({ comment }) => comment.endsWith(`${mark(runId)})`));
}

export default defineOperation({
  name: 'silence',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ incident: z.coerce.number().int().positive(), duration: z.enum(KEYS).default('1h') }),
  result: z.object({ id: z.string(), until: z.coerce.date(), matchers: z.string() }),
  ports: ['alertmanager', 'incidents'],
  quiet: true,
  timeoutMs: seconds(30),
  locks: ({ incident }) => [`silence:${incident}`],

  plan: async ({ ports }, { incident, duration }) => {
    const { data, state, source } = await ports.incidents.get(incident);
    const args = { id: String(incident) };
    if (source !== ALERTMANAGER) {
      throw new VakhtaError('usage', 'silence-not-alertmanager', `incident ${incident} is of ${source}`, { args });
    }
    if (state === 'resolved') throw new VakhtaError('usage', 'incident-over', `incident ${incident} is over`, { args });
    const matchers = silenceMatchers(incidentData.parse(data));
    if (matchers.length === 0) {
      throw new VakhtaError('usage', 'silence-match-all', `incident ${incident} has no label to match`);
    }
    const lines = [{ key: 'silence-plan', args: { matchers: matcherText(matchers), duration } }];
    return { target: `#${incident}`, lines, bound: { matchers } };
  },

  run: async ({ ports, actor, clock, plan, runId, remember, signal }, { incident, duration }) => {
    const { title, silence: before } = await ports.incidents.get(incident);
    const { matchers } = boundSchema.parse(plan.bound);
    const startsAt = clock.now();
    const endsAt = new Date(startsAt.getTime() + DURATIONS[duration]);
    const comment = `#${incident}: ${title} (Vakhta, ${mark(runId)})`;
    // Refused when another worker has taken the run over: one that was frozen must not silence a second time.
    await remember({ asked: true });
    const id = await ports.alertmanager
      .createSilence({ matchers, startsAt, endsAt, createdBy: actor.id, comment }, signal)
      .catch(async (thrown: unknown) => {
        // An answer that was lost on the way says nothing about the silence itself.
        const there =
          toVakhtaError(thrown).kind === 'transient' ? await made(ports.alertmanager, runId, signal) : undefined;
        if (!there) throw thrown;
        return there.id;
      });
    await remember({ silence: id });
    await ports.incidents.silenced(incident, { id, until: endsAt, by: actor.id }, actor.id);
    // The new one takes the place of the old one, so that one press ends all of it.
    const old = before ? silenceSchema.parse(before).id : id;
    if (old !== id) await endSilence(ports.alertmanager, old, signal);
    return { state: 'succeeded', result: { id, until: endsAt, matchers: matcherText(matchers) } };
  },

  verify: async ({ ports, signal }, _args, { id }) => {
    const state = await silenceState(ports.alertmanager, id, signal);
    return { ok: state === 'active' || state === 'pending', text: { key: 'silence-seen', args: { state } } };
  },

  reconcile: async ({ ports, actor, clock, runId, signal }, { incident }) => {
    const ours = await made(ports.alertmanager, runId, signal);
    if (!ours) return { state: 'again' };
    const { silence: noted } = await ports.incidents.get(incident);
    const before = noted ? silenceSchema.parse(noted) : undefined;
    const now: IncidentSilence = { id: ours.id, until: ours.endsAt, by: actor.id };
    // One that has run out by now, or was ended, is history: what the incident shows stays as it is.
    if (ours.state !== 'expired' && ours.endsAt > clock.now() && before?.id !== ours.id) {
      await ports.incidents.silenced(incident, now, actor.id);
      if (before) await endSilence(ports.alertmanager, before.id, signal);
    }
    return { state: 'succeeded', result: { id: ours.id, until: ours.endsAt, matchers: matcherText(ours.matchers) } };
  },

  report: ({ until, matchers }, _args, { t }) =>
    doc(line(t('silence-done')), facts([t('silence-until'), time(until)], [t('silence-matchers'), matchers])),
  undo: ({ incident }) => ({ operation: 'unsilence', args: { incident } }),
});
