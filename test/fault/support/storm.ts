import { type AlertSender, createSender, type Group, group, type Level } from './alerts.ts';
import { type Dice, dice } from './seed.ts';
import { chatOf, PEOPLE, type Role, TEAMS, type World } from './world.ts';

export interface Storm {
  readonly alerts: number;
  readonly kills: number;
  /** The program: one process, or two. */
  readonly roles: readonly Role[];
  /** Names of guests; each is asked to restart once. */
  readonly guests: readonly string[];
  /** From the first alert to the last change. */
  readonly lengthMs: number;
  /** How often PostgreSQL and Redis die meanwhile; with it the queue lives in Redis, and Telegram fails in every way there is. */
  readonly restarts?: { readonly postgres: number; readonly redis: number };
  /** How long it may take until everything is told. */
  readonly settleMs?: number;
}

export interface Aftermath {
  readonly groups: readonly Group[];
  readonly sender: AlertSender;
  /** Incidents whose button Acknowledge was pressed while they fired, and that fire to the end: by whom. */
  readonly acknowledged: ReadonlyMap<string, string>;
  readonly questions: number;
  readonly kills: number;
  /** What died besides, in order. */
  readonly restarts: readonly string[];
}

const SHARES: readonly (readonly [Level, number])[] = [
  ['critical', 0.4],
  ['warning', 0.4],
  ['info', 0.2],
];
/** How long the program works before it is killed; one in five dies while it starts. */
const LIFE_MS = [100, 4000] as const;
const STARTING_MS = [200, 3000] as const;
const AFTER_MS = 20_000;
const CARDS = ['sendMessage', 'editMessageText'];
const RATES = { 'html-502': 0.05, 'accept-html-502': 0.02, reset: 0.03, 'accept-reset': 0.02, 'truncated-json': 0.01 };
/** Ways in which all of Telegram fails for a while. */
const OUTAGES = ['reset', 'html-502', 'hang', 'accept-reset', 'accept-html-502', 'truncated-json', 'revoked'] as const;
const OUTAGE_MS = [1500, 5000] as const;
const AWAY_MS = [500, 4000] as const;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Event {
  readonly at: number;
  readonly happens: () => void | Promise<void>;
}

/** Alerts fire, change and end, people press and type, Telegram fails, and the program is killed; then the sky clears. */
export async function storm(world: World, plan: Storm, seed: number): Promise<Aftermath> {
  const sender = createSender(world.webhookUrl);
  const random = dice(seed, 'alerts');
  const groups = Array.from({ length: plan.alerts }, (_, n) => group(n + 1, random.pick(TEAMS), levelOf(random)));
  const acknowledged = new Map<string, string>();
  const people = peopleOf(world, dice(seed, 'people'), groups, acknowledged);
  const events = [
    ...groups.flatMap((one) => lifeOf(one, random, sender, plan.lengthMs)),
    ...people.events(plan),
    ...weather(world, dice(seed, 'weather'), plan.lengthMs),
    ...(plan.restarts ? everything(world, dice(seed, 'everything'), plan.lengthMs) : []),
  ].toSorted((a, b) => a.at - b.at);

  const killer = dice(seed, 'kills');
  const programs = plan.roles.map((role) => world.launch(role));
  /** A program that cannot start while the database is away ends; whoever runs it starts it again. */
  const ready = async (n: number): Promise<void> => {
    for (let tries = 1; ; tries++) {
      const program = at(programs, n);
      try {
        await world.ready(program, at(plan.roles, n));
        return;
      } catch (error) {
        if (program.running() || plan.restarts === undefined || tries === 40) throw error;
        if (at(programs, n) === program) programs[n] = world.launch(at(plan.roles, n));
        await pause(250);
      }
    }
  };
  const allReady = () => Promise.all(plan.roles.map((_, n) => ready(n)));
  await allReady();
  rain(world);
  const breaking = breaker(world, plan, dice(seed, 'restarts'));
  const began = Date.now();
  const playing = play(events, began);
  let kills = 0;
  while (kills < plan.kills) {
    const isBorn = kills === 0 || killer.next() < 0.8;
    const victim = killer.between(0, programs.length - 1);
    if (isBorn) await ready(victim);
    const [shortest, longest] = isBorn ? LIFE_MS : STARTING_MS;
    await pause(killer.between(shortest, longest));
    await world.kill(at(programs, victim));
    kills += 1;
    programs[victim] = world.launch(at(plan.roles, victim));
    breaking.after(kills);
  }
  await playing;
  await breaking.settled();
  await allReady();
  await sender.idle();
  await allReady();
  // The last life meets bad weather too, until most has been said.
  const giveUp = Date.now() + AFTER_MS;
  const waiting = async (): Promise<number> =>
    (await world.rows<{ n: number }>(`select count(*)::int as n from outbox where state = 'queued'`))[0]?.n ?? 0;
  while ((await waiting()) > plan.alerts / 10 && Date.now() < giveUp) await pause(100);
  world.telegram.faults.clear();
  await allReady();
  await people.end(plan);
  return { groups, sender, acknowledged, questions: people.questions(), kills, restarts: breaking.done };
}

