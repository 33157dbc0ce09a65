import { silentLog } from '../../../src/core/log.ts';
import { verifyAudit } from '../../../src/store/audit.ts';
import { openDatabase } from '../../../src/store/db.ts';
import { judge, type Verdict } from './judge.ts';
import { dice, SEED } from './seed.ts';
import { type Aftermath, type Storm, storm } from './storm.ts';
import { PEOPLE, startWorld, type World } from './world.ts';

/** What must not have happened, each as a list of where it did. */
export interface Broken {
  /** Cards that do not show what was accepted last. */
  readonly wrongCards: readonly string[];
  readonly lostAlerts: readonly string[];
  readonly wrongStorms: readonly string[];
  readonly unexplainedDuplicates: readonly string[];
  readonly callsDuringBan: readonly string[];
  /** Guests that were asked for and have no run, or more than one. */
  readonly runsNotOne: readonly string[];
  readonly runsWithoutEnd: readonly string[];
  /** Power calls that Proxmox heard more than once. */
  readonly executedTwice: readonly string[];
  /** Runs that say they worked, and Proxmox never heard of them. */
  readonly neverExecuted: readonly string[];
  /** Incidents that still burn, and whose owner is not who acknowledged them. */
  readonly lostOwners: readonly string[];
  readonly answers: readonly string[];
  readonly updatesNotHandled: readonly unknown[];
  readonly messagesNotSettled: readonly unknown[];
  readonly audit: readonly string[];
}

export const NOTHING: Broken = {
  wrongCards: [],
  lostAlerts: [],
  wrongStorms: [],
  unexplainedDuplicates: [],
  callsDuringBan: [],
  runsNotOne: [],
  runsWithoutEnd: [],
  executedTwice: [],
  neverExecuted: [],
  lostOwners: [],
  answers: [],
  updatesNotHandled: [],
  messagesNotSettled: [],
  audit: [],
};

/** A whole storm, with a summary on standard output; what is broken after it. */
export async function weather(plan: Storm): Promise<Broken> {
  say(`VAKHTA_FAULT_SEED=${SEED} (set it to see this storm again)`);
  const world = await startWorld(dice(SEED, 'telegram'), { redis: plan.restarts !== undefined });
  try {
    const after = await storm(world, plan, SEED);
    await world.drained(plan.settleMs ?? 150_000);
    const verdict = await judge(world, after.groups, after.sender);
    const runs = await runsOf(world);
    const given = await givenUp(world);
    const bans = world.ledger.callsDuringBan();
    say(`${summary(world, plan, after, verdict, runs, bans)}; updates given up and told ${given.length}`);
    return {
      wrongCards: verdict.wrong,
      lostAlerts: verdict.lost,
      wrongStorms: verdict.wrongStorms,
      unexplainedDuplicates: verdict.unexplained,
      callsDuringBan: bans.wrong,
      runsNotOne: plan.guests.filter((guest) => runs.filter((run) => run.guest === guest).length !== 1),
      runsWithoutEnd: runs
        // On a slow machine a question may be older than its time when the program lives long enough to hear the answer.
        .filter(({ state }) => !['succeeded', 'warning', 'failed', 'expired'].includes(state))
        .map(({ guest, state }) => `${guest} ${state}`),
      executedTwice: world.powerCalls.filter((call, n) => world.powerCalls.indexOf(call) !== n),
      neverExecuted: runs
        .filter(({ guest, state }) => state === 'succeeded' && !world.powerCalls.includes(callFor(world, guest)))
        .map(({ guest }) => guest),
      lostOwners: await lostOwners(world, after, given.length > 0),
      answers: given.length > 0 ? [] : answersTo(world, after.questions),
      updatesNotHandled: await world.rows(
        `select seq, state, error from inbox where state <> 'done' and not seq = any ($1)`,
        [given],
      ),
      messagesNotSettled: await world.rows(
        `select id, state, error from outbox where state not in ('sent', 'dropped', 'unknown')`,
      ),
      audit: await audit(world),
    };
  } finally {
    await world.stop();
  }
}

type Runs = Awaited<ReturnType<typeof runsOf>>;

