import { expect, test } from 'vitest';
import { ALICE, BOB, button, GROUP, type Harness, keyboard, withSimulator } from './harness.ts';

const raw = (h: Harness, method: string, parameters: object, signal?: AbortSignal) =>
  fetch(`${h.url}/bot4242:test-token_A/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
    ...(signal ? { signal } : {}),
  });
const send = (h: Harness, text: string, chat_id = ALICE) => raw(h, 'sendMessage', { chat_id, text });
const texts = (h: Harness, chat = ALICE) => h.sim.state.messages(chat).map(({ text }) => text);

test('reset: the connection breaks; carried out only when it was accepted before', () =>
  withSimulator(async (h) => {
    h.sim.faults.next('sendMessage', 'reset');
    await expect(send(h, 'lost')).rejects.toThrow('fetch failed');
    h.sim.faults.next('sendMessage', 'accept-reset');
    await expect(send(h, 'arrived')).rejects.toThrow('fetch failed');
    expect((await send(h, 'fine')).status).toBe(200);
    expect(texts(h)).toEqual(['arrived', 'fine']);
    expect(h.sim.state.calls.map(({ outcome }) => outcome)).toEqual(['reset', 'accept-reset', 200]);
  }));

test('hang: no answer until the caller gives up', () =>
  withSimulator(async (h) => {
    for (const [fault, text] of [
      ['hang', 'lost'],
      ['accept-hang', 'arrived'],
    ] as const) {
      h.sim.faults.next('sendMessage', fault);
      const giveUp = new AbortController();
      const waiting = raw(h, 'sendMessage', { chat_id: ALICE, text }, giveUp.signal);
      await expect.poll(() => h.sim.state.calls.at(-1)?.outcome).toBe(fault);
      giveUp.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    }
    expect(texts(h)).toEqual(['arrived']);
  }));

test('an HTML 502 of a proxy, and a JSON answer that breaks off', () =>
  withSimulator(async (h) => {
    h.sim.faults.next('sendMessage', 'html-502');
    const proxy = await send(h, 'lost');
    expect([proxy.status, proxy.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await proxy.text()).toContain('<title>502 Bad Gateway</title>');
    h.sim.faults.next('sendMessage', 'accept-html-502');
    expect((await send(h, 'behind the proxy')).status).toBe(502);
    h.sim.faults.next('sendMessage', 'truncated-json');
    const broken = await send(h, 'arrived');
    expect(broken.status).toBe(200);
    await expect(broken.json()).rejects.toThrow(SyntaxError);
    expect(texts(h)).toEqual(['behind the proxy', 'arrived']);
  }));

test('a fault can be meant for one chat and last several calls', () =>
  withSimulator(async (h) => {
    h.sim.faults.next(
      'sendMessage',
      { error_code: 500, description: 'Internal Server Error' },
      { times: 2, chat: GROUP },
    );
    expect((await send(h, 'other chat')).status).toBe(200);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await send(h, 'x', GROUP)).status);
    expect(statuses).toEqual([500, 500, 200]);
  }));

test('a flood by script bans the chat although limits are off', () =>
  withSimulator(async (h) => {
    h.sim.faults.next('sendMessage', { flood: 30 });
    expect(await h.call('sendMessage', { chat_id: GROUP, text: 'x' })).toMatchObject({
      status: 429,
      parameters: { retry_after: 30 },
    });
    expect(await h.call('editMessageText', { chat_id: GROUP, message_id: 1, text: 'x' })).toMatchObject({
      status: 400,
    });
    expect(await h.call('sendMessage', { chat_id: GROUP, text: 'x' })).toMatchObject({
      status: 429,
      parameters: { retry_after: 35 },
    });
    await h.clock.advance(35_000);
    expect((await send(h, 'x', GROUP)).status).toBe(200);
  }));

test('an outage concerns every method until it is over', () =>
  withSimulator(async (h) => {
    h.sim.faults.outage('revoked');
    expect(await h.call('getMe')).toMatchObject({ status: 401, description: 'Unauthorized' });
    expect(await h.call('getUpdates')).toMatchObject({ status: 401 });
    h.sim.faults.outage('reset');
    await expect(send(h, 'lost')).rejects.toThrow('fetch failed');
    h.sim.faults.clear();
    expect((await send(h, 'back')).status).toBe(200);
  }));

test('faults by chance come about as often as asked, from the random source handed in', () =>
  withSimulator(async (h) => {
    h.sim.faults.probability({ 'html-502': 0.25, 'truncated-json': 0.25 }, ['sendMessage']);
    let failed = 0;
    let truncated = 0;
    for (let i = 0; i < 200; i++) {
      const response = await send(h, `m${i}`);
      if (response.status === 502) failed++;
      else if (
        await response.json().then(
          () => false,
          () => true,
        )
      )
        truncated++;
    }
    expect(failed).toBeGreaterThan(30);
    expect(failed).toBeLessThan(70);
    expect(truncated).toBeGreaterThan(30);
    expect(truncated).toBeLessThan(70);
    expect(texts(h)).toHaveLength(200 - failed);
    expect((await h.call('getMe')).ok).toBe(true);
  }));

interface Update {
  readonly update_id: number;
  readonly message?: { readonly text: string };
  readonly callback_query?: { readonly id: string; readonly data: string; readonly from: { readonly id: number } };
}
const poll = (h: Harness, offset?: number) => h.ok<Update[]>('getUpdates', offset === undefined ? {} : { offset });

test('a duplicate update comes once more although it was confirmed', () =>
  withSimulator(async (h) => {
    h.sim.faults.next('getUpdates', 'duplicate-update');
    h.stage.person('alice').says('one');
    const [one] = await poll(h);
    const again = await poll(h, one!.update_id + 1);
    expect(again).toEqual([one]);
    expect(await poll(h, one!.update_id + 1)).toEqual([]);
  }));

test('a late update arrives after younger ones', () =>
  withSimulator(async (h) => {
    h.sim.faults.next('getUpdates', 'late-update', { delayMs: 60_000 });
    h.stage.person('alice').says('early bird');
    h.stage.person('alice').says('second');
    const [second] = await poll(h);
    expect(second).toMatchObject({ message: { text: 'second' } });
    await h.clock.advance(60_000);
    const late = await poll(h, second!.update_id + 1);
    expect(late).toMatchObject([{ update_id: second!.update_id + 1, message: { text: 'early bird' } }]);
  }));

test('presses: by somebody else, twice at once, forged, on a message that is gone', () =>
  withSimulator(async (h) => {
    const sent = await h.send(GROUP, 'card', { reply_markup: keyboard([button('Approve', '1:abc')]) });
    const [alice, bob] = [h.stage.person('alice'), h.stage.person('bob')];
    await bob.presses('Approve', { chat: GROUP });
    h.sim.faults.next('callback_query', 'double-press');
    await alice.presses('Approve', { chat: GROUP });
    const card = h.stage.chat(GROUP).find('card')!;
    bob.forges('1:forged', card);
    await h.ok('deleteMessage', { chat_id: GROUP, message_id: sent.message_id });
    bob.forges('1:abc', card);
    const queries = (await poll(h)).map((update) => update.callback_query!);
    expect(queries.map(({ from, data }) => [from.id, data])).toEqual([
      [BOB, '1:abc'],
      [ALICE, '1:abc'],
      [ALICE, '1:abc'],
      [BOB, '1:forged'],
      [BOB, '1:abc'],
    ]);
    expect(new Set(queries.map(({ id }) => id)).size).toBe(5);
    expect(queries.at(-1)).toMatchObject({ message: { message_id: sent.message_id, date: 0 } });
  }));

test('down: connections are refused; what people say meanwhile waits', () =>
  withSimulator(async (h) => {
    await h.sim.down();
    const refused: unknown = await send(h, 'lost').catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: 'fetch failed', cause: { code: 'ECONNREFUSED' } });
    h.stage.person('alice').says('anybody there?');
    await h.sim.up();
    expect(await poll(h)).toMatchObject([{ message: { text: 'anybody there?' } }]);
    expect(texts(h)).toEqual(['anybody there?']);
  }));

test('a restart in mid-poll breaks the poll off; nothing is lost', () =>
  withSimulator(async (h) => {
    h.stage.person('alice').says('one');
    const [one] = await poll(h);
    const asleep = h.clock.untilTimers();
    const waiting = raw(h, 'getUpdates', { offset: one!.update_id + 1, timeout: 30 });
    await asleep;
    await Promise.all([expect(waiting).rejects.toThrow('fetch failed'), h.sim.restart()]);
    h.stage.person('alice').says('two');
    expect(await poll(h)).toMatchObject([{ message: { text: 'two' } }]);
    expect(texts(h)).toEqual(['one', 'two']);
  }));
