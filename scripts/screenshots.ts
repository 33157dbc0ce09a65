/**
 * Makes the pictures of the README from the running demo: `npm run screenshots [folder]`. Needs Chromium.
 * Everything on them is what a person gets who types the same words and presses the same buttons.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { runDemo } from '../src/demo/demo.ts';
import { CAST, GROUP, TOPICS } from '../src/demo/surroundings.ts';

const folder = process.argv[2] ?? 'docs/images';
const DESKTOP = { width: 1180, height: 1080 };
const PHONE = { width: 390, height: 844 };

await mkdir(folder, { recursive: true });
const language = process.env['VAKHTA_LANG'] === 'ru' ? 'ru' : 'en';
// The people of the pictures speak the language of the README they stand in.
const [anna, boris, carol] = CAST;
const [admin, operator] = language === 'ru' ? [anna, boris] : [carol, carol];
const ended = new AbortController();
let ready: (url: string) => void = () => {};
const url = new Promise<string>((resolve) => {
  ready = resolve;
});
const demo = runDemo({
  language,
  signal: ended.signal,
  webPort: 0,
  print: (text) => {
    const found = /http:\/\/127\.0\.0\.1:\d+/u.exec(text)?.[0];
    if (found) ready(found);
    console.log(text);
  },
});
const base = await url;
const browser = await chromium.launch({
  executablePath: process.env['VAKHTA_CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

const open = async (
  context: BrowserContext,
  as: number,
  thread: number | undefined,
  theme: 'dark' | 'light',
  chat: number = GROUP,
): Promise<Page> => {
  const page = await context.newPage();
  const place = thread === undefined ? '' : `&thread=${thread}`;
  await page.goto(`${base}/?as=${as}&chat=${chat}${place}&theme=${theme}`);
  await page.waitForSelector('html[data-ready]');
  return page;
};
const say = async (page: Page, text: string): Promise<void> => {
  const start = page.getByRole('button', { name: /^(Start|Начать|Запустить|СТАРТ|START)$/iu });
  if (await start.isVisible()) await start.click();
  await page.locator('textarea').fill(text);
  await page.locator('textarea').press('Enter');
};
const shows = (page: Page, text: string | RegExp, timeout = 60_000) => page.getByText(text).last().waitFor({ timeout });
const settle = (page: Page) => page.waitForTimeout(1200);
const shot = async (page: Page, name: string): Promise<void> => {
  await settle(page);
  await page.screenshot({ path: join(folder, `${name}-${language}.png`) });
  console.log(`wrote ${name}-${language}.png`);
};

try {
  const desktop = await browser.newContext({ viewport: DESKTOP, deviceScaleFactor: 1 });
  const phone = await browser.newContext({ viewport: PHONE, deviceScaleFactor: 2 });

  const alerts = await open(desktop, operator.id, TOPICS.alerts, 'dark');
  const own = alerts.getByRole('button', { name: /✋/u });
  await own.nth(1).click({ timeout: 40_000 });
  await alerts.getByRole('button', { name: /🔕/u }).first().click();
  const hours = alerts.getByRole('button', { name: /\b4\s*(h|ч)/u }).first();
  await hours.waitFor({ timeout: 20_000 });
  await shot(alerts, 'silence');
  await hours.click();
  await alerts
    .getByText(/Silenced until|Заглушено до|Заглушён до|Заглушка до/u)
    .first()
    .waitFor({ timeout: 20_000 });
  await shot(alerts, 'alerts');
  await alerts.getByRole('button', { name: /🔎/u }).nth(1).click();
  await alerts.getByRole('button', { name: /📈/u }).first().click({ timeout: 20_000 });
  await alerts.locator('img').last().waitFor({ timeout: 30_000 });
  await shot(alerts, 'graph');

  const backups = await open(desktop, operator.id, TOPICS.backups, 'dark');
  await say(backups, '/backup pg main full');
  await backups.getByText(/█/u).first().waitFor({ timeout: 30_000 });
  await shot(backups, 'backup-running');
  await shows(backups, /Label|Метка/u);
  await shot(backups, 'backup');
  await say(backups, '/drill restore pg:main');
  await shows(backups, /Restored and proven|Восстановлено и проверено/u, 120_000);
  await shot(backups, 'drill');
  await say(backups, '/restore pg main 2020-01-30 14:15');
  await shows(backups, /before everything|раньше всего/u);
  await shot(backups, 'restore-refused');
  await say(backups, '/slo');
  await backups
    .getByText(/RTO · /u)
    .last()
    .waitFor({ timeout: 30_000 });
  await backups.locator('img').last().waitFor({ timeout: 30_000 });
  await shot(backups, 'slo');

  const certificates = await open(desktop, admin.id, TOPICS.certificates, 'light');
  await shot(certificates, 'certificates');

  const status = await open(phone, admin.id, undefined, 'dark', admin.id);
  await say(status, '/status');
  await shows(status, /pve1/u);
  await shot(status, 'status-phone');
  await say(status, '/guest restart docker1');
  await status
    .getByRole('button', { name: /Confirm|Подтвердить/u })
    .first()
    .waitFor({ timeout: 30_000 });
  await shot(status, 'confirm-phone');
  await say(status, '/certs');
  await shows(status, /(Certificates|Сертификаты) · /u);
  await shot(status, 'certs-phone');
  await say(status, '/help');
  await settle(status);
  await shot(status, 'help-phone');

  const digest = await open(phone, admin.id, TOPICS.alerts, 'dark');
  await shows(digest, /Morning digest|Утренняя сводка/u, 100_000);
  await shot(digest, 'digest-phone');
} catch (error) {
  // What the person would have seen instead.
  for (const [n, page] of browser
    .contexts()
    .flatMap((context) => context.pages())
    .entries()) {
    await page.screenshot({ path: join(folder, `failed-${n}.png`) });
  }
  throw error;
} finally {
  await browser.close();
  ended.abort();
  await demo;
}
