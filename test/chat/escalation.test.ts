import { expect, test } from 'vitest';
import { z } from 'zod';
import { cards } from '../../src/bot/cards/registry.gen.ts';
import { render } from '../../src/bot/render.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { silentLog } from '../../src/core/log.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { card as findCard } from '../../src/store/cards.ts';
import { disable, enable } from '../../src/store/chats.ts';
import { claimOwner, events, releaseOwner, setSilence } from '../../src/store/incidents.ts';
import { createEscalation } from '../../src/tasks/watch/escalate.ts';
import { callPerson, pageAgain } from '../../src/tasks/watch/paging.ts';
import { createWatchDesk } from '../../src/tasks/watch/rota.ts';
import { createIncidentWriter } from '../../src/tasks/watch/writer.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { storeForTest } from '../support/store.ts';
import { configWith } from './support/shown.ts';
import { wayIn } from './support/way-in.ts';

const OPS = -1001;
const MINUTE = 60_000;
const PEOPLE = [
  { id: 'vera', name: 'Vera', telegram_id: 101, role: 'viewer' },
  { id: 'anna', name: 'Anna', telegram_id: 102, role: 'operator' },
  { id: 'boris', name: 'Boris', telegram_id: 103, role: 'operator' },
  { id: 'ada', name: 'Ada', telegram_id: 104, role: 'admin' },
];
const NAMES: Readonly<Record<number, string>> = { 101: 'vera', 102: 'anna', 103: 'boris', 104: 'ada', [OPS]: 'chat' };
/** From Monday 5 January at nine in Moscow: Anna, then Boris. */
const ROTATION = { people: ['anna', 'boris'], starts: '2026-01-05' };
/** 03:00 in Moscow, in Anna's week. */
const NIGHT = '2026-01-07T00:00:00Z';

async function subject(sections: Readonly<Record<string, unknown>> = {}, start = NIGHT) {
  const { db } = await storeForTest();
  const clock = createManualClock(start);
  const config = configWith({
    operators: PEOPLE,
    chats: [{ id: 'ops', chat_id: OPS }],
    watch: { rotation: ROTATION },
    ...sections,
  });
  const intake = wayIn({ db, writer: createIncidentWriter(config), clock });
  const escalation = createEscalation({ db, clock, log: silentLog, config });
  const told = new Map<string, string>();
  const id = async (name: string): Promise<number> => {
    const { rows } = await db.query('select id from incidents where group_key = $1 and current', [name]);
    return z.object({ id: z.number() }).parse(rows[0]).id;
  };
  const alert = async (name: string, severity = 'critical', status: 'firing' | 'resolved' = 'firing') => {
    const alerts = [
      { status, fingerprint: name, labels: { alertname: name, severity }, startsAt: clock.now().toISOString() },
    ];
    await intake.accept(JSON.stringify({ groupKey: name, groupLabels: { alertname: name }, alerts }));
    return id(name);
  };
  const card_ = z.object({
    id: z.string(),
    kind: z.string(),
    ref: z.string(),
    chat: z.number(),
    reply: z.number().nullable(),
  });
  let messages = 1000;
  /** As the outbox does it, but at once: each card gets a message; answers the new ones as `who: kind incident`. */
  const deliver = async (): Promise<string[]> => {
    const { rows } = await db.query(
      `select id, kind, ref, chat_id as chat, reply_to as reply from cards where message_id is null and gone_at is null
       order by created_at, kind, chat_id`,
    );
    const sent: string[] = [];
    for (const card of rows.map((row) => card_.parse(row))) {
      messages += 1;
      await db.query('update cards set message_id = $2, delivered_rev = rev, delivered_at = $3 where id = $1', [
        card.id,
        messages,
        clock.now(),
      ]);
      told.set(`${card.chat}:${messages}`, card.ref);
      sent.push(`${NAMES[card.chat]}: ${card.kind}${card.reply === null ? '' : ' again'}`);
    }
    return sent;
  };
  const round = async (): Promise<string[]> => {
    await escalation.round();
    return deliver();
  };
  /** Lets time pass as the program does, with a look every three seconds; what was sent and when, in minutes. */
  const pass = async (minutes: number, step = 3000): Promise<string[]> => {
    const from = clock.now().getTime();
    const all: string[] = [];
    for (let ms = 0; ms < minutes * MINUTE; ms += step) {
      await clock.advance(step);
      for (const one of await round()) {
        all.push(`${((clock.now().getTime() - from) / MINUTE).toFixed(1)} ${one}`);
      }
    }
    return all;
  };
  const history = async (incident: number) =>
    (await events(db, incident, 50)).map(({ kind, data }) => [kind, data['person'] ?? data['who']]).toReversed();
  /** The newest card of a kind, as its reader in Berlin sees it: its lines. */
  const drawn = async (kind: string, language: 'en' | 'ru'): Promise<string[]> => {
    const { rows } = await db.query('select id from cards where kind = $1 order by created_at desc limit 1', [kind]);
    const card = await findCard(db, z.object({ id: z.string() }).parse(rows[0]).id);
    const draws = cards.find((one) => one.kind === kind);
    if (!card || !draws) throw new Error(`no card of kind ${kind}`);
    const reader = { t: catalogue(allMessages).for(language), zone: 'Europe/Berlin', now: clock.now() };
    const people = (who: string) => config.operators.find((one) => one.id === who);
    const doc = await draws.render({ q: db, ...reader, language, config, operations: new Map(), people }, card);
    return doc === 'gone' ? ['gone'] : render(doc, reader).text.split('\n');
  };
  return { db, clock, config, drawn, alert, round, pass, deliver, history, id };
}

