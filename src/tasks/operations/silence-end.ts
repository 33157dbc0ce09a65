import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, facts, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { formatMatcher } from '../../integrations/alertmanager/matchers.ts';
import { defineOperation } from '../define.ts';
import { endSilence, silenceState } from '../incidents.ts';
import { silenceNotFound } from '../silences/desk.ts';

export const messages = defineMessages({
  en: `
    op-silence-end = End a silence
    op-silence-end-arg-silence = Which silence? /silences shows them.
    silence-end-plan = end the silence { $matchers }
    silence-end-fires = { $n ->
        [0] nothing under it fires now
        [one] { $n } alert under it fires now: { $names }
       *[other] { $n } alerts under it fire now: { $names }
    }
    silence-end-seen = Alertmanager lists it as ended
    silence-end-not-seen = Alertmanager lists it as still { $state }
    silence-end-done = The silence is ended: what fires is heard again.
    silence-end-what = What
    silence-end-now = Fires now
    silence-end-nothing = nothing
  `,
  ru: `
    op-silence-end = Снять заглушку
    op-silence-end-arg-silence = Какую заглушку? Список — в /silences.
    silence-end-plan = снять заглушку { $matchers }
    silence-end-fires = { $n ->
        [0] под ней сейчас ничего не горит
        [one] под ней сейчас горит { $n } алерт: { $names }
        [few] под ней сейчас горят { $n } алерта: { $names }
       *[other] под ней сейчас горят { $n } алертов: { $names }
    }
    silence-end-seen = в Alertmanager она закончена
    silence-end-not-seen = в Alertmanager она ещё в состоянии { $state }
    silence-end-done = Заглушка снята: всё, что горит, снова слышно.
    silence-end-what = Что
    silence-end-now = Сейчас горит
    silence-end-nothing = ничего
  `,
});

const boundSchema = z.object({ silences: z.array(z.string()), matchers: z.string(), names: z.array(z.string()) });

export default defineOperation({
  name: 'silence.end',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ silence: z.string().min(1).max(64) }),
  result: boundSchema,
  ports: ['alertmanager', 'silences'],
  quiet: true,
  timeoutMs: seconds(30),
  locks: ({ silence }, plan) => {
    const incident = plan.bound?.['incident'];
    return [`silence:id:${silence}`, ...(typeof incident === 'number' ? [`silence:${incident}`] : [])];
  },

  plan: async ({ ports }, { silence }) => {
    const rows = await ports.silences.group(silence);
    const [first] = rows;
    if (!first) throw silenceNotFound(silence);
    const matchers = rows.map((row) => row.matchers.map(formatMatcher).join(', ')).join(' · ');
    const names = [...new Set(rows.flatMap((row) => row.names))].toSorted();
    return {
      target: first.target ?? matchers,
      lines: [
        { key: 'silence-end-plan', args: { matchers } },
        {
          key: 'silence-end-fires',
          args: { n: Math.max(...rows.map(({ covers }) => covers)), names: names.join(', ') },
        },
      ],
      bound: {
        silences: rows.map(({ id }) => id),
        matchers,
        names,
        ...(first.incident === undefined ? {} : { incident: first.incident }),
      },
    };
  },

  run: async ({ ports, actor, plan, remember, signal }) => {
    const bound = boundSchema.parse(plan.bound);
    await remember({ ...bound });
    for (const id of bound.silences) {
      await endSilence(ports.alertmanager, id, signal);
      await ports.silences.ended(id, actor.id);
    }
    return { state: 'succeeded', result: bound };
  },

  verify: async ({ ports, signal }, _args, { silences }) => {
    for (const id of silences) {
      const state = await silenceState(ports.alertmanager, id, signal);
      if (state === 'active' || state === 'pending')
        return { ok: false, text: { key: 'silence-end-not-seen', args: { state } } };
    }
    return { ok: true, text: { key: 'silence-end-seen' } };
  },

  reconcile: async ({ ports, actor, signal }, _args, external) => {
    const known = boundSchema.safeParse(external);
    if (!known.success) return { state: 'again' };
    for (const id of known.data.silences) {
      const state = await silenceState(ports.alertmanager, id, signal);
      if (state === 'active' || state === 'pending') return { state: 'again' };
      await ports.silences.ended(id, actor.id);
    }
    return { state: 'succeeded', result: known.data };
  },

  report: ({ matchers, names }, _args, { t }) =>
    doc(
      line(t('silence-end-done')),
      facts(
        [t('silence-end-what'), matchers],
        [t('silence-end-now'), names.length > 0 ? names.join(', ') : t('silence-end-nothing')],
      ),
    ),
});