function summary(
  world: World,
  plan: Storm,
  { kills, restarts, sender }: Aftermath,
  { wrong, lost, folded, collected, storms, wrongStorms, explained, unexplained, messages }: Verdict,
  runs: Runs,
  bans: { readonly excused: number; readonly wrong: readonly string[] },
): string {
  const { requests, accepted, unavailable, broken } = sender.sent;
  return [
    `storm: ${plan.alerts} alerts, ${kills} kills of ${plan.roles.join('+')}${restarts.length > 0 ? `, ${restarts.join(', ')} restarted` : ''}`,
    `faults: ${faultsOf(world)}`,
    `webhooks ${requests} (${accepted} accepted, ${unavailable} unavailable, ${broken} broken)`,
    `messages ${messages}, duplicates explained ${explained}, unexplained ${unexplained.length}`,
    `storm cards ${storms}, wrong ${wrongStorms.length}, told by them alone ${collected.length}`,
    `left to the digest ${folded.length}, wrong ${wrong.length}, LOST = ${lost.length}, UNEXPLAINED DUPLICATES = ${unexplained.length}`,
    `restarts: ${runs.map(({ state }) => state).join(' ')}, calls to Proxmox ${world.powerCalls.length}`,
    `calls during a ban: excused by a kill ${bans.excused}, wrong ${bans.wrong.length}`,
  ].join('; ');
}

const callFor = (world: World, name: string): string =>
  `reboot ${world.proxmox.inventory.guests.find((guest) => guest.name === name)?.vmid}`;

/** Whoever pressed Acknowledge on what still burns has it. */
async function lostOwners(world: World, { groups, acknowledged }: Aftermath, isAnyGivenUp: boolean): Promise<string[]> {
  const rows = await world.rows<{ key: string; owner: string | null }>(
    'select group_key as key, owner from incidents where current',
  );
  return groups
    .filter(({ name, members }) => acknowledged.has(name) && members[0]?.endsAt === undefined)
    .map(({ name, key }) => ({ name, owner: rows.find((row) => row.key === key)?.owner }))
    .filter(({ name, owner }) => owner !== acknowledged.get(name) && !(isAnyGivenUp && owner === null))
    .map(({ name, owner }) => `${name}: ${acknowledged.get(name)} pressed, ${owner} has it`);
}

/** Updates whose handling was killed three times: given up, which the person was told with the id. */
async function givenUp(world: World): Promise<number[]> {
  const rows = await world.rows<{ seq: number; error: string }>(
    `select seq::int as seq, error from inbox where state = 'failed' and error is not null`,
  );
  const told = (error: string): boolean =>
    world.ledger.all.some(({ versions }) => versions.some((text) => text.includes(error)));
  return rows.filter(({ error }) => told(error)).map(({ seq }) => seq);
}

/** Each question has its answer; one more only with the mark. */
function answersTo(world: World, questions: number): string[] {
  const answers = world.ledger.about(PEOPLE[0].id, 'Role: admin');
  const unmarked = answers.filter(({ versions }) => !versions[0]?.includes('↻'));
  const isRight = answers.length >= questions && unmarked.length <= questions;
  return isRight ? [] : [`${questions} questions, ${answers.length} answers, ${unmarked.length} without the mark`];
}

async function audit(world: World): Promise<string[]> {
  const db = openDatabase({ url: world.cluster.urlOf('vakhta'), log: silentLog });
  try {
    const verdict = await verifyAudit(db, () => {});
    return verdict.ok ? [] : [`${verdict.seq}: ${verdict.why}`];
  } finally {
    await db.close();
  }
}

const runsOf = (world: World) =>
  world.rows<{ guest: string; state: string; error: unknown }>(
    `select args->>'guest' as guest, state, error from runs where operation = 'guest.restart' order by number`,
  );

/** How often each fault hit, from the calls that reached Telegram. */
function faultsOf(world: World): string {
  const counts = new Map<string, number>();
  for (const { outcome } of world.telegram.state.calls) {
    if (outcome !== 200) counts.set(String(outcome), (counts.get(String(outcome)) ?? 0) + 1);
  }
  return [...counts].map(([fault, n]) => `${fault} ${n}`).join(', ');
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
