import { describe, expect, it } from 'vitest';
import { recentAudit } from '../../src/store/audit.ts';
import { OPS, openChat } from './support/chat.ts';

describe('people', () => {
  it('answers each in their own language, with what their role allows', async () => {
    const { anna, vera } = await openChat();
    vera.says('/help');
    const english = await vera.chat.waitFor('What you can do, as viewer');
    expect(english.text).toContain('/test echo');
    expect(english.text).not.toContain('/test stop');
    anna.says('/help');
    const russian = await anna.chat.waitFor('Что вам доступно; роль — оператор');
    expect(russian.text).toContain('/test stop db1|web1 — Остановить что-то ✋');
    expect(russian.text).not.toContain('/test wipe');
  });

  it('greets an operator, and says who they are', async () => {
    const { boris } = await openChat();
    boris.says('/start');
    await boris.chat.waitFor('I keep watch over Test site, Boris.');
    boris.says('/whoami');
    expect((await boris.chat.waitFor('Role: operator')).text).toContain('Telegram id: 103');
  });

  it('changes the language, and keeps it over a restart', async () => {
    const { boris, restart } = await openChat();
    boris.says('/language ru');
    await boris.chat.waitFor('Теперь я говорю с вами по-русски.');
    await expect.poll(() => boris.commands().find((one) => one.command === 'whoami')?.description).toMatch(/^Кто я/);
    await restart();
    boris.says('/whoami');
    await boris.chat.waitFor('Роль: оператор');
    boris.says('/language fr');
    expect(await boris.chat.waitFor('Я говорю по-русски и по-английски')).toBeDefined();
  });

  it('gives a stranger one polite line a day in private, nothing in the group, and an audit entry', async () => {
    const { mallory, ops, anna, store } = await openChat();
    mallory.says('/start');
    await mallory.chat.waitFor('give an administrator your Telegram id: 999');
    mallory.says('/help');
    mallory.says('/test echo hi big', { chat: OPS });
    // Whatever came of it has been said when the next command is answered.
    anna.says('/whoami', { chat: OPS });
    await ops.waitFor('Роль: оператор');
    const entries = await recentAudit(store.db, 10);
    expect(entries.filter((one) => one.actor === 'outsider:999')).toMatchObject([
      { action: 'refused', subject: 'chat:999' },
    ]);
  });

  it('gives an anonymous administrator no role', async () => {
    const { ada, ops, ran } = await openChat();
    ada.says('/test stop db1', { chat: OPS, anonymous: true });
    await ops.waitFor('I cannot know who you are');
    expect(ran).toEqual([]);
  });

  it('offers each the menu of their role, and a stranger none', async () => {
    const { vera, ada, mallory, telegram } = await openChat();
    await expect
      .poll(() => telegram.state.calls.filter((call) => call.method.toLowerCase() === 'setmycommands').length)
      .toBe(17);
    expect(vera.commands().map((one) => one.command)).toEqual([
      'alerts',
      'cancel',
      'help',
      'language',
      'start',
      'whoami',
      'why',
      'test',
    ]);
    expect(ada.commands().find((one) => one.command === 'test')?.description).toContain('Destroy something');
    expect(ada.commands(OPS).find((one) => one.command === 'test')?.description).toContain('Destroy something');
    expect(mallory.commands()).toEqual([]);
  });

  it('says what is wrong with a command, and the right form', async () => {
    const { boris, vera } = await openChat();
    boris.says('/test stop db1 now please');
    expect((await boris.chat.waitFor('I do not know what to do with: now please')).text).toContain(
      '/test stop db1|web1',
    );
    boris.says('/test stop db9');
    await boris.chat.waitFor('“db9” is not right for what');
    boris.says('/nonsense');
    await boris.chat.waitFor('There is no command /nonsense');
    boris.says('hello');
    await boris.chat.waitFor('I understand commands');
    vera.says('/test stop db1');
    await vera.chat.waitFor('This needs the role “operator”; yours is “viewer”.');
  });

  it('asks which one when a family of operations is named', async () => {
    const { boris } = await openChat();
    boris.says('/test');
    await boris.chat.waitFor('Which one?');
    await boris.presses('Stop something');
    await boris.chat.waitFor('→ Stop something');
    await boris.chat.waitFor('What is to be stopped?');
    await boris.presses('web1');
    await boris.chat.waitFor('→ web1');
    expect(await boris.chat.waitFor('Look at the plan. Shall I go on?')).toBeDefined();
  });
});
