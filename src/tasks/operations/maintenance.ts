import { z } from 'zod';
import { hours, minutes, seconds } from '../../core/clock.ts';
import { doc, facts, type Inlines, line, time } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { formatMatcher, type Matcher, narrows } from '../../integrations/alertmanager/matchers.ts';
import { type Context, defineOperation } from '../define.ts';
import { silenceState } from '../incidents.ts';
import { namesOf, under } from '../silences/alerts.ts';
import { commentOf, isMadeBy } from '../silences/comment.ts';
import { nextMorning } from '../silences/duration.ts';
import { scopesOfNames } from '../silences/selection.ts';

export const messages = defineMessages({
  en: `
    op-maintenance = Maintenance: silence everything about a host, a guest or a label
    op-maintenance-arg-target = Of what? A guest, a host, or label=value.
    op-maintenance-arg-duration = For how long?
    op-maintenance-arg-comment = What is being done? The comment is kept in Alertmanager.
    maintenance-plan = silence { $matchers } { $word ->
        [morning] until 09:00
       *[other] for { $duration }
    }
    maintenance-plan-mutes = mutes { $n ->
        [0] nothing at the moment
        [one] { $n } alert now: { $names }
       *[other] { $n } alerts now: { $names }
    }
    maintenance-seen = Alertmanager lists { $n ->
        [one] its silence
       *[other] its { $n } silences
    }
    maintenance-not-seen = Alertmanager does not list all of its silences
    maintenance-done = { $target } is under maintenance: its alerts are silent.
    maintenance-until = Until
    maintenance-what = What
    maintenance-mutes = Mutes now
    maintenance-n = { $n ->
        [0] nothing
        [one] { $n } alert
       *[other] { $n } alerts
    }
    maintenance-after = A message tells what still fires when it ends.
    err-maintenance-target = “{ $target }” is no target. Write the name of a guest or a host, or label=value with a value.
    err-maintenance-everything = { $target } would silence every alert that Alertmanager has now, also those of other places. Choose something narrower.
  `,
  ru: `
    op-maintenance = Обслуживание: заглушить всё о хосте, госте или метке
    op-maintenance-arg-target = Чего? Гость, хост или метка=значение.
    op-maintenance-arg-duration = На сколько?
    op-maintenance-arg-comment = Что делаете? Комментарий останется в Alertmanager.
    maintenance-plan = заглушить { $matchers } { $word ->
        [morning] до 09:00
       *[other] на { $duration }
    }
    maintenance-plan-mutes = { $n ->
        [0] сейчас под условия ничего не подходит
        [one] сейчас заглушит { $n } алерт: { $names }
        [few] сейчас заглушит { $n } алерта: { $names }
       *[other] сейчас заглушит { $n } алертов: { $names }
    }
    maintenance-seen = { $n ->
        [one] заглушка есть в Alertmanager
       *[other] заглушки есть в Alertmanager: { $n }
    }
    maintenance-not-seen = в Alertmanager есть не все его заглушки
    maintenance-done = { $target } на обслуживании: его алерты молчат.
    maintenance-until = До
    maintenance-what = Что
    maintenance-mutes = Глушит сейчас
    maintenance-n = { $n ->
        [0] ничего
        [one] { $n } алерт
        [few] { $n } алерта
       *[other] { $n } алертов
    }
    maintenance-after = Когда закончится, придёт сообщение о том, что ещё горит.
    err-maintenance-target = «{ $target }» — не цель. Укажите имя гостя или хоста либо метка=значение.
    err-maintenance-everything = { $target } заглушит все нынешние алерты Alertmanager, и чужие тоже. Выберите что-нибудь поуже.
  `,
});

const LENGTHS = { '30m': minutes(30), '1h': hours(1), '2h': hours(2), '4h': hours(4), '8h': hours(8) } as const;
const KEYS = ['30m', '1h', '2h', '4h', '8h', '09:00'] as const;
const LABELS = ['guest', 'host', 'instance', 'node'] as const;

const matcherSchema = z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() });
const externalSchema = z.object({ scopes: z.array(z.array(matcherSchema).min(1)).min(1), until: z.coerce.date() });

const textOf = (scopes: readonly (readonly Matcher[])[]): string =>
  scopes.map((scope) => scope.map(formatMatcher).join(', ')).join(' · ');

const resultSchema = z.object({
  ids: z.array(z.string()),
  until: z.coerce.date(),
  matchers: z.string(),
  mutes: z.number().optional(),
});