const STEP = 30_000;

test('nobody takes it on: the one on watch, then the second, then the admins, and again after half an hour', async () => {
  const { alert, deliver, pass, history } = await subject();
  const id = await alert('DiskFull');
  expect(await deliver()).toEqual(['chat: incident']);
  expect(await pass(51, STEP)).toEqual([
    '2.5 anna: incident',
    '10.5 boris: incident',
    '20.5 ada: incident',
    '50.5 anna: page again',
    '50.5 boris: page again',
    '50.5 ada: page again',
  ]);
  expect((await history(id)).filter(([kind]) => kind === 'paged').map(([, who]) => who)).toEqual([
    'anna',
    'boris',
    'ada',
    'anna',
    'boris',
    'ada',
  ]);
});

test('it stops when somebody takes it on, when it is silenced and when it is over; given back, it begins anew', async () => {
  const { alert, deliver, pass, db, clock, drawn } = await subject();
  const taken = await alert('Taken');
  await deliver();
  expect(await pass(3, STEP)).toEqual(['2.5 anna: incident']);
  await claimOwner(db, taken, 'anna', clock.now());
  expect(await pass(30, STEP)).toEqual([]);
  await releaseOwner(db, taken, 'anna', clock.now());
  expect(await pass(3, STEP)).toEqual(['2.5 anna: page again']);
  expect(await drawn('page', 'ru')).toEqual([
    '🔴 КРИТИЧНО · Taken · #1',
    '🔔 Вы на вахте, и инцидентом никто не занимается.',
  ]);
  const until = new Date(clock.now().getTime() + 60 * MINUTE);
  await setSilence(db, taken, { id: 's', until, by: 'anna' }, clock.now());
  expect(await pass(59, STEP)).toEqual([]);
  expect(await pass(4, STEP)).toEqual(['3.0 anna: page again']);
  await alert('Taken', 'critical', 'resolved');
  expect(await pass(30, STEP)).toEqual([]);
  expect(await drawn('page', 'en')).toEqual(['🟢 RESOLVED · Taken · #1', 'It is over.']);
});

test('only the severities of the configuration escalate, and one that gets worse does', async () => {
  const { alert, deliver, pass } = await subject();
  await alert('Slow', 'warning');
  await deliver();
  expect(await pass(30, STEP)).toEqual([]);
  await alert('Slow', 'critical');
  expect(await pass(3, STEP)).toEqual(['2.5 anna: incident']);
});

test('whoever cannot be written to is not waited for', async () => {
  const { alert, deliver, pass, db, clock } = await subject();
  await alert('DiskFull');
  await deliver();
  await disable(db, 102, "Forbidden: bot can't initiate conversation with a user", clock.now());
  expect(await pass(3, STEP)).toEqual(['2.5 boris: incident']);
  // It turns out when it is tried.
  await disable(db, 103, 'Forbidden: bot was blocked by the user', clock.now());
  expect(await pass(1, STEP)).toEqual(['0.5 ada: incident']);
  await enable(db, 102);
  await enable(db, 103);
  expect(await pass(31, STEP)).toEqual(['29.5 anna: incident', '29.5 boris: page again', '29.5 ada: page again']);
});

