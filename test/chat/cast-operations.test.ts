import { FluentResource } from '@fluent/bundle';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { VakhtaError } from '../../src/core/error.ts';
import { catalogue, type Messages } from '../../src/core/i18n.ts';
import { ANONYMOUS_ADMIN, type Actor } from '../../src/core/people.ts';
import { allMessages } from '../../src/messages.gen.ts';
import type { Run } from '../../src/store/runs.ts';
import type { Verb } from '../../src/tasks/lifecycle/requests.ts';
import type { Operation } from '../../src/tasks/define.ts';
import { operations } from '../../src/tasks/operations/registry.gen.ts';
import { as, type Life, lifeOperation, lifeMessages, openLife } from './support/life.ts';

/** Everybody who can come along; an anonymous admin arrives as an outsider with Telegram's own id. */
const CAST: Readonly<Record<string, Actor>> = {
  viewer: as('vera'),
  operator: as('anna'),
  'second operator': as('boris'),
  admin: as('ada'),
  'second admin': as('cyril'),
  outsider: { kind: 'outsider', id: '999' },
  'anonymous admin': { kind: 'outsider', id: String(ANONYMOUS_ADMIN) },
  'somebody removed': as('gone'),
  schedule: { kind: 'schedule', id: 'nightly' },
  cli: { kind: 'cli', id: 'root' },
  http: { kind: 'http', id: 'api' },
  system: { kind: 'system', id: 'vakhta' },
};
const RANK: Readonly<Record<string, number>> = {
  viewer: 1,
  operator: 2,
  'second operator': 2,
  admin: 3,
  'second admin': 3,
};
const NEEDS = { viewer: 1, operator: 2, admin: 3 } as const;
const MACHINES = ['schedule', 'http', 'system'];

/** Registered operations, and one of each kind that may not be registered yet: the rules hold for those to come. */
const extra = (['change', 'disrupt', 'destroy'] as const).map((risk) =>
  lifeOperation({ name: `test.${risk}`, risk }, { acted: [] }),
);
const second = lifeOperation({ name: 'test.second', risk: 'change', approval: 'second' }, { acted: [] });
const ALL: readonly Operation[] = [...operations, ...extra, second];

/** Written out here, not asked of the code under test. */
function mayRequest(who: string, { role, approval }: Operation): boolean {
  const rank = RANK[who];
  if (rank !== undefined) return rank >= NEEDS[role];
  if (who === 'cli') return approval !== 'destroy';
  // Nobody sits at a schedule to confirm; another person can approve, though.
  return MACHINES.includes(who) && (approval === 'none' || approval === 'second');
}

/** Arguments that the schema accepts, found by trying; a new operation needs no line here. */
function someArgs(operation: Operation): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const { name, required, options, schema } of operation.arguments) {
    if (!required) continue;
    const tries = [...(options ?? []), 'main', 1, '2026-01-01T00:00:00Z', 'https://example.org', true, ['main']];
    const fits = tries.find((value) => schema.safeParse(value).success);
    if (fits === undefined) throw new Error(`no value found for ${operation.name} ${name}: add one to the tries`);
    args[name] = fits;
  }
  return args;
}

/** Inline operations would run at once; here nothing runs, because who may ask is what is looked at. */
const still = (operation: Operation): Operation => ({
  ...operation,
  inline: false,
  run: () => Promise.reject(new Error(`${operation.name} ran`)),
});

interface Denial {
  readonly actor: string;
  readonly subject: string;
}

const denials = async (life: Life): Promise<Denial[]> =>
  (await life.audit()).filter(({ action }) => action === 'denied').map(({ actor, subject }) => ({ actor, subject }));

/** The state that a run is in, and who was denied since this was asked last. One question, since it is asked often. */
function aftermath(life: Life): (run: string) => Promise<{ state: string; denied: readonly string[] }> {
  const row = z.object({ state: z.string(), upto: z.coerce.number(), denied: z.array(z.string()).nullable() });
  let from = 0;
  return async (run) => {
    const { rows } = await life.db.query(
      `select (select state from runs where id = $1) as state, max(seq) as upto,
         array_agg(actor order by seq) filter (where action = 'denied' and seq > $2) as denied from audit`,
      [run, from],
    );
    const { state, upto, denied } = row.parse(rows[0]);
    from = upto;
    return { state, denied: denied ?? [] };
  };
}

/** What became of it in a word: the state that the run is in, or the code of the refusal. */
const outcome = async (asked: Promise<Run>): Promise<string> => {
  try {
    return (await asked).state;
  } catch (thrown) {
    if (thrown instanceof VakhtaError) return thrown.code;
    throw thrown;
  }
};

const nameOf = ({ kind, id }: Actor): string => `${kind}:${id}`;
const isMachine = (who: string): boolean => MACHINES.includes(who) || who === 'cli';

function requestOutcome(who: string, operation: Operation): string {
  if (mayRequest(who, operation)) return 'planning';
  return isMachine(who) ? 'needs-person' : 'no-role';
}

