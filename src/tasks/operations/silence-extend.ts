import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, facts, line, time } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { formatMatcher } from '../../integrations/alertmanager/matchers.ts';
import type { Silence } from '../../integrations/alertmanager/port.ts';
import type { SilenceRow } from '../../store/silences.ts';
import { type Context, defineOperation } from '../define.ts';
import { endSilence, silenceState } from '../incidents.ts';
import { silenceNotFound } from '../silences/desk.ts';
import { EXTENSIONS, extendedEnd } from '../silences/duration.ts';

export const messages = defineMessages({
  en: `
    op-silence-extend = Let a silence last longer
    op-silence-extend-arg-silence = Which silence? /silences shows them.
    op-silence-extend-arg-by = By how much?
    silence-extend-plan = { $matchers }: { $word ->
        [morning] until the next 09:00 after its end
       *[other] { $by } longer
    }
    silence-extend-seen = Alertmanager lists { $n ->
        [one] the longer silence
       *[other] the { $n } longer silences
    }
    silence-extend-not-seen = Alertmanager does not list the longer silence
    silence-extend-done = Extended
    silence-extend-until = Until
    silence-extend-what = What
  `,
  ru: `
    op-silence-extend = Продлить заглушку
    op-silence-extend-arg-silence = Какую заглушку? Список — в /silences.
    op-silence-extend-arg-by = На сколько?
    silence-extend-plan = { $matchers }: { $word ->
        [morning] до ближайших 09:00 после её конца
       *[other] ещё на { $by }
    }
    silence-extend-seen = { $n ->
        [one] продлённая заглушка есть в Alertmanager
       *[other] продлённые заглушки есть в Alertmanager: { $n }
    }
    silence-extend-not-seen = в Alertmanager продлённой заглушки нет
    silence-extend-done = Продлено
    silence-extend-until = До
    silence-extend-what = Что
  `,
});

const externalSchema = z.object({ silences: z.array(z.string()), until: z.coerce.date() });

/** The longer one: Alertmanager gives a silence that is changed a new id, so it is known by everything else. */
const longerOf = (all: readonly Silence[], row: SilenceRow, until: Date): Silence | undefined =>
  all.find(
    (one) =>
      one.id !== row.id &&
      one.state !== 'expired' &&
      one.comment === row.comment &&
      one.createdBy === row.createdBy &&
      textOf(one) === textOf(row) &&
      Math.abs(one.endsAt.getTime() - until.getTime()) < 1000,
  );

const textOf = ({ matchers }: Pick<Silence, 'matchers'>): string => matchers.map(formatMatcher).toSorted().join(', ');

export default defineOperation({
  name: 'silence.extend',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ silence: z.string().min(1).max(64), by: z.enum(EXTENSIONS).default('1h') }),
  result: z.object({ ids: z.array(z.string()), until: z.coerce.date(), matchers: z.string() }),
  ports: ['alertmanager', 'silences'],
  quiet: true,
  timeoutMs: seconds(30),
  locks: ({ silence }, plan) => {
    const incident = plan.bound?.['incident'];
    return [`silence:id:${silence}`, ...(typeof incident === 'number' ? [`silence:${incident}`] : [])];
  },

  plan: async ({ ports, operator, clock }, { silence, by }) => {
    const rows = await ports.silences.group(silence);
    const [first] = rows;
    if (!first) throw silenceNotFound(silence);
    const last = new Date(Math.max(...rows.map(({ endsAt }) => endsAt.getTime())));
    const until = extendedEnd(by, last, clock.now(), operator?.zone ?? ports.silences.zone);
    const word = by === '09:00' ? 'morning' : 'other';
    return {
      target: first.target ?? rows.map(textOf).join(' · '),
      lines: [{ key: 'silence-extend-plan', args: { matchers: rows.map(textOf).join(' · '), by, word } }],
      bound: {
        silences: rows.map(({ id }) => id),
        until,
        ...(first.incident === undefined ? {} : { incident: first.incident }),
      },
    };
  },

  run: async (context) => {
    const bound = externalSchema.parse(context.plan.bound);
    await context.remember({ ...bound });
    return { state: 'succeeded', result: await lengthenAll(context, bound) };
  },

  verify: async ({ ports, signal }, _args, { ids }) => {
    const states = await Promise.all(ids.map((id) => silenceState(ports.alertmanager, id, signal)));
    const ok = states.every((state) => state === 'active' || state === 'pending');
    return {
      ok,
      text: ok ? { key: 'silence-extend-seen', args: { n: ids.length } } : { key: 'silence-extend-not-seen' },
    };
  },

  reconcile: async (context, _args, external) => {
    if (external === undefined) return { state: 'again' };
    const bound = externalSchema.parse(external);
    const all = await context.ports.alertmanager.silences(context.signal);
    for (const id of bound.silences) {
      const row = await context.ports.silences.get(id);
      if (row && row.replacedBy === undefined && !longerOf(all, row, bound.until)) return { state: 'again' };
    }
    return { state: 'succeeded', result: await lengthenAll(context, bound) };
  },

  report: ({ until, matchers }, _args, { t }) =>
    doc(
      line(t('silence-extend-done')),
      facts([t('silence-extend-until'), time(until)], [t('silence-extend-what'), matchers]),
    ),
});

/** Makes the longer silences that are not there yet, notes them, and ends those before them. Again is fine. */
async function lengthenAll(
  { ports, actor, clock, signal }: Context<'alertmanager' | 'silences'>,
  { silences: ids, until }: z.output<typeof externalSchema>,
): Promise<{ ids: string[]; until: Date; matchers: string }> {
  const made: string[] = [];
  const texts: string[] = [];
  for (const id of ids) {
    const row = await ports.silences.get(id);
    if (!row) throw silenceNotFound(id);
    const { matchers, createdBy, comment, purpose, incident, runId, target } = row;
    if (row.replacedBy === undefined) {
      const now = clock.now();
      // One that has not begun still begins at its time.
      const startsAt = row.startsAt > now ? row.startsAt : now;
      const there = longerOf(await ports.alertmanager.silences(signal), row, until);
      const next =
        there?.id ??
        (await ports.alertmanager.createSilence({ matchers, startsAt, endsAt: until, createdBy, comment }, signal));
      const own = { id: next, matchers, createdBy, comment, purpose, incident, runId, target, untilResolved: false };
      await ports.silences.replaced(row, { ...own, startsAt, endsAt: until }, actor.id);
      made.push(next);
    } else made.push(row.replacedBy);
    await endSilence(ports.alertmanager, id, signal);
    texts.push(textOf(row));
  }
  return { ids: made, until, matchers: texts.join(' · ') };
}
