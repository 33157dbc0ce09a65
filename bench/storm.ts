import { join } from 'node:path';
import { type Clock, systemClock } from '../src/core/clock.ts';
import type { TelegramSimulator } from '../src/simulators/telegram/index.ts';
import {
  type Alertmanager,
  nativeReceiver,
  noAlertmanager,
  openAlertmanager,
  webhookReceiver,
} from './alertmanager.ts';
import { GROUP } from './configuration.ts';
import { type Bench, type Figure, figure } from './figures.ts';
import { openPlace, ROOT } from './place.ts';
import { install, openTelegram, SOURCE } from './program.ts';
import { type Fate, GROUPS, lookAt, nameOf, PER_GROUP, type Seen } from './storm-chat.ts';

/** All times below are seconds of the storm; the machine lives through them this many times as fast. */
const SPEED = 10;
const BEGIN_WITHIN = 60;
const GROUP_WAIT = 10;
const GROUP_INTERVAL = 300;
const RESOLVE_AFTER = 120;
const HANG = 300;
const LIMITS = { perGroupPerMinute: 20, perChatPerSecond: 1, overallPerSecond: 30, penalty: false } as const;
const LOOK_EVERY_MS = 100;

interface Variant {
  readonly name: string;
  readonly fate: Fate;
  readonly hang: boolean;
  /** Given up after this time. */
  readonly until: number;
}

const VARIANTS: readonly Variant[] = [
  { name: 'stay', fate: 'firing', hang: false, until: 1200 },
  { name: `resolve after ${RESOLVE_AFTER} s`, fate: 'resolved', hang: false, until: 900 },
  { name: `stay, Telegram hangs for ${HANG} s`, fate: 'firing', hang: true, until: 1200 },
];

/** A storm in one chat, by way of Vakhta and by Alertmanager's own receiver, at the same time. */
export const storm: Bench = {
  name: 'storm',
  about: [
    `${GROUPS * PER_GROUP} alerts in ${GROUPS} groups within ${BEGIN_WITHIN} s, 20 calls a minute, against Alertmanager's own telegram receiver`,
    `(time runs ${SPEED} times as fast for the simulator, Vakhta and Alertmanager's configuration; what Vakhta computes counts ${SPEED}-fold,`,
    'the pauses of the native receiver between its attempts cannot be made shorter, so it makes fewer calls than in real time;',
    'a call during a ban is refused and not punished; times are given in seconds of the storm, the time of giving up when never reached)',
  ].join('\n'),
  run: async (report) => {
    const why = noAlertmanager();
    if (why !== undefined) throw new Error(why);
    const figures: Figure[] = [];
    for (const variant of VARIANTS) figures.push(...(await weather(variant, report)));
    return figures;
  },
};

interface Outcome {
  firstCritical: number;
  complete: number;
  readonly calls: number;
  readonly refused: number;
  readonly lost: number;
}

async function weather(variant: Variant, report: (progress: string) => void): Promise<Figure[]> {
  const clock = fastClock();
  report(`${variant.name}: starting`);
  const place = await openPlace();
  const ours = await openTelegram({ clock, limits: LIMITS });
  const theirs = await openTelegram({ clock, limits: LIMITS });
  const managers: Alertmanager[] = [];
  try {
    const program = await install(place, ours.url, SOURCE, { asShipped: true });
    const running = await program.start(['--import', join(ROOT, 'bench/fast-time.mjs')]);
    const pace = {
      groupBy: ['alertname', 'instance'],
      groupWait: goDuration(GROUP_WAIT),
      groupInterval: goDuration(GROUP_INTERVAL),
      repeatInterval: '24h',
    };
    managers.push(await openAlertmanager(webhookReceiver(program.url), pace));
    managers.push(await openAlertmanager(nativeReceiver(theirs.url), pace));
    // Starting takes the time it takes; from here on it goes faster.
    await running.ask({ speed: SPEED, epoch: clock.goFast() });
    for (const { telegram } of [ours, theirs]) if (variant.hang) telegram.faults.outage('hang');

    const began = clock.now().getTime();
    const seconds = (): number => (clock.now().getTime() - began) / 1000;
    const told = tell(managers, variant.fate, clock);
    const sides = [watch(ours.telegram, 'program', variant), watch(theirs.telegram, 'baseline', variant)] as const;
    let isHanging = variant.hang;
    while (seconds() < variant.until && sides.some((side) => !side.isComplete())) {
      if (isHanging && seconds() >= HANG) {
        isHanging = false;
        for (const { telegram } of [ours, theirs]) telegram.faults.clear();
      }
      for (const side of sides) side.look(seconds());
      report(`${variant.name}: ${Math.round(seconds())} s, shown ${sides.map((side) => side.shown()).join(' and ')}`);
      await systemClock.sleep(LOOK_EVERY_MS);
    }
    await told;
    const [mine, native] = [sides[0].outcome(), sides[1].outcome()];
    const line = (name: string, unit: string, of: (side: Outcome) => number): Figure =>
      figure(`${variant.name}: ${name}`, unit, [{ program: of(mine), baseline: of(native) }]);
    return [
      line('first critical', 's', (side) => side.firstCritical),
      line('complete and right', 's', (side) => side.complete),
      line('calls', '', (side) => side.calls),
      line('answered 429', '', (side) => side.refused),
      line('alerts lost or wrong', '', (side) => side.lost),
    ];
  } finally {
    for (const manager of managers) await manager.stop();
    await place.close();
    await ours.telegram.close();
    await theirs.telegram.close();
  }
}

