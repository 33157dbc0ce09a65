import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import {
  answerPresses,
  type Browser,
  CAST,
  haveChromium,
  css,
  GROUP,
  type Keyboard,
  openBrowser,
  openStage,
  type Stage,
  TOPIC,
  visit,
} from './support/stage.ts';

const { chris, boris } = CAST;
describe.skipIf(!haveChromium)('buttons in the web chat', () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser({ permissions: ['clipboard-read', 'clipboard-write'] });
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

  async function card(inline_keyboard: Keyboard) {
    const sent = await stage.bot('sendMessage', {
      chat_id: chris.id,
      text: 'A card',
      reply_markup: { inline_keyboard },
    });
    await visit(page, stage, { as: chris, chat: chris.id });
    return sent;
  }

  test('each style has a colour of its own, and white on it is readable', async () => {
    await card([
      [{ text: 'plain', callback_data: '0' }],
      [
        { text: 'primary', callback_data: '1', style: 'primary' },
        { text: 'success', callback_data: '2', style: 'success' },
        { text: 'danger', callback_data: '3', style: 'danger' },
      ],
    ]);
    const grounds = await Promise.all(
      ['', '.primary', '.success', '.danger'].map((style) => css(page, `.key${style}`, 'background-color')),
    );
    expect(new Set(grounds).size).toBe(4);
    expect(await css(page, '.key.danger', 'background-color')).toBe('rgb(194, 51, 60)');
  });

  test('rows are as wide as the card, and their buttons share the width', async () => {
    await card([
      [{ text: 'one', callback_data: '1' }],
      [
        { text: 'a', callback_data: '2' },
        { text: 'a much longer label', callback_data: '3' },
      ],
    ]);
    const bubble = (await page.locator('.bubble').boundingBox())!;
    const [one, two, three] = await Promise.all(
      [0, 1, 2].map(async (n) => (await page.locator('.key').nth(n).boundingBox())!),
    );
    expect(Math.abs(one!.width - bubble.width)).toBeLessThan(1);
    expect(Math.abs(two!.width - three!.width)).toBeLessThan(1);
  });

  test('a press waits visibly for the bot, and its answer is a toast', async () => {
    await card([[{ text: 'Acknowledge', callback_data: 'ack' }]]);
    const key = page.getByRole('button', { name: 'Acknowledge' });
    await key.click();
    await page.locator('.key.waiting').waitFor();
    await expect.poll(() => answerPresses(stage, { text: 'Yours now' })).toEqual([{ data: 'ack', from: chris.id }]);
    await page.getByRole('status').getByText('Yours now').waitFor();
    await expect.poll(() => key.getAttribute('aria-busy')).toBe('false');
  });

  test('a second press while the first waits is not sent', async () => {
    await card([[{ text: 'Restart', callback_data: 'r' }]]);
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/cast/press')) sent.push(request.method());
    });
    await page.getByRole('button', { name: 'Restart' }).dblclick();
    await page.locator('.key.waiting').waitFor();
    await expect.poll(() => answerPresses(stage, { text: 'once' })).toHaveLength(1);
    await page.locator('.toast', { hasText: 'once' }).waitFor();
    expect(await answerPresses(stage)).toEqual([]);
    expect(sent).toEqual(['POST']);
  });

  test('an answer with show_alert is a window that must be closed', async () => {
    await card([[{ text: 'Delete', callback_data: 'd', style: 'danger' }]]);
    await page.getByRole('button', { name: 'Delete' }).click();
    await expect.poll(() => answerPresses(stage, { text: 'Only an admin may', show_alert: true })).toHaveLength(1);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Only an admin may').waitFor();
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
  });

  test('an answer without text only ends the waiting', async () => {
    await card([[{ text: 'Details', callback_data: 'v' }]]);
    await page.getByRole('button', { name: 'Details' }).click();
    await expect.poll(() => answerPresses(stage)).toHaveLength(1);
    await page.locator('.key:not(.waiting)').waitFor();
    expect(await page.locator('.toast').count()).toBe(0);
  });

  test('nobody sees the answer to another person’s press', async () => {
    const inline_keyboard = [[{ text: 'Silence', callback_data: 's' }]];
    await stage.bot('sendMessage', {
      chat_id: GROUP,
      message_thread_id: TOPIC.alerts,
      text: 'Alert',
      reply_markup: { inline_keyboard },
    });
    await visit(page, stage, { as: chris, chat: GROUP, thread: TOPIC.alerts });
    const message_id = stage.simulator.state.messages(GROUP).at(-1)!.message_id;
    stage.simulator.cast.press({ as: boris.id, chat: GROUP, message_id, row: 0, col: 0 });
    expect(await answerPresses(stage, { text: 'for Boris' })).toEqual([{ data: 's', from: boris.id }]);
    await page.getByRole('button', { name: 'Silence' }).click();
    await expect.poll(() => answerPresses(stage, { text: 'for Chris' })).toHaveLength(1);
    await page.locator('.toast').first().waitFor();
    expect(await page.locator('.toast').allTextContents()).toEqual(['for Chris']);
  });

  test('an inert button cannot be pressed; a link opens elsewhere; copying copies', async () => {
    await card([
      [
        { text: 'Taken', disabled: {} },
        { text: 'Runbook', url: 'https://example.org/runbook' },
        { text: 'Label', copy_text: { text: '20261123-085121F' } },
      ],
    ]);
    expect(await page.getByRole('button', { name: 'Taken' }).isDisabled()).toBe(true);
    const link = page.getByRole('link', { name: 'Runbook' });
    expect(await link.getAttribute('href')).toBe('https://example.org/runbook');
    expect(await link.getAttribute('target')).toBe('_blank');
    expect(await link.textContent()).toContain('↗');
    await page.getByRole('button', { name: 'Label' }).click();
    await page.locator('.toast', { hasText: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('20261123-085121F');
  });

  test('a press that the simulator refuses says so and can be repeated', async () => {
    const sent = await card([[{ text: 'Old', callback_data: 'o' }]]);
    await page.route('**/cast/press', (route) => route.fulfill({ status: 404, json: { error: 'message is gone' } }), {
      times: 1,
    });
    await page.getByRole('button', { name: 'Old' }).click();
    await page.locator('.toast.error', { hasText: 'message is gone' }).waitFor();
    await page.getByRole('button', { name: 'Old' }).click();
    await expect.poll(() => answerPresses(stage)).toEqual([{ data: 'o', from: chris.id }]);
    expect(sent.message_id).toBeGreaterThan(0);
  });

  test('a card that is redrawn keeps the keyboard user on the same button', async () => {
    const sent = await card([
      [
        { text: 'A', callback_data: 'a' },
        { text: 'B', callback_data: 'b' },
      ],
    ]);
    await page.getByRole('button', { name: 'B', exact: true }).focus();
    await stage.bot('editMessageText', {
      chat_id: chris.id,
      message_id: sent.message_id,
      text: 'The card, redrawn',
      reply_markup: {
        inline_keyboard: [
          [
            { text: 'C', callback_data: 'c' },
            { text: 'D', callback_data: 'd' },
          ],
        ],
      },
    });
    await page.getByText('The card, redrawn').first().waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('D');
  });
});