function at<T>(list: readonly T[], n: number): T {
  const found = list[n];
  if (found === undefined) throw new Error(`there is no ${n}`);
  return found;
}

function levelOf(random: Dice): Level {
  let dice_ = random.next();
  for (const [level, share] of SHARES) {
    if (dice_ < share) return level;
    dice_ -= share;
  }
  return 'info';
}

/** First it fires; then another disk joins, or it gets worse; about half of them end. */
function lifeOf(one: Group, random: Dice, sender: AlertSender, lengthMs: number): Event[] {
  const change = (ms: number, what: () => void): Event => ({
    at: ms,
    happens: () => {
      what();
      one.version += 1;
      sender.tell(one);
    },
  });
  const first = random.between(0, lengthMs * 0.55);
  const events: Event[] = [{ at: first, happens: () => sender.tell(one) }];
  if (random.next() < 0.5) {
    const worse = one.level === 'warning' && random.next() < 0.3;
    events.push(
      change(random.between(first + 500, lengthMs * 0.8), () => {
        if (worse) one.level = 'critical';
        else one.members.push({ disk: 'sdb', startsAt: new Date().toISOString() });
      }),
    );
  }
  if (random.next() < 0.5) {
    events.push(
      change(random.between(lengthMs * 0.8, lengthMs), () => {
        for (const member of one.members) member.endsAt ??= new Date().toISOString();
      }),
    );
  }
  return events;
}

/** By chance, all the time. */
const rain = (world: World): void =>
  world.telegram.faults.probability(RATES, [...CARDS, 'getUpdates', 'answerCallbackQuery']);

/** PostgreSQL and Redis die in turn, spread over the kills, one at a time; what died is noted once it is back. */
function breaker(world: World, plan: Storm, random: Dice) {
  const { postgres = 0, redis = 0 } = plan.restarts ?? {};
  const waiting = [...Array<'postgres'>(postgres).fill('postgres'), ...Array<'redis'>(redis).fill('redis')]
    .map((component) => ({ component, order: random.next() }))
    .toSorted((a, b) => a.order - b.order);
  const every = Math.max(1, Math.floor(plan.kills / (waiting.length + 1)));
  const done: string[] = [];
  let last = Promise.resolve();
  return {
    done,
    /** After so many kills it may be time for one. */
    after: (kills: number): void => {
      const next = kills % every === 0 ? waiting.shift() : undefined;
      if (!next) return;
      const awayMs = random.between(...AWAY_MS);
      last = last.then(() => world.restart(next.component, awayMs)).then(() => void done.push(next.component));
      // Whoever waits for `settled` hears of it.
      last.catch(() => {});
    },
    settled: () => last,
  };
}

/** Every other way in which the simulator can fail: outages of each kind, refusals, updates that come late or twice. */
function everything(world: World, random: Dice, lengthMs: number): Event[] {
  const { faults } = world.telegram;
  const when = () => random.between(3000, lengthMs * 0.85);
  const outages = OUTAGES.flatMap((kind): Event[] => {
    const from = when();
    const over = (): void => {
      faults.clear();
      rain(world);
    };
    return [
      { at: from, happens: () => faults.outage(kind) },
      { at: from + random.between(...OUTAGE_MS), happens: over },
    ];
  });
  const refusals = [
    { error_code: 500, description: 'Internal Server Error' },
    { error_code: 400, description: "Bad Request: can't parse entities: Can't find end of the entity" },
    { error_code: 429, description: 'Too Many Requests: retry after 2', parameters: { retry_after: 2 } },
    { error_code: 502, description: 'Bad Gateway' },
  ];
  const single = ['hang', 'accept-hang', 'accept-reset', 'truncated-json', ...refusals] as const;
  return [
    ...outages,
    ...single.flatMap((fault) =>
      CARDS.map((method): Event => ({ at: when(), happens: () => faults.next(method, fault) })),
    ),
    ...['duplicate-update' as const, 'late-update' as const, 'double-press' as const].map(
      (fault): Event => ({ at: when(), happens: () => faults.next('', fault, { times: 2 }) }),
    ),
  ];
}

