import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/components/index.ts';
import { type Group, group, payload } from './support/alerts.ts';
import { judge } from './support/judge.ts';
import { begin, FINE, MARK } from './support/scene.ts';
import { chatOf, PEOPLE, WEBHOOK_TOKEN, type World } from './support/world.ts';

const [EAST, WEST] = [chatOf('east'), chatOf('west')];
const [{ id: ANNA }, , { id: CAROL }] = PEOPLE;

describe('killed', () => {
  it('after an alert was accepted, before it was sent: it is sent once, and nobody sees that something was wrong', async () => {
    const scene = await begin('commit', onTestFinished);
    const { world, sender } = scene;
    const one = group(1, 'east', 'critical');
    await world.telegram.down();
    sender.tell(one);
    await sender.idle();
    await until('the row back in the queue', async () => {
      const [row] = await world.rows<{ state: string }>('select state from outbox');
      // From then on nothing is tried until Telegram answers.
      return row?.state === 'queued' && scene.program().log().includes('everything waits');
    });
    await scene.kill();
    await world.telegram.up();
    expect(scene.shown(one)).toEqual([]);
    scene.start();
    await world.drained(180_000);
    expect(await judge(world, [one], sender)).toMatchObject({ ...FINE, messages: 1, explained: 0 });
    expect(scene.shown(one)[0]?.versions[0]).not.toContain(MARK);
  });

  it('after Telegram took a message, before that was noted: what is critical comes again and says so, information does not', async () => {
    const scene = await begin('taken', onTestFinished);
    const { world, sender } = scene;
    const critical = group(1, 'east', 'critical');
    const info = group(2, 'west', 'info');
    for (const chat of [EAST, WEST]) world.telegram.faults.next('sendMessage', 'accept-hang', { chat });
    sender.tell(critical);
    sender.tell(info);
    await sender.idle();
    await until('both cards', () => scene.isShown(critical)() && scene.isShown(info)());
    await scene.kill();
    scene.start();
    await world.drained(180_000);
    expect(scene.shown(critical).map(({ versions }) => versions[0]?.includes(MARK))).toEqual([false, true]);
    expect(scene.shown(info)).toHaveLength(1);
    expect(await judge(world, [critical, info], sender)).toMatchObject({ ...FINE, folded: [info.name], explained: 1 });

    // The end of both is told; of the information in a new message, for the first one's id is not known.
    scene.resolve(critical);
    scene.resolve(info);
    await sender.idle();
    await world.drained(180_000);
    expect(scene.shown(critical)).toHaveLength(2);
    expect(scene.shown(info).map(({ versions }) => versions[0]?.includes(MARK))).toEqual([false, true]);
    expect(await judge(world, [critical, info], sender)).toMatchObject({ ...FINE, folded: [] });
  });

  it.for<[string, (world: World) => boolean | Promise<boolean>]>([
    ['was handled', (world) => world.ledger.about(CAROL, 'Shall I go on?').length > 0],
    ['was stored', async (world) => (await world.rows('select 1 from inbox')).length > 0],
  ])('after a command %s, before Telegram heard of it: it is carried out once', async ([, moment]) => {
    const scene = await begin('update', onTestFinished);
    const { world } = scene;
    await until('the long poll', () => world.telegram.state.polling);
    // The next call would confirm the update: it never reaches its aim.
    world.telegram.faults.next('getUpdates', 'hang');
    world.person('carol').says('/guest restart dns');
    await until('the moment', () => moment(world));
    expect(world.telegram.state.pendingUpdates).toBe(1);
    await scene.kill();
    world.telegram.faults.clear();
    scene.start();
    await until('the update again', () => world.telegram.state.pendingUpdates === 0);
    await world.drained(180_000);
    await until('the question', () => world.ledger.about(CAROL, 'Shall I go on?').length > 0);
    expect(await world.rows(`select state from runs where operation = 'guest.restart'`)).toEqual([
      { state: 'confirming' },
    ]);
    expect(await world.rows('select state from inbox')).toEqual([{ state: 'done' }]);
    const cards = world.ledger.about(CAROL, 'Restart a guest');
    expect(cards.slice(1).filter(({ versions }) => !versions[0]?.includes(MARK))).toEqual([]);
  });
});

