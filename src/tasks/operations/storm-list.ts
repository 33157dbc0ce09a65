import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { titleIn } from '../../core/own-alert.ts';
import { SEVERITIES } from '../../core/incident.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-storm-list = Everything in a storm, as a file
    storm-list-head = Storm of { $at } UTC: { $incidents ->
        [one] { $incidents } incident
       *[other] { $incidents } incidents
    }, { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    }
    storm-list-firing = firing
    storm-list-resolved = over
  `,
  ru: `
    op-storm-list = Весь шквал одним файлом
    storm-list-head = Шквал { $at } UTC: { $incidents ->
        [one] { $incidents } инцидент
        [few] { $incidents } инцидента
       *[many] { $incidents } инцидентов
    }, { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    }
    storm-list-firing = горит
    storm-list-resolved = погас
  `,
});

const listed = z.object({
  id: z.number(),
  state: z.enum(['firing', 'resolved']),
  severity: z.enum(SEVERITIES),
  title: z.string(),
  says: z.string().optional(),
  alerts: z.number(),
  startedAt: z.coerce.date(),
  /** Empty: nobody. */
  owner: z.string(),
});

export default defineOperation({
  name: 'storm.list',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ storm: z.coerce.number().int().positive() }),
  fields: { storm: { hidden: true } },
  result: z.object({ startedAt: z.coerce.date(), incidents: z.array(listed) }),
  ports: ['storms'],
  inline: true,
  unlisted: true,
  timeoutMs: seconds(20),
  plan: async ({ ports }, { storm }) => {
    await ports.storms.get(storm);
    return { target: `#${storm}`, lines: [] };
  },
  run: async ({ ports }, { storm }) => {
    const { startedAt } = await ports.storms.get(storm);
    const incidents = (await ports.storms.incidents(storm)).map((one) => ({
      id: one.id,
      state: one.state,
      severity: one.severity,
      title: one.title,
      says: one.says,
      alerts: one.all.length + one.truncated,
      startedAt: one.startedAt,
      owner: one.owner ?? '',
    }));
    return { state: 'succeeded', result: { startedAt, incidents } };
  },
  report: ({ startedAt, incidents }, { storm }, { t }) => {
    const stamp = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');
    const alerts = incidents.reduce((sum, one) => sum + one.alerts, 0);
    const head = t('storm-list-head', { at: stamp(startedAt), incidents: incidents.length, alerts });
    const rows = incidents.map((one) => {
      const { id, state, severity, alerts: n, startedAt: since, owner } = one;
      return [`#${id}`, t(`storm-list-${state}`), severity, n, stamp(since), owner, titleIn(t, one)].join('\t');
    });
    return {
      blocks: [title('info', head)],
      file: { name: `storm-${storm}.txt`, text: `${[head, '', ...rows].join('\n')}\n` },
    };
  },
});
