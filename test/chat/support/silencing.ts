import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import incidentCard from '../../../src/bot/cards/incident.ts';
import { drawRun } from '../../../src/bot/cards/run.ts';
import silenceCard from '../../../src/bot/cards/silence.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createAlertmanager } from '../../../src/integrations/alertmanager/alertmanager.ts';
import type { Alertmanager, Labels } from '../../../src/integrations/alertmanager/port.ts';
import { startAlertmanagerSimulator } from '../../../src/simulators/alertmanager/index.ts';
import { type Card, cardsOf, setView } from '../../../src/store/cards.ts';
import { incident } from '../../../src/store/incidents.ts';
import { quieting as quietingOf } from '../../../src/store/quietings.ts';
import type { Run } from '../../../src/store/runs.ts';
import { createAlertWatch } from '../../../src/tasks/alert-watch.ts';
import type { Operation } from '../../../src/tasks/define.ts';
import { createIncidentDesk } from '../../../src/tasks/incidents.ts';
import { createQuieter } from '../../../src/tasks/lifecycle/quieting.ts';
import maintenance from '../../../src/tasks/operations/maintenance.ts';
import silence from '../../../src/tasks/operations/silence.ts';
import silenceEnd from '../../../src/tasks/operations/silence-end.ts';
import silenceExtend from '../../../src/tasks/operations/silence-extend.ts';
import silences from '../../../src/tasks/operations/silences.ts';
import unsilence from '../../../src/tasks/operations/unsilence.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import { createSilenceDesk } from '../../../src/tasks/silences/desk.ts';
import { createTargetNames } from '../../../src/tasks/silences/names.ts';
import { createIncidentWriter } from '../../../src/tasks/watch/writer.ts';
import { wayIn } from './way-in.ts';
import { startAlertmanager } from '../../support/components/index.ts';
import { createShiftedClock } from '../../support/shifted-clock.ts';
import { as, type Life, openLife } from './life.ts';
import { configWith, type Shown, shown } from './shown.ts';

export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** How Alertmanager is started, and whether time can be held still for it. */
export type Start = (clock: Clock) => Promise<Server>;

export const simulator: Start = (clock) =>
  startAlertmanagerSimulator(
    { webhook: { url: 'http://127.0.0.1:9/none' } },
    { clock, random: systemRandom, fetch: () => Promise.reject(new Error('nobody listens')) },
  );

export const real: Start = () => startAlertmanager({ webhookUrl: 'http://127.0.0.1:9/none' });

export const MINUTE = 60_000;
const FAR_MS = 48 * 60 * MINUTE;
export const config = configWith();
export const OPERATIONS: readonly Operation[] = [silence, unsilence, silenceExtend, silenceEnd, silences, maintenance];

export interface More {
  readonly operations?: readonly Operation[];
  /** Parts of Alertmanager that answer in another way. */
  readonly change?: (real: Alertmanager) => Partial<Alertmanager>;
}

