import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seconds } from '../../src/core/clock.ts';
import { VakhtaError } from '../../src/core/error.ts';
import { isFinal } from '../../src/core/run.ts';
import type { Database, Queryable, Tx } from '../../src/store/db.ts';
import { runEvents } from '../../src/store/run-events.ts';
import { SILENT_MS, UNQUEUED_MS } from '../../src/tasks/lifecycle/reconciler.ts';
import { as, gate, type Life, type LifeOperation, openLife, refusal } from './support/life.ts';

const SET: LifeOperation = { name: 'test.set', risk: 'change' };

describe('the same request', () => {
  it('with one idempotency key is one run, at once or one after the other', async () => {
    const life = await openLife({ operations: [SET] });
    const ask = () => life.requests.request(as('anna'), 'test.set', { what: 'db1' }, { idempotencyKey: 'press-1' });
    const runs = await Promise.all([ask(), ask(), ask()]);
    await life.deliver();
    runs.push(await ask());
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    await life.deliver();
    expect(life.outside.acted).toHaveLength(1);
    expect((await life.audit()).filter(({ action }) => action === 'run.requested')).toHaveLength(1);
  });

  it('key is nobody else’s: another person or operation is refused', async () => {
    const life = await openLife({ operations: [SET, { name: 'test.other', risk: 'change' }] });
    const key = { idempotencyKey: 'press-1' };
    await life.requests.request(as('anna'), 'test.set', { what: 'db1' }, key);
    expect(await refusal(life.requests.request(as('boris'), 'test.set', { what: 'db1' }, key))).toBe('key-reused');
    expect(await refusal(life.requests.request(as('anna'), 'test.other', { what: 'db1' }, key))).toBe('key-reused');
  });
});

describe('one run', () => {
  it('delivered many times to many workers runs once', async () => {
    const life = await openLife({ operations: [{ ...SET, locks: ({ what }) => [what] }] });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    const workers = ['a', 'b', 'c'].map((name) => life.worker(name));
    await Promise.all(workers.flatMap((worker) => [worker.process(id), worker.process(id)]));
    await life.deliver();
    expect(life.outside.acted).toEqual([id]);
    expect(await life.run(id)).toMatchObject({ state: 'succeeded' });
    const kinds = (await runEvents(life.db, id)).map(({ kind }) => kind);
    expect(kinds).toEqual(['planning', 'queued', 'running', 'verifying', 'succeeded']);
    expect(await life.locks()).toEqual([]);
  });

  it('that was committed but never queued is queued again', async () => {
    const life = await openLife({ operations: [SET] });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    life.queued.length = 0;
    await life.round();
    expect((await life.run(id)).state).toBe('planning');
    await life.clock.advance(UNQUEUED_MS + 1);
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded' });
  });

  it('of a program that no longer knows the operation ends, and says so', async () => {
    const life = await openLife({ operations: [SET] });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    await life.db.query(`update runs set operation = 'test.gone' where id = $1`, [id]);
    await life.deliver();
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code: 'unknown-operation' } });
  });
});

/** A run that began and whose worker then said nothing more, as after a power cut. */
async function silent(life: Life, external: Readonly<Record<string, unknown>> | undefined): Promise<string> {
  const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
  life.queued.length = 0;
  const values = [id, life.clock.now(), external === undefined ? null : JSON.stringify(external)];
  await life.db.query(
    `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2, external = $3, plan = '{"target":"db1","lines":[]}'
     where id = $1`,
    values,
  );
  await life.db.query(`insert into run_locks (key, run_id, acquired_at) values ('db1', $1, $2)`, [
    id,
    life.clock.now(),
  ]);
  return id;
}

