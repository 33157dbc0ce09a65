import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, facts, type Inlines, line, time } from '../../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { type IncidentData, incidentData } from '../../core/incident.ts';
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
import { namesOf } from '../silences/alerts.ts';
import { commentOf, isMadeBy } from '../silences/comment.ts';
import { DURATIONS, endOf } from '../silences/duration.ts';
import { checkSelection, previewOf } from '../silences/selection.ts';

export const messages = defineMessages({
  en: `
    op-silence = Silence an incident in Alertmanager
    op-silence-arg-incident = Which incident? Its number stands on the card.
    op-silence-arg-duration = For how long? resolved: until the incident is over.
    op-silence-arg-comment = Why? The comment is kept in Alertmanager.
    silence-plan = silence { $matchers } { $word ->
        [morning] until 09:00
        [resolved] until the incident is over
       *[other] for { $duration }
    }
    silence-plan-mutes = mutes { $n ->
        [0] nothing at the moment
        [one] { $n } alert now: { $names }
       *[other] { $n } alerts now: { $names }
    }
    silence-plan-others = { $n ->
        [one] { $n } of them belongs
       *[other] { $n } of them belong
    } to other incidents
    silence-seen = Alertmanager lists the silence as { $state }
    silence-done = Silenced
    silence-until = Until
    silence-until-resolved = the incident is over
    silence-matchers = What
    silence-mutes = Mutes
    silence-n-alerts = { $n ->
        [one] { $n } alert
       *[other] { $n } alerts
    }
    err-silence-match-all = Nothing in this choice tells the incident from others, so a silence would cover everything. Choose at least one label.
    err-silence-everything = This choice mutes every alert that Alertmanager has now, of other incidents too. Add the name of the alert or the instance.
    err-silence-not-incident = These matchers do not cover incident #{ $id }. Choose labels that its alerts have.
    err-silence-not-alertmanager = Incident #{ $id } does not come from Alertmanager, so it cannot be silenced there.
  `,
  ru: `
    op-silence = Заглушить инцидент в Alertmanager
    op-silence-arg-incident = Какой инцидент? Номер есть на карточке.
    op-silence-arg-duration = На сколько? resolved — пока инцидент не закончится.
    op-silence-arg-comment = Почему? Комментарий останется в Alertmanager.
    silence-plan = заглушить { $matchers } { $word ->
        [morning] до 09:00
        [resolved] до конца инцидента
       *[other] на { $duration }
    }
    silence-plan-mutes = { $n ->
        [0] сейчас под условия ничего не подходит
        [one] сейчас заглушит { $n } алерт: { $names }
        [few] сейчас заглушит { $n } алерта: { $names }
       *[other] сейчас заглушит { $n } алертов: { $names }
    }
    silence-plan-others = из них чужих, от других инцидентов: { $n }
    silence-seen = состояние заглушки в Alertmanager: { $state }
    silence-done = Заглушено
    silence-until = До
    silence-until-resolved = конца инцидента
    silence-matchers = Что
    silence-mutes = Глушит
    silence-n-alerts = { $n ->
        [one] { $n } алерт
        [few] { $n } алерта
       *[other] { $n } алертов
    }
    err-silence-match-all = Здесь нет ничего, что отличало бы инцидент от других: заглушка накрыла бы всё. Выберите хотя бы одну метку.
    err-silence-everything = Такой выбор заглушит все нынешние алерты Alertmanager, и чужие тоже. Добавьте имя алерта или экземпляр.
    err-silence-not-incident = Эти условия не подходят к инциденту #{ $id }. Выберите метки, которые есть у его алертов.
    err-silence-not-alertmanager = Инцидент #{ $id } пришёл не из Alertmanager, заглушить его там нельзя.
  `,
});

const matcherText = (matchers: readonly Matcher[]): string => matchers.map(formatMatcher).join(', ');
const matcherSchema = z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() });
const boundSchema = z.object({
  matchers: z.array(matcherSchema).min(1),
  mutes: z.number(),
  names: z.array(z.string()),
  /** Of the incident's own alerts. */
  own: z.number(),
  of: z.number(),
});

/** The silence that this run has made, if it got so far. */
async function made(port: Alertmanager, runId: string, signal: AbortSignal): Promise<Silence | undefined> {
  return (await port.silences(signal)).find(({ comment }) => isMadeBy(comment, runId));
}

/** What the incident shows of a silence that covers so many of its alerts. */
function shownAs(
  silence: { readonly id: string; readonly endsAt: Date },
  by: string,
  isResolved: boolean,
  cover?: { readonly own: number; readonly of: number },
): IncidentSilence {
  const { id, endsAt: until } = silence;
  const part = cover && cover.own < cover.of ? { muted: cover.own, of: cover.of } : {};
  return { id, until, by, ...part, ...(isResolved ? { resolved: true } : {}) };
}

/** What people read in Alertmanager: which incident, and why. */
const wordsFor = (id: number, title: string, comment: string | undefined): string => `#${id}: ${comment ?? title}`;

