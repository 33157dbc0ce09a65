import { type Clock, minutes } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import type { Log } from '../../core/log.ts';
import { ownGroup, spoken } from '../../core/own-alert.ts';
import type { Config } from '../../config/schema.ts';
import type { Alertmanager, PostedAlert } from '../../integrations/alertmanager/port.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database } from '../../store/db.ts';
import {
  beginDrill,
  type Drill,
  drill as findDrill,
  drillEnded,
  drillFailed,
  drillPosted,
  drillPressed,
  lastDrills,
  noteShown,
  openDrills,
} from '../../store/drills.ts';
import { currentIncidents } from '../../store/incidents.ts';
import { incidentOf } from '../incidents.ts';
import type { IncidentWriter } from '../watch/writer.ts';
import { DRILL_ALERT, DRILL_LABEL, type SignalsConfig, takeSignals } from './signals.ts';
import { OWN_SOURCE } from './watchdog.ts';

export const messages = defineMessages({
  en: `
    err-drill-not-configured = There is no section drill in the configuration: it says which chat hears of drills. Add it first.
    err-no-drill = There is no such drill any more.
    err-drill-answered = { $by } was faster: this drill is answered already.
    drill-alert-summary = Drill: nothing burns
    drill-incident-received = The drill alert was sent to Alertmanager and did not come back within { $n } minutes
    drill-incident-shown = The drill alert came, but could not be shown in the chat within { $n } minutes
    drill-incident-text = Real alerts take the same way. /drills shows which leg is broken; a new drill (/drill alert) that arrives ends this incident.
  `,
  ru: `
    err-drill-not-configured = В конфигурации нет раздела drill: он говорит, какой чат узнаёт об учениях. Сначала добавьте его.
    err-no-drill = Этого учения больше нет.
    err-drill-answered = { $by }: нажато раньше вас, на это учение уже ответили.
    drill-alert-summary = Учение: ничего не горит
    drill-incident-received = Учебный алерт ушёл в Alertmanager и за { $n } мин не вернулся
    drill-incident-shown = Учебный алерт пришёл, но за { $n } мин его не удалось показать в чате
    drill-incident-text = Настоящие алерты идут тем же путём. /drills покажет, где обрыв; новое учение (/drill alert), которое дойдёт, закроет этот инцидент.
  `,
});

/** Minutes that the way through Alertmanager may take (it waits to group alerts), and the way into the chat. */
const LEG_MINUTES = 5;
const DRILL_KEY = 'drill';
const INCIDENT_LABELS = { alertname: 'DrillFailed', severity: 'critical', service: 'alerting' };

export interface DrillDesk {
  /** Begins the drill of this run; again changes nothing. Throws `drill-not-configured`. */
  begin(id: string, by: string): Promise<void>;
  /** Sends its alert on its way; again does no harm. */
  post(id: string, signal: AbortSignal): Promise<void>;
  /** Whether its alert is on its way, or has come. */
  isUnderWay(id: string, signal: AbortSignal): Promise<boolean>;
  /** Throws `no-drill`. */
  get(id: string): Promise<Drill>;
  /** The newest first. */
  last(limit: number): Promise<readonly Drill[]>;
  /** A person has seen it. Fine when it was the same one before. Throws `drill-answered`, `no-drill`. */
  seen(id: string, by: string): Promise<Drill>;
}

export interface DrillOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: SignalsConfig & Pick<Config, 'alertmanager'>;
  /** Absent where there is none, and in a process without credentials. */
  readonly alertmanager: Pick<Alertmanager, 'postAlerts' | 'alerts'> | undefined;
  /** In the language of the site. */
  readonly t: Translate;
}

const labelsOf = (id: string) => ({
  alertname: DRILL_ALERT,
  [DRILL_LABEL]: id,
  severity: 'info',
  service: 'alerting',
});

export function createDrillDesk(options: DrillOptions): DrillDesk {
  const { db, clock, config } = options;

  const get = async (id: string): Promise<Drill> => {
    const found = await findDrill(db, id);
    if (!found) throw new VakhtaError('usage', 'no-drill', `no drill ${id}`);
    return found;
  };

  return {
    get,
    last: (limit) => lastDrills(db, limit),

    begin: async (id, by) => {
      if (!config.drill) throw new VakhtaError('usage', 'drill-not-configured', 'no section drill');
      const now = clock.now();
      const answerBy = new Date(now.getTime() + minutes(config.drill.answerMinutes));
      const via = config.alertmanager ? 'alertmanager' : 'direct';
      await beginDrill(db, { id, via, startedBy: by, startedAt: now, answerBy });
    },

    post: async (id, signal) => {
      const { via, startedAt, answerBy } = await get(id);
      if (via === 'direct') {
        // Without Alertmanager the way begins where its webhooks are applied.
        const annotations = { summary: options.t('drill-alert-summary') };
        const group = ownGroup({ key: id, status: 'firing', labels: labelsOf(id), annotations, startsAt: startedAt });
        await db.tx(async (tx) => {
          await drillPosted(tx, id, clock.now());
          await takeSignals(tx, [group], clock.now(), config);
        });
        return;
      }
      // It must not end by itself while somebody is still expected to answer.
      await postTo(options, [alertOf(id, options.t, startedAt, new Date(answerBy.getTime() + minutes(10)))], signal);
      await drillPosted(db, id, clock.now());
    },

    isUnderWay: async (id, signal) => {
      const drill = await get(id);
      if (drill.receivedAt) return true;
      if (drill.via === 'direct') return false;
      const alerts = await portOf(options).alerts(
        { matchers: [{ name: DRILL_LABEL, value: id, isRegex: false, isEqual: true }] },
        signal,
      );
      return alerts.length > 0;
    },

    seen: (id, by) =>
      db.tx(async (tx) => {
        await noteShown(tx);
        const pressed = await drillPressed(tx, id, by, clock.now());
        if (pressed) {
          await touchCards(tx, 'drill', id, clock.now());
          return pressed;
        }
        const drill = await findDrill(tx, id);
        if (!drill || !drill.receivedAt) throw new VakhtaError('usage', 'no-drill', `no drill ${id}`);
        if (drill.pressedBy === by) return drill;
        throw new VakhtaError('usage', 'drill-answered', `drill ${id} was answered by ${drill.pressedBy}`, {
          args: { by: drill.pressedBy ?? '?' },
        });
      }),
  };
}