/** The rules of answering, written out: who (by role, and by having asked) may say what to a run in which state. */
function answerOutcome(
  who: string,
  verb: Verb,
  state: string,
  asker: string,
  { role, risk, approval }: Operation,
): string {
  const rank = RANK[who];
  if (!isMachine(who) && (rank === undefined || rank < NEEDS[role])) return 'no-role';
  switch (verb) {
    case 'cancel':
      return 'cancelled';
    case 'reject':
      return state === 'queued' ? 'run-moved' : 'rejected';
    case 'confirm':
      if (state !== 'confirming') return 'run-moved';
      if (who !== asker) return 'not-requester';
      if (approval !== 'destroy') return 'queued';
      // A code was handed in: the worker has yet to look at it.
      return rank === 3 ? 'confirming' : 'no-totp';
    case 'approve':
      if (state !== 'approving') return 'run-moved';
      if (rank === undefined) return 'approver-unnamed';
      if (risk === 'destroy' && rank < 3) return 'no-role';
      return who === asker ? 'own-run' : 'queued';
  }
}

const STAYS = ['run-moved', 'no-role', 'not-requester', 'no-totp', 'approver-unnamed', 'own-run'];

describe.each(ALL.map((operation) => [operation.name, operation] as const))('/%s', (name, operation) => {
  it('is asked for by those who may, and by nobody else', async () => {
    const life = await openLife({ operations: [still(operation)] });
    const seen: Record<string, string> = {};
    for (const [who, actor] of Object.entries(CAST)) {
      seen[who] = await outcome(life.requests.request(actor, name, someArgs(operation)));
    }
    expect(seen).toEqual(Object.fromEntries(Object.keys(CAST).map((who) => [who, requestOutcome(who, operation)])));
    const refused = Object.entries(CAST).filter(([who]) => !mayRequest(who, operation));
    expect(await denials(life)).toEqual(refused.map(([, actor]) => ({ actor: nameOf(actor), subject: name })));
    const { rows } = await life.db.query('select count(*)::int as n from runs');
    expect(rows).toEqual([{ n: Object.keys(CAST).length - refused.length }]);
  });

  it('is confirmed, approved, rejected and cancelled by those who may, and by nobody else', async () => {
    const life = await openLife({ operations: [still(operation)] });
    const waits = {
      none: ['queued'],
      confirm: ['confirming'],
      second: ['approving'],
      destroy: ['confirming', 'approving'],
    };
    const askers = NEEDS[operation.role] > 2 ? ['admin'] : ['operator', 'admin'];
    const look = aftermath(life);
    const seen: Record<string, string> = {};
    const expected: Record<string, string> = {};
    const denied: string[] = [];
    const expectedDenied: string[] = [];
    for (const asker of askers) {
      for (const state of waits[operation.approval]) {
        for (const verb of ['confirm', 'approve', 'reject', 'cancel'] as const satisfies readonly Verb[]) {
          for (const [who, actor] of Object.entries(CAST)) {
            const run = await life.requests.request(CAST[asker] ?? actor, name, someArgs(operation));
            await life.db.query(`update runs set state = $2, plan = '{"target":"db1","lines":[]}' where id = $1`, [
              run.id,
              state,
            ]);
            const what = `${who} ${verb} ${state} of ${asker}`;
            const given = { typed: 'db1', code: '123456' };
            const got = await outcome(life.requests.answer(run.id, verb, actor, given));
            const after = await look(run.id);
            seen[what] = `${got}, is ${after.state}`;
            const right = answerOutcome(who, verb, state, asker, operation);
            expected[what] = `${right}, is ${STAYS.includes(right) ? state : right}`;
            for (const actor_ of after.denied) denied.push(`${what}: ${actor_}`);
            // What merely comes at the wrong moment is no denial; everything else is one, and is kept.
            if (STAYS.includes(right) && right !== 'run-moved') expectedDenied.push(`${what}: ${nameOf(actor)}`);
          }
        }
      }
    }
    expect(seen).toEqual(expected);
    expect(denied).toEqual(expectedDenied);
  }, 180_000);
});

describe('the registry', () => {
  const keys = (messages: Messages, language: 'en' | 'ru'): string[] =>
    new FluentResource(messages[language].replace(/^ {4}/gm, '')).body.map(({ id }) => id).sort();

  it.each(operations.map((operation) => [operation.name, operation] as const))(
    '%s is declared in full',
    (_name, operation) => {
      const isRead = operation.risk === 'read';
      expect({ verifies: isRead || operation.verifies, reconciles: isRead || operation.reconciles }).toEqual({
        verifies: true,
        reconciles: true,
      });
      expect(keys(operation.messages, 'en')).toEqual(keys(operation.messages, 'ru'));
      const texts = catalogue(allMessages);
      const asked = operation.arguments
        .filter(({ hidden }) => hidden !== true)
        .map(({ name }) => `${operation.key}-arg-${name}`);
      const missing = [operation.key, ...asked].filter((key) => !texts.for('en').has(key) || !texts.for('ru').has(key));
      expect(missing).toEqual([]);
      expect(operation.timeoutMs).toBeGreaterThan(0);
      expect(operation.name).toMatch(/^[a-z]+(?:\.[a-z]+)*$/);
    },
  );

  it('has every message in both languages', () => {
    for (const messages of [...allMessages, lifeMessages]) expect(keys(messages, 'en')).toEqual(keys(messages, 'ru'));
  });

  it('has names and commands of its own', () => {
    expect(new Set(operations.map(({ name }) => name)).size).toBe(operations.length);
    expect(new Set(operations.map(({ key }) => key)).size).toBe(operations.length);
  });
});