describe('a silent worker', () => {
  it('is left in peace until it has been silent for long enough', async () => {
    const life = await openLife({ operations: [SET] });
    const id = await silent(life, { begun: true });
    await life.clock.advance(SILENT_MS - 1);
    await life.round();
    expect((await life.run(id)).state).toBe('running');
  });

  it('that never began: the run goes back into the queue, and runs once', async () => {
    const life = await openLife({ operations: [{ ...SET, locks: ({ what }) => [what] }] });
    const id = await silent(life, undefined);
    await life.clock.advance(SILENT_MS + 1);
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', worker: 'worker-1' });
    expect(life.outside.acted).toEqual([id]);
    expect(await life.locks()).toEqual([]);
  });

  it('that began: the operation finds out what happened, and nothing is done again', async () => {
    for (const [acted, state] of [
      [true, 'succeeded'],
      [false, 'failed'],
    ] as const) {
      const life = await openLife({ operations: [SET] });
      const id = await silent(life, { begun: true });
      if (acted) life.outside.acted.push(id);
      await life.clock.advance(SILENT_MS + 1);
      await life.round();
      expect(await life.run(id)).toMatchObject(
        acted ? { state, result: { what: 'db1' } } : { state, error: { text: 'life-lost' } },
      );
      expect(life.outside.acted).toHaveLength(acted ? 1 : 0);
      expect(await life.locks()).toEqual([]);
    }
  });

  it('whose work still goes on: stays, with its lock, until the outside has an answer', async () => {
    let answer: 'busy' | 'succeeded' = 'busy';
    const reconcile = () =>
      Promise.resolve(
        answer === 'busy'
          ? { state: 'busy' as const, text: { key: 'life-busy' } }
          : { state: 'succeeded' as const, result: { what: 'x' } },
      );
    const life = await openLife({ operations: [{ ...SET, does: { reconcile } }] });
    const id = await silent(life, { begun: true });
    await life.clock.advance(SILENT_MS + 1);
    await life.round();
    const busy = await life.run(id);
    expect(busy).toMatchObject({ state: 'reconciling', progress: { step: { key: 'life-busy' } } });
    await life.round();
    // No news, no new revision: the card is not drawn again for nothing.
    expect((await life.run(id)).rev).toBe(busy.rev);
    expect(await life.locks()).toEqual(['db1']);
    answer = 'succeeded';
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', result: { what: 'x' } });
    expect(await life.locks()).toEqual([]);
  });

  it('whose outside cannot be asked: stays unknown, one trouble not holding up the others', async () => {
    let isDown = true;
    const reconcile = () =>
      isDown
        ? Promise.reject(new VakhtaError('transient', 'unreachable', 'down', { args: { what: 'x' } }))
        : Promise.reject(new VakhtaError('permanent', 'unreachable', 'rights are gone'));
    const life = await openLife({ operations: [{ ...SET, does: { reconcile } }] });
    const id = await silent(life, { begun: true });
    await life.clock.advance(SILENT_MS + 1);
    await life.round();
    expect(await life.run(id)).toMatchObject({
      state: 'reconciling',
      progress: { step: { key: 'run-reconciling-later' } },
    });
    isDown = false;
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code: 'lost', text: 'err-lost' } });
  });

  it('somebody can give up on: the run then says that nobody knows', async () => {
    const reconcile = () => Promise.resolve({ state: 'busy' as const, text: { key: 'life-busy' } });
    const life = await openLife({ operations: [{ ...SET, does: { reconcile } }] });
    const id = await silent(life, { begun: true });
    await life.clock.advance(SILENT_MS + 1);
    await life.round();
    await life.requests.answer(id, 'cancel', as('boris'));
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code: 'abandoned', args: { by: 'boris' } } });
    expect(await life.locks()).toEqual([]);
    expect((await life.audit()).map(({ action }) => action)).toContain('run.abandoned');
  });
});