const alertOf = (id: string, t: Translate, startsAt: Date, endsAt: Date): PostedAlert => ({
  labels: labelsOf(id),
  annotations: { summary: t('drill-alert-summary'), runbook: 'vakhta-drill' },
  startsAt,
  endsAt,
});

function portOf({ alertmanager }: Pick<DrillOptions, 'alertmanager'>) {
  if (alertmanager) return alertmanager;
  throw new VakhtaError('permanent', 'port-missing', 'port alertmanager is not available here', {
    args: { port: 'alertmanager' },
  });
}

const postTo = (options: DrillOptions, alerts: readonly PostedAlert[], signal: AbortSignal): Promise<void> =>
  portOf(options).postAlerts(alerts, signal);

export interface DrillWatch {
  /** One round: notes what was shown, gives up what did not come, ends alerts that have served. */
  readonly round: (signal: AbortSignal) => Promise<void>;
}

/** Follows drills on their way. A leg that is broken is an incident, for real alerts take the same way; an answer that nobody gave is not. */
export function createDrillWatch(
  options: DrillOptions & { readonly writer: IncidentWriter; readonly log: Log },
): DrillWatch {
  const { db, clock, writer, log, t } = options;

  const follow = async (drill: Drill, signal: AbortSignal): Promise<void> => {
    const now = clock.now();
    const leg = drill.state === 'running' ? brokenLeg(drill, now) : undefined;
    if (leg && (await drillFailed(db, drill.id, leg))) {
      log.warn({ drill: drill.number, leg }, 'a drill has failed');
      await touchCards(db, 'drill', drill.id, now);
    }
    if (drill.state === 'running' || drill.endedAt) return;
    if (drill.via === 'alertmanager') {
      await postTo(options, [alertOf(drill.id, t, drill.startedAt, now)], signal);
    }
    await drillEnded(db, drill.id, now);
  };

  /** Says what the newest drill says: a way that is broken burns until something comes through it. */
  const report = async (): Promise<void> => {
    const [newest] = await lastDrills(db, 1);
    const row = (await currentIncidents(db, OWN_SOURCE, [DRILL_KEY])).get(DRILL_KEY);
    const open = row?.state === 'firing' ? row : undefined;
    const leg = newest && lostLeg(newest);
    const now = clock.now();
    if (leg && !open) {
      const { annotations, extra } = spoken(t, {
        summary: { key: `drill-incident-${leg}`, args: { n: LEG_MINUTES } },
        description: { key: 'drill-incident-text' },
      });
      const group = ownGroup({
        key: DRILL_KEY,
        status: 'firing',
        labels: INCIDENT_LABELS,
        annotations: { ...annotations, runbook: 'vakhta-drill' },
        extra,
        startsAt: newest.startedAt,
      });
      await db.tx((tx) => writer.apply(tx, OWN_SOURCE, [group], now));
    } else if (open && newest?.shownAt) {
      const { annotations = { summary: open.title }, extra } = Object.values(incidentOf(open).data.alerts)[0] ?? {};
      const group = ownGroup({
        key: DRILL_KEY,
        status: 'resolved',
        labels: INCIDENT_LABELS,
        annotations,
        extra,
        startsAt: open.startedAt,
        endsAt: now,
      });
      await db.tx((tx) => writer.apply(tx, OWN_SOURCE, [group], now));
    }
  };

  return {
    round: async (signal) => {
      await noteShown(db);
      for (const drill of await openDrills(db)) {
        if (signal.aborted) return;
        await follow(drill, signal).catch((error: unknown) =>
          log.warn({ err: error, drill: drill.number }, 'a drill was not followed up, it is tried again'),
        );
      }
      await report();
    },
  };
}

/** The leg at which it has to be given up now. */
function brokenLeg(drill: Drill, now: Date): 'received' | 'shown' | 'pressed' | undefined {
  const isPast = (at: Date): boolean => now.getTime() > at.getTime() + minutes(LEG_MINUTES);
  if (!drill.receivedAt) return isPast(drill.postedAt ?? drill.startedAt) ? 'received' : undefined;
  if (!drill.shownAt) return isPast(drill.receivedAt) ? 'shown' : undefined;
  return now > drill.answerBy ? 'pressed' : undefined;
}

/** Where the way is broken as far as is known: what came late has come. */
function lostLeg({ failedLeg, receivedAt, shownAt }: Drill): 'received' | 'shown' | undefined {
  if (failedLeg === 'received' && !receivedAt) return 'received';
  return failedLeg !== undefined && failedLeg !== 'pressed' && receivedAt && !shownAt ? 'shown' : undefined;
}