test('in a storm a person gets one message a minute, which speaks for the rest', async () => {
  const { alert, deliver, pass, db } = await subject({
    escalation: { steps: [{ after_minutes: 1, to: 'watch' }], repeat_minutes: 0 },
  });
  for (let n = 0; n < 20; n++) await alert(`A${n}`);
  await deliver();
  const first = await pass(1.1);
  expect(first).toEqual(['1.1 anna: incident']);
  const { rows } = await db.query('select count(*) as n from pages where lead is not null and told_at is not null');
  expect(rows).toEqual([{ n: 19 }]);
  for (let n = 0; n < 5; n++) await alert(`B${n}`);
  await deliver();
  // Due a minute later, and a minute after the first message at the earliest.
  expect(await pass(1.2)).toEqual(['1.1 anna: incident']);
  expect(await pass(5, STEP)).toEqual([]);
});

test('an acknowledgement without any action wears off after its time, and people are called again', async () => {
  const { alert, deliver, pass, db, clock, history } = await subject({ escalation: { ack_minutes: 30 } });
  const id = await alert('DiskFull');
  await deliver();
  await claimOwner(db, id, 'boris', clock.now());
  expect(await pass(29, STEP)).toEqual([]);
  // In the chat, to the one who had it, and to the one on watch, who needs not wait for the first step.
  expect((await pass(2, STEP)).map((one) => one.slice(4)).toSorted()).toEqual([
    'anna: incident',
    'boris: incident',
    'chat: page again',
  ]);
  expect(await history(id)).toContainEqual(['ack-expired', 'boris']);
  expect(await pass(8, STEP)).toEqual(['7.5 boris: page again']);
});

test('a comment, a run or a silence keeps the acknowledgement alive', async () => {
  const { alert, deliver, pass, db, clock } = await subject({ escalation: { ack_minutes: 30 } });
  const id = await alert('DiskFull');
  await deliver();
  await claimOwner(db, id, 'anna', clock.now());
  await pass(20, STEP);
  await db.query("insert into incident_events (incident_id, at, kind, actor) values ($1, $2, 'commented', 'anna')", [
    id,
    clock.now(),
  ]);
  expect(await pass(29, STEP)).toEqual([]);
  await db.query(
    `insert into runs (id, operation, args, actor, origin, state, created_at)
     values (gen_random_uuid(), 'x', '{}', '{}', jsonb_build_object('incident', $1::bigint), 'succeeded', $2)`,
    [id, clock.now()],
  );
  expect(await pass(29, STEP)).toEqual([]);
  expect(await pass(2, STEP)).not.toEqual([]);
});

test('others call again: at once in the chat, and the owner or the one on watch in private', async () => {
  const { alert, deliver, round, db, clock } = await subject();
  const why = { key: 'page-why-repeat' };
  const [owned, free, over] = [await alert('Owned'), await alert('Free'), await alert('Over')];
  await deliver();
  await claimOwner(db, owned, 'boris', clock.now());
  await alert('Over', 'critical', 'resolved');
  await db.tx(async (tx) => {
    for (const id of [owned, free, over]) await pageAgain(tx, id, why, clock.now());
  });
  expect(await round()).toEqual(['anna: incident', 'boris: incident', 'chat: page again', 'chat: page again']);
  await db.tx((tx) => callPerson(tx, owned, 'ada', why, clock.now()));
  expect(await round()).toEqual(['ada: incident']);
  expect(await round()).toEqual([]);
});

test('what only a storm card shows gets a card of its own when people are called again, a few at a time', async () => {
  const { alert, deliver, round, history, db, clock, drawn } = await subject();
  const ids: number[] = [];
  for (let n = 0; n < 14; n += 1) ids.push(await alert(`Group${n}`, 'warning'));
  expect(await deliver()).toEqual([...Array.from({ length: 8 }, () => 'chat: incident'), 'chat: storm']);
  const collected = ids.slice(8);
  const ended = collected[5] ?? 0;
  await db.tx(async (tx) => {
    for (const id of collected) await pageAgain(tx, id, { key: 'page-why-repeat' }, clock.now());
  });
  await alert('Group13', 'warning', 'resolved');
  // Half as many as the chat takes before it is a storm; the rest as soon as these are shown, but for what is over.
  const chat = async () => (await round()).filter((one) => one.startsWith('chat'));
  expect(await chat()).toEqual(Array.from({ length: 4 }, () => 'chat: incident'));
  expect(await chat()).toEqual(['chat: incident']);
  expect(await chat()).toEqual([]);
  for (const id of collected.slice(0, 5)) expect(await history(id)).toContainEqual(['paged', 'chat']);
  expect(await history(ended)).not.toContainEqual(['paged', 'chat']);
  expect((await drawn('storm', 'en')).join('\n')).toContain('13 of them have cards of their own');
  // Once more: now in reply to the card that it has.
  const [first = 0] = collected;
  await db.tx((tx) => pageAgain(tx, first, { key: 'page-why-repeat' }, clock.now()));
  expect(await chat()).toEqual(['chat: page again']);
});

