import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import {
  type Browser,
  CAST,
  haveChromium,
  css,
  DESKTOP,
  GROUP,
  openBrowser,
  openStage,
  PHONE,
  type Stage,
  still,
  TOPIC,
  visit,
} from './support/stage.ts';

const { anna, chris } = CAST;
describe.skipIf(!haveChromium)('the look of the web chat', () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;

  beforeAll(async () => {
    browser = await openBrowser();
    stage = await openStage();
    await rich(anna.id);
    await rich(GROUP, TOPIC.alerts);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });
  afterEach(() => page.close());

  /** Everything that could be too wide: a word without breaks, code, three buttons with long labels, a long file name. */
  async function rich(chat_id: number, thread?: number) {
    const where = { chat_id, ...(thread === undefined ? {} : { message_thread_id: thread }) };
    const endless = 'a'.repeat(300);
    const html = [
      '<b>bold</b> <i>italic</i> <u>under</u> <s>struck</s> <code>code</code> <tg-spoiler>hidden</tg-spoiler>',
      '<a href="https://example.org">link</a> @vakhta_bot /status',
      `<pre><code class="language-text">${'column '.repeat(40)}</code></pre>`,
      `<blockquote expandable>${'quoted words '.repeat(60)}</blockquote>`,
      endless,
    ].join('\n');
    const label = 'A label that is much too long for a third of a phone';
    const key = { text: label, callback_data: 'x' };
    const inline_keyboard = [
      [key, { ...key, style: 'danger' }, { ...key, style: 'success' }],
      [
        { ...key, style: 'primary' },
        { text: label, disabled: {} },
        { text: label, url: 'https://example.org' },
      ],
    ];
    const sent = await stage.bot('sendMessage', {
      ...where,
      text: html,
      parse_mode: 'HTML',
      reply_markup: { inline_keyboard },
    });
    const file = new File([new Uint8Array(1_500_000)], `${'very-long-name-'.repeat(8)}.log`);
    const texts = { chat_id: String(chat_id), ...(thread === undefined ? {} : { message_thread_id: String(thread) }) };
    await stage.upload('sendDocument', 'document', file, { ...texts, caption: 'The whole log' });
    const person = chat_id === GROUP ? CAST.boris : anna;
    const said = { as: person.id, chat: chat_id, text: endless, thread, reply_to: sent.message_id };
    stage.simulator.cast.say(said);
    await stage.bot('pinChatMessage', { chat_id, message_id: sent.message_id });
  }

  const open = async (size: typeof PHONE, where: Parameters<typeof visit>[2]) => {
    page = await browser.page(size);
    await visit(page, stage, where);
  };

  /** Elements that stick out of the window; scrolling inside a code block is allowed. */
  const sticksOut = () =>
    page.evaluate(`[...document.querySelectorAll('body *')]
    .filter((el) => !el.closest('pre, svg, .offscreen') && el.getClientRects().length > 0)
    .filter((el) => { const box = el.getBoundingClientRect(); return box.right > innerWidth + 0.5 || box.left < -0.5; })
    .map((el) => el.tagName + '.' + el.className)`);

  describe.each([
    ['phone', PHONE],
    ['small phone', { width: 320, height: 640 }],
    ['desktop', DESKTOP],
  ])('on a %s', (_name, size) => {
    test.each([
      ['a private chat', { as: anna, chat: anna.id }],
      ['a topic', { as: chris, chat: GROUP, thread: TOPIC.alerts }],
      ['the list', { as: anna }],
      ['an empty chat', { as: chris, chat: chris.id }],
    ])('%s fits the width', async (_what, where) => {
      await open(size, where);
      await still(page);
      expect(await sticksOut()).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    });
  });

  test('a desktop shows list and chat side by side and opens the first chat', async () => {
    await open(DESKTOP, { as: chris });
    await expect.poll(() => page.getByRole('navigation').isVisible()).toBe(true);
    await expect.poll(() => page.getByRole('main').isVisible()).toBe(true);
    await expect.poll(() => page.locator('#back').isVisible()).toBe(false);
  });

  test('on a phone list and chat are two screens; the back button and the browser’s own return to the list', async () => {
    await open(PHONE, { as: anna });
    await page.locator('#chat').waitFor({ state: 'hidden' });
    await page.locator('.chat-row').first().click();
    await page.locator('#chat-list').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Назад к чатам' }).click();
    await page.locator('#chat').waitFor({ state: 'hidden' });
    await page.goBack();
    await page.getByRole('main').waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('chat')).toBe(String(anna.id));
  });

  test('on a phone the person can be changed inside a chat', async () => {
    await open(PHONE, { as: anna, chat: GROUP, thread: TOPIC.alerts });
    await page.locator('#head-person').click();
    await page.getByRole('menuitemradio', { name: 'Chris' }).click();
    await page.getByRole('button', { name: 'Switch person: Chris' }).waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('as')).toBe(String(chris.id));
  });

  describe('light and dark', () => {
    test('the system’s wish is followed, also when it changes', async () => {
      page = await browser.page();
      await page.emulateMedia({ colorScheme: 'dark' });
      await visit(page, stage, { as: anna });
      const dark = await css(page, '#sidebar', 'background-color');
      await page.emulateMedia({ colorScheme: 'light' });
      await expect.poll(() => css(page, '#sidebar', 'background-color')).toBe('rgb(255, 255, 255)');
      expect(dark).toBe('rgb(23, 33, 43)');
    });

    test('the switch wins over the system and is remembered', async () => {
      page = await browser.page();
      await page.emulateMedia({ colorScheme: 'light' });
      await visit(page, stage, { as: chris });
      await page.getByRole('button', { name: 'Dark theme' }).click();
      await visit(page, stage, { as: chris });
      await expect.poll(() => css(page, '#sidebar', 'background-color')).toBe('rgb(23, 33, 43)');
      await page.getByRole('button', { name: 'Light theme' }).click();
      await expect.poll(() => css(page, '#sidebar', 'background-color')).toBe('rgb(255, 255, 255)');
      await page.evaluate('localStorage.clear()');
    });

    test.each(['light', 'dark'] as const)('in %s every text has a contrast of at least 4.5', async (theme) => {
      for (const where of [
        { as: anna, chat: anna.id, theme },
        { as: chris, chat: GROUP, thread: TOPIC.alerts, theme },
        { as: chris, chat: chris.id, theme },
      ]) {
        await (page as Page | undefined)?.close();
        await open(DESKTOP, where);
        await page.locator('#person').click();
        await page.getByRole('menu').waitFor();
        await still(page);
        expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
      }
    });
  });

  /**
   * Texts whose contrast with what lies under them is below WCAG's 4.5. Half-transparent grounds are mixed with what is below;
   * a gradient counts with the colour of its stops that is worst.
   */
  const LOW_CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const mix = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const grounds = (el) => {
    if (!el) return [[255, 255, 255, 1]];
    const style = getComputedStyle(el);
    const stops = style.backgroundImage.startsWith('linear') ? style.backgroundImage.match(/rgba?\\([^)]*\\)/g).map(rgba) : [rgba(style.backgroundColor)];
    if (stops.every((stop) => stop[3] === 1)) return stops;
    const floating = style.position === 'fixed';
    const below = grounds(floating ? null : el.parentElement);
    return stops.flatMap((stop) => below.map((under) => mix(stop, under)));
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let checked = 0;
  while (walker.nextNode()) {
    const el = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || el.getClientRects().length === 0 || el.closest('.spoiler, [disabled]')) continue;
    checked += 1;
    const color = rgba(getComputedStyle(el).color);
    const worst = Math.min(...grounds(el).map((ground) => ratio(mix(color, ground), ground)));
    if (worst < 4.5) low.push(el.className + ' ' + walker.currentNode.data.slice(0, 20) + ' ' + worst.toFixed(2));
  }
  if (checked < 15) low.push('only ' + checked + ' texts were found');
  return low;
})()`;

  test('the page speaks the person’s language', async () => {
    await open(DESKTOP, { as: anna, chat: anna.id });
    expect(await page.getAttribute('html', 'lang')).toBe('ru');
    await page.getByPlaceholder('Сообщение').waitFor();
    await page.locator('#person').click();
    await page.getByRole('menuitemradio', { name: 'Vera' }).click();
    await page.getByRole('button', { name: 'Start' }).waitFor();
    await expect.poll(() => page.getAttribute('html', 'lang')).toBe('en');
  });

  test('both languages have the same texts, with the same arguments', async () => {
    await open(DESKTOP, { as: chris });
    const source = await (await fetch(`${stage.url}/i18n.js`)).text();
    const keys = (language: string) => {
      const block = source.slice(source.indexOf(`  ${language}: {`)).split('\n  },')[0]!;
      return [...block.matchAll(/^ {4}(\w+):/gm)].map((match) => match[1]);
    };
    expect(keys('ru')).toEqual(keys('en'));
    expect(keys('en').length).toBeGreaterThan(50);
  });

  test('nothing is fetched from anywhere else', async () => {
    page = await browser.page();
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).origin));
    await visit(page, stage, { as: anna, chat: anna.id });
    expect([...hosts]).toEqual([stage.url]);
  });
});
