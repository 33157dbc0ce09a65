import type { AlertGroup } from '../../core/alertmanager.ts';
import { type Clock, hours } from '../../core/clock.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { spoken } from '../../core/own-alert.ts';
import type { Database } from '../../store/db.ts';
import { currentIncidents } from '../../store/incidents.ts';
import { setAside as putAside, setAsideKept } from '../../store/webhook-log.ts';
import type { IncidentWriter } from './writer.ts';

export const messages = defineMessages({
  en: `
    set-aside-summary = Vakhta cannot apply a webhook of Alertmanager
    set-aside-description = Webhook { $seq } failed three times and is kept in the table webhook_log, with the error. Its alerts are not shown here: look into Alertmanager.
  `,
  ru: `
    set-aside-summary = Вахта не может обработать вебхук Alertmanager
    set-aside-description = Вебхук { $seq } трижды не удалось обработать, он сохранён с ошибкой в таблице webhook_log. Его алертов здесь нет: посмотрите в Alertmanager.
  `,
});

/** Source of incidents about Vakhta itself. */
export const OWN = 'vakhta';
const GROUP = 'webhooks-set-aside';
/** The incident ends when nothing was set aside for this long: Alertmanager has told its alerts again by then. */
const QUIET_MS = hours(4);

export interface SetAside {
  /** Takes the webhook out of the way of the others, and opens an incident that says so. */
  put(seq: number): Promise<void>;
  /** Ends the incident when it is time; asks the database only when that may be. */
  review(): Promise<void>;
}

export interface SetAsideOptions {
  readonly db: Database;
  readonly writer: IncidentWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** In the language of the site. */
  readonly t: Translate;
}

export function createSetAside({ db, writer, clock, log, t }: SetAsideOptions): SetAside {
  let reviewAt = new Date(0);

  const group = (status: 'firing' | 'resolved', seq: string, at: Date): AlertGroup => {
    const labels = { alertname: 'VakhtaWebhookSetAside', service: 'vakhta', severity: 'critical' };
    const summary = { key: 'set-aside-summary' };
    const { annotations, extra } = spoken(
      t,
      seq === '' ? { summary } : { summary, description: { key: 'set-aside-description', args: { seq } } },
    );
    const alert = {
      fingerprint: GROUP,
      status,
      labels,
      annotations,
      startsAt: null,
      endsAt: status === 'resolved' ? at.toISOString() : null,
      generatorUrl: '',
      extra,
    };
    return {
      groupKey: GROUP,
      receiver: '',
      status,
      truncated: 0,
      groupLabels: { alertname: labels.alertname },
      commonLabels: labels,
      commonAnnotations: alert.annotations,
      externalUrl: '',
      alerts: [alert],
    };
  };

  return {
    put: async (seq) => {
      const now = clock.now();
      log.error({ webhook: seq }, 'a webhook is set aside: its alerts are not shown');
      reviewAt = new Date(now.getTime() + QUIET_MS);
      try {
        await db.tx(async (tx) => {
          if (await putAside(tx, seq, now)) await writer.apply(tx, OWN, [group('firing', String(seq), now)], now);
        });
      } catch (error) {
        log.error({ err: error, webhook: seq }, 'nobody could be told of a webhook that is set aside');
        await putAside(db, seq, now);
      }
    },
    review: async () => {
      const now = clock.now();
      if (now < reviewAt) return;
      const { last } = await setAsideKept(db);
      const until = last ? new Date(last.getTime() + QUIET_MS) : now;
      reviewAt = until > now ? until : new Date(now.getTime() + QUIET_MS);
      if (until > now) return;
      await db.tx(async (tx) => {
        const known = (await currentIncidents(tx, OWN, [GROUP], { forUpdate: true })).get(GROUP);
        if (known?.state === 'firing') await writer.apply(tx, OWN, [group('resolved', '', now)], now);
      });
    },
  };
}