describe('away for a while', () => {
  it('Telegram: each incident appears once, as it is now; what has ended is never shown as burning', async () => {
    const scene = await begin('telegram', onTestFinished);
    const { world, sender } = scene;
    await world.telegram.down();
    const groups = Array.from({ length: 12 }, (_, n) =>
      group(n + 1, n % 2 === 0 ? 'east' : 'west', n < 6 ? 'critical' : 'warning'),
    );
    for (const one of groups) sender.tell(one);
    await sender.idle();
    for (const one of groups.slice(0, 6)) scene.resolve(one);
    for (const one of groups.slice(6, 9)) {
      one.version += 1;
      one.members.push({ disk: 'sdb', startsAt: new Date().toISOString() });
      sender.tell(one);
    }
    await sender.idle();
    // What was accepted is known to the program once it is applied, which takes it a moment.
    await until('nothing left to apply', async () => (await world.rows('select from webhook_log')).length === 0);
    await world.telegram.up();
    await world.drained(180_000);
    expect(await judge(world, groups, sender)).toMatchObject({ ...FINE, folded: [], messages: 12, explained: 0 });
    // Whatever was added to a card afterwards: from its first version on it told the present state.
    const now = (one: Group, n: number) => [`told ${one.version} of ${one.name}.`, ...(n < 6 ? ['RESOLVED'] : [])];
    const stale = groups.flatMap((one, n) =>
      scene
        .shown(one)
        .flatMap(({ versions }) => versions.filter((text) => !now(one, n).every((part) => text.includes(part)))),
    );
    expect(stale).toEqual([]);
  });

  it('the database: an alert gets 503 and comes again; nothing is lost or shown twice', async () => {
    const scene = await begin('database', onTestFinished);
    const { world, sender } = scene;
    const [before, during, changed] = [
      group(1, 'east', 'critical'),
      group(2, 'west', 'critical'),
      group(3, 'north', 'warning'),
    ];
    sender.tell(before);
    sender.tell(changed);
    await sender.idle();
    await world.drained(180_000);
    await world.cluster.halt('immediate');
    const answer = await fetch(world.webhookUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${WEBHOOK_TOKEN}` },
      body: JSON.stringify(payload(during)),
    });
    expect(answer.status).toBe(503);
    sender.tell(during);
    scene.resolve(changed);
    await until('a second 503', () => sender.sent.unavailable >= 4);
    world.person('anna').says('/whoami');
    await world.cluster.resume();
    await sender.idle();
    await until('the answer', () => world.ledger.about(ANNA, 'Role: admin').length > 0, { process: scene.program() });
    await world.drained(180_000);
    expect(scene.program().running()).toBe(true);
    expect(await judge(world, [before, during, changed], sender)).toMatchObject({ ...FINE, messages: 3, explained: 0 });
    expect(world.ledger.about(ANNA, 'Role: admin')).toHaveLength(1);
  });

  it('the database, just when Telegram took a message: what Telegram said is noted later, and nothing is sent twice', async () => {
    const scene = await begin('note', onTestFinished);
    const { world, sender } = scene;
    const one = group(1, 'east', 'critical');
    let halted: Promise<void> | undefined;
    world.telegram.cast.subscribe((event) => {
      if (event.type !== 'message' || halted) return;
      halted = world.cluster.halt('immediate');
      // Telegram's answer is held back until the database is gone.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    });
    sender.tell(one);
    await until('the card', scene.isShown(one));
    await halted;
    await world.cluster.resume();
    await sender.idle();
    await world.drained(180_000);
    expect(await judge(world, [one], sender)).toMatchObject({ ...FINE, messages: 1, explained: 0 });
    expect(scene.shown(one)[0]?.versions[0]).not.toContain(MARK);
    expect(await world.rows('select state, error from outbox')).toEqual([{ state: 'sent', error: null }]);
  });
});