test('who takes the watch is called instead; a night in two processes calls once', async () => {
  const { alert, deliver, pass, round, db, clock, config } = await subject();
  const desk = createWatchDesk({ db, clock, config });
  const runId = '00000000-0000-4000-8000-000000000001';
  await desk.give({ runId, person: 'boris', by: 'anna', hours: 8 });
  expect(await round()).toEqual(['boris: watch']);
  expect(await round()).toEqual([]);
  await alert('DiskFull');
  await deliver();
  const second = createEscalation({ db, clock, log: silentLog, config });
  await clock.advance(3000);
  await Promise.all([second.round(), round()]);
  await clock.advance(2 * MINUTE);
  await Promise.all([second.round(), second.round()]);
  expect(await round()).toEqual(['boris: incident']);
  expect((await desk.look()).now).toMatchObject({ person: 'boris', second: 'anna', why: 'taken' });
  await desk.cancel();
  expect((await desk.look()).now).toMatchObject({ person: 'anna', why: 'rotation' });
  expect(await pass(1, STEP)).toEqual([]);
});

const QUIET = [
  ...PEOPLE.filter(({ id }) => id !== 'anna'),
  { ...PEOPLE[1], zone: 'Europe/Berlin', quiet_hours: { from: '22:00', to: '07:00' } },
];
const ROUTES = {
  operators: QUIET,
  chats: [
    { id: 'ops', chat_id: OPS },
    { id: 'anna', chat_id: 102 },
  ],
};

test('quiet hours: criticals pierce; of the rest what still burns is told within a minute of their end, in one message', async () => {
  // 01:00 in Berlin.
  const { alert, deliver, pass, history, db, drawn } = await subject({
    ...ROUTES,
    routes: [{ chat: 'anna', severity: ['critical', 'warning'] }, { chat: 'ops' }],
    escalation: { steps: [] },
  });
  const stays = await alert('Stays', 'warning');
  await alert('Ends', 'warning');
  await alert('Loud', 'critical');
  expect(await deliver()).toEqual(['anna: incident']);
  expect(await history(stays)).toContainEqual(['held', 'anna']);
  await alert('Ends', 'warning', 'resolved');
  // Nothing until seven, also when it is told again.
  await alert('Stays', 'warning');
  expect(await pass(350, 10 * MINUTE)).toEqual([]);
  expect(await pass(9, MINUTE)).toEqual([]);
  expect(await pass(2)).toEqual(['1.0 anna: quiet']);
  const { rows } = await db.query('select count(*) as n from held where released_at is not null');
  expect(rows).toEqual([{ n: 2 }]);
  expect(await drawn('quiet', 'ru')).toEqual([
    '🟠 ВНИМАНИЕ · после тихих часов всё ещё горит 1 инцидент',
    expect.stringMatching(/^• #1 Stays · с 7 янв 01:00/),
    'за это время закончился ещё 1',
  ]);
  expect(await drawn('quiet', 'en')).toEqual([
    '🟠 WARNING · 1 incident still fires after your quiet hours',
    expect.stringMatching(/^• #1 Stays · since 7 Jan 01:00/),
    '1 other ended meanwhile',
  ]);
  await alert('Stays', 'warning', 'resolved');
  expect(await drawn('quiet', 'en')).toEqual([
    '🟢 OK · nothing fires after your quiet hours',
    '2 incidents came and went',
  ]);
  // From now on as ever.
  await alert('Morning', 'warning');
  expect(await deliver()).toEqual(['anna: incident']);
});

test('the night of a change of the clocks ends at seven on the wall', async () => {
  // 28 March 2026, 23:00 in Berlin; the clock goes forward at two.
  const { alert, deliver, pass } = await subject(
    { ...ROUTES, routes: [{ chat: 'anna' }], escalation: { steps: [] } },
    '2026-03-28T22:00:00Z',
  );
  await alert('Stays', 'warning');
  expect(await deliver()).toEqual([]);
  expect(await pass(410, 10 * MINUTE)).toEqual([]);
  expect(await pass(9, MINUTE)).toEqual([]);
  expect(await pass(2)).toEqual(['1.0 anna: quiet']);
});

test('a call for less than a critical waits for the end of quiet hours, and others are called meanwhile', async () => {
  const { alert, deliver, pass, history } = await subject({
    operators: QUIET,
    escalation: { severity: ['critical', 'warning'] },
  });
  const id = await alert('Slow', 'warning');
  await deliver();
  expect(await pass(12, STEP)).toEqual(['10.5 boris: incident']);
  expect(await history(id)).toContainEqual(['held', 'anna']);
});
