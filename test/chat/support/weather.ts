import { Api } from 'grammy';
import { onTestFinished } from 'vitest';
import { cards } from '../../../src/bot/cards/registry.gen.ts';
import { noMetrics } from '../../../src/bot/metrics.ts';
import { createOutbox } from '../../../src/bot/outbox.ts';
import { createSender, type Sender } from '../../../src/bot/outbox/sender.ts';
import { createReaders } from '../../../src/bot/readers.ts';
import { type Config, fileSchema, resolve } from '../../../src/config/schema.ts';
import { parseWebhook } from '../../../src/core/alertmanager.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { silentLog } from '../../../src/core/log.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import { createTelegramSimulator, type TelegramSimulator } from '../../../src/simulators/telegram/index.ts';
import type { Database, Queryable } from '../../../src/store/db.ts';
import { setView } from '../../../src/store/cards.ts';
import { observe } from '../../../src/store/observations.ts';
import { ALERTMANAGER } from '../../../src/tasks/incidents.ts';
import { inventorySource } from '../../../src/tasks/watch/inventory.ts';
import { createStormWatch, type StormWatch } from '../../../src/tasks/watch/storm-watch.ts';
import { createIncidentWriter } from '../../../src/tasks/watch/writer.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { storeForTest } from '../../support/store.ts';

export const OPS = -1001000000001;
const ADA = 104;
const TOKEN = '4242:test-token';
const ROUND_MS = 5000;

