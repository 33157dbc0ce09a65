import { describe, expect, it } from 'vitest';
import { VakhtaError } from '../../src/core/error.ts';
import { createRedactor } from '../../src/core/redact.ts';
import { runEvents } from '../../src/store/run-events.ts';
import { as, everythingStored, gate, type LifeContext, type LifeOperation, openLife } from './support/life.ts';

const SET: LifeOperation = { name: 'test.set', risk: 'change' };
const READ: LifeOperation = { name: 'test.read', risk: 'read' };

describe('progress', () => {
  it('is stored once a second at most, the newest wins, and the last one is there at the end', async () => {
    const inside = gate();
    let report: LifeContext['progress'] = () => {};
    const life = await openLife({
      operations: [
        {
          ...SET,
          does: {
            run: async (context, args) => {
              await context.remember({ begun: true });
              report = context.progress;
              await inside.pass();
              context.progress({ step: { key: 'life-step', args: { n: 999 } } });
              return { state: 'succeeded', result: args };
            },
          },
        },
      ],
    });
    const { id } = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    const done = life.deliver();
    await inside.reached;
    const seen = async () => (await life.run(id)).progress?.step.args?.['n'];
    const before = (await life.run(id)).rev;
    report({ step: { key: 'life-step', args: { n: 1 } } });
    await expect.poll(seen).toBe(1);
    for (let n = 2; n <= 500; n++) report({ step: { key: 'life-step', args: { n } }, percent: n / 5 });
    await life.clock.advance(900);
    expect(await seen()).toBe(1);
    await life.clock.advance(100);
    await expect.poll(seen).toBe(500);
    expect((await life.run(id)).rev - before).toBe(2);
    report({ step: { key: 'life-step', args: { n: 501 } } });
    inside.open();
    await done;
    expect(await life.run(id)).toMatchObject({ state: 'succeeded', progress: { step: { args: { n: 999 } } } });
  });
});