/** Gives both the same alerts; group by group, evenly over the time in which the storm begins. */
async function tell(managers: readonly Alertmanager[], fate: Fate, clock: Clock): Promise<void> {
  const alertsOf = (n: number, more: { readonly endsAt?: string } = {}) =>
    Array.from({ length: PER_GROUP }, (_, k) => ({
      labels: {
        alertname: 'DiskFull',
        instance: nameOf(n),
        device: `sd${'abcde'[k]}`,
        severity: n % 10 === 3 ? 'critical' : 'warning',
      },
      annotations: { summary: `Disk of ${nameOf(n)} is full` },
      ...more,
    }));
  const post = (n: number, more?: { readonly endsAt?: string }): Promise<unknown> =>
    Promise.all(managers.map((manager) => manager.post(alertsOf(n, more))));
  for (let n = 0; n < GROUPS; n += 1) {
    await post(n);
    await clock.sleep((BEGIN_WITHIN * 1000) / GROUPS);
  }
  if (fate === 'firing') return;
  await clock.sleep((RESOLVE_AFTER - BEGIN_WITHIN) * 1000);
  const endsAt = new Date().toISOString();
  for (let n = 0; n < GROUPS; n += 1) await post(n, { endsAt });
}

/** What one chat shows, looked at again and again. */
function watch({ state }: TelegramSimulator, side: 'program' | 'baseline', { fate, until }: Variant) {
  let seen: Seen = { groups: 0, right: 0, critical: false };
  const times = { firstCritical: until, complete: until };
  return {
    look: (now: number): void => {
      seen = lookAt(state.messages(GROUP), side, fate);
      if (seen.critical) times.firstCritical = Math.min(times.firstCritical, now);
      if (seen.right >= GROUPS) times.complete = Math.min(times.complete, now);
      else times.complete = until;
    },
    shown: (): string => `${seen.right} of ${GROUPS}`,
    isComplete: (): boolean => seen.right >= GROUPS,
    outcome: (): Outcome => {
      const calls = state.calls.filter(({ method, chat_id }) => chat_id === GROUP && /^(?:send|edit)/iu.test(method));
      return {
        ...times,
        calls: calls.length,
        refused: calls.filter(({ outcome }) => outcome === 429).length,
        lost: (GROUPS - seen.right) * PER_GROUP,
      };
    },
  };
}

const goDuration = (ofStorm: number): string => `${Math.round((ofStorm * 1000) / SPEED)}ms`;

/** The clock of the simulator: once it goes fast its minute is shorter. `goFast` answers since when. */
function fastClock(): Clock & { goFast(): number } {
  let epoch = 0;
  let speed = 1;
  return {
    now: () => new Date(epoch + (Date.now() - epoch) * speed),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
    after: (ms, run) => systemClock.after(ms / speed, run),
    goFast: () => {
      epoch = Date.now();
      speed = SPEED;
      return epoch;
    },
  };
}
