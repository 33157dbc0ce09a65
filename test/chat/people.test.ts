import { expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { events, incident } from '../../src/store/incidents.ts';
import { createIncidentDesk } from '../../src/tasks/incidents.ts';
import ack from '../../src/tasks/operations/ack.ts';
import handover from '../../src/tasks/operations/handover.ts';
import unack from '../../src/tasks/operations/unack.ts';
import watch from '../../src/tasks/operations/watch.ts';
import watchCancel from '../../src/tasks/operations/watch-cancel.ts';
import watchGive from '../../src/tasks/operations/watch-give.ts';
import watchTake from '../../src/tasks/operations/watch-take.ts';
import { createEscalation } from '../../src/tasks/watch/escalate.ts';
import { createWatchDesk } from '../../src/tasks/watch/rota.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { openChat, OPS, TOPIC } from './support/chat.ts';
import { configWith } from './support/shown.ts';
import { wayIn } from './support/way-in.ts';

const clock = systemClock;
/** The first of the rotation has the watch, whenever the test runs. */
const yesterday = new Date(clock.now().getTime() - 2 * 86_400_000).toISOString().slice(0, 10);

/** The bot with a critical incident on its card; Anna is on watch, Boris is second, both are called at once. */
async function openWatch(options: { readonly topics?: boolean; readonly steps?: readonly object[] } = {}) {
  const sections = {
    watch: { rotation: { people: ['anna', 'boris'], starts: yesterday, days: 7 } },
    escalation: { steps: options.steps ?? [], repeat_minutes: 0 },
    ...(options.topics ? { routes: [{ chat: 'ops', topic: 'alerts' }] } : {}),
  };
  const chat = await openChat({
    sections,
    topics: options.topics ?? false,
    operations: [ack, unack, handover, watch, watchTake, watchGive, watchCancel],
    ports: (db, config) => ({
      incidents: createIncidentDesk({ db, clock }),
      watch: createWatchDesk({ db, clock, config }),
    }),
  });
  const { db } = chat.store;
  const operators = [
    { id: 'vera', name: 'Vera', telegram_id: 101, role: 'viewer' },
    { id: 'anna', name: 'Anna', telegram_id: 102, role: 'operator' },
    { id: 'boris', name: 'Boris', telegram_id: 103, role: 'operator' },
    { id: 'ada', name: 'Ada', telegram_id: 104, role: 'admin' },
    { id: 'cyril', name: 'Cyril', telegram_id: 105, role: 'admin' },
  ];
  const chats = [{ id: 'ops', chat_id: OPS, ...(options.topics ? { topics: { alerts: TOPIC } } : {}) }];
  const config = configWith({ operators, chats, ...sections });
  const escalation = createEscalation({ db, clock, log: silentLog, config });
  const intake = wayIn({ db, writer: createIncidentWriter(config), clock });
  const alert = async (status: 'firing' | 'resolved' = 'firing'): Promise<number> => {
    const alerts = [
      {
        status,
        fingerprint: 'f',
        labels: { alertname: 'DiskFull', severity: 'critical' },
        annotations: { summary: 'db1 is full' },
      },
    ];
    await intake.accept(JSON.stringify({ groupKey: 'g', groupLabels: { alertname: 'DiskFull' }, alerts }));
    chat.bot.wake();
    const { rows } = await db.query("select id from incidents where group_key = 'g' and current");
    return z.object({ id: z.number() }).parse(rows[0]).id;
  };
  const round = async (): Promise<void> => {
    await escalation.round();
    chat.bot.wake();
  };
  const comments = async (id: number) =>
    (await events(db, id, 50))
      .filter(({ kind }) => kind === 'commented')
      .map(({ actor, data }) => [actor, data['text']]);
  return { ...chat, db, alert, round, comments };
}

test('a reply to the card is a comment: kept, shown to everybody with how many there are, also in a topic', async () => {
  const { ops, anna, boris, alert, comments } = await openWatch({ topics: true });
  const id = await alert();
  const card = await ops.waitFor('db1 is full');
  expect(card.message_thread_id).toBe(TOPIC);
  anna.says('looks like the  WAL archive', { chat: OPS, thread: TOPIC, replyTo: card });
  await ops.waitFor(/Comment: Anna \d\d:\d\d: looks like the WAL archive/);
  boris.says('I am freeing space', { chat: OPS, thread: TOPIC, replyTo: card });
  await ops.waitFor(/Comment: Boris \d\d:\d\d: I am freeing space \(2 in all\)/);
  expect(await comments(id)).toEqual([
    ['boris', 'I am freeing space'],
    ['anna', 'looks like the  WAL archive'],
  ]);
  // Not a reply to the card: people talk to each other.
  anna.says('shall we have lunch?', { chat: OPS, thread: TOPIC });
  boris.says('thanks', { chat: OPS, thread: TOPIC, replyTo: anna.says('done', { chat: OPS, thread: TOPIC }) });
  // A command is a command, wherever it stands.
  anna.says('/whoami', { chat: OPS, thread: TOPIC, replyTo: card });
  await ops.waitFor('Europe/Moscow');
  expect(await comments(id)).toHaveLength(2);
});

test('viewers are refused politely, outsiders are not listened to', async () => {
  const { ops, vera, mallory, alert, comments, db } = await openWatch();
  const id = await alert();
  const card = await ops.waitFor('db1 is full');
  vera.says('me too', { chat: OPS, replyTo: card });
  await ops.waitFor(/Comments are for those who may act/);
  mallory.says('let me in', { chat: OPS, replyTo: card });
  await expect
    .poll(async () => (await db.query("select actor from audit where action = 'refused'")).rows)
    .toEqual([{ actor: 'outsider:999' }]);
  expect(await comments(id)).toEqual([]);
});

test('the one on watch is called in private with a sound, works there, and everybody sees it', async () => {
  const { ops, anna, boris, alert, round, db } = await openWatch({
    steps: [
      { after_minutes: 0, to: 'watch' },
      { after_minutes: 0, to: 'second' },
    ],
  });
  const id = await alert();
  await ops.waitFor('db1 is full');
  await round();
  const page = await anna.chat.waitFor(/КРИТИЧНО.*db1 is full[\s\S]*Вы на вахте, и инцидентом никто не занимается/);
  await boris.chat.waitFor(/CRITICAL.*db1 is full[\s\S]*Nobody has taken it on\. You are second/);
  await ops.waitFor(/Called: (Anna|Boris) \d\d:\d\d · (Anna|Boris) \d\d:\d\d/);
  expect((await db.query('select sound from cards where chat_id > 0')).rows).toEqual([
    { sound: true },
    { sound: true },
  ]);
  await anna.presses('Беру на себя', { on: page });
  await ops.waitFor(/On it: Anna/);
  await boris.chat.waitFor(/On it: Anna/);
  await anna.chat.waitFor(/Занимается: Anna/);
  expect(await incident(db, id)).toMatchObject({ owner: 'anna' });
  await round();
  await round();
  await alert('resolved');
  await ops.waitFor(/RESOLVED/);
  await boris.chat.waitFor(/RESOLVED/);
  await anna.chat.waitFor(/РЕШЕНО/);
});

test('somebody who never wrote to the bot is a problem that /watch shows, and the next one is called at once', async () => {
  const { ops, vera, boris, alert, round, telegram, store, stage } = await openWatch({
    steps: [
      { after_minutes: 0, to: 'watch' },
      { after_minutes: 60, to: 'second' },
    ],
  });
  await telegram.cast.admin({ action: 'never_started', person: 102 });
  await alert();
  await ops.waitFor('db1 is full');
  await round();
  await expect
    .poll(
      async () => (await store.db.query('select chat_id as chat from chat_state where disabled_at is not null')).rows,
    )
    .toEqual([{ chat: 102 }]);
  await round();
  await boris.chat.waitFor(/db1 is full[\s\S]*You are second/);
  vera.says('/watch');
  await vera.chat.waitFor(/Anna is on watch[\s\S]*Cannot be called in private: Anna/);
  // Administrators hear of the chat that was lost, and get the card, as of every lost chat.
  stage.ignore(/./);
});

test('of two who press at the same moment one has it, and the other is told who; all cards say so at once', async () => {
  const { ops, anna, boris, alert, round, db, stage } = await openWatch({
    steps: [{ after_minutes: 0, to: 'everybody' }],
  });
  const id = await alert();
  const card = await ops.waitFor('db1 is full');
  await round();
  const mine = await anna.chat.waitFor(/КРИТИЧНО.*db1 is full/);
  await Promise.all([anna.presses('Беру на себя', { on: mine }), boris.presses('Acknowledge', { on: card })]);
  await expect.poll(async () => (await incident(db, id))?.owner).toMatch(/^(anna|boris)$/);
  const { owner } = (await incident(db, id)) ?? {};
  const name = owner === 'anna' ? 'Anna' : 'Boris';
  // In reply to the card on which the other one pressed.
  await (owner === 'anna' ? ops.waitFor(/already has incident/) : anna.chat.waitFor(/уже занимается/));
  await ops.waitFor(new RegExp(`On it: ${name}`));
  await anna.chat.waitFor(new RegExp(`Занимается: ${name}`));
  await expect
    .poll(
      async () =>
        (await db.query("select count(*) as n from cards where kind = 'incident' and delivered_rev < rev")).rows,
    )
    .toEqual([{ n: 0 }]);
  stage.ignore(/./);
});

test('handed over by a button: the other one is called in private and has it', async () => {
  const { ops, anna, boris, alert, round, db } = await openWatch();
  const id = await alert();
  await ops.waitFor('db1 is full');
  await anna.presses('Acknowledge', { chat: OPS });
  await ops.waitFor(/On it: Anna/);
  await anna.presses('Hand over', { chat: OPS });
  await ops.waitFor(/Who takes incident #\d+ over/);
  await anna.presses('Boris', { chat: OPS });
  await ops.waitFor(/On it: Boris/);
  await round();
  await boris.chat.waitFor(/db1 is full/);
  expect(await incident(db, id)).toMatchObject({ owner: 'boris' });
  expect((await events(db, id, 1))[0]).toMatchObject({ kind: 'paged' });
  anna.says(`/handover ${id} vera`, { chat: OPS });
  await ops.waitFor(/Vera не может/);
});

test('the watch is taken, given and cancelled by command and button, and whoever gets it is told', async () => {
  const { anna, boris, vera, round, stage, db } = await openWatch();
  vera.says('/watch');
  await vera.chat.waitFor(/Anna is on watch[\s\S]*Second: Boris[\s\S]*Then/);
  await vera.presses('Take the watch');
  boris.says('/watch take 8');
  await boris.chat.waitFor(/Boris is on watch[\s\S]*By: command/);
  anna.says('/watch give');
  await anna.chat.waitFor(/Кто примет вахту/);
  await anna.presses('boris');
  await anna.chat.waitFor(/уже несёт Boris|на вахте Boris/);
  boris.says('/watch give anna 4');
  await boris.chat.waitFor(/Anna is on watch/);
  await round();
  await anna.chat.waitFor(/Boris передаёт вам вахту/);
  anna.says('/watch cancel');
  await anna.chat.waitFor(/на вахте Anna[\s\S]*по графику/);
  const { rows } = await db.query(
    'select person, by_person as by, ended_at is null as open from watch_overrides order by id',
  );
  expect(rows.at(-1)).toEqual({ person: 'anna', by: 'boris', open: false });
  stage.ignore(/./);
});
