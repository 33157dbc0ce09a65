import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { attemptsOf, insertAttempt } from '../../src/store/fixes.ts';
import { events } from '../../src/store/incidents.ts';
import { createFixLoop } from '../../src/tasks/fixes/loop.ts';
import { pageAgain } from '../../src/tasks/watch/paging.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { openChat, OPS, testOperations } from './support/chat.ts';
import { configWith } from './support/shown.ts';
import { wayIn } from './support/way-in.ts';

/** Cards of a group are drawn again up to twelve seconds later, and a test waits for some of that. */
vi.setConfig({ testTimeout: 180_000 });

const FIXES = [
  {
    match: { alertname: 'ServiceDown' },
    operation: 'test.stop',
    args: { what: '{{name}}' },
    label: { ru: 'Перезапустить', en: 'Restart' },
    clears_minutes: 10,
  },
  { match: { alertname: 'ServiceDown' }, operation: 'test.swap', args: { what: '{{name}}' } },
  { match: { alertname: 'ServiceDown' }, operation: 'test.swap', args: { what: '{{no_such_label}}' } },
];

/** A chat with fixes, an incident in it, and the loop on a clock that can be put forward. */
async function openFixes(names: readonly string[] = ['web1']) {
  const chat = await openChat({ sections: { fixes: FIXES } });
  const { db } = chat.store;
  const config = configWith({ chats: [{ id: 'ops', chat_id: OPS }], fixes: FIXES });
  const writer = createIncidentWriter(config);
  const warned: object[] = [];
  const operations = new Map(testOperations().operations.map((one) => [one.name, one]));
  const log = { ...silentLog, warn: (fields: object) => void warned.push(fields) };
  const loop = createFixLoop({ db, clock: systemClock, log, rules: config.fixes, operations, pageAgain });
  const round = () => loop.round(new AbortController().signal);
  // Refusals are told of what begins while it looks.
  await round();
  const intake = wayIn({ db, writer, clock: systemClock });
  const tell = async (status: 'firing' | 'resolved', which = names): Promise<number> => {
    const at = systemClock.now().toISOString();
    await intake.accept(
      JSON.stringify({
        groupKey: 'g',
        groupLabels: { alertname: 'ServiceDown' },
        alerts: which.map((name) => ({
          status,
          fingerprint: `f-${name}`,
          labels: { alertname: 'ServiceDown', name, severity: 'critical' },
          annotations: { summary: `${name} does not answer` },
          ...(status === 'resolved' ? { endsAt: at } : {}),
        })),
      }),
    );
    chat.bot.wake();
    const { rows } = await db.query("select id from incidents where group_key = 'g' and current");
    return z.object({ id: z.number() }).parse(rows[0]).id;
  };
  /** As if an attempt had begun to wait so much earlier. */
  const passes = (minutes: number) =>
    db.query("update fix_attempts set clears_by = clears_by - $1 * interval '1 minute'", [minutes]);
  const pages = async () =>
    z
      .array(z.object({ person: z.string().nullable(), why: z.object({ key: z.string() }) }))
      .parse((await db.query('select person, why from pages order by id')).rows);
  const history = async (id: number) =>
    (await events(db, id, 50))
      .filter(({ kind }) => kind.startsWith('fix-'))
      .map(({ kind, actor, data }) => [kind, actor, data['why']])
      .toReversed();
  return { ...chat, db, tell, round, pages, history, warned, passes };
}

/** The newest attempt's run has come so far, and the chat is brought up to date. */
const reaches = async ({ db, bot }: Awaited<ReturnType<typeof openFixes>>, id: number, state: string) => {
  await expect.poll(async () => (await attemptsOf(db, id, 1))[0]?.runState).toBe(state);
  bot.wake();
};

const settled = async (subject: Awaited<ReturnType<typeof openFixes>>, text: string | RegExp) => {
  await subject.round();
  subject.bot.wake();
  return subject.ops.waitFor(text);
};

test('a press asks, acts, waits for the alert, and is a success only when that is over', async () => {
  const subject = await openFixes();
  const { anna, ops, tell, ran, history, pages } = subject;
  const id = await tell('firing');
  await ops.waitFor('web1 does not answer');
  await anna.presses('🛠 Restart', { chat: OPS });
  await reaches(subject, id, 'confirming');
  await ops.waitFor('will be touched: web1');
  await ops.waitFor(/Fix: Restart waits for a confirmation · Anna · run \d+/);
  expect(ran).toEqual([]);
  await anna.presses(/Confirm|Yes/i, { chat: OPS });
  await expect.poll(() => ran).toEqual(['test.stop web1']);
  await reaches(subject, id, 'succeeded');
  await settled(subject, /Fix: Restart ran; waiting for the alert to clear until \d\d:\d\d · Anna/);
  expect(await history(id)).toEqual([['fix-started', 'anna', undefined]]);
  await tell('resolved');
  await settled(subject, /Fix: fixed by Anna with “Restart” in /);
  expect(await history(id)).toEqual([
    ['fix-started', 'anna', undefined],
    ['fix-cleared', undefined, undefined],
  ]);
  expect(await pages()).toEqual([]);
  subject.stage.ignore(/./);
});

