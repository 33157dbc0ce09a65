import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-storm-ack = Take on everything in a storm that nobody has
    storm-ack-plan = { $who } takes on { $n ->
        [one] { $n } incident
       *[other] { $n } incidents
    } that nobody has
    storm-ack-seen = every firing incident of the storm is in somebody’s name
    storm-ack-left = { $n ->
        [one] { $n } incident of the storm has
       *[other] { $n } incidents of the storm have
    } come meanwhile and is nobody’s yet
    storm-ack-done = { $n ->
        [0] Everybody of the storm was taken already.
        [one] { $n } incident of the storm is yours.
       *[other] { $n } incidents of the storm are yours.
    }
  `,
  ru: `
    op-storm-ack = Взять на себя всё ничьё из шквала
    storm-ack-plan = { $who } берёт на себя { $n ->
        [one] { $n } ничей инцидент
        [few] { $n } ничьих инцидента
       *[many] { $n } ничьих инцидентов
    }
    storm-ack-seen = у каждого горящего инцидента шквала есть ответственный
    storm-ack-left = появились новые, пока ничьи: { $n }
    storm-ack-done = { $n ->
        [0] Ничьих инцидентов в шквале не осталось.
        [one] За вами { $n } инцидент из шквала.
        [few] За вами { $n } инцидента из шквала.
       *[many] За вами { $n } инцидентов из шквала.
    }
  `,
});

export default defineOperation({
  name: 'storm.ack',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ storm: z.coerce.number().int().positive() }),
  fields: { storm: { hidden: true } },
  result: z.object({ incidents: z.array(z.number()) }),
  ports: ['storms'],
  inline: true,
  unlisted: true,
  timeoutMs: seconds(20),
  plan: async ({ ports, actor, operator }, { storm }) => {
    await ports.storms.get(storm);
    const args = { who: operator?.name ?? actor.id, n: await ports.storms.unowned(storm) };
    return { target: `#${storm}`, lines: [{ key: 'storm-ack-plan', args }] };
  },
  run: async ({ ports, actor }, { storm }) => ({
    state: 'succeeded',
    result: { incidents: await ports.storms.ack(storm, actor.id) },
  }),
  verify: async ({ ports }, { storm }) => {
    const n = await ports.storms.unowned(storm);
    return n === 0
      ? { ok: true, text: { key: 'storm-ack-seen' } }
      : { ok: false, text: { key: 'storm-ack-left', args: { n } } };
  },
  reconcile: async ({ ports, actor }, { storm }) => {
    if ((await ports.storms.unowned(storm)) > 0) return { state: 'again' };
    const mine = (await ports.storms.incidents(storm)).filter(({ owner }) => owner === actor.id);
    return { state: 'succeeded', result: { incidents: mine.map(({ id }) => id) } };
  },
  report: ({ incidents }, _args, { t }) => doc(line(t('storm-ack-done', { n: incidents.length }))),
});