export default defineOperation({
  name: 'silence',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({
    incident: z.coerce.number().int().positive(),
    duration: z.enum(DURATIONS).default('1h'),
    comment: z.string().trim().min(1).max(300).optional(),
    /** Chosen on the card; absent: what silences just this incident. */
    matchers: z.array(matcherSchema).min(1).max(20).optional(),
    /** The comment is wanted: the form asks for it. */
    explain: z.boolean().optional(),
  }),
  fields: {
    comment: { rest: true, asked: ({ explain }) => explain === true },
    matchers: { hidden: true },
    explain: { hidden: true },
  },
  result: z.object({
    id: z.string(),
    until: z.coerce.date(),
    matchers: z.string(),
    mutes: z.number().optional(),
  }),
  ports: ['alertmanager', 'incidents', 'silences'],
  quiet: true,
  timeoutMs: seconds(30),
  locks: ({ incident }) => [`silence:${incident}`],

  plan: async ({ ports, signal }, { incident, duration, matchers: chosen }) => {
    const { data: raw, state, source } = await ports.incidents.get(incident);
    const args = { id: String(incident) };
    if (source !== ALERTMANAGER) {
      throw new VakhtaError('usage', 'silence-not-alertmanager', `incident ${incident} is of ${source}`, { args });
    }
    if (state === 'resolved') throw new VakhtaError('usage', 'incident-over', `incident ${incident} is over`, { args });
    const data: IncidentData = incidentData.parse(raw);
    const matchers = chosen ?? silenceMatchers(data);
    const alerts = (await ports.alertmanager.alerts({}, signal)).map((one) => ({
      ...one,
      silencedBy: [...one.silencedBy],
      inhibitedBy: [...one.inhibitedBy],
    }));
    checkSelection(incident, matchers, data, alerts);
    const { muted, own, of } = previewOf(matchers, data, alerts);
    const names = namesOf(muted);
    const word = duration === 'resolved' ? 'resolved' : duration === '09:00' ? 'morning' : 'other';
    const more = muted.length > names.length ? ' …' : '';
    return {
      target: `#${incident}`,
      lines: [
        { key: 'silence-plan', args: { matchers: matcherText(matchers), duration, word } },
        { key: 'silence-plan-mutes', args: { n: muted.length, names: `${names.join(', ')}${more}` } },
        ...(muted.length > own ? [{ key: 'silence-plan-others', args: { n: muted.length - own } }] : []),
      ],
      bound: { matchers, mutes: muted.length, names, own, of },
    };
  },

  run: async (context, { incident, duration, comment: words }) => {
    const { ports, actor, operator, clock, plan, runId, remember, signal } = context;
    const { title, silence: before } = await ports.incidents.get(incident);
    const { matchers, mutes, names, own, of } = boundSchema.parse(plan.bound);
    const startsAt = clock.now();
    const endsAt = endOf(duration, startsAt, operator?.zone ?? ports.silences.zone);
    const comment = commentOf(wordsFor(incident, title, words), runId);
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
    await ports.silences.made({
      id,
      matchers,
      startsAt,
      endsAt,
      createdBy: actor.id,
      comment,
      purpose: 'incident',
      untilResolved: duration === 'resolved',
      incident,
      runId,
      covers: mutes,
      names,
    });
    const now = shownAs({ id, endsAt }, actor.id, duration === 'resolved', { own, of });
    await ports.incidents.silenced(incident, now, actor.id);
    // The new one takes the place of the old one, so that one press ends all of it. What others made for more stays.
    const old = before ? silenceSchema.parse(before) : undefined;
    if (old && old.id !== id && old.elsewhere !== true) await endSilence(ports.alertmanager, old.id, signal);
    return { state: 'succeeded', result: { id, until: endsAt, matchers: matcherText(matchers), mutes } };
  },

  verify: async ({ ports, signal }, _args, { id }) => {
    const state = await silenceState(ports.alertmanager, id, signal);
    return { ok: state === 'active' || state === 'pending', text: { key: 'silence-seen', args: { state } } };
  },

  reconcile: async ({ ports, actor, clock, runId, signal }, { incident, duration }) => {
    const ours = await made(ports.alertmanager, runId, signal);
    if (!ours) return { state: 'again' };
    const { silence: noted } = await ports.incidents.get(incident);
    const before = noted ? silenceSchema.parse(noted) : undefined;
    const { id, startsAt, endsAt, createdBy, comment } = ours;
    const matchers = [...ours.matchers];
    // One that has run out by now, or was ended, is history: what the incident shows stays as it is.
    if (ours.state !== 'expired' && endsAt > clock.now() && before?.id !== id) {
      const untilResolved = duration === 'resolved';
      await ports.silences.made({
        id,
        matchers,
        startsAt,
        endsAt,
        createdBy,
        comment,
        untilResolved,
        incident,
        runId,
        purpose: 'incident',
      });
      await ports.incidents.silenced(incident, shownAs(ours, actor.id, untilResolved), actor.id);
      if (before && before.elsewhere !== true) await endSilence(ports.alertmanager, before.id, signal);
    }
    return { state: 'succeeded', result: { id, until: endsAt, matchers: matcherText(matchers) } };
  },

  report: ({ until, matchers, mutes }, { duration }, { t }) => {
    const rows: (readonly [string, Inlines])[] = [
      [t('silence-until'), duration === 'resolved' ? t('silence-until-resolved') : time(until)],
      [t('silence-matchers'), matchers],
    ];
    if (mutes !== undefined) rows.push([t('silence-mutes'), t('silence-n-alerts', { n: mutes })]);
    return doc(line(t('silence-done')), facts(...rows));
  },
  undo: ({ incident }) => ({ operation: 'unsilence', args: { incident } }),
});
