import { describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../src/core/clock.ts';
import { verifyAudit } from '../../src/store/audit.ts';
import { type Actor } from '../../src/core/people.ts';
import { as, everythingStored, type LifeOperation, openLife, refusal } from './support/life.ts';

const WIPE: LifeOperation = { name: 'test.wipe', risk: 'destroy' };
const MOVE: LifeOperation = { name: 'test.move', risk: 'change', approval: 'second' };
const SET: LifeOperation = { name: 'test.set', risk: 'change' };
const STOP: LifeOperation = { name: 'test.stop', risk: 'disrupt' };
const ALL = [WIPE, MOVE, SET, STOP];

describe('what a risk asks for', () => {
  it('change: nothing more', async () => {
    const life = await openLife({ operations: ALL });
    expect(await life.ask(as('anna'), 'test.set')).toMatchObject({ state: 'succeeded', verified: { ok: true } });
    expect(life.outside.acted).toHaveLength(1);
  });

  it('disrupt: the requester confirms, nobody else', async () => {
    const life = await openLife({ operations: ALL });
    const run = await life.ask(as('anna'), 'test.stop');
    expect(run).toMatchObject({ state: 'confirming', plan: { target: 'db1' } });
    expect(run.expiresAt).toEqual(new Date(life.clock.now().getTime() + minutes(10)));
    expect(await refusal(life.requests.answer(run.id, 'confirm', as('boris')))).toBe('not-requester');
    expect(await refusal(life.requests.answer(run.id, 'confirm', as('cyril')))).toBe('not-requester');
    expect(life.outside.acted).toEqual([]);
    await life.requests.answer(run.id, 'confirm', as('anna'));
    await life.deliver();
    expect(await life.run(run.id)).toMatchObject({ state: 'succeeded', confirmedBy: 'operator:anna' });
    expect((await life.audit()).filter(({ action }) => action === 'denied')).toHaveLength(2);
  });

  it('second: another person with the role approves', async () => {
    const life = await openLife({ operations: ALL });
    const run = await life.ask(as('anna'), 'test.move');
    expect(run.state).toBe('approving');
    expect(await refusal(life.requests.answer(run.id, 'approve', as('anna')))).toBe('own-run');
    expect(await refusal(life.requests.answer(run.id, 'approve', as('vera')))).toBe('no-role');
    expect(await refusal(life.requests.answer(run.id, 'approve', { kind: 'cli', id: 'root' }))).toBe(
      'approver-unnamed',
    );
    await life.requests.answer(run.id, 'approve', as('boris'));
    await life.deliver();
    expect(await life.run(run.id)).toMatchObject({ state: 'succeeded', approvedBy: 'operator:boris' });
    expect(life.outside.acted).toEqual([run.id]);
  });

  it('destroy: name, code, and an admin who is not the requester', async () => {
    const life = await openLife({ operations: ALL });
    const run = await life.ask(as('ada'), 'test.wipe');
    expect(run.state).toBe('confirming');
    const confirm = (typed: string, code?: string, actor: Actor = as('ada')) =>
      life.requests.answer(run.id, 'confirm', actor, { typed, ...(code === undefined ? {} : { code }) });
    expect(await refusal(confirm('db2', life.code('ada')))).toBe('typed-name');
    expect(await refusal(confirm('DB1', life.code('ada')))).toBe('typed-name');
    expect(await refusal(confirm('db1'))).toBe('step-up-needed');
    expect(await refusal(confirm('db1', 'abcdef'))).toBe('step-up-needed');
    expect(await refusal(confirm('db1', life.code('cyril'), as('cyril')))).toBe('not-requester');
    await confirm(' db1 ', life.code('ada'));
    expect(await refusal(confirm('db1', life.code('ada')))).toBe('step-up-checking');
    await life.deliver();
    const approving = await life.run(run.id);
    expect(approving).toMatchObject({ state: 'approving', confirmedBy: 'operator:ada', stepUp: { checked: true } });
    expect(approving.expiresAt).toEqual(new Date(life.clock.now().getTime() + minutes(60)));
    expect(await refusal(life.requests.answer(run.id, 'approve', as('ada')))).toBe('own-run');
    expect(await refusal(life.requests.answer(run.id, 'approve', as('boris')))).toBe('no-role');
    expect(life.outside.acted).toEqual([]);
    await life.requests.answer(run.id, 'approve', as('cyril'));
    await life.deliver();
    expect(await life.run(run.id)).toMatchObject({ state: 'succeeded', approvedBy: 'operator:cyril' });
    expect(life.outside.acted).toEqual([run.id]);
    expect(await verifyAudit(life.db)).toMatchObject({ ok: true });
  });

  it('destroy: nobody without a TOTP secret can confirm it', async () => {
    const life = await openLife({ operations: ALL });
    const run = await life.ask(as('anna'), 'test.wipe');
    expect(await refusal(life.requests.answer(run.id, 'confirm', as('anna'), { typed: 'db1', code: '123456' }))).toBe(
      'no-totp',
    );
  });
});

describe('a step-up code', () => {
  const waiting = async () => {
    const life = await openLife({ operations: ALL });
    const ask = async () => {
      const run = await life.ask(as('ada'), 'test.wipe');
      return run.id;
    };
    const give = async (id: string, code: string) => {
      await life.requests.answer(id, 'confirm', as('ada'), { typed: 'db1', code });
      await life.deliver();
      return life.run(id);
    };
    const wrong = () => String((Number(life.code('ada')) + 1) % 1_000_000).padStart(6, '0');
    return { life, ask, give, wrong };
  };

  it('that is wrong three times closes the run', async () => {
    const { life, ask, give, wrong } = await waiting();
    const id = await ask();
    expect(await give(id, wrong())).toMatchObject({
      state: 'confirming',
      error: { code: 'step-up-wrong', args: { left: 2 } },
    });
    expect(await give(id, wrong())).toMatchObject({ state: 'confirming', error: { args: { left: 1 } } });
    expect(await give(id, wrong())).toMatchObject({ state: 'rejected', error: { args: { left: 0 } } });
    expect(
      await refusal(life.requests.answer(id, 'confirm', as('ada'), { typed: 'db1', code: life.code('ada') })),
    ).toBe('run-moved');
    expect((await life.audit()).filter(({ action }) => action === 'run.step-up-wrong')).toHaveLength(3);
    expect(life.outside.acted).toEqual([]);
  });

  it('serves once: replayed on another run it is refused', async () => {
    const { life, ask, give } = await waiting();
    const code = life.code('ada');
    expect((await give(await ask(), code)).state).toBe('approving');
    expect(await give(await ask(), code)).toMatchObject({ state: 'confirming', error: { code: 'step-up-wrong' } });
    await life.clock.advance(seconds(31));
    expect((await give(await ask(), life.code('ada'))).state).toBe('approving');
  });

  it('is judged by when it was given, with one step of tolerance', async () => {
    const { life, ask, give } = await waiting();
    const early = life.code('ada');
    await life.clock.advance(seconds(30));
    expect((await give(await ask(), early)).state).toBe('approving');
    const stale = life.code('ada');
    await life.clock.advance(seconds(60));
    expect((await give(await ask(), stale)).state).toBe('confirming');
    const id = await ask();
    await life.requests.answer(id, 'confirm', as('ada'), { typed: 'db1', code: life.code('ada') });
    // The worker is late; the code was right when it was given.
    await life.clock.advance(minutes(5));
    await life.deliver();
    expect((await life.run(id)).state).toBe('approving');
  });

  it('delivered twice at once is judged once', async () => {
    const { life, ask } = await waiting();
    const id = await ask();
    await life.requests.answer(id, 'confirm', as('ada'), { typed: 'db1', code: life.code('ada') });
    await Promise.all([life.worker('worker-2').process(id), life.worker('worker-3').process(id)]);
    expect(await life.run(id)).toMatchObject({ state: 'approving', stepUp: { failures: 0, checked: true } });
    expect((await life.audit()).filter(({ action }) => action === 'run.step-up-wrong')).toEqual([]);
  });

  it('is in no table and no log line, and nothing of it is left', async () => {
    const { life, ask, give, wrong } = await waiting();
    const [first, code] = [wrong(), life.code('ada')];
    const id = await ask();
    await give(id, first);
    await life.requests.answer(id, 'confirm', as('ada'), {
      typed: 'db1',
      code: `${code.slice(0, 3)} ${code.slice(3)}`,
    });
    const pending = await everythingStored(life.store);
    await life.deliver();
    const after = await everythingStored(life.store);
    for (const text of [pending, after, JSON.stringify(life.log), JSON.stringify(life.queued)]) {
      expect(text).not.toMatch(new RegExp(`(?<!\\d)(?:${first}|${code})(?!\\d)`));
    }
    expect(pending).toContain('digest');
    expect(after).not.toContain('digest');
    // A code that nobody looked at goes with the question.
    const other = await ask();
    await life.clock.advance(seconds(60));
    await life.requests.answer(other, 'confirm', as('ada'), { typed: 'db1', code: life.code('ada') });
    await life.requests.answer(other, 'cancel', as('ada'));
    expect(await everythingStored(life.store)).not.toContain('digest');
  });
});

describe('between approval and start', () => {
  it('a lost role stops it, the requester’s or the approver’s', async () => {
    for (const who of ['anna', 'boris']) {
      const life = await openLife({ operations: ALL });
      const run = await life.ask(as('anna'), 'test.move');
      await life.requests.answer(run.id, 'approve', as('boris'));
      const before = life.people.get(who);
      if (before) life.people.set(who, { ...before, role: 'viewer' });
      await life.deliver();
      expect(await life.run(run.id)).toMatchObject({
        state: 'failed',
        error: { kind: 'denied', code: 'role-lost', args: { who } },
      });
      expect(life.outside.acted).toEqual([]);
      expect(await life.locks()).toEqual([]);
    }
  });

  it('a person who was removed cannot act, even with a run on the way', async () => {
    const life = await openLife({ operations: ALL });
    const asked = await life.requests.request(as('anna'), 'test.set', { what: 'db1' });
    life.people.delete('anna');
    await life.deliver();
    expect(await life.run(asked.id)).toMatchObject({ state: 'failed', error: { code: 'role-lost' } });
  });

  it('a run that reached the queue without its approval is refused', async () => {
    const life = await openLife({ operations: ALL });
    const run = await life.ask(as('ada'), 'test.wipe');
    await life.db.query(
      `update runs set state = 'queued', confirmed_by = 'operator:ada', approved_by = 'operator:ada' where id = $1`,
      [run.id],
    );
    await life.executor.process(run.id);
    expect(await life.run(run.id)).toMatchObject({ state: 'failed', error: { code: 'approval-missing' } });
    expect(life.outside.acted).toEqual([]);
  });
});

describe('alone (solo)', () => {
  it.each(['test.wipe', 'test.move'])('%s: name, code and a delay in which it can be cancelled', async (operation) => {
    const life = await openLife({ operations: ALL, solo: true });
    const run = await life.ask(as('ada'), operation);
    expect(run.state).toBe('confirming');
    await life.requests.answer(run.id, 'confirm', as('ada'), { typed: 'db1', code: life.code('ada') });
    await life.deliver();
    const waiting = await life.run(run.id);
    expect(waiting).toMatchObject({ state: 'queued', notBefore: new Date(life.clock.now().getTime() + minutes(15)) });
    await life.executor.process(run.id);
    await life.round();
    expect(life.outside.acted).toEqual([]);
    expect(life.queued.at(-1)?.delayMs).toBe(minutes(15));
    await life.clock.advance(minutes(15));
    await life.executor.process(run.id);
    expect(await life.run(run.id)).toMatchObject({ state: 'succeeded' });

    const again = await life.ask(as('ada'), operation, 'db2');
    await life.requests.answer(again.id, 'confirm', as('ada'), { typed: 'db2', code: life.code('ada') });
    await life.deliver();
    await life.requests.answer(again.id, 'cancel', as('ada'));
    await life.clock.advance(minutes(20));
    await life.executor.process(again.id);
    expect(await life.run(again.id)).toMatchObject({ state: 'cancelled', error: { args: { by: 'ada' } } });
    expect(life.outside.acted).toEqual([run.id]);
  });
});

describe('a question', () => {
  it('expires, and answers that come too late do nothing', async () => {
    const life = await openLife({ operations: ALL });
    const stop = await life.ask(as('anna'), 'test.stop');
    const move = await life.ask(as('anna'), 'test.move');
    await life.clock.advance(minutes(10));
    // Nobody has come by to expire it yet; it is over all the same.
    expect(await refusal(life.requests.answer(stop.id, 'confirm', as('anna')))).toBe('run-moved');
    await life.round();
    expect((await life.run(stop.id)).state).toBe('expired');
    expect((await life.run(move.id)).state).toBe('approving');
    await life.clock.advance(minutes(50));
    await life.round();
    expect((await life.run(move.id)).state).toBe('expired');
    expect(await refusal(life.requests.answer(move.id, 'approve', as('boris')))).toBe('run-moved');
    expect(life.outside.acted).toEqual([]);
  });

  it('answered by several at once has one winner, and runs once at most', async () => {
    const life = await openLife({ operations: ALL });
    for (let n = 0; n < 8; n++) {
      const run = await life.ask(as('anna'), 'test.move', `db${n}`);
      const answers = await Promise.allSettled([
        life.requests.answer(run.id, 'approve', as('boris')),
        life.requests.answer(run.id, 'reject', as('ada')),
        life.requests.answer(run.id, 'approve', as('cyril')),
        life.requests.answer(run.id, 'reject', as('anna')),
      ]);
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await life.deliver();
      const { state, approvedBy } = await life.run(run.id);
      expect(['succeeded', 'rejected']).toContain(state);
      expect(approvedBy === undefined).toBe(state === 'rejected');
      expect(life.outside.acted.filter((id) => id === run.id)).toHaveLength(state === 'succeeded' ? 1 : 0);
    }
  });

  it('confirmed by a double press starts one run', async () => {
    const life = await openLife({ operations: ALL });
    const run = await life.ask(as('anna'), 'test.stop');
    const both = await Promise.allSettled([1, 2].map(() => life.requests.answer(run.id, 'confirm', as('anna'))));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await life.deliver();
    expect(life.outside.acted).toEqual([run.id]);
  });
});