/** Alertmanager, its watch and the operations on silences on one database. */
export async function openSilencing(start: Start, more: More = {}) {
  const operations = [...OPERATIONS, ...(more.operations ?? [])];
  const ports: Partial<Record<keyof Ports, unknown>> = {};
  // The real one lives in real time: there only the program's own clock is moved on.
  const shifted = start === real ? createShiftedClock(new Date()) : undefined;
  const life: Life = await openLife({
    operations,
    ports: ports as Partial<Ports>,
    // Made below: it needs the database.
    quieter: {
      open: (...given) => quieter.open(...given),
      after: (runId) => quieter.after(runId),
    },
    ...(shifted ? { time: shifted } : {}),
  });
  const clock: Clock = shifted ?? life.clock;
  const server = await start(clock);
  onTestFinished(() => server.stop());
  const { db } = life;
  const plain = createAlertmanager({ url: server.url }, { fetch, clock });
  const port: Alertmanager = { ...plain, ...more.change?.(plain) };
  const names = createTargetNames(db, config);
  const people = (by: string): string => life.people.get(by)?.name ?? by;
  ports.alertmanager = port;
  ports.incidents = createIncidentDesk({ db, clock });
  ports.silences = createSilenceDesk({ db, clock, zone: 'Europe/Moscow', names, nameOf: people });
  const writer = createIncidentWriter(config);
  const intake = wayIn({ db, writer, clock });
  const quieter = createQuieter({ db, clock, log: silentLog, alertmanager: port, names });
  const watchOf = (alertmanager: Alertmanager) =>
    createAlertWatch({
      db,
      clock,
      log: silentLog,
      writer,
      alertmanager,
      config,
      also: (_mirrored, signal) => quieter.round(signal),
    });

  const later = async (ms: number): Promise<void> => {
    if (shifted) shifted.jump(new Date(shifted.now().getTime() + ms));
    else await life.clock.advance(ms);
  };
  /** Raises these alerts in Alertmanager. */
  const burn = (...labels: readonly Labels[]): Promise<void> =>
    port.postAlerts(labels.map((one) => ({ labels: one, endsAt: new Date(clock.now().getTime() + FAR_MS) })));
  const quench = (...labels: readonly Labels[]): Promise<void> =>
    port.postAlerts(
      labels.map((one) => ({
        labels: one,
        startsAt: new Date(Date.now() - MINUTE),
        endsAt: new Date((shifted ? Date.now() : clock.now().getTime()) - 1),
      })),
    );
  return {
    life,
    db,
    clock,
    port,
    quieter,
    later,
    burn,
    quench,
    round: () => watchOf(port).round(new AbortController().signal),
    /** Alerts that fire in Alertmanager, and the incident that its webhook makes of them. */
    fires: async (...labels: readonly Labels[]): Promise<number> => {
      await burn(...labels);
      const held = await port.alerts();
      const groupKey = randomUUID();
      const alerts = labels.map((one) => ({
        status: 'firing',
        labels: one,
        fingerprint: held.find((alert) => JSON.stringify(sorted(alert.labels)) === JSON.stringify(sorted(one)))
          ?.fingerprint,
      }));
      await intake.accept(JSON.stringify({ groupKey, alerts }));
      const { rows } = await db.query('select id from incidents where group_key = $1', [groupKey]);
      return z.object({ id: z.number() }).parse(rows[0]).id;
    },
    /** Somebody else's silence, made in Alertmanager itself. */
    elsewhere: (labels: Labels, minutes: number, comment = 'cable work'): Promise<string> =>
      port.createSilence({
        matchers: Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
        startsAt: clock.now(),
        endsAt: new Date(clock.now().getTime() + minutes * MINUTE),
        createdBy: 'olga@noc',
        comment,
      }),
    asks: async (who: string, operation: string, args: Record<string, unknown>, origin = {}): Promise<Run> => {
      const asked = await life.requests.request(as(who), operation, args, { origin });
      await life.deliver();
      return life.run(asked.id);
    },
    row: async (id: number) => {
      const found = await incident(db, id);
      if (!found) throw new Error(`no incident ${id}`);
      return found;
    },
    active: async () => (await port.silences()).filter(({ state }) => state !== 'expired'),
    cards: (kind: string): Promise<Card[]> => allCards(life, kind),
    /** The card as the chat shows it, in both languages; `view` as if a button had been pressed. */
    /** The card of a run, as the chat shows it. */
    drawnRun: (run: Run): Promise<Shown> =>
      shown(
        async (context) => drawRun(context, run, '', await quietingOf(db, run.id)),
        life,
        operations,
        clock.now(),
        config,
      ),
    drawn: async (kind: 'incident' | 'silence', ref: string | number, view?: string): Promise<Shown> => {
      const [card] = await cardsOf(db, kind, String(ref));
      if (!card) throw new Error(`no card ${kind} ${ref}`);
      const now = view === undefined ? card : ((await setView(db, card.id, view, clock.now())) ?? card);
      const its = kind === 'incident' ? incidentCard : silenceCard;
      return shown(
        async (context) => {
          const doc = await its.render(context, now);
          if (doc === 'gone') throw new Error('the card is gone');
          return doc;
        },
        life,
        operations,
        clock.now(),
        config,
      );
    },
  };
}

const sorted = (labels: Labels): [string, string][] => Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));

async function allCards({ db }: Life, kind: string): Promise<Card[]> {
  const { rows } = await db.query('select distinct ref from cards where kind = $1 order by ref', [kind]);
  const refs = z.array(z.object({ ref: z.string() })).parse(rows);
  return (await Promise.all(refs.map(({ ref }) => cardsOf(db, kind, ref)))).flat();
}

/** Labels of the buttons, row by row. */
export const labelsOf = ({ keyboard }: Shown['en']): string[][] =>
  keyboard.map((row) => row.map((button) => ('label' in button ? button.label : '')));

/** What a button of this label does. */
export function pressOf({ keyboard }: Shown['en'], label: string) {
  const found = keyboard.flat().find((button) => button.kind === 'press' && button.label === label);
  if (found?.kind !== 'press') throw new Error(`no button ${label}: ${JSON.stringify(keyboard)}`);
  return found.press;
}
