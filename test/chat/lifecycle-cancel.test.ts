import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../src/core/clock.ts';
import { as, gate, type Life, type LifeContext, type LifeOperation, openLife, refusal } from './support/life.ts';

const base = (name: string, risk: LifeOperation['risk']): LifeOperation => ({ name, risk });

/** Works until its signal aborts, as a client of an outside system does. */
function endless(risk: LifeOperation['risk'], more: Partial<LifeOperation> = {}) {
  const began = gate();
  const operation: LifeOperation = {
    name: 'test.long',
    risk,
    locks: ({ what }) => [what],
    ...more,
    does: {
      run: async ({ remember, signal }: LifeContext) => {
        if (risk !== 'read') await remember({ begun: true });
        void began.pass();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        throw new Error('never here');
      },
      ...more.does,
    },
  };
  return { operation, began };
}

async function working(life: Life, what = 'db1'): Promise<{ readonly id: string; readonly done: Promise<void> }> {
  const { id } = await life.requests.request(as('anna'), 'test.long', { what });
  life.queued.length = 0;
  return { id, done: life.executor.process(id) };
}

describe('cancel', () => {
  it('before anything began: nothing is done, whatever state it waits in', async () => {
    const operations = [
      base('test.set', 'change'),
      base('test.stop', 'disrupt'),
      { ...base('test.move', 'change'), approval: 'second' as const },
    ];
    const life = await openLife({ operations });
    const planning = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    const queued = await life.requests.request(as('anna'), 'test.set', { what: 'db2' });
    await life.db.query(`update runs set state = 'queued' where id = $1`, [queued.id]);
    const confirming = await life.requests.request(as('anna'), 'test.stop', { what: 'db1' });
    const approving = await life.requests.request(as('anna'), 'test.move', { what: 'db1' });
    for (const { id } of [confirming, approving]) await life.executor.process(id);
    for (const { id } of [planning, queued, confirming, approving]) {
      await life.requests.answer(id, 'cancel', as('boris'));
      expect(await life.run(id)).toMatchObject({
        state: 'cancelled',
        error: { code: 'cancelled', args: { by: 'boris' } },
      });
    }
    await life.deliver();
    await life.clock.advance(minutes(2));
    await life.round();
    expect(life.outside.acted).toEqual([]);
    expect(await refusal(life.requests.answer(planning.id, 'cancel', as('boris')))).toBe('run-moved');
  });

  it('while a plan is worked out: the plan comes to nothing', async () => {
    const inside = gate();
    const life = await openLife({
      operations: [{ ...base('test.set', 'change'), does: { plan: () => inside.pass() } }],
    });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    const planning = life.deliver();
    await inside.reached;
    await life.requests.answer(id, 'cancel', as('anna'));
    inside.open();
    await planning;
    expect((await life.run(id)).state).toBe('cancelled');
    expect(life.outside.acted).toEqual([]);
  });

  it('that was said while the connection of notifications was away is heard when it is back', async () => {
    const { operation, began } = endless('read');
    const life = await openLife({ operations: [operation] });
    const { id, done } = await working(life);
    await began.reached;
    const { id: other, done: goesOn } = await working(life, 'db2');
    await expect.poll(async () => (await life.run(other)).state).toBe('running');
    await life.requests.answer(id, 'cancel', as('boris'));
    await life.executor.cancelAsked();
    await done;
    expect(await life.run(id)).toMatchObject({ state: 'cancelled', error: { args: { by: 'boris' } } });
    expect((await life.run(other)).state).toBe('running');
    life.executor.cancel(other);
    await goesOn;
  });

  it('of a read under way stops it at once, heard through the database from another process', async () => {
    const { operation, began } = endless('read');
    const life = await openLife({ operations: [operation] });
    const other = life.store.another();
    const stop = await other.listen('vakhta_cancel', (id) => {
      if (id) life.executor.cancel(id);
    });
    const { id, done } = await working(life);
    await began.reached;
    await life.requests.answer(id, 'cancel', as('boris'));
    await done;
    await stop();
    expect(await life.run(id)).toMatchObject({
      state: 'cancelled',
      cancelAskedBy: 'operator:boris',
      error: { args: { by: 'boris' } },
    });
    expect(await life.locks()).toEqual([]);
  });

  it('whose notification was lost is obeyed at the next heartbeat', async () => {
    const { operation, began } = endless('read');
    const life = await openLife({ operations: [operation] });
    const { id, done } = await working(life);
    await began.reached;
    await life.requests.answer(id, 'cancel', as('boris'));
    await life.clock.advance(seconds(10));
    await done;
    expect((await life.run(id)).state).toBe('cancelled');
  });

  it('asked for twice is one decision in the audit', async () => {
    const { operation, began } = endless('read');
    const life = await openLife({ operations: [operation] });
    const { id, done } = await working(life);
    await began.reached;
    await Promise.all([
      life.requests.answer(id, 'cancel', as('boris')),
      life.requests.answer(id, 'cancel', as('anna')),
    ]);
    life.executor.cancel(id);
    await done;
    expect((await life.audit()).filter(({ action }) => action === 'run.cancel-asked')).toHaveLength(1);
  });

  it.each([
    ['nothing', 'cancelled', 'cancelled', []],
    // It was too late to stop it: that it was cancelled would be a lie.
    ['done', 'succeeded', undefined, []],
    ['busy', 'reconciling', 'cancelled', ['db1']],
  ] as const)('of a change under way asks the outside how far it came: %s', async (came, state, code, locks) => {
    const answers = {
      nothing: { state: 'failed', text: { key: 'life-lost' } },
      done: { state: 'succeeded', result: { what: 'x' } },
      busy: { state: 'busy', text: { key: 'life-busy' } },
    } as const;
    let now: keyof typeof answers = came;
    const { operation, began } = endless('change', { does: { reconcile: () => Promise.resolve(answers[now]) } });
    const life = await openLife({ operations: [operation] });
    const { id, done } = await working(life);
    await began.reached;
    await life.requests.answer(id, 'cancel', as('boris'));
    life.executor.cancel(id);
    await done;
    const after = await life.run(id);
    expect([after.state, after.error?.code]).toEqual([state, code]);
    expect(await life.locks()).toEqual(locks);
    now = 'nothing';
    await life.round();
    expect((await life.run(id)).state).toBe(came === 'done' ? 'succeeded' : 'cancelled');
    expect(await life.locks()).toEqual([]);
  });

  it('of a change that never began is a cancel, never a second try', async () => {
    const before = gate();
    const { operation } = endless('change', {
      does: {
        run: async ({ signal }) => {
          void before.pass();
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
          throw new Error('never here');
        },
        reconcile: () => Promise.resolve({ state: 'again' }),
      },
    });
    const life = await openLife({ operations: [operation] });
    const { id, done } = await working(life);
    await before.reached;
    life.executor.cancel(id);
    await done;
    expect((await life.run(id)).state).toBe('cancelled');
    expect(life.queued).toEqual([]);
  });

  it('that arrives as the worker dies is kept: the reconciler cancels instead of trying again', async () => {
    const life = await openLife({ operations: [base('test.set', 'change')] });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    life.queued.length = 0;
    await life.db.query(
      `update runs set state = 'running', worker = 'dead', heartbeat_at = $2, started_at = $2 where id = $1`,
      [id, life.clock.now()],
    );
    await life.requests.answer(id, 'cancel', as('anna'));
    await life.clock.advance(minutes(1));
    await life.round();
    expect(await life.run(id)).toMatchObject({ state: 'cancelled', error: { args: { by: 'anna' } } });
    expect(life.outside.acted).toEqual([]);
  });

  it('while the result is checked leaves it amber: done, but not seen', async () => {
    const checking = gate();
    const verify = ({ signal }: { readonly signal: AbortSignal }): Promise<never> => {
      void checking.pass();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    const life = await openLife({ operations: [{ ...base('test.set', 'change'), does: { verify } }] });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    const done = life.deliver();
    await checking.reached;
    await life.requests.answer(id, 'cancel', as('anna'));
    life.executor.cancel(id);
    await done;
    expect(await life.run(id)).toMatchObject({
      state: 'warning',
      verified: { ok: false, text: { key: 'run-verify-stopped' } },
    });
  });
});

describe('the time limit', () => {
  it('ends a read as failed', async () => {
    const { operation, began } = endless('read', { timeoutMs: minutes(5) });
    const life = await openLife({ operations: [operation] });
    const { id, done } = await working(life);
    await began.reached;
    await life.clock.advance(minutes(5));
    await done;
    expect(await life.run(id)).toMatchObject({ state: 'failed', error: { code: 'timed-out', args: { minutes: 5 } } });
    expect(await life.locks()).toEqual([]);
  });

  it('of a change asks the outside before anything is claimed', async () => {
    let answer: 'failed' | 'succeeded' = 'failed';
    const { operation, began } = endless('change', {
      timeoutMs: minutes(5),
      does: {
        reconcile: () =>
          Promise.resolve(
            answer === 'failed'
              ? { state: 'failed', text: { key: 'life-lost' } }
              : { state: 'succeeded', result: { what: 'x' } },
          ),
      },
    });
    for (answer of ['failed', 'succeeded'] as const) {
      const life = await openLife({ operations: [operation] });
      const { id, done } = await working(life);
      await began.reached;
      await expect.poll(async () => (await life.run(id)).state).toBe('running');
      await life.clock.advance(minutes(5));
      await done;
      const after = await life.run(id);
      expect(after.state).toBe(answer);
      expect(after.error?.code).toBe(answer === 'failed' ? 'timed-out' : undefined);
    }
  });
});

describe('a process that stops', () => {
  it('hands a read back, and another one does it', async () => {
    let turns = 0;
    const { operation, began } = endless('read');
    const run = operation.does?.run;
    const life = await openLife({
      operations: [
        {
          ...operation,
          does: {
            run: (context, args) =>
              (turns += 1) === 1 && run ? run(context, args) : Promise.resolve({ state: 'succeeded', result: args }),
          },
        },
      ],
    });
    const { id } = await life.requests.request(as('anna'), 'test.long', { what: 'db1' });
    life.queued.length = 0;
    const shutdown = new AbortController();
    const done = life.executor.process(id, shutdown.signal);
    await began.reached;
    shutdown.abort();
    await done;
    expect(await life.run(id)).toMatchObject({ state: 'queued' });
    expect(await life.locks()).toEqual([]);
    await life.deliver();
    expect((await life.run(id)).state).toBe('succeeded');
  });

  it('leaves a change to be found out about, and starts nothing new', async () => {
    const { operation, began } = endless('change');
    const life = await openLife({ operations: [operation] });
    const { id } = await life.requests.request(as('anna'), 'test.long', { what: 'db1' });
    life.queued.length = 0;
    const shutdown = new AbortController();
    const done = life.executor.process(id, shutdown.signal);
    await began.reached;
    shutdown.abort();
    await done;
    expect((await life.run(id)).state).toBe('reconciling');
    expect(await life.locks()).toEqual(['db1']);
    await life.round();
    expect((await life.run(id)).state).toBe('failed');

    const { id: next } = await life.requests.request(as('anna'), 'test.long', { what: 'db1' });
    await life.executor.process(next, shutdown.signal);
    expect(['planning', 'queued']).toContain((await life.run(next)).state);
  });

  it('while planning leaves the run as it was', async () => {
    const shutdown = new AbortController();
    const plan = (signal: AbortSignal): Promise<void> => {
      shutdown.abort();
      return Promise.reject(signal.reason as Error);
    };
    const life = await openLife({ operations: [{ ...base('test.set', 'change'), does: { plan } }] });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    await life.executor.process(id, shutdown.signal);
    expect(await life.run(id)).toMatchObject({ state: 'planning' });
    expect((await life.run(id)).error).toBeUndefined();
  });
});

describe('locks', () => {
  const holding = () => {
    const inside = gate();
    const order: string[] = [];
    const operation: LifeOperation = {
      name: 'test.long',
      risk: 'change',
      locks: ({ what }) => what.split('+'),
      does: {
        run: async ({ remember }, args) => {
          await remember({ begun: true });
          order.push(`+${args.what}`);
          if (args.what.startsWith('hold')) await inside.pass();
          order.push(`-${args.what}`);
          return { state: 'succeeded', result: args };
        },
      },
    };
    return { operation, inside, order };
  };

  it('make the second wait, name the first, and let it go on as soon as it may', async () => {
    const { operation, inside, order } = holding();
    const life = await openLife({ operations: [operation] });
    const first = await working(life, 'hold+db1');
    await inside.reached;
    const second = await life.ask(as('boris'), 'test.long', 'db1+db2');
    const holder = `#${(await life.run(first.id)).number}`;
    expect(second).toMatchObject({
      state: 'queued',
      progress: { step: { key: 'run-waits-lock', args: { holder, key: 'db1' } } },
    });
    // Looked at again: no news, no new revision, no heap of jobs.
    await life.executor.process(second.id);
    expect((await life.run(second.id)).rev).toBe(second.rev);
    expect(life.queued).toEqual([]);
    inside.open();
    await first.done;
    // No clock moved: the end of the first woke the second.
    expect(life.queued.map(({ id }) => id)).toEqual([second.id]);
    await life.deliver();
    expect(await life.run(second.id)).toMatchObject({ state: 'succeeded' });
    expect((await life.run(second.id)).progress).toBeUndefined();
    expect(order).toEqual(['+hold+db1', '-hold+db1', '+db1+db2', '-db1+db2']);
    expect(await life.locks()).toEqual([]);
  });

  it('of a run that is cancelled while it waits are never taken', async () => {
    const { operation, inside } = holding();
    const life = await openLife({ operations: [operation] });
    const first = await working(life, 'hold+db1');
    await inside.reached;
    const second = await life.ask(as('boris'), 'test.long', 'db1');
    await life.requests.answer(second.id, 'cancel', as('boris'));
    inside.open();
    await first.done;
    await life.deliver();
    await life.executor.process(second.id);
    expect(await life.locks()).toEqual([]);
  });

  it('in crossing orders never end in a deadlock, and never overlap', { timeout: 120_000 }, async () => {
    const held = new Set<string>();
    const overlaps: string[] = [];
    const life = await openLife({
      operations: [
        {
          name: 'test.long',
          risk: 'change',
          locks: ({ what }) => what.split('+'),
          does: {
            run: async ({ remember }, args) => {
              await remember({ begun: true });
              const keys = args.what.split('+');
              for (const key of keys) {
                if (held.has(key)) overlaps.push(key);
                held.add(key);
              }
              await new Promise((resolve) => setImmediate(resolve));
              for (const key of keys) held.delete(key);
              return { state: 'succeeded', result: args };
            },
          },
        },
      ],
    });
    const wants = ['a+b', 'b+a', 'c+a', 'b+c', 'a+b+c', 'c+b+a', 'a', 'b+c', 'c'];
    const runs = await Promise.all(wants.map((what) => life.requests.request(as('anna'), 'test.long', { what })));
    life.queued.length = 0;
    const workers = ['w1', 'w2', 'w3'].map((name) => life.worker(name));
    await Promise.all(runs.map(({ id }, n) => (workers[n % 3] ?? life.executor).process(id)));
    for (let turn = 0; turn < 20 && life.queued.length > 0; turn++) {
      await Promise.all(life.queued.splice(0).map(({ id }, n) => (workers[n % 3] ?? life.executor).process(id)));
    }
    for (const { id } of runs) expect((await life.run(id)).state).toBe('succeeded');
    expect(overlaps).toEqual([]);
    expect(await life.locks()).toEqual([]);
  });
});