export interface Alert {
  readonly name: string;
  readonly status?: 'firing' | 'resolved';
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Webhook {
  readonly group: string;
  readonly alerts: readonly Alert[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** The watch from webhook to chat on a clock that stands still, before the Telegram simulator with its limits. */
export interface Weather {
  readonly clock: ManualClock;
  readonly db: Database;
  readonly config: Config;
  readonly telegram: TelegramSimulator;
  /** A webhook of one group is applied. */
  alert(group: string, alerts: readonly Alert[], labels?: Readonly<Record<string, string>>): Promise<void>;
  /** Webhooks that came together are applied together. */
  tell(webhooks: readonly Webhook[]): Promise<void>;
  /** What Proxmox VE was last seen to run. */
  inventory(guests: Readonly<Record<string, string>>): Promise<void>;
  /** Lets time pass; what falls due is done, also by the database and Telegram, before it goes on. */
  pass(ms: number, step?: number): Promise<void>;
  /** Until it holds, or fails after `limit` ms of that clock. */
  until(holds: () => boolean | Promise<boolean>, limit: number, step?: number): Promise<void>;
  /** As after a crash: another outbox, another watch. */
  restart(): Promise<void>;
  /** Texts of the chat's messages as they are now. */
  texts(): readonly string[];
  /** The text that starts like this in its second word: `Storm`. */
  storms(): readonly string[];
  buttons(text: string): readonly string[];
  /** Draws a card in another view, as its button does. */
  view(kind: string, ref: number, view: string): Promise<void>;
  /** The most sends and edits of the chat within any minute, and how many were refused. */
  traffic(): { readonly busiest: number; readonly refused: number; readonly calls: number };
  rows(text: string, params?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
}

export async function openWeather(sections: Readonly<Record<string, unknown>> = {}): Promise<Weather> {
  const store = await storeForTest();
  const clock = createManualClock('2026-11-23T09:00:00Z');
  const telegram = createTelegramSimulator({
    clock,
    random: systemRandom,
    token: TOKEN,
    cast: [{ id: ADA, first_name: 'Ada', username: 'ada', language_code: 'en' }],
    chats: [{ id: OPS, title: 'ops', members: [ADA], admins: [ADA] }],
  });
  const { url } = await telegram.listen();
  const config = resolve(
    fileSchema.parse({
      site: { name: 'Test site', zone: 'Europe/Moscow', language: 'en' },
      telegram: { token: 'env:TOKEN', api_root: url },
      operators: [{ id: 'ada', name: 'Ada', telegram_id: ADA, role: 'admin' }],
      chats: [{ id: 'ops', chat_id: OPS }],
      routes: [{ chat: 'ops' }],
      proxmox: [{ id: 'home', url: 'https://pve1.lan:8006', token_id: 'vakhta@pve!watch', token: 'env:PVE' }],
      ...sections,
    }),
    {},
  );

  // How much is under way: time stands still until the database and Telegram have answered.
  let busy = 0;
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    busy += 1;
    try {
      return await work();
    } finally {
      busy -= 1;
    }
  };
  const counted = <Q extends Queryable>(q: Q): Q => ({
    ...q,
    query: (text, params) => during(() => q.query(text, params)),
  });
  const db: Database = { ...counted(store.db), tx: (work) => during(() => store.db.tx(work)) };
  const api = new Api(TOKEN, { apiRoot: url });
  const real = createSender(api, noMetrics);
  const sender: Sender = {
    send: (...args) => during(() => real.send(...args)),
    edit: (...args) => during(() => real.edit(...args)),
    photo: (...args) => during(() => real.photo(...args)),
    editPhoto: (...args) => during(() => real.editPhoto(...args)),
    editCaption: (...args) => during(() => real.editCaption(...args)),
    document: (...args) => during(() => real.document(...args)),
    delete: (...args) => during(() => real.delete(...args)),
    createTopic: (...args) => during(() => real.createTopic(...args)),
    probe: (...args) => during(() => real.probe(...args)),
  };
  const settled = async (): Promise<void> => {
    for (let quiet = 0; quiet < 4; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (busy > 0) quiet = -1;
    }
  };

  const people = (id: string) => config.operators.find((one) => one.id === id);
  const writer = createIncidentWriter(config);
  const texts = catalogue(allMessages);
  const begin = () => {
    const outbox = createOutbox({
      db,
      config,
      cards: new Map(cards.map((card) => [card.kind, card])),
      operations: new Map(),
      people,
      readers: createReaders({ db, config, catalogue: texts, clock }),
      random: systemRandom,
      log: silentLog,
      sender,
      clock,
      metrics: noMetrics,
    });
    const stopping = new AbortController();
    const running = outbox.run(stopping.signal);
    const watch: StormWatch = createStormWatch({ db, clock, log: silentLog, config });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await running;
    };
    return { outbox, watch, stop };
  };
  let program = begin();
  onTestFinished(async () => {
    await telegram.close();
    await program.stop();
  });
  await clock.untilTimers(1);
  let nextRound = clock.now().getTime() + ROUND_MS;

  const pass = async (ms: number, step = 250): Promise<void> => {
    const end = clock.now().getTime() + ms;
    while (clock.now().getTime() < end) {
      await settled();
      await clock.advance(Math.min(step, end - clock.now().getTime()));
      if (clock.now().getTime() >= nextRound) {
        nextRound += ROUND_MS;
        await during(() => program.watch.round(new AbortController().signal));
        program.outbox.wake();
      }
    }
    await settled();
  };
  const messages = () => telegram.state.messages(OPS);
  const writes = () =>
    telegram.state.calls.filter((call) => call.chat_id === OPS && /^(?:send|edit)/iu.test(call.method));

  const parsed = ({ group, alerts, labels = {} }: Webhook) =>
    parseWebhook(
      JSON.stringify({
        groupKey: group,
        alerts: alerts.map(({ name, status = 'firing', labels: own = {} }) => ({
          status,
          fingerprint: `${group} ${name}`,
          labels: { alertname: group, instance: name, ...labels, ...own },
          startsAt: clock.now().toISOString(),
          ...(status === 'resolved' ? { endsAt: clock.now().toISOString() } : {}),
        })),
      }),
      clock.now(),
    );
  const tell = async (webhooks: readonly Webhook[]): Promise<void> => {
    if (webhooks.length === 0) return;
    await db.tx((tx) => writer.apply(tx, ALERTMANAGER, webhooks.map(parsed), clock.now()));
    program.outbox.wake();
    await settled();
  };

  return {
    clock,
    db,
    config,
    telegram,
    tell,
    alert: (group, alerts, labels) => tell([labels === undefined ? { group, alerts } : { group, alerts, labels }]),
    inventory: async (guests) => {
      const nodes = [...new Set(Object.values(guests))].map((name) => ({ name, status: 'online' }));
      const all = Object.entries(guests).map(([name, node], n) => ({
        vmid: 100 + n,
        name,
        node,
        type: 'lxc',
        status: 'running',
      }));
      await observe(db, inventorySource('home'), true, { nodes, guests: all }, clock.now());
    },
    pass,
    until: async (holds, limit, step = 250) => {
      const end = clock.now().getTime() + limit;
      while (!(await holds())) {
        if (clock.now().getTime() >= end)
          throw new Error(
            `not within ${limit} ms:\n${messages()
              .map((one) => one.text)
              .join('\n--\n')}`,
          );
        await pass(step, step);
      }
    },
    restart: async () => {
      await program.stop();
      program = begin();
      await clock.untilTimers(1);
    },
    texts: () => messages().map(({ text }) => text ?? ''),
    storms: () =>
      messages()
        .map(({ text }) => text ?? '')
        .filter((text) => /^\S+ [A-Z]+ · Storm/u.test(text)),
    buttons: (text) => {
      const found = messages().find((one) => one.text?.includes(text));
      return (found?.reply_markup?.inline_keyboard ?? []).flat().map((button) => button.text);
    },
    view: async (kind, ref, view) => {
      const { rows } = await db.query('select id from cards where kind = $1 and ref = $2', [kind, String(ref)]);
      const [card] = rows as { id: string }[];
      if (!card) throw new Error(`no card of ${kind} ${ref}`);
      await setView(db, card.id, view, clock.now());
      program.outbox.urgent(card.id);
      program.outbox.wake();
      await pass(2000);
    },
    traffic: () => {
      const all = writes();
      const times = all.map(({ at }) => at.getTime());
      const busiest = Math.max(
        0,
        ...times.map((from) => times.filter((at) => at >= from && at < from + 60_000).length),
      );
      return { busiest, refused: all.filter(({ outcome }) => outcome === 429).length, calls: all.length };
    },
    rows: async (text, params) => (await db.query(text, params)).rows as Record<string, unknown>[],
  };
}

/** Every firing incident is shown: by a card of its own, by a storm that goes on, or by the incident that it is folded into. */
export async function unseen(weather: Weather): Promise<readonly unknown[]> {
  return weather.rows(
    `select i.id, i.group_key from incidents i where i.state = 'firing' and i.folded_into is null
       and not exists (select from cards c where c.kind = 'incident' and c.ref = i.id::text and c.gone_at is null)
       and not exists (select from storm_incidents m join storms s on s.id = m.storm_id
         where m.incident_id = i.id and s.ended_at is null)`,
  );
}
