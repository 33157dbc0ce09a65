import { seconds, type Clock } from '../core/clock.ts';
import type { Language } from '../core/people.ts';
import type { AlertmanagerSimulator } from '../simulators/alertmanager/index.ts';
import { generatorUrl, RULES } from './measurements.ts';

interface Sentence {
  readonly ru: string;
  readonly en: string;
}

interface Moment {
  readonly afterMs: number;
  readonly alertname: string;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly rule: (typeof RULES)[keyof typeof RULES];
  readonly summary: Sentence;
  readonly description: Sentence;
  /** When it ends by itself; stays when absent. */
  readonly untilMs?: number;
}

/** A night on watch, pressed into a minute: one thing that gets better, one that needs hands, one that can wait. */
const NIGHT: readonly Moment[] = [
  {
    afterMs: seconds(1),
    alertname: 'DiskWillFillIn24h',
    severity: 'warning',
    rule: RULES.disk,
    summary: { ru: 'На monitoring диск заполнится за сутки', en: 'The disk of monitoring fills up within a day' },
    description: {
      ru: 'Занято 72 %, прирост 1,1 ГБ в час. Уменьшите срок хранения Prometheus или увеличьте диск.',
      en: '72 % are used, 1.1 GB more each hour. Shorten the retention of Prometheus or enlarge the disk.',
    },
  },
  {
    afterMs: seconds(4),
    alertname: 'PostgresReplicationLag',
    severity: 'critical',
    rule: RULES.lag,
    summary: { ru: 'Реплика main отстаёт на 6 минут', en: 'The replica of main is 6 minutes behind' },
    description: {
      ru: 'Данные последних шести минут есть только на pg1. Проверьте сеть между узлами и нагрузку на диск.',
      en: 'The last six minutes of data are on pg1 only. Check the network between the hosts and the load of the disk.',
    },
  },
  {
    afterMs: seconds(9),
    alertname: 'ContainerRestarting',
    severity: 'warning',
    rule: RULES.restarts,
    summary: {
      ru: 'Контейнер nextcloud-app перезапустился 4 раза за 10 минут',
      en: 'Container nextcloud-app restarted 4 times in 10 minutes',
    },
    description: { ru: 'Последний код выхода 137: не хватило памяти.', en: 'Last exit code 137: out of memory.' },
    untilMs: seconds(35),
  },
];

/** Fires the alerts of the night at the simulated Alertmanager; the answer stops what is still to come. */
export function playNight(
  alertmanager: AlertmanagerSimulator,
  options: { readonly clock: Clock; readonly language: Language },
): () => void {
  const { clock, language } = options;
  const cancels = NIGHT.flatMap((moment) => {
    const labels = { alertname: moment.alertname, severity: moment.severity, cluster: 'pve1', ...moment.rule.labels };
    const annotations = {
      summary: moment.summary[language],
      description: moment.description[language],
      runbook_url: `https://vakhta.example.net/runbooks/${moment.alertname}`,
    };
    let fingerprint: string | undefined;
    const fire = clock.after(moment.afterMs, () => {
      fingerprint = alertmanager.fire(labels, annotations, generatorUrl(moment.rule));
    });
    if (moment.untilMs === undefined) return [fire];
    const end = clock.after(moment.untilMs, () => {
      if (fingerprint !== undefined) alertmanager.resolve(fingerprint);
    });
    return [fire, end];
  });
  return () => {
    for (const cancel of cancels) cancel();
  };
}
