import { FluentResource } from '@fluent/bundle';
import { describe, expect, it } from 'vitest';
import { catalogue, type Messages } from '../../src/core/i18n.ts';
import { ANONYMOUS_ADMIN, type Actor } from '../../src/core/people.ts';
import { allMessages } from '../../src/messages.gen.ts';
import type { Verb } from '../../src/tasks/lifecycle/requests.ts';
import type { Operation } from '../../src/tasks/define.ts';
import { operations } from '../../src/tasks/operations/registry.gen.ts';
import { as, type Life, lifeOperation, lifeMessages, openLife, refusal } from './support/life.ts';

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

const deniedBy = async (life: Life) => (await life.audit()).filter(({ action }) => action === 'denied');

describe.each(ALL.map((operation) => [operation.name, operation] as const))('/%s', (name, operation) => {
  it('is asked for by those who may, and by nobody else', async () => {
    const life = await openLife({ operations: [still(operation)] });
    let denials = 0;
    for (const [who, actor] of Object.entries(CAST)) {
      const asked = life.requests.request(actor, name, someArgs(operation));
      if (mayRequest(who, operation)) {
        expect(await asked, who).toMatchObject({ state: 'planning', actor });
        continue;
      }
      expect(['no-role', 'needs-person'], who).toContain(await refusal(asked));
      denials += 1;
      expect((await deniedBy(life)).at(-1), who).toMatchObject({ actor: `${actor.kind}:${actor.id}`, subject: name });
    }
    expect(await deniedBy(life)).toHaveLength(denials);
    const { rows } = await life.db.query('select count(*)::int as n from runs');
    expect(rows).toEqual([{ n: Object.keys(CAST).filter((who) => mayRequest(who, operation)).length }]);
  });

  it('is confirmed, approved, rejected and cancelled by those who may, and by nobody else', async () => {
    const life = await openLife({ operations: [still(operation)] });
    const { role, risk, approval } = operation;
    const requester = 'operator';
    const waits = approval === 'none' ? 'queued' : approval === 'second' ? 'approving' : 'confirming';
    const states = approval === 'destroy' ? ['confirming', 'approving'] : [waits];
    // An operation for admins is asked for by one; the rest of the cast stays.
    const asker = NEEDS[role] > 2 ? 'admin' : requester;
    for (const state of states) {
      for (const verb of ['confirm', 'approve', 'reject', 'cancel'] as const satisfies readonly Verb[]) {
        for (const [who, actor] of Object.entries(CAST)) {
          const run = await life.requests.request(CAST[asker] ?? actor, name, someArgs(operation));
          await life.db.query(`update runs set state = $2, plan = '{"target":"db1","lines":[]}' where id = $1`, [
            run.id,
            state,
          ]);
          const before = (await deniedBy(life)).length;
          const rank = RANK[who];
          const isTrusted = MACHINES.includes(who) || who === 'cli';
          const hasRole = isTrusted || (rank !== undefined && rank >= NEEDS[role]);
          const given = { typed: 'db1', code: '123456' };
          const answer = life.requests.answer(run.id, verb, actor, given);
          const what = `${who} ${verb} ${state}`;
          const isAnswerable =
            verb === 'cancel' ||
            (verb === 'reject' && state !== 'queued') ||
            (verb === 'confirm' && state === 'confirming') ||
            (verb === 'approve' && state === 'approving');
          const hasCode = who.includes('admin') && rank === 3;
          const approves =
            rank !== undefined && who !== asker && (risk === 'destroy' ? rank === 3 : rank >= NEEDS[role]);
          const isAllowed =
            hasRole &&
            isAnswerable &&
            (verb === 'confirm'
              ? who === asker && (approval !== 'destroy' || hasCode)
              : verb === 'approve'
                ? approves
                : true);
          if (isAllowed) {
            const after = (await answer).state;
            const expected = {
              confirm: approval === 'destroy' ? 'confirming' : 'queued',
              approve: 'queued',
              reject: 'rejected',
              cancel: 'cancelled',
            }[verb];
            expect(after, what).toBe(expected);
            expect(await deniedBy(life), what).toHaveLength(before);
            continue;
          }
          const code = await refusal(answer);
          expect((await life.run(run.id)).state, what).toBe(state);
          // What is merely the wrong moment is no denial; everything else is one, and is kept.
          if (code === 'run-moved') expect(isAnswerable, what).toBe(false);
          else {
            expect(['no-role', 'not-requester', 'own-run', 'no-totp', 'approver-unnamed'], what).toContain(code);
            expect((await deniedBy(life)).slice(before), what).toMatchObject([{ actor: `${actor.kind}:${actor.id}` }]);
          }
        }
      }
    }
  }, 120_000);
});

describe('the registry', () => {
  const keys = (messages: Messages, language: 'en' | 'ru'): string[] =>
    new FluentResource(messages[language].replace(/^ {4}/gm, '')).body.map(({ id }) => id).sort();

  it.each(operations.map((operation) => [operation.name, operation] as const))(
    '%s is declared in full',
    (_name, operation) => {
      if (operation.risk !== 'read') {
        expect(operation.verifies).toBe(true);
        expect(operation.reconciles).toBe(true);
      }
      expect(keys(operation.messages, 'en')).toEqual(keys(operation.messages, 'ru'));
      const texts = catalogue([...allMessages]);
      for (const language of ['en', 'ru'] as const) {
        const t = texts.for(language);
        expect(t.has(operation.key), operation.key).toBe(true);
        for (const { name, hidden } of operation.arguments) {
          if (hidden !== true) expect(t.has(`${operation.key}-arg-${name}`), `${operation.key}-arg-${name}`).toBe(true);
        }
      }
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