/** What chance alone would not bring: hanging connections and bans. */
function weather(world: World, random: Dice, lengthMs: number): Event[] {
  const anyChat = () => chatOf(random.pick(TEAMS));
  const { faults } = world.telegram;
  const when = () => random.between(2000, lengthMs * 0.9);
  return [
    { at: when(), happens: () => faults.next('sendMessage', 'accept-hang', { chat: anyChat() }) },
    { at: when(), happens: () => faults.next('editMessageText', 'hang', { chat: anyChat() }) },
    { at: when(), happens: () => faults.next('getUpdates', 'accept-hang') },
    ...[2, 3, 5].map((flood) => ({
      at: when(),
      happens: () => faults.next('sendMessage', { flood }, { chat: anyChat() }),
    })),
    { at: when(), happens: () => faults.next('editMessageText', { flood: 3 }, { chat: anyChat() }) },
    { at: when(), happens: () => world.telegram.restart() },
  ];
}

async function play(events: readonly Event[], began: number): Promise<void> {
  for (const { at: due, happens } of events) {
    const wait = began + due - Date.now();
    if (wait > 0) await pause(wait);
    await happens();
  }
}

function peopleOf(world: World, random: Dice, groups: readonly Group[], acknowledged: Map<string, string>) {
  const pressed = new Set<number>();
  let questions = 0;
  const carol = PEOPLE[2];

  /** Somebody takes on an incident that the chat shows. */
  const acknowledge = (): void => {
    const who = random.pick(PEOPLE);
    const open = world.ledger.all.filter(
      ({ chat, buttons }) => chat < 0 && buttons.some((label) => label.includes('Acknowledge')),
    );
    if (open.length === 0) return;
    const card = random.pick(open);
    // A storm card names many, and its button acknowledges all of them.
    const about = groups.find(({ name }) =>
      card.versions.at(-1)?.split('\n')[0]?.includes(` · Disk full on ${name} · #`),
    );
    if (!about || acknowledged.has(about.name)) return;
    if (random.next() < 0.3) world.telegram.faults.next('', 'double-press');
    acknowledged.set(about.name, who.username);
    press(card.chat, card.id, 'Acknowledge', who.id);
  };

  const press = (chat: number, messageId: number, label: string, as: number): void => {
    const message = world.telegram.cast.chat(chat).messages.get(messageId)?.message;
    const keys = message?.reply_markup?.inline_keyboard ?? [];
    const row = keys.findIndex((keys_) => keys_.some(({ text }) => text.includes(label)));
    const col = keys[row]?.findIndex(({ text }) => text.includes(label)) ?? -1;
    if (row >= 0 && col >= 0) world.telegram.cast.press({ as, chat, message_id: messageId, row, col });
  };

  /** Carol confirms whatever asks her. */
  const confirm = (): void => {
    for (const card of world.ledger.all) {
      if (card.chat !== carol.id || pressed.has(card.id) || !card.buttons.includes('Confirm')) continue;
      pressed.add(card.id);
      if (random.next() < 0.3) world.telegram.faults.next('', 'double-press');
      press(card.chat, card.id, 'Confirm', carol.id);
    }
  };

  return {
    questions: () => questions,
    events: (plan: Storm): Event[] => [
      ...Array.from({ length: Math.round(plan.alerts / 8) }, () => ({
        at: random.between(5000, plan.lengthMs),
        happens: acknowledge,
      })),
      ...plan.guests.map((guest) => ({
        at: random.between(1000, plan.lengthMs * 0.7),
        happens: () => void world.person('carol').says(`/guest restart ${guest}`),
      })),
      ...Array.from({ length: Math.round(plan.alerts / 25) }, () => ({
        at: random.between(1000, plan.lengthMs),
        happens: () => {
          questions += 1;
          world.person('anna').says('/whoami');
        },
      })),
      ...Array.from({ length: Math.ceil(plan.lengthMs / 500) }, (_, n) => ({ at: n * 500, happens: confirm })),
    ],
    /** Every question has been asked and answered. */
    end: async (plan: Storm): Promise<void> => {
      const giveUp = Date.now() + 60_000;
      for (;;) {
        confirm();
        const [asked] = await world.rows<{ n: number }>(
          `select count(*)::int as n from runs where operation = 'guest.restart' and confirmed_by is not null`,
        );
        if ((asked?.n ?? 0) >= plan.guests.length || Date.now() > giveUp) return;
        await pause(200);
      }
    },
  };
}
