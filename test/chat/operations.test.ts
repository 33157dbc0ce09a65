import { Secret as OtpSecret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { conversationsIn, inboxIn } from './support/store.ts';
import { OPS, openChat, TOTP_SECRET } from './support/chat.ts';

const codeNow = (): string => new TOTP({ secret: OtpSecret.fromBase32(TOTP_SECRET), period: 30 }).generate();

describe('an operation', () => {
  it('that only looks answers on its card at once', async () => {
    const { vera } = await openChat();
    vera.says('/test echo hello big');
    expect(await vera.chat.waitFor('echo: HELLO')).toBeDefined();
  });

  it('that changes something offers one press that takes it back', async () => {
    const { boris, ran } = await openChat();
    boris.says('/test swap db1');
    const card = await boris.chat.waitFor('🟢 DONE · Change something db1');
    expect(card.text).toContain('✔ Checked: it is so');
    await boris.presses('Undo');
    await boris.chat.waitFor('🟢 DONE · Change something web1');
    expect(ran).toEqual(['test.swap db1', 'test.swap web1']);
  });

  it('that disrupts shows its plan and runs once, however often people press', async () => {
    const { boris, anna, ops, ran } = await openChat();
    boris.says('/test stop db1', { chat: OPS });
    const card = await ops.waitFor('Look at the plan');
    expect(card.text).toContain('will be touched: db1');
    // Another operator may not confirm for the one who asked.
    const refused = await anna.presses('Confirm', { chat: OPS });
    expect((await refused.answered()).text).toContain('Подтвердить может только');
    const presses = await Promise.all([
      boris.presses('Confirm', { chat: OPS, on: card }),
      boris.presses('Confirm', { chat: OPS, on: card }),
    ]);
    await Promise.all(presses.map((press) => press.answered()));
    await ops.waitFor('🟢 DONE · Stop something db1');
    expect(ran).toEqual(['test.stop db1']);
  });

  it('can be cancelled before it starts, and says who did it', async () => {
    const { boris, ran } = await openChat();
    boris.says('/test stop db1');
    await boris.chat.waitFor('Look at the plan');
    await boris.presses('Cancel');
    await boris.chat.waitFor('Cancelled by Boris');
    expect(ran).toEqual([]);
  });

  it('that destroys wants the name, a code that is stored nowhere, and a second person', async () => {
    const { ada, cyril, boris, ops, ran, store, telegram } = await openChat();
    ada.says('/test wipe db1', { chat: OPS });
    await ops.waitFor('Look at the plan');
    await ada.presses('Confirm', { chat: OPS });
    const name = await ops.waitFor('Type exactly what is to be destroyed');
    // Somebody else's text is not an answer.
    boris.says('db1', { chat: OPS, replyTo: name });
    ada.says('db2', { chat: OPS, replyTo: name });
    await ops.waitFor('That is not the name');
    ada.says('db1', { chat: OPS });
    const question = await ops.waitFor('Now the six-digit code');
    const code = codeNow();
    const said = ada.says(code, { chat: OPS, replyTo: question });
    await ops.waitFor('A second person has to approve this');
    await expect.poll(() => telegram.state.messages(OPS).some((one) => one.message_id === said.message_id)).toBe(false);
    expect(JSON.stringify(await inboxIn(store))).not.toContain(code);
    await expect.poll(() => conversationsIn(store)).toEqual([]);
    const own = await ada.presses('Approve', { chat: OPS });
    expect((await own.answered()).text).toContain('Another person has to approve');
    const low = await boris.presses('Approve', { chat: OPS });
    expect((await low.answered()).text).toContain('needs the role');
    await cyril.presses('Approve', { chat: OPS });
    await ops.waitFor('🟢 DONE · Destroy something db1');
    expect(ran).toEqual(['test.wipe db1']);
  });

  it('says when a code is wrong', async () => {
    const { ada, ran } = await openChat();
    ada.says('/test wipe db1');
    await ada.chat.waitFor('Look at the plan');
    await ada.presses('Confirm');
    await ada.chat.waitFor('Type exactly');
    ada.says('db1');
    await ada.chat.waitFor('Now the six-digit code');
    ada.says('not a code');
    await ada.chat.waitFor('A code has six digits');
    ada.says(codeNow() === '000000' ? '111111' : '000000');
    await ada.chat.waitFor('The code is wrong or was used before');
    expect(ran).toEqual([]);
  });
});

describe('the form', () => {
  it('asks for what is missing, one question after the other', async () => {
    const { vera, ran } = await openChat();
    vera.says('/test echo');
    await vera.chat.waitFor('Which word?');
    vera.says('much too long a word');
    await vera.chat.waitFor('“much too long a word” will not do');
    vera.says('hello');
    await vera.chat.waitFor('How big?');
    await vera.presses('big');
    await vera.chat.waitFor('→ big');
    await vera.chat.waitFor('echo: HELLO');
    expect(ran).toEqual(['test.echo hello']);
  });

  it('survives a restart', async () => {
    const { vera, restart } = await openChat();
    vera.says('/test echo');
    await vera.chat.waitFor('Which word?');
    await restart();
    vera.says('hello');
    await vera.chat.waitFor('How big?');
    vera.says('small');
    expect(await vera.chat.waitFor('echo: hello')).toBeDefined();
  });

  it('is forgotten by /cancel, and never takes a command for an answer', async () => {
    const { vera, ran } = await openChat();
    vera.says('/test echo');
    await vera.chat.waitFor('Which word?');
    vera.says('/whoami');
    await vera.chat.waitFor('Role: viewer');
    vera.says('/cancel');
    await vera.chat.waitFor('Forgotten. Nothing was started.');
    vera.says('hello');
    await vera.chat.waitFor('I understand commands');
    vera.says('/cancel');
    await vera.chat.waitFor('I am not asking you anything');
    expect(ran).toEqual([]);
  });

  it('is each person’s own in a group: others neither answer nor press', async () => {
    const { vera, boris, ops, ran } = await openChat();
    vera.says('/test echo hello', { chat: OPS });
    const question = await ops.waitFor('How big?');
    boris.says('small', { chat: OPS, replyTo: question });
    const press = await boris.presses('small', { chat: OPS });
    expect((await press.answered()).text).toBe('This question was put to somebody else.');
    await vera.presses('big', { chat: OPS });
    await ops.waitFor('→ big');
    await ops.waitFor('echo: HELLO');
    expect(ran).toEqual(['test.echo hello']);
  });

  it('is put again when a new version of the program cannot read it', async () => {
    const { vera, store } = await openChat();
    vera.says('/test echo');
    await vera.chat.waitFor('Which word?');
    await expect.poll(() => conversationsIn(store)).toHaveLength(1);
    await store.db.query(`update conversations set state = jsonb_set(state, '{version,1}', '0')`);
    vera.says('hello');
    await vera.chat.waitFor('I was updated while I was asking');
    await vera.chat.waitFor('Which word?');
    vera.says('again');
    expect(await vera.chat.waitFor('How big?')).toBeDefined();
  });
});

describe('a press', () => {
  it('by a stranger does nothing', async () => {
    const { boris, mallory, ops, ran, store } = await openChat();
    boris.says('/test stop db1', { chat: OPS });
    await ops.waitFor('Look at the plan');
    const press = await mallory.presses('Confirm', { chat: OPS });
    expect((await press.answered()).text).toBe('You have no access here.');
    await expect
      .poll(async () => (await store.db.query(`select from audit where actor = 'outsider:999'`)).rowCount)
      .toBe(1);
    expect(ran).toEqual([]);
  });

  it('with forged data, or with the token of another chat, does nothing', async () => {
    const { boris, ops, ran } = await openChat();
    boris.says('/test stop db1', { chat: OPS });
    const card = await ops.waitFor('Look at the plan');
    boris.says('/test stop web1');
    const own = await boris.chat.waitFor('Look at the plan');
    const token = own.reply_markup?.inline_keyboard[0]?.[0]?.callback_data ?? '';
    for (const data of ['confirm', '1:aaaaaaaaaaaaaaaaaaaaaa', `1:${'x'.repeat(23)}`, token]) {
      expect((await boris.forges(data, card).answered()).text).toBe(
        'This button is out of date; look at the card again.',
      );
    }
    expect(ran).toEqual([]);
  });

  it('by the second of two who may tells who was first', async () => {
    const { ada, cyril, ops, store } = await openChat();
    ada.says('/test stop db1', { chat: OPS });
    const card = await ops.waitFor('Look at the plan');
    await ada.presses('Cancel', { chat: OPS });
    await ops.waitFor('Cancelled by Ada');
    const token = card.reply_markup?.inline_keyboard[0]?.[1]?.callback_data ?? '';
    const answer = await cyril.forges(token, card).answered();
    expect(answer.text).toMatch(/^Ada успел\(а\) раньше, в \d\d:\d\d\.$/);
    const { rows } = await store.db.query(`select count(*)::int as n from runs where state = 'cancelled'`);
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('that is refused only after it had to be answered is told under the card, by name', async () => {
    const { ada, cyril, ops } = await openChat({ bot: { answerPressWithinMs: 0 } });
    ada.says('/test stop db1', { chat: OPS });
    const card = await ops.waitFor('Look at the plan');
    await ada.presses('Cancel', { chat: OPS });
    await ops.waitFor('Cancelled by Ada');
    const answer = await cyril.forges(card.reply_markup?.inline_keyboard[0]?.[1]?.callback_data ?? '', card).answered();
    expect(answer.text).toBe('Выполняю …');
    const told = await ops.waitFor('Cyril: Ada успел(а) раньше');
    expect(told.reply_to_message?.message_id).toBe(card.message_id);
  });

  it('that is out of date redraws the card and executes nothing', async () => {
    const { boris, store, ran } = await openChat();
    boris.says('/test stop db1');
    await boris.chat.waitFor('Look at the plan');
    await store.db.query(`update actions set expires_at = now() - interval '1 minute'`);
    const press = await boris.presses('Confirm');
    expect((await press.answered()).text).toBe('This button is out of date; look at the card again.');
    // The card comes back with buttons that work.
    await expect
      .poll(
        async () =>
          (await store.db.query(`select count(*)::int as n from actions where state = 'open' and expires_at > now()`))
            .rows,
      )
      .toEqual([{ n: 2 }]);
    expect(ran).toEqual([]);
    await boris.presses('Confirm');
    await boris.chat.waitFor('🟢 DONE · Stop something db1');
  });
});
