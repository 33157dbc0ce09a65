import { describe, expect, it } from 'vitest';
import { drawIncident } from '../../src/bot/cards/incident.ts';
import type { FoldingExtras } from '../../src/bot/cards/incident/folding.ts';
import { NO_EXTRAS } from '../../src/bot/cards/incident/part.ts';
import { render } from '../../src/bot/render.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { incidentData } from '../../src/core/incident.ts';
import type { Language } from '../../src/core/people.ts';
import { allMessages } from '../../src/messages.gen.ts';
import type { FoldedIncident } from '../../src/store/folding.ts';
import type { Incident } from '../../src/store/incidents.ts';
import { incidentOfBodies } from '../conformance/webhook/support.ts';

const NOW = new Date('2026-11-23T00:17:30Z');
const texts = catalogue(allMessages);

const child = (id: number, more: Partial<FoldedIncident> = {}): FoldedIncident => ({
  id,
  state: 'firing',
  severity: 'warning',
  title: `web${id} is slow`,
  owner: undefined,
  startedAt: NOW,
  truncated: 0,
  alerts: [
    { status: 'firing', labels: {} },
    { status: 'firing', labels: {} },
  ],
  ...more,
});

function lines(folding: FoldingExtras, view = '', language: Language = 'en'): string[] {
  const reduced = incidentOfBodies(
    [
      JSON.stringify({
        groupKey: 'g',
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'HostDown', severity: 'critical', instance: 'pve1' },
            startsAt: NOW,
          },
        ],
      }),
    ],
    NOW,
  );
  const row: Incident = {
    id: 12,
    source: 'alertmanager',
    groupKey: 'g',
    current: true,
    rev: 1,
    owner: undefined,
    ackedAt: undefined,
    silence: undefined,
    updatedAt: NOW,
    ...reduced,
    data: { ...reduced.data },
    resolvedAt: undefined,
  };
  const t = texts.for(language);
  const zone = 'Europe/Moscow';
  const context = { t, language, zone, now: NOW, people: () => undefined };
  const doc = drawIncident(context, row, incidentData.parse(row.data), view, { ...NO_EXTRAS, folding });
  const { text, keyboard } = render(doc, { t, zone, now: NOW });
  expect(text).not.toMatch(/\{|undefined|NaN/u);
  return [...text.split('\n'), ...keyboard.map((keys) => keys.map(({ label }) => `[${label}]`).join(' '))];
}

const folded = (n: number): FoldingExtras => ({
  folded: Array.from({ length: n }, (_, k) => child(k + 20)),
  guests: Math.min(n, 14),
  inventoryAt: NOW,
});

describe('the card of what is down', () => {
  it('says how much is folded into it, and lists it one press away', () => {
    expect(lines(folded(16))).toContain('Folded: 14 guests, 32 alerts');
    expect(lines(folded(16))).toContain('[▸ Folded: 16]');
    const page = lines(folded(16), 'folded:2');
    expect(page).toContain('Folded into it: 16–16 of 16');
    expect(page).toContain('• 🟠 #35 web35 is slow · 2 alerts · firing');
    expect(page.at(-1)).toBe('[‹ Back] [‹ 1]');
  });

  it('says it in Russian too, in the right plural', () => {
    expect(lines(folded(1), '', 'ru')).toContain('Свёрнуто: 1 гость, 2 алерта');
    expect(lines(folded(3), '', 'ru')).toContain('Свёрнуто: 3 гостя, 6 алертов');
    expect(lines(folded(1), 'folded:1', 'ru')).toContain('• 🟠 #20 web20 is slow · 2 алерта · горит');
  });

  it('says how old the inventory is, and when all of it is over', () => {
    const hours = new Date(NOW.getTime() - 3 * 3_600_000);
    const over = [child(20, { state: 'resolved' })];
    expect(lines({ folded: over, guests: 0, inventoryAt: hours })).toContain(
      'Folded: 2 alerts, all over · inventory 3 h old',
    );
    expect(lines({ folded: over, guests: 0, inventoryAt: hours }, '', 'ru')).toContain(
      'Свёрнуто: 2 алерта, всё погасло · данным о размещении 3 ч',
    );
  });

  it('has no such line when nothing is folded, and an empty list says so', () => {
    const none = { folded: [], guests: 0 };
    expect(lines(none).join('\n')).not.toContain('Folded');
    expect(lines(none, 'folded:1')).toContain('Nothing is folded into it any more.');
  });

  it('of what is folded says where it went', () => {
    const parent = { id: 3, title: 'pve1 is down', state: 'firing' as const };
    expect(lines({ folded: [], guests: 0, parent })).toContain('Folded into: #3 pve1 is down');
    expect(lines({ folded: [], guests: 0, parent }, '', 'ru')).toContain('Свёрнут в: #3 pve1 is down');
  });
});
