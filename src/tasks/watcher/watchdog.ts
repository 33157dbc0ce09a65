import { type Clock, minutes, seconds } from '../../core/clock.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { ownGroup, spoken } from '../../core/own-alert.ts';
import { matchesLabels, missingSince } from '../../core/watchdog.ts';
import type { Config } from '../../config/schema.ts';
import type { Alertmanager } from '../../integrations/alertmanager/port.ts';
import type { Prometheus } from '../../integrations/prometheus/port.ts';
import type { Database } from '../../store/db.ts';
import { currentIncidents, type Incident } from '../../store/incidents.ts';
import { observation } from '../../store/observations.ts';
import { processes } from '../../store/processes.ts';
import { incidentOf } from '../incidents.ts';
import type { IncidentWriter } from '../watch/writer.ts';
import { WATCHDOG } from './signals.ts';

export const messages = defineMessages({
  en: `
    watchdog-summary = Alerts do not arrive
    watchdog-why-alertmanager = Alertmanager cannot be reached. Nothing of what burns is told here until it is back.
    watchdog-why-delivery = Alertmanager has the Watchdog, but it does not reach Vakhta: check its route, the webhook address and the token.
    watchdog-why-silenced = A silence or an inhibition mutes the Watchdog in Alertmanager. End it: it mutes the proof that alerts arrive.
    watchdog-why-prometheus = Alertmanager answers, but Prometheus cannot be reached: no rule is evaluated.
    watchdog-why-rule = Prometheus answers, but the rule of the Watchdog does not fire: check the rule files and the label in watchdog.match.
    watchdog-why-link = The Watchdog fires in Prometheus, but Alertmanager does not have it: check the section alerting of Prometheus.
    watchdog-why-unknown = The alert that always fires is missing. Where it was lost is not known: Alertmanager does not have it, and Prometheus is not configured here.
  `,
  ru: `
    watchdog-summary = Алерты не приходят
    watchdog-why-alertmanager = Alertmanager недоступен. Пока он не вернётся, здесь не узнают ни об одной проблеме.
    watchdog-why-delivery = Watchdog в Alertmanager есть, но до Вахты не доходит: проверьте маршрут, адрес вебхука и токен.
    watchdog-why-silenced = Watchdog в Alertmanager заглушён или подавлен. Снимите заглушку: она скрывает признак того, что алерты приходят.
    watchdog-why-prometheus = Alertmanager отвечает, а Prometheus недоступен: правила не вычисляются.
    watchdog-why-rule = Prometheus отвечает, но правило Watchdog не срабатывает: проверьте файлы правил и метку в watchdog.match.
    watchdog-why-link = Watchdog в Prometheus горит, но в Alertmanager его нет: проверьте раздел alerting в Prometheus.
    watchdog-why-unknown = Нет алерта, который горит всегда. Где он потерялся, неизвестно: в Alertmanager его нет, а Prometheus здесь не настроен.
  `,
});

export const OWN_SOURCE = 'vakhta';
export const WATCHDOG_KEY = 'watchdog';

export type WatchdogFault = 'alertmanager' | 'delivery' | 'silenced' | 'prometheus' | 'rule' | 'link' | 'unknown';

export interface WatchdogOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: IncidentWriter;
  readonly config: NonNullable<Config['watchdog']>;
  readonly alertmanager: Pick<Alertmanager, 'alerts'> | undefined;
  readonly prometheus: Pick<Prometheus, 'alerts'> | undefined;
  /** In the language of the site. */
  readonly t: Translate;
}

/** A process that was not seen for this long does not take webhooks. */
const ALIVE_MS = seconds(60);

/** Looks whether the alert that always fires still arrives; one round. Its absence is an incident, its return the end of it. */
export function createWatchdog(options: WatchdogOptions): { readonly round: (signal: AbortSignal) => Promise<void> } {
  const { db, clock, log, writer, config, t } = options;
  const missingMs = minutes(config.missingMinutes);

  const report = (open: Incident | undefined, why: WatchdogFault, since: Date): Promise<void> =>
    db.tx(async (tx) => {
      const { annotations, extra } = spoken(t, {
        summary: { key: 'watchdog-summary' },
        description: { key: `watchdog-why-${why}` },
      });
      const group = ownGroup({
        key: WATCHDOG_KEY,
        status: 'firing',
        labels: LABELS,
        annotations: { ...annotations, runbook: 'watchdog-missing', why },
        extra,
        startsAt: since,
      });
      await writer.apply(tx, OWN_SOURCE, [group], clock.now());
      if (!open) log.error({ why, since }, 'the alert that always fires does not arrive');
    });

  const over = (open: Incident): Promise<void> =>
    db.tx(async (tx) => {
      const now = clock.now();
      const { annotations, extra } = alertOf(open) ?? spoken(t, { summary: { key: 'watchdog-summary' } });
      const { startedAt: startsAt } = open;
      const group = ownGroup({
        key: WATCHDOG_KEY,
        status: 'resolved',
        labels: LABELS,
        annotations,
        extra,
        startsAt,
        endsAt: now,
      });
      await writer.apply(tx, OWN_SOURCE, [group], now);
    });

  return {
    round: async (signal) => {
      const now = clock.now();
      const alive = await processes(db, new Date(now.getTime() - ALIVE_MS));
      const starts = alive.filter(({ role }) => role !== 'worker').map(({ startedAt }) => startedAt.getTime());
      // Nobody takes webhooks at this moment: that the Watchdog is missing then proves nothing about the outside.
      if (starts.length === 0) return;
      const seen = await observation(db, WATCHDOG);
      const sight = { seenAt: seen?.at, listeningSince: new Date(Math.min(...starts)), missingMs };
      const since = missingSince(sight, now);
      const row = (await currentIncidents(db, OWN_SOURCE, [WATCHDOG_KEY])).get(WATCHDOG_KEY);
      const open = row?.state === 'firing' ? row : undefined;
      if (since) {
        const why = await faultOf(options, signal);
        if (open && alertOf(open)?.annotations['why'] === why) return;
        return report(open, why, since);
      }
      const isBack = seen !== undefined && now.getTime() - seen.at.getTime() < missingMs;
      if (open && isBack && seen.at > open.startedAt) await over(open);
    },
  };
}

const LABELS = { alertname: 'WatchdogMissing', severity: 'critical', service: 'alerting' };

const alertOf = (row: Incident) => Object.values(incidentOf(row).data.alerts)[0];

/** Which part of the chain is likely broken, asked from its end to its beginning. */
async function faultOf(
  { alertmanager, prometheus, config }: WatchdogOptions,
  signal: AbortSignal,
): Promise<WatchdogFault> {
  if (alertmanager) {
    const alerts = await alertmanager.alerts({}, signal).catch(() => undefined);
    if (!alerts) return 'alertmanager';
    const held = alerts.filter(({ labels }) => matchesLabels(config.match, labels));
    if (held.length > 0) return held.every(({ state }) => state === 'suppressed') ? 'silenced' : 'delivery';
  }
  if (!prometheus) return 'unknown';
  const alerts = await prometheus.alerts(signal).catch(() => undefined);
  if (!alerts) return 'prometheus';
  const fires = alerts.some(({ labels, state }) => state === 'firing' && matchesLabels(config.match, labels));
  return fires ? 'link' : 'rule';
}