describe('what goes wrong', () => {
  const failing = (thrown: unknown, more: Partial<LifeOperation> = {}): LifeOperation => ({
    ...SET,
    ...more,
    does: {
      run: () => Promise.reject(thrown),
      reconcile: () => Promise.resolve({ state: 'failed', text: { key: 'life-lost' } }),
    },
  });

  it.each([
    ['usage', 'info'],
    ['denied', 'warn'],
    ['permanent', 'warn'],
    ['transient', 'warn'],
    ['bug', 'error'],
  ] as const)('%s is logged as %s, with the id that the card shows', async (kind, level) => {
    const life = await openLife({
      operations: [failing(new VakhtaError(kind, 'unreachable', 'oh no', { args: { what: 'x' } }))],
    });
    const run = await life.ask(as('anna'), 'test.set');
    expect(run).toMatchObject({ state: 'failed', error: { kind, code: 'unreachable', args: { what: 'x' } } });
    expect(run.error?.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}$/);
    const [line] = life.log.filter(({ fields }) => 'errorId' in fields && fields.errorId === run.error?.id);
    expect(line).toMatchObject({ level, message: 'oh no' });
    expect(life.ended).toEqual(['failed']);
  });

  it('a read is tried again while the fault is passing, a change never', async () => {
    let tries = 0;
    const shaky = (risk: 'read' | 'change', name: string): LifeOperation => ({
      name,
      risk,
      does: {
        run: (_context, args) => {
          tries += 1;
          return tries < 3
            ? Promise.reject(new VakhtaError('transient', 'unreachable', 'later'))
            : Promise.resolve({ state: 'succeeded', result: args });
        },
        reconcile: () => Promise.resolve({ state: 'failed', text: { key: 'life-lost' } }),
      },
    });
    const life = await openLife({ operations: [shaky('read', 'test.read'), shaky('change', 'test.set')] });
    const { id } = await life.requests.request(as('anna'), 'test.read', { what: 'db1' });
    const done = life.deliver();
    for (const wait of [500, 1000]) {
      await expect.poll(() => tries).toBe(wait / 500);
      await life.clock.advance(wait);
    }
    await done;
    expect(await life.run(id)).toMatchObject({ state: 'succeeded' });
    tries = 0;
    expect(await life.ask(as('anna'), 'test.set')).toMatchObject({ state: 'failed', error: { code: 'unreachable' } });
    expect(tries).toBe(1);
  });

  it('a bug in the middle of a change is no claim that nothing happened', async () => {
    const life = await openLife({
      operations: [
        {
          ...SET,
          does: {
            run: () => Promise.reject(new TypeError('x is undefined')),
            reconcile: () => Promise.resolve({ state: 'succeeded', result: { what: 'x' } }),
          },
        },
      ],
    });
    const run = await life.ask(as('anna'), 'test.set');
    expect(run).toMatchObject({ state: 'succeeded', result: { what: 'x' } });
    expect(life.log.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('a plan that cannot be made ends the run with its reason', async () => {
    const plan = () =>
      Promise.reject(new VakhtaError('usage', 'not-declared', 'no such', { args: { id: 'x', known: 'y' } }));
    const life = await openLife({ operations: [{ ...SET, does: { plan } }] });
    expect(await life.ask(as('anna'), 'test.set')).toMatchObject({
      state: 'failed',
      error: { code: 'not-declared', args: { known: 'y' } },
    });
  });

  it('a result that the check does not see is red, a check that fails itself is amber', async () => {
    const no = await openLife({
      operations: [{ ...SET, does: { verify: () => Promise.resolve({ ok: false, text: { key: 'life-not-seen' } }) } }],
    });
    expect(await no.ask(as('anna'), 'test.set')).toMatchObject({
      state: 'failed',
      error: { code: 'not-verified' },
      verified: { ok: false, text: { key: 'life-not-seen' } },
    });
    const broken = await openLife({
      operations: [
        { ...SET, does: { verify: () => Promise.reject(new VakhtaError('transient', 'unreachable', 'x')) } },
      ],
    });
    expect(await broken.ask(as('anna'), 'test.set')).toMatchObject({
      state: 'warning',
      verified: { ok: false, text: { key: 'run-verify-unable' } },
    });
  });

  it('carries no secret into the database, in whatever field it hides', async () => {
    const redactor = createRedactor();
    redactor.learn('hunter2-and-more');
    const token = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1';
    const said = `login hunter2-and-more at https://api.telegram.org/bot${token}/getMe`;
    const life = await openLife({
      redactor,
      operations: [
        {
          ...SET,
          does: {
            run: async ({ remember, progress }, args) => {
              await remember({ begun: true });
              progress({ step: { key: 'life-step', args: { n: said } } });
              return { state: 'succeeded', result: { what: `${args.what} ${said}` } };
            },
            verify: () => Promise.resolve({ ok: true, text: { key: 'life-seen', args: { said } } }),
          },
        },
        { ...failing(new VakhtaError('permanent', 'unreachable', said, { args: { what: said } })), name: 'test.fail' },
        {
          ...READ,
          does: {
            run: () => Promise.reject(new VakhtaError('permanent', 'unreachable', said, { args: { what: said } })),
          },
        },
      ],
    });
    expect((await life.ask(as('anna'), 'test.set')).result).toEqual({
      what: expect.stringContaining('[redacted]') as unknown,
    });
    for (const name of ['test.fail', 'test.read']) expect((await life.ask(as('anna'), name)).state).toBe('failed');
    const stored = await everythingStored(life.store);
    expect(stored).not.toContain('hunter2');
    expect(stored).not.toContain(token.slice(10));
    expect(stored).toContain('[redacted]');
  });
});

describe('the history', () => {
  it('tells each step and who took it', async () => {
    const life = await openLife({ operations: [{ name: 'test.stop', risk: 'disrupt' }] });
    const run = await life.ask(as('anna'), 'test.stop');
    await life.requests.answer(run.id, 'confirm', as('anna'));
    await life.deliver();
    const events = (await runEvents(life.db, run.id)).map(({ kind, actor }) => `${kind} ${actor ?? '-'}`);
    expect(events).toEqual([
      'planning operator:anna',
      'confirming -',
      'queued operator:anna',
      'running system:vakhta',
      'verifying -',
      'succeeded system:vakhta',
    ]);
    const decisions = (await life.audit()).map(({ actor, action }) => `${action} ${actor}`);
    expect(decisions).toEqual([
      'run.requested operator:anna',
      'run.confirmed operator:anna',
      'run.started system:vakhta',
      'run.succeeded system:vakhta',
    ]);
  });
});
