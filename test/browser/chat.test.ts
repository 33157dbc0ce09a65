import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import {
  type Browser,
  CAST,
  haveChromium,
  GROUP,
  openBrowser,
  openStage,
  PHONE,
  type Stage,
  TOPIC,
  visit,
} from './support/stage.ts';

const { anna, boris, chris, vera, oscar } = CAST;
describe.skipIf(!haveChromium)('the web chat', () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    stage = await openStage();
    page = await browser.page();
  });
  afterEach(async () => {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.close();
    await stage.close();
  });

  const inAlerts = { chat_id: GROUP, message_thread_id: TOPIC.alerts };
  const alerts = { as: chris, chat: GROUP, thread: TOPIC.alerts };
  const texts = () => page.locator('.message .text').allInnerTexts();
  const person = () => page.locator('#person').innerText();
  /** The list and the chat are drawn together with the name. */
  const become = async (name: string) => {
    await page.locator('#person').click();
    await page.getByRole('menuitemradio', { name }).click();
    await expect.poll(person).toContain(name);
  };

  describe('who sees what', () => {
    test('each person has an own private chat with the bot, and the groups they are in', async () => {
      await stage.bot('sendMessage', { chat_id: chris.id, text: 'for Chris alone' });
      await stage.bot('sendMessage', { ...inAlerts, text: 'for the group' });
      await visit(page, stage, { as: chris });
      const list = page.getByRole('navigation');
      expect(await list.innerText()).toContain('for Chris alone');
      expect(await list.innerText()).toContain('for the group');
      await become('Vera');
      await expect.poll(() => list.innerText()).not.toContain('for Chris alone');
      await expect.poll(() => list.innerText()).toContain('for the group');
      await become('Oscar');
      await expect.poll(() => list.innerText()).not.toContain('for the group');
      await expect.poll(person).toContain('outsider');
    });

    test('who switches inside a group stays in its topic; who has no place there goes to the own chat', async () => {
      await stage.bot('sendMessage', { ...inAlerts, text: 'an alert' });
      await visit(page, stage, alerts);
      await become('Vera');
      await expect.poll(() => new URL(page.url()).searchParams.get('as')).toBe(String(vera.id));
      await expect.poll(() => new URL(page.url()).searchParams.get('thread')).toBe(String(TOPIC.alerts));
      await become('Oscar');
      await expect.poll(() => new URL(page.url()).searchParams.get('chat')).toBe(String(oscar.id));
    });

    test('one’s own messages are on the right, those of others carry their names', async () => {
      for (const who of [boris, chris])
        stage.simulator.cast.say({ as: who.id, chat: GROUP, thread: TOPIC.alerts, text: who.username });
      await visit(page, stage, alerts);
      expect(await page.locator('.message.out .text').allInnerTexts()).toEqual([expect.stringContaining('chris')]);
      expect(await page.locator('.message.in .sender').allInnerTexts()).toEqual(['Борис']);
    });

    test('an address in the bar opens the same place for everybody who follows it', async () => {
      await stage.bot('sendMessage', { ...inAlerts, text: 'an alert' });
      await page.goto(`${stage.url}/?as=vera&chat=${GROUP}&thread=${TOPIC.alerts}`);
      await page.getByRole('heading', { name: 'Тревоги' }).waitFor();
      await expect.poll(person).toContain('Vera');
    });

    test('topics are kept apart, and General has only its own', async () => {
      await stage.bot('sendMessage', { chat_id: GROUP, text: 'in general' });
      await stage.bot('sendMessage', { ...inAlerts, text: 'in alerts' });
      await visit(page, stage, { as: chris, chat: GROUP });
      expect(await texts()).toEqual([expect.stringContaining('in general')]);
      await page.locator('.chat-row', { hasText: 'Тревоги' }).click();
      await expect.poll(texts).toEqual([expect.stringContaining('in alerts')]);
    });
  });

  describe('writing', () => {
    beforeEach(async () => {
      await stage.bot('sendMessage', { chat_id: chris.id, text: 'Ready.' });
      await visit(page, stage, { as: chris, chat: chris.id });
    });
    const input = () => page.getByRole('textbox', { name: 'Message' });

    test('Enter sends, Shift+Enter breaks the line', async () => {
      await input().pressSequentially('one');
      await page.keyboard.press('Shift+Enter');
      await input().pressSequentially('two');
      await page.keyboard.press('Enter');
      await page.locator('.message.out').waitFor();
      expect((await stage.updates()).at(-1)?.message?.text).toBe('one\ntwo');
      await expect.poll(() => input().inputValue()).toBe('');
    });

    test('what is typed while a message is on its way is not lost', async () => {
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await page.route('**/cast/say', async (route) => {
        const sent = await route.fetch();
        await held;
        await route.fulfill({ response: sent });
      });
      await input().pressSequentially('one');
      await page.keyboard.press('Enter');
      await page.locator('.message.out').waitFor();
      await input().pressSequentially(' two');
      release();
      await expect.poll(() => input().inputValue()).toBe(' two');
    });

    test('a reply shows what it answers, reaches the bot, and its quote leads back', async () => {
      await page.locator('.bubble', { hasText: 'Ready.' }).hover();
      await page.getByRole('button', { name: 'Reply', exact: true }).click();
      await expect.poll(() => page.locator('#replying').innerText()).toContain('Ready.');
      await input().fill('go');
      await page.keyboard.press('Enter');
      const quote = page.locator('.message.out .reply-quote', { hasText: 'Ready.' });
      await quote.waitFor();
      expect((await stage.updates()).at(-1)?.message?.reply_to_message?.text).toBe('Ready.');
      await quote.click();
      await page.locator('.message.in.flash').waitFor();
    });

    test('"/" lists the commands of this person; arrows and Enter choose one', async () => {
      const commands = ['status', 'backup', 'certs'].map((command) => ({ command, description: `About ${command}` }));
      await stage.bot('setMyCommands', { commands });
      await input().pressSequentially('/');
      await page.getByRole('option', { name: '/backup' }).waitFor();
      await page.keyboard.press('ArrowDown');
      await expect.poll(() => page.locator('[aria-selected="true"]').innerText()).toContain('/backup');
      await page.keyboard.press('Enter');
      await page.locator('.message.out .text', { hasText: '/backup' }).waitFor();
      await expect.poll(() => input().inputValue()).toBe('');
      await input().pressSequentially('/ce');
      await expect.poll(() => page.getByRole('option').allInnerTexts()).toEqual([expect.stringContaining('/certs')]);
      await page.keyboard.press('Tab');
      await expect.poll(() => input().inputValue()).toBe('/certs ');
    });

    test('what could not be sent stays in the field, and the reason is said', async () => {
      await page.route('**/cast/say', (route) =>
        route.fulfill({ status: 400, json: { error: 'Chris has blocked the bot' } }),
      );
      await input().fill('hello?');
      await page.keyboard.press('Enter');
      await page.locator('.toast.error', { hasText: 'Chris has blocked the bot' }).waitFor();
      expect(await input().inputValue()).toBe('hello?');
    });

    test('a draft waits in its chat', async () => {
      await input().fill('half a thou');
      await page
        .locator('.chat-row', { hasText: 'Общее' })
        .or(page.locator('.chat-row', { hasText: 'General' }))
        .click();
      await expect.poll(() => input().inputValue()).toBe('');
      await page.locator('.chat-row').first().click();
      await expect.poll(() => input().inputValue()).toBe('half a thou');
    });
  });

  test('an empty private chat offers to start, as Telegram does', async () => {
    await visit(page, stage, { as: oscar, chat: oscar.id });
    await page.getByRole('button', { name: 'Start' }).click();
    await page.locator('.message.out .text', { hasText: '/start' }).waitFor();
    expect((await stage.updates()).map(({ message }) => message?.text)).toEqual(['/start']);
  });

  describe('a card that is edited', () => {
    const filler = async (count: number) => {
      for (let i = 1; i <= count; i += 1)
        await stage.bot('sendMessage', { ...inAlerts, text: `filler ${i}\nof two lines` });
    };
    const edit = (message_id: number, text: string) =>
      stage.bot('editMessageText', { chat_id: GROUP, message_id, text });
    const top = (text: string) =>
      page.evaluate(
        `[...document.querySelectorAll('.message')].find((el) => el.innerText.includes(${JSON.stringify(text)})).getBoundingClientRect().top`,
      );

    test('changes in its own place, says so and lights up', async () => {
      const card = await stage.bot('sendMessage', { ...inAlerts, text: 'running 10 %' });
      await stage.bot('sendMessage', { ...inAlerts, text: 'after it' });
      await visit(page, stage, alerts);
      await page.evaluate(`document.querySelector('[data-id="${card.message_id}"]').dataset.kept = 'yes'`);
      await edit(card.message_id, 'done');
      await page.locator('.message.flash', { hasText: 'done' }).waitFor();
      expect(await texts()).toEqual([expect.stringMatching(/^done\s*edited/), expect.stringContaining('after it')]);
      expect(await page.locator(`[data-id="${card.message_id}"]`).getAttribute('data-kept')).toBe('yes');
    });

    test('and grows above the reader does not move what is being read', async () => {
      const card = await stage.bot('sendMessage', { ...inAlerts, text: 'short' });
      await filler(40);
      await visit(page, stage, alerts);
      await page.evaluate(`document.querySelector('#scroller').scrollTop = 500`);
      await page.locator('#to-bottom').waitFor();
      const before = await top('filler 14');
      await edit(card.message_id, Array.from({ length: 12 }, (_, i) => `line ${i}`).join('\n'));
      await page.locator('.message', { hasText: 'line 11' }).waitFor({ state: 'attached' });
      expect(Math.abs(Number(await top('filler 14')) - Number(before))).toBeLessThan(2);
    });

    test('at the end keeps the end in view', async () => {
      await filler(40);
      const card = await stage.bot('sendMessage', { ...inAlerts, text: 'short' });
      await visit(page, stage, alerts);
      await edit(card.message_id, Array.from({ length: 12 }, (_, i) => `line ${i}`).join('\n'));
      await page.locator('.message', { hasText: 'line 11' }).waitFor();
      await expect
        .poll(() =>
          page.evaluate(
            `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 2)(document.querySelector('#scroller'))`,
          ),
        )
        .toBe(true);
    });

    test('keeps an opened quote open', async () => {
      const log = Array.from({ length: 8 }, (_, i) => `log ${i}`).join('\n');
      const html = (head: string) => ({
        parse_mode: 'HTML',
        text: `${head}\n<blockquote expandable>${log}</blockquote>`,
      });
      const card = await stage.bot('sendMessage', { ...inAlerts, ...html('first') });
      await visit(page, stage, alerts);
      await page.getByRole('button', { name: 'Show all' }).click();
      await stage.bot('editMessageText', { chat_id: GROUP, message_id: card.message_id, ...html('second') });
      await page.locator('.text', { hasText: 'second' }).waitFor();
      await expect.poll(() => page.getByRole('button', { name: 'Show less' }).isVisible()).toBe(true);
    });

    test('and deleted disappears', async () => {
      const card = await stage.bot('sendMessage', { ...inAlerts, text: 'to be deleted' });
      await visit(page, stage, alerts);
      await stage.bot('deleteMessage', { chat_id: GROUP, message_id: card.message_id });
      await page.getByText('Nothing here yet').waitFor();
      await expect.poll(() => page.locator('.message').count()).toBe(0);
    });
  });

  describe('news', () => {
    test('are counted in the list, for the others too, and read when opened', async () => {
      await stage.bot('sendMessage', { chat_id: chris.id, text: 'old' });
      await visit(page, stage, { as: chris, chat: chris.id });
      await stage.bot('sendMessage', { ...inAlerts, text: 'one' });
      await stage.bot('sendMessage', { ...inAlerts, text: 'two' });
      await page.getByRole('img', { name: '2 unread messages' }).waitFor();
      await expect.poll(() => page.title()).toContain('(2)');
      await become('Борис');
      await page.getByRole('img', { name: '2 непрочитанных сообщения' }).waitFor();
      await page.locator('.chat-row', { hasText: 'Тревоги' }).click();
      await page.getByText('Новые сообщения').waitFor();
      await expect.poll(() => page.locator('#chat-list .badge').count()).toBe(0);
    });

    test('that arrive below the reader wait behind the button', async () => {
      for (let i = 0; i < 40; i += 1) await stage.bot('sendMessage', { ...inAlerts, text: `filler ${i}` });
      await visit(page, stage, alerts);
      await page.evaluate(`document.querySelector('#scroller').scrollTop = 300`);
      const button = page.getByRole('button', { name: 'To the newest messages' });
      await button.waitFor();
      await stage.bot('sendMessage', { ...inAlerts, text: 'the newest' });
      await button.getByText('1').waitFor();
      await button.click();
      await button.waitFor({ state: 'hidden' });
      await expect.poll(() => page.locator('.message', { hasText: 'the newest' }).isVisible()).toBe(true);
    });

    test('what the bot is doing is told in the header', async () => {
      await visit(page, stage, alerts);
      await stage.bot('sendChatAction', { ...inAlerts, action: 'upload_document' });
      await page.getByRole('main').getByText('sending a file').waitFor();
      await stage.bot('sendMessage', { ...inAlerts, text: 'here' });
      await page.getByRole('main').getByText('Дежурство · 4 members').waitFor();
      await expect.poll(() => page.locator('.typing').count()).toBe(0);
    });
  });

  describe('what else a message can hold', () => {
    test('a file with its size, for download', async () => {
      const file = new File([new Uint8Array(48_213)], 'main.log', { type: 'text/plain' });
      await stage.upload('sendDocument', 'document', file, { chat_id: String(chris.id), caption: 'The log' });
      await visit(page, stage, { as: chris, chat: chris.id });
      expect(await page.locator('.document').innerText()).toMatch(/main\.log\s+47\.1 KB/);
      const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.document').click()]);
      expect(download.suggestedFilename()).toBe('main.log');
    });

    test('a photo, large on a press', async () => {
      await page.setViewportSize({ width: 640, height: 360 });
      const png = await page.screenshot();
      await stage.upload('sendPhoto', 'photo', new File([new Uint8Array(png)], 'graph.png', { type: 'image/png' }), {
        chat_id: String(chris.id),
        caption: 'CPU of pve1',
      });
      await page.setViewportSize(PHONE);
      await visit(page, stage, { as: chris, chat: chris.id });
      await expect.poll(() => page.evaluate(`document.querySelector('.photo img').naturalWidth`)).toBeGreaterThan(0);
      await page.getByRole('button', { name: 'Open the photo: CPU of pve1' }).click();
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    });

    test('a pinned message stays on top and leads to itself', async () => {
      const card = await stage.bot('sendMessage', { ...inAlerts, text: 'the pinned card' });
      await visit(page, stage, alerts);
      await stage.bot('pinChatMessage', { chat_id: GROUP, message_id: card.message_id });
      await page.locator('#pinned', { hasText: 'the pinned card' }).click();
      await page.locator('.message.flash', { hasText: 'the pinned card' }).waitFor();
      await expect.poll(() => page.locator('.service').allInnerTexts()).toEqual(['Вахта pinned “the pinned card”']);
    });

    test('a topic that is closed takes no messages, and a new one appears by itself', async () => {
      await visit(page, stage, alerts);
      await stage.simulator.cast.admin({ action: 'close_topic', chat: GROUP, thread_id: TOPIC.alerts });
      await page.getByText('The topic is closed').waitFor();
      await expect.poll(() => page.locator('#input').isVisible()).toBe(false);
      await stage.simulator.cast.admin({ action: 'create_topic', chat: GROUP, name: 'Drills' });
      await page.locator('.chat-row', { hasText: 'Drills' }).waitFor();
    });

    test('older pages come when one scrolls up, and a quote of something far away leads there', async () => {
      const first = await stage.bot('sendMessage', { ...inAlerts, text: 'the very first' });
      for (let i = 0; i < 230; i += 1) await stage.bot('sendMessage', { ...inAlerts, text: `filler ${i}` });
      stage.simulator.cast.say({
        as: boris.id,
        chat: GROUP,
        thread: TOPIC.alerts,
        text: 'see there',
        reply_to: first.message_id,
      });
      await visit(page, stage, alerts);
      expect(await page.locator('.message').count()).toBe(100);
      await page.locator('.reply-quote').click();
      await page.locator('.message.flash', { hasText: 'the very first' }).waitFor();
      expect(await page.locator('.message').count()).toBe(232);
    });
  });

  test('when the simulator goes away a banner says so, and what happened meanwhile is there afterwards', async () => {
    await visit(page, stage, alerts);
    await page.route('**/cast/events', (route) => route.abort());
    await stage.simulator.restart();
    // It connects again only when it is asked to, see `LASTING`.
    await page.getByRole('alert').getByText('No connection').waitFor();
    await stage.bot('sendMessage', { ...inAlerts, text: 'sent while nobody listened' });
    expect(await page.getByText('sent while nobody listened').count()).toBe(0);
    await page.unroute('**/cast/events');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator('.message', { hasText: 'sent while nobody listened' }).waitFor();
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    await stage.bot('sendMessage', { ...inAlerts, text: 'and live again' });
    await expect.poll(() => texts()).toHaveLength(2);
  });

  test('what is heard while an older state is still being read is not lost', async () => {
    await stage.bot('sendMessage', { ...inAlerts, text: 'before' });
    await visit(page, stage, alerts);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    await page.route('**/cast/messages*', async (route) => {
      const stale = await route.fetch();
      asked += 1;
      await held;
      await route.fulfill({ response: stale });
    });
    // A change of the world makes the page read everything again: the five places that Chris sees.
    await stage.simulator.cast.admin({ action: 'create_topic', chat: GROUP, name: 'Drills' });
    await expect.poll(() => asked).toBeGreaterThanOrEqual(5);
    await stage.bot('sendMessage', { ...inAlerts, text: 'meanwhile' });
    await page.locator('.message', { hasText: 'meanwhile' }).waitFor();
    release();
    await page.locator('.chat-row', { hasText: 'Drills' }).waitFor();
    expect(await texts()).toEqual([expect.stringContaining('before'), expect.stringContaining('meanwhile')]);
  });

  test('everything works from the keyboard: the list, the person, the theme', async () => {
    await stage.bot('sendMessage', { ...inAlerts, text: 'an alert' });
    await visit(page, stage, { as: anna, chat: anna.id });
    await page.locator('#person').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#person').innerText()).toContain('Борис');
    await page.locator('.chat-row', { hasText: 'Тревоги' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Тревоги' }).waitFor();
    await expect.poll(() => page.locator('.chat-row[aria-current]').innerText()).toContain('Тревоги');
  });
});
