import { describe, expect, it } from 'vitest';
import { drawStorm } from '../../src/bot/cards/storm/draw.ts';
import { render } from '../../src/bot/render.ts';
import { catalogue } from '../../src/core/i18n.ts';
import type { Language } from '../../src/core/people.ts';
import { allMessages } from '../../src/messages.gen.ts';
import type { Storm, StormMember } from '../../src/store/storms.ts';

const NOW = new Date('2026-11-23T00:17:30Z');
const at = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);
const texts = catalogue(allMessages);

const storm = (more: Partial<Storm> = {}): Storm => ({
  id: 1,
  chat: -1,
  thread: undefined,
  topic: undefined,
  startedAt: at(-5),
  lastAt: at(-4),
  calmAt: undefined,
  endedAt: undefined,
  ...more,
});

const member = (id: number, more: Partial<StormMember> = {}): StormMember => ({
  id,
  state: 'firing',
  severity: 'warning',
  title: `Disk of db${id} is full`,
  owner: undefined,
  startedAt: at(-5),
  resolvedAt: undefined,
  folded: false,
  truncated: 0,
  all: Array.from({ length: 5 }, (_, n) => ({
    status: 'firing' as const,
    labels: { alertname: 'DiskFull', node: id % 2 === 0 ? 'pve1' : 'pve2', instance: `db${id}:${n}` },
  })),
  ownCard: false,
  released: false,
  ...more,
});

const MEMBERS: readonly StormMember[] = [
  ...Array.from({ length: 8 }, (_, n) => member(n, { severity: 'critical', ownCard: true })),
  ...Array.from({ length: 12 }, (_, n) => member(n + 8, n < 4 ? { state: 'resolved' } : {})),
];

function lines(
  of: Storm,
  members: readonly StormMember[],
  { view = '', language = 'en' }: { readonly view?: string; readonly language?: Language } = {},
): string[] {
  const t = texts.for(language);
  const zone = 'Europe/Moscow';
  const doc = drawStorm({ t, language, zone, now: NOW, people: () => undefined }, of, members, view);
  const { text, keyboard } = render(doc, { t, zone, now: NOW });
  expect(text).not.toMatch(/\{|undefined|NaN/u);
  return [...text.split('\n'), ...keyboard.map((row) => row.map(({ label }) => `[${label}]`).join(' '))];
}

describe('the card of a storm', () => {
  it('says how bad it is, what is shared, and names the critical ones', () => {
    expect(lines(storm(), MEMBERS)).toEqual([
      '🔴 CRITICAL · Storm: 20 incidents, 100 alerts',
      'Since: 23 Nov 03:12 · 5 min as of 03:17',
      '🔴 CRITICAL: 8 incidents, 40 alerts · 8 still fire',
      '🟠 WARNING: 12 incidents, 60 alerts · 8 still fire',
      'In common: alertname=DiskFull ×100 · node=pve1 ×50 · node=pve2 ×50',
      'New incidents are collected here. 8 of them have cards of their own. All are counted above.',
      'Critical, still firing',
      '• 🔴 #0 Disk of db0 is full · 5 alerts',
      '• 🔴 #1 Disk of db1 is full · 5 alerts',
      '• 🔴 #2 Disk of db2 is full · 5 alerts',
      '• 🔴 #3 Disk of db3 is full · 5 alerts',
      '• 🔴 #4 Disk of db4 is full · 5 alerts',
      '• 🔴 #5 Disk of db5 is full · 5 alerts',
      '… and 2 more under “All”',
      '[✋ Acknowledge all (16)]',
      '[☰ All 20]',
    ]);
  });

  it('says it in Russian too', () => {
    expect(lines(storm({ calmAt: at(-1) }), MEMBERS, { language: 'ru' }).slice(0, 6)).toEqual([
      '🔴 КРИТИЧНО · Шквал стихает: 20 инцидентов, 100 алертов',
      'Длился: 1 мин · 23 ноя 03:12 – 03:13',
      '🔴 КРИТИЧНО: 8 инцидентов, 40 алертов · ещё горит: 8',
      '🟠 ВНИМАНИЕ: 12 инцидентов, 60 алертов · ещё горит: 8',
      'Общее: alertname=DiskFull ×100 · node=pve1 ×50 · node=pve2 ×50',
      'С 03:13 ничего нового. Всё, что ещё горит, получает свои карточки, самое тяжёлое — первым. Осталось: 8.',
    ]);
  });

  it('ends with a verdict and its duration, and is green only when nothing fires', () => {
    const over = storm({ calmAt: at(-1), endedAt: at(0) });
    const [head, , , , , verdict] = lines(over, MEMBERS);
    expect(head).toBe('🔵 INFO · Storm over: 20 incidents, 100 alerts in 1 min');
    expect(verdict).toBe('4 over, 16 still fire and have cards of their own.');
    const all = MEMBERS.map((one): StormMember => ({ ...one, state: 'resolved', owner: 'ada' }));
    expect(lines(over, all)[0]).toBe('🟢 RESOLVED · Storm over: 20 incidents, 100 alerts in 1 min');
    expect(lines(over, all)).toContain('Everything is over.');
    expect(lines(over, all).at(-1)).toBe('[☰ All 20]');
  });

  it('says of what is folded that it is, and promises it no card', () => {
    const members = [member(1, { folded: true }), member(2, { state: 'resolved' }), member(3)];
    const shown = lines(storm({ calmAt: at(-1), endedAt: at(0) }), members);
    expect(shown).toContain('1 over, 1 still fires and has a card of its own.');
    expect(shown).toContain('1 of them is folded into other incidents.');
    expect(lines(storm({ calmAt: at(-1) }), members).join('\n')).toContain('1 to go');
  });

  it('has pages; one that is not there is the last one', () => {
    expect(lines(storm(), MEMBERS, { view: 'all:9' })).toEqual([
      '🔴 CRITICAL · Storm: 20 incidents, 100 alerts',
      'Incidents 16–20 of 20',
      '• 🟠 #19 Disk of db19 is full · 5 alerts · firing',
      ...[8, 9, 10, 11].map((n) => `• 🟢 #${n} Disk of db${n} is full · 5 alerts · over`),
      '[‹ Back] [‹ 1]',
      '[📄 As a file]',
    ]);
  });

  it('fits into a message, whatever the incidents are called', () => {
    const long = MEMBERS.map((one) => ({ ...one, title: '<&_*[ я'.repeat(40) }));
    for (const view of ['', 'all:1', 'all:2']) {
      expect(Array.from(lines(storm(), long, { view }).join('\n')).length).toBeLessThan(3500);
    }
  });

  it('of which nothing is kept says so', () => {
    expect(lines(storm({ calmAt: at(-1), endedAt: at(0) }), [])).toContain('Nothing of it is kept any more.');
    expect(lines(storm(), [], { view: 'all:1' })).toContain('Nothing of it is kept any more.');
  });
});