export default defineOperation({
  name: 'maintenance',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({
    target: z.string().trim().min(1).max(120),
    duration: z.enum(KEYS).default('1h'),
    comment: z.string().trim().min(1).max(300).optional(),
  }),
  fields: { target: { choices: (known) => known.guests() }, comment: { rest: true } },
  result: resultSchema,
  ports: ['alertmanager', 'silences'],
  timeoutMs: seconds(60),
  locks: ({ target }) => [`maintenance:${target}`],

  plan: async ({ ports, signal }, { target, duration }) => {
    const scopes = await scopesOf(ports.silences.names, target);
    const alerts = await ports.alertmanager.alerts({}, signal);
    const muted = alerts.filter(({ labels }) => scopes.some((scope) => under(scope, [{ labels }]).length > 0));
    const names = new Set(muted.map(({ labels }) => labels['instance'] ?? labels['host'] ?? ''));
    if (muted.length === alerts.length && muted.length > 1 && names.size > 1 && target.includes('=')) {
      throw new VakhtaError('usage', 'maintenance-everything', `maintenance of ${target} mutes everything`, {
        args: { target },
      });
    }
    const word = duration === '09:00' ? 'morning' : 'other';
    const shown = namesOf(muted).join(', ');
    return {
      target,
      lines: [
        { key: 'maintenance-plan', args: { matchers: textOf(scopes), duration, word } },
        { key: 'maintenance-plan-mutes', args: { n: muted.length, names: shown } },
      ],
      bound: { scopes, mutes: muted.length },
    };
  },

  run: async (context, args) => {
    const { plan, clock, operator, ports, remember } = context;
    const { scopes, mutes } = z.object({ scopes: externalSchema.shape.scopes, mutes: z.number() }).parse(plan.bound);
    const now = clock.now();
    const until =
      args.duration === '09:00'
        ? nextMorning(now, operator?.zone ?? ports.silences.zone)
        : new Date(now.getTime() + LENGTHS[args.duration]);
    await remember({ scopes, until });
    return { state: 'succeeded', result: { ...(await silenceAll(context, args, { scopes, until })), mutes } };
  },

  verify: async ({ ports, signal }, _args, { ids }) => {
    const states = await Promise.all(ids.map((id) => silenceState(ports.alertmanager, id, signal)));
    const ok = states.every((state) => state === 'active' || state === 'pending');
    return { ok, text: ok ? { key: 'maintenance-seen', args: { n: ids.length } } : { key: 'maintenance-not-seen' } };
  },

  reconcile: async (context, args, external) => {
    const known = externalSchema.safeParse(external);
    if (!known.success) return { state: 'again' };
    const all = await context.ports.alertmanager.silences(context.signal);
    const ours = all.filter(({ comment }) => isMadeBy(comment, context.runId));
    // Broken off before all of them were there: going through it again makes the rest.
    if (ours.length < known.data.scopes.length) return { state: 'again' };
    return { state: 'succeeded', result: await silenceAll(context, args, known.data) };
  },

  report: ({ until, matchers, mutes }, { target }, { t }) => {
    const rows: (readonly [string, Inlines])[] = [
      [t('maintenance-until'), time(until)],
      [t('maintenance-what'), matchers],
    ];
    if (mutes !== undefined) rows.push([t('maintenance-mutes'), t('maintenance-n', { n: mutes })]);
    return doc(line(t('maintenance-done', { target })), facts(...rows), line(t('maintenance-after')));
  },
  undo: (_args, { ids }) => ({ operation: 'silence.end', args: { silence: ids[0] ?? '' } }),
});

/** `label=value` is just that; a name is looked for in every label that names a place. */
async function scopesOf(
  names: { place(name: string): Promise<readonly string[]> },
  target: string,
): Promise<Matcher[][]> {
  const [, label = '', value = ''] = /^([a-zA-Z_][a-zA-Z0-9_]*)=(.*)$/su.exec(target) ?? [];
  const plain = value.replace(/^"(.*)"$/su, '$1');
  const scopes = target.includes('=')
    ? label === ''
      ? []
      : [[{ name: label, value: plain, isRegex: false, isEqual: true }]]
    : scopesOfNames(await names.place(target), LABELS);
  if (scopes.length === 0 || !scopes.every((scope) => scope.some(narrows))) {
    throw new VakhtaError('usage', 'maintenance-target', `${target} is no target`, { args: { target } });
  }
  return scopes;
}

/** Makes the silences that are not there yet, and notes all of them. Again is fine. */
async function silenceAll(
  { ports, actor, clock, runId, signal }: Context<'alertmanager' | 'silences'>,
  { target, comment: words }: { readonly target: string; readonly comment?: string | undefined },
  { scopes, until: endsAt }: z.output<typeof externalSchema>,
): Promise<{ ids: string[]; until: Date; matchers: string }> {
  const all = (await ports.alertmanager.silences(signal)).filter(({ comment }) => isMadeBy(comment, runId));
  const comment = commentOf(words === undefined ? target : `${target}: ${words}`, runId);
  const ids: string[] = [];
  for (const matchers of scopes) {
    const there = all.find((one) => textOf([one.matchers]) === textOf([matchers]));
    const startsAt = clock.now();
    const silence = { matchers, startsAt, endsAt, createdBy: actor.id, comment };
    const id = there?.id ?? (await ports.alertmanager.createSilence(silence, signal));
    await ports.silences.made({ ...silence, id, purpose: 'maintenance', target, runId, untilResolved: false });
    ids.push(id);
  }
  return { ids, until: endsAt, matchers: textOf(scopes) };
}
