import type { Alert, Weather } from './weather.ts';

/** The same numbers in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Plan {
  readonly groups: number;
  readonly alerts: number;
  readonly lengthMs: number;
  readonly criticals: number;
}

interface Sent {
  readonly at: number;
  readonly group: string;
  readonly alerts: readonly Alert[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Webhooks of this time are applied together. */
const STEP_MS = 1000;

const name = (n: number): string => `Group${n}`;

/** Each group comes with some of its alerts, and then with all of them. */
export function plan({ groups, alerts, lengthMs, criticals }: Plan, seed: number): Sent[] {
  const random = dice(seed);
  const isCritical = new Set<number>();
  while (isCritical.size < criticals) isCritical.add(Math.floor(random() * groups));
  const each = alerts / groups;
  return Array.from({ length: groups }, (_, n) => {
    const severity = isCritical.has(n) ? 'critical' : n % 4 === 0 ? 'info' : 'warning';
    const labels = { severity, service: n % 3 === 0 ? 'shop' : `service${n}`, cluster: 'home' };
    const all = Array.from({ length: each }, (_one, k): Alert => ({ name: `host${n}-${k}` }));
    const first = Math.floor(random() * lengthMs * 0.9);
    const some = 1 + Math.floor(random() * each);
    return [
      { at: first, group: name(n), alerts: all.slice(0, some), labels },
      { at: first + Math.floor(random() * (lengthMs - first)), group: name(n), alerts: all, labels },
    ];
  })
    .flat()
    .toSorted((a, b) => a.at - b.at);
}

/** Plays a plan; answers how long the first critical one took to be seen, in ms. */
export async function play(weather: Weather, sent: readonly Sent[]): Promise<number> {
  const began = weather.clock.now().getTime();
  let critical: { group: string; at: number } | undefined;
  let seenAfter: number | undefined;
  const look = (): void => {
    if (critical === undefined || seenAfter !== undefined) return;
    const { group, at } = critical;
    if (weather.texts().some((text) => text.includes(group))) seenAfter = weather.clock.now().getTime() - at;
  };
  for (let next = 0; next < sent.length; ) {
    const now = weather.clock.now().getTime();
    const due = sent.slice(next).filter(({ at }) => at <= now - began);
    await weather.tell(due);
    next += due.length;
    const first = due.find(({ labels }) => labels['severity'] === 'critical');
    if (first) critical ??= { group: first.group, at: now };
    look();
    await weather.pass(STEP_MS, STEP_MS);
    look();
  }
  while (seenAfter === undefined && critical !== undefined) {
    await weather.pass(250);
    look();
    if (weather.clock.now().getTime() - critical.at > 60_000) throw new Error('the first critical one was not seen');
  }
  return seenAfter ?? 0;
}

/** A thousand alerts in two hundred groups within a minute. */
export const THOUSAND: Plan = { groups: 200, alerts: 1000, lengthMs: 60_000, criticals: 20 };
