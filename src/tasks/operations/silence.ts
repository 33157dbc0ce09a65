import { z } from 'zod';
import { hours, minutes, seconds } from '../../core/clock.ts';
import { doc, facts, line, time } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { incidentData } from '../../core/incident.ts';
import { defineOperation } from '../define.ts';
import { silenceMatchers } from '../incidents.ts';

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
  `,
  ru: `
    op-silence = Заглушить инцидент в Alertmanager
    op-silence-arg-incident = Какой инцидент? Номер есть на карточке.
    op-silence-arg-duration = На сколько?
    silence-plan = заглушить { $matchers } на { $duration }
    silence-seen = в Alertmanager тишина в состоянии { $state }
    silence-done = Заглушено
    silence-until = До
    silence-matchers = Что
    err-silence-match-all = У инцидента нет метки, отличающей его от других: тишина накрыла бы всё. Заглушите его в Alertmanager со своими условиями.
  `,
});

const DURATIONS = { '15m': minutes(15), '1h': hours(1), '4h': hours(4), '24h': hours(24) } as const;
const KEYS = ['15m', '1h', '4h', '24h'] as const;

const matcherText = (matchers: readonly { name: string; value: string }[]): string =>
  matchers.map(({ name, value }) => `${name}="${value}"`).join(', ');

/** How a silence of ours is recognised after a crash: its comment ends with the run. */
const mark = (runId: string): string => `run ${runId}`;

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
    const { data } = await ports.incidents.get(incident);
    const matchers = silenceMatchers(incidentData.parse(data));
    if (matchers.length === 0) {
      throw new VakhtaError('usage', 'silence-match-all', `incident ${incident} has no label to match`);
    }
    const lines = [{ key: 'silence-plan', args: { matchers: matcherText(matchers), duration } }];
    return { target: `#${incident}`, lines, bound: { matchers } };
  },

  run: async ({ ports, actor, clock, runId, signal }, { incident, duration }) => {
    const { title, data } = await ports.incidents.get(incident);
    const matchers = silenceMatchers(incidentData.parse(data));
    const startsAt = clock.now();
    const until = new Date(startsAt.getTime() + DURATIONS[duration]);
    const comment = `#${incident}: ${title} (Vakhta, ${mark(runId)})`;
    const id = await ports.alertmanager.createSilence(
      { matchers, startsAt, endsAt: until, createdBy: actor.id, comment },
      signal,
    );
    await ports.incidents.silenced(incident, { id, until, by: actor.id }, actor.id);
    return { state: 'succeeded', result: { id, until, matchers: matcherText(matchers) } };
  },

  verify: async ({ ports, signal }, _args, { id }) => {
    const state = (await ports.alertmanager.silence(id, signal))?.state ?? 'missing';
    return { ok: state === 'active' || state === 'pending', text: { key: 'silence-seen', args: { state } } };
  },

  reconcile: async ({ ports, actor, runId, signal }, { incident }) => {
    const all = await ports.alertmanager.silences(signal);
    const ours = all.find(({ comment, state }) => comment.includes(mark(runId)) && state !== 'expired');
    if (!ours) return { state: 'again' };
    await ports.incidents.silenced(incident, { id: ours.id, until: ours.endsAt, by: actor.id }, actor.id);
    return { state: 'succeeded', result: { id: ours.id, until: ours.endsAt, matchers: matcherText(ours.matchers) } };
  },

  report: ({ until, matchers }, _args, { t }) =>
    doc(line(t('silence-done')), facts([t('silence-until'), time(until)], [t('silence-matchers'), matchers])),
  undo: ({ incident }) => ({ operation: 'unsilence', args: { incident } }),
});