describe('a worker that was given up for dead and comes back', () => {
  it('does not act any more, and does not end what another one does', async () => {
    const before = gate();
    const inside = gate();
    let attempts = 0;
    const acted: string[] = [];
    const life = await openLife({
      operations: [
        {
          ...SET,
          does: {
            run: async (context, args) => {
              const mine = (attempts += 1);
              if (mine === 1) await before.pass();
              await context.remember({ begun: true });
              acted.push(context.runId);
              if (mine === 2) await inside.pass();
              return { state: 'succeeded', result: args };
            },
            reconcile: (external) =>
              Promise.resolve(
                external === undefined ? { state: 'again' } : { state: 'busy', text: { key: 'life-busy' } },
              ),
          },
        },
      ],
    });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    life.queued.length = 0;
    const frozen = life.worker('frozen').process(id);
    await before.reached;
    // Its process stands still: no heartbeat reaches the database.
    await life.db.query(`update runs set heartbeat_at = $2 where id = $1`, [
      id,
      new Date(life.clock.now().getTime() - SILENT_MS - 1),
    ]);
    const second = life.round(life.worker('second'));
    await inside.reached;
    expect((await life.run(id)).worker).toBe('worker-1');
    before.open();
    await frozen;
    expect(await life.run(id)).toMatchObject({ state: 'running', worker: 'worker-1' });
    inside.open();
    await second;
    expect(await life.run(id)).toMatchObject({ state: 'succeeded' });
    expect(acted).toEqual([id]);
  });

  it('hears it from its heartbeat', async () => {
    const inside = gate();
    let stopped: unknown;
    const life = await openLife({
      operations: [
        {
          ...SET,
          does: {
            run: async ({ remember, signal }, args) => {
              await remember({ begun: true });
              signal.addEventListener('abort', () => (stopped = signal.reason));
              await inside.pass();
              return { state: 'succeeded', result: args };
            },
          },
        },
      ],
    });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    const working = life.deliver();
    await inside.reached;
    await life.db.query(`update runs set state = 'reconciling' where id = $1`, [id]);
    await life.clock.advance(seconds(10));
    await expect.poll(() => stopped).toMatchObject({ code: 'stopped-superseded' });
    inside.open();
    await working;
    expect((await life.run(id)).state).toBe('reconciling');
  });
});

/** A database connection that dies at its n-th use, before or after what it was used for, and never comes back. */
function dying(
  db: Database,
  at: number,
  when: 'before' | 'after',
): { readonly db: Database; readonly isDead: () => boolean } {
  let uses = 0;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new VakhtaError('permanent', 'test-crash', 'the process died');
  };
  const use = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isDead) return die();
    const mine = (uses += 1);
    if (mine === at && when === 'before') return die();
    const answer = await work();
    if (mine === at) return die();
    return answer;
  };
  const query: Queryable['query'] = (text, params) => use(() => db.query(text, params));
  return {
    isDead: () => isDead,
    db: {
      ...db,
      query,
      // Each statement inside counts, and the commit counts as one more.
      tx: <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
        use(() =>
          db.tx((tx) =>
            work({ inTransaction: true, late: tx.late, query: (text, params) => use(() => tx.query(text, params)) }),
          ),
        ),
    },
  };
}

describe('whatever the moment of a crash', () => {
  it('an operation really runs once at most, and the run comes to an end that tells the truth', {
    timeout: 240_000,
  }, async () => {
    const life = await openLife({
      operations: [{ ...SET, locks: ({ what }) => [what] }],
    });
    const seen = new Set<string>();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.integer({ min: 1, max: 45 }),
            when: fc.constantFrom('before' as const, 'after' as const),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        async (crashes) => {
          n += 1;
          const { id } = await life.requests.request(as('anna'), 'test.set', { what: `db${n}` });
          life.queued.length = 0;
          for (const [turn, { at, when }] of crashes.entries()) {
            const broken = dying(life.db, at, when);
            const worker = life.worker(`w${n}-${turn}`, broken.db);
            await worker.process(id).catch((error: unknown) => {
              if (!broken.isDead()) throw error;
            });
            seen.add((await life.run(id)).state);
            await life.clock.advance(SILENT_MS + 1000);
          }
          for (let round = 0; round < 4 && !isFinal((await life.run(id)).state); round++) {
            await life.clock.advance(SILENT_MS + 1000);
            await life.round(life.worker(`w${n}-last-${round}`));
          }
          const run = await life.run(id);
          const times = life.outside.acted.filter((one) => one === id).length;
          expect(times).toBeLessThanOrEqual(1);
          expect(isFinal(run.state)).toBe(true);
          // Green exactly when it was done.
          expect(`${times} ${run.state}`).toMatch(/^(?:1 succeeded|0 failed)$/);
          expect(await life.locks()).toEqual([]);
        },
      ),
      {
        numRuns: 40,
        // The same crashes in each run.
        seed: 20_261_123,
        examples: Array.from({ length: 30 }, (_, k) => [
          [{ at: k + 1, when: k % 2 === 0 ? ('before' as const) : ('after' as const) }],
        ]),
      },
    );
    // The crashes really came in between.
    for (const state of ['planning', 'queued', 'running', 'verifying', 'succeeded']) expect([...seen]).toContain(state);
  });
});