test('an alert that still fires when the time is up calls people again, once', async () => {
  const subject = await openFixes();
  const { anna, ops, tell, history, pages } = subject;
  const id = await tell('firing');
  await ops.waitFor('web1 does not answer');
  await anna.presses(/🛠 Change something/, { chat: OPS });
  await reaches(subject, id, 'succeeded');
  await settled(subject, /Change something ran; waiting for the alert to clear/);
  // What is under way is not offered again; the other one is.
  const { keyboard } = { keyboard: ops.find('web1 does not answer')?.reply_markup?.inline_keyboard ?? [] };
  const labels = keyboard.flat().map(({ text }) => text);
  expect(labels).toContain('🛠 Restart');
  expect(labels.some((label) => label.includes('Change something'))).toBe(false);
  await subject.passes(9);
  await subject.round();
  expect(await pages()).toEqual([]);
  await subject.passes(2);
  await settled(subject, /Change something ran, but the alert still fires · Anna/);
  await subject.round();
  expect(await pages()).toEqual([{ person: null, why: expect.objectContaining({ key: 'fix-page-still-firing' }) }]);
  expect((await history(id)).at(-1)).toEqual(['fix-failed', undefined, 'still-firing']);
  subject.stage.ignore(/./);
});

test('a run that fails calls people again; one that is taken back does not', async () => {
  const subject = await openFixes();
  const { anna, ops, tell, history, pages, db } = subject;
  const id = await tell('firing');
  await ops.waitFor('web1 does not answer');
  await anna.presses('🛠 Restart', { chat: OPS });
  await reaches(subject, id, 'confirming');
  await ops.waitFor('will be touched: web1');
  await anna.presses(/Cancel/, { chat: OPS });
  await reaches(subject, id, 'cancelled');
  await settled(subject, /Fix: Restart was cancelled/);
  expect(await pages()).toEqual([]);
  await anna.presses('🛠 Restart', { chat: OPS });
  await expect.poll(async () => (await attemptsOf(db, id, 9)).length).toBe(2);
  await reaches(subject, id, 'confirming');
  const [last] = await attemptsOf(db, id, 1);
  await db.query("update runs set state = 'failed', finished_at = created_at where id = $1", [last?.runId]);
  await settled(subject, /Fix: Restart failed · Anna/);
  expect(await pages()).toEqual([{ person: null, why: expect.objectContaining({ key: 'fix-page-failed' }) }]);
  expect(await history(id)).toEqual([
    ['fix-started', 'anna', undefined],
    ['fix-dropped', undefined, 'cancelled'],
    ['fix-started', 'anna', undefined],
    ['fix-failed', undefined, 'failed'],
  ]);
  subject.stage.ignore(/./);
});

test('who may only look may not mend, and a fix under way is not begun twice', async () => {
  const subject = await openFixes(['web1', 'db1']);
  const { vera, anna, ops, tell, ran, db } = subject;
  const id = await tell('firing');
  await ops.waitFor(/ServiceDown|does not answer/);
  // Two targets of one operation are told apart, the rest is one press away.
  const refused = await vera.presses('🛠 Restart: db1', { chat: OPS });
  expect(await refused.answered()).toMatchObject({ show_alert: true });
  expect(await attemptsOf(db, id, 9)).toEqual([]);
  await anna.presses('🛠 More fixes', { chat: OPS });
  await anna.presses('🛠 Change something: db1', { chat: OPS });
  await expect.poll(() => ran).toEqual(['test.swap db1']);
  const [attempt] = await attemptsOf(db, id, 9);
  if (!attempt) throw new Error('no attempt');
  expect(attempt).toMatchObject({ fingerprints: ['f-db1'], state: 'running', clearsMinutes: 10 });
  const { rows } = await db.query(
    `insert into runs (id, operation, args, actor, state, created_at)
     select gen_random_uuid(), operation, args, actor, state, created_at from runs where id = $1 returning id`,
    [attempt.runId],
  );
  const twin = z.object({ id: z.string() }).parse(rows[0]).id;
  const { key, fingerprints, clearsMinutes } = attempt;
  const again = { runId: twin, incidentId: id, key, fingerprints, clearsMinutes };
  expect(await insertAttempt(db, again, systemClock.now())).toBe(false);
  // Its own alert is over, the other one burns: it has helped.
  await reaches(subject, id, 'succeeded');
  await tell('resolved', ['db1']);
  await subject.round();
  expect((await attemptsOf(db, id, 1))[0]?.state).toBe('cleared');
  subject.stage.ignore(/./);
});

test('a rule that cannot be offered is told to the log, once for an incident', async () => {
  const subject = await openFixes();
  const id = await subject.tell('firing');
  await subject.ops.waitFor('web1 does not answer');
  await subject.round();
  await subject.round();
  expect(subject.warned).toEqual([
    { incident: id, operation: 'test.swap', code: 'unknown-label', detail: 'no_such_label' },
  ]);
});
