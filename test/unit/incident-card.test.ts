import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Incident } from '../../src/core/incident.ts';
import { loadRunbooks } from '../../src/tasks/runbooks.ts';
import { asText, incidentOfBodies, type Seen, show } from '../conformance/webhook/support.ts';

const NOW = new Date('2026-11-23T00:17:30Z');
const at = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);

interface Given {
  readonly instance: string;
  readonly status?: 'firing' | 'resolved';
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ends?: number;
}

const body = (alerts: readonly Given[], more: object = {}): string =>
  JSON.stringify({
    groupKey: 'g',
    groupLabels: { alertname: 'HostDiskFull' },
    ...more,
    alerts: alerts.map(({ instance, status = 'firing', labels = {}, annotations = {}, ends }) => ({
      status,
      labels: { alertname: 'HostDiskFull', severity: 'critical', instance, job: 'node', ...labels },
      annotations,
      startsAt: at(-12).toISOString(),
      ...(ends === undefined ? {} : { endsAt: at(ends).toISOString() }),
      generatorURL: 'http://prometheus.lan:9090/graph?g0.expr=x',
    })),
  });
const one = (given: Partial<Given> = {}): Incident =>
  incidentOfBodies(
    [
      body([
        {
          instance: 'pve1:9100',
          annotations: { summary: 'pve1: / has 3 % left', description: 'Below 5 % databases stop.' },
          ...given,
        },
      ]),
    ],
    NOW,
  );
const seen = (more: Partial<Seen> = {}): Seen => ({ now: NOW, ...more });
const lines = (incident: Incident, more: Partial<Seen> = {}, row: Parameters<typeof show>[2] = {}): string[] =>
  asText(show(incident, seen(more), row)).split('\n');

describe('the card at 3 a.m.', () => {
  test('in English', () => {
    expect(lines(one())).toEqual([
      '🔴 CRITICAL · pve1: / has 3 % left · #12',
      'Since: 23 Nov 03:05 · 12 min as of 03:17',
      'Alert: HostDiskFull',
      'Where: instance=pve1:9100 job=node',
      'Below 5 % databases stop.',
      '[✋ Acknowledge]',
      '[🔕 Silence…] [🔎 More…]',
    ]);
  });

  test('in Russian, in the zone of the reader', () => {
    expect(lines(one(), { language: 'ru', zone: 'Asia/Yekaterinburg' })).toEqual([
      '🔴 КРИТИЧНО · pve1: / has 3 % left · #12',
      'Началось: 23 ноя 05:05 · 12 мин на 05:17',
      'Алерт: HostDiskFull',
      'Где: instance=pve1:9100 job=node',
      'Below 5 % databases stop.',
      '[✋ Беру на себя]',
      '[🔕 Заглушить…] [🔎 Ещё…]',
    ]);
  });

  test('shows who has it and until when it is silent, with the way back', () => {
    const silence = { id: 's', until: at(240), by: 'anna' };
    expect(lines(one(), { language: 'ru' }, { owner: 'anna', ackedAt: at(-5), silence })).toEqual([
      '🔕 ЗАГЛУШЕНО · критично · pve1: / has 3 % left · #12',
      'Началось: 23 ноя 03:05 · 12 мин на 03:17',
      'Алерт: HostDiskFull',
      'Где: instance=pve1:9100 job=node',
      'Занимается: Анна с 03:12',
      'Заглушено до: 23 ноя 07:17 · Анна',
      'Below 5 % databases stop.',
      '[Снять с себя] [👥 Передать…]',
      '[🔔 Снять заглушку] [🔎 Ещё…]',
    ]);
  });

  test('is not silent any more when the silence has run out', () => {
    const text = lines(one(), {}, { silence: { id: 's', until: at(-1), by: 'anna' } });
    expect(text[0]).toMatch(/^🔴 CRITICAL/u);
    expect(text.at(-1)).toContain('🔕 Silence…');
  });

  test('tells the end with how long it lasted, and who handled it', () => {
    const over = incidentOfBodies(
      [body([{ instance: 'a' }]), body([{ instance: 'a', status: 'resolved', ends: 1 }])],
      NOW,
    );
    expect(lines(over, { language: 'ru', now: at(2) }, { owner: 'anna', ackedAt: at(-5) })).toEqual([
      '🟢 РЕШЕНО · HostDiskFull · #12',
      'Длилось: 13 мин · 23 ноя 03:05 – 03:18',
      'Где: instance=a job=node',
      'Кто занимался: Анна',
      '[🔎 Ещё…]',
    ]);
  });

  test('is not green when nobody said that all of it is over', () => {
    const unseen = incidentOfBodies(
      [body([{ instance: 'a' }, { instance: 'b' }]), body([{ instance: 'a', status: 'resolved', ends: 1 }])],
      NOW,
    );
    const text = lines(unseen, { language: 'ru', now: at(2) });
    expect(text[0]).toBe('❔ НЕИЗВЕСТНО · больше не сообщают · HostDiskFull · #12');
    expect(text).toContain('Алерты: погасло: 1 · без вестей: 1');
    expect(text.join('\n')).not.toContain('🟢');
  });

  test('of several alerts says how many and what tells them apart, the resolved struck out', () => {
    const mixed = incidentOfBodies(
      [
        body(
          [
            { instance: 'pve1', labels: { mountpoint: '/' }, annotations: { summary: 'pve1: / has 3 % left' } },
            { instance: 'pve1', labels: { mountpoint: '/var' }, annotations: { summary: 'pve1: /var has 4 % left' } },
            {
              instance: 'pve2',
              labels: { mountpoint: '/' },
              annotations: { summary: 'almost full' },
              status: 'resolved',
              ends: 0,
            },
          ],
          { truncatedAlerts: 2 },
        ),
      ],
      NOW,
    );
    expect(lines(mixed)).toEqual([
      '🔴 CRITICAL · HostDiskFull · #12',
      'Since: 23 Nov 03:05 · 12 min as of 03:17',
      'Alerts: 2 firing · 1 over · 2 more not named (max_alerts)',
      'Where: job=node',
      '• pve1: / has 3 % left',
      '• pve1: /var has 4 % left',
      '• pve2 mountpoint=/ almost full',
      '[✋ Acknowledge]',
      '[🔕 Silence…] [🔎 More…]',
    ]);
    const { entities, text } = show(mixed, seen());
    const struck = entities
      .filter(({ type }) => type === 'strikethrough')
      .map(({ offset, length }) => text.slice(offset, offset + length));
    expect(struck.join('')).toContain('almost full');
  });

  test('names six alerts, and says how many there are besides', () => {
    const many = incidentOfBodies([body(Array.from({ length: 50 }, (_, n) => ({ instance: `n${n}` })))], NOW);
    const text = lines(many, { language: 'ru' });
    expect(text.filter((line) => line.startsWith('•'))).toEqual(
      ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'].map((name) => `• ${name}`),
    );
    expect(text).toContain('… и ещё 44 — под 🔎');
  });
});

describe('the runbook', () => {
  const folder = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));

  test('is a link when the alert carries an address', () => {
    const url = 'https://wiki.example.net/disk';
    const { keyboard } = show(one({ annotations: { runbook_url: url } }), seen({ view: 'details' }));
    expect(keyboard[1]).toContainEqual(expect.objectContaining({ kind: 'url', url, label: '📖 Runbook' }));
  });

  test.each(['javascript:alert(1)', 'wiki/disk', '../../etc/passwd', 'http://', ''])(
    'is no link for %j',
    async (runbook) => {
      const unnamed = one({ labels: { alertname: 'Unknown' }, annotations: { runbook_url: runbook, runbook } });
      const { keyboard } = show(unnamed, seen({ runbooks: await loadRunbooks(folder), view: 'details' }));
      expect(keyboard.flat().map(({ label }) => label)).not.toContain('📖 Runbook');
    },
  );

  test.each([
    ['the name of the alert', {}],
    ['its annotation', { labels: { alertname: 'Other' }, annotations: { runbook: 'host-disk-full' } }],
    ['its label', { labels: { alertname: 'Other', runbook: 'host-disk-full' } }],
  ])('that comes with the program is found by %s, and shown in the language of the reader', async (_, given) => {
    const runbooks = await loadRunbooks(folder);
    const incident = one(given);
    const press = { kind: 'view', view: 'runbook' };
    expect(show(incident, seen({ runbooks, view: 'details' })).keyboard.flat()).toContainEqual(
      expect.objectContaining({ press }),
    );
    const ru = show(incident, seen({ runbooks, language: 'ru', view: 'runbook' }));
    expect(ru.text).toContain('Куда смотреть сначала');
    expect(ru.text).not.toMatch(/^#|`|\*\*/mu);
    expect(
      ru.entities.some(
        ({ type, offset, length }) => type === 'code' && ru.text.slice(offset, offset + length) === 'lsof +L1',
      ),
    ).toBe(true);
    expect(ru.keyboard[0]?.[0]).toMatchObject({ label: '‹ Назад', press: { kind: 'view', view: '' } });
    expect(show(incident, seen({ runbooks, view: 'runbook' })).text).not.toMatch(/[а-я]{4}/u);
  });

  test('that is not there any more shows the card', () => {
    expect(show(one(), seen({ view: 'runbook' })).text).toBe(show(one(), seen()).text);
  });
});

describe('the details', () => {
  const events = (...kinds: [kind: string, minutes: number, data?: Record<string, unknown>, actor?: string][]) =>
    kinds
      .map(([kind, minutes, data = {}, actor], n) => ({ id: n, incidentId: 12, at: at(minutes), kind, data, actor }))
      .toReversed();

  test('tell what alerts share once, then each of them, then what happened', () => {
    const incident = incidentOfBodies([body([{ instance: 'a' }, { instance: 'b' }])], NOW);
    const [a] = Object.keys(incident.data.alerts);
    const history = events(
      ['opened', -12],
      ['alert-fired', -12, { fingerprint: a }],
      ['acknowledged', -8, {}, 'anna'],
      ['severity', -6, { from: 'warning', to: 'critical' }],
      ['repeated', -5],
      ['alert-resolved', -3, { fingerprint: a }],
      ['alert-resolved', -2, { fingerprint: a }],
      ['alert-resolved', -2, { fingerprint: a }],
      ['silenced', -1, {}, 'anna'],
    );
    const { text, files } = show(incident, seen({ view: 'details', language: 'ru', history }));
    expect(text.match(/job: node/gu)).toHaveLength(1);
    expect(text).toContain('HostDiskFull · горит с 23 ноя 03:05');
    expect(text.split('История\n')[1]?.split('\n')).toEqual([
      '23 ноя 03:05 начался',
      '23 ноя 03:09 занимается Анна',
      '23 ноя 03:11 было «внимание», стало «критично»',
      '23 ноя 03:14 погас a',
      '23 ноя 03:15 погасло алертов: 2',
      '23 ноя 03:16 поставлена заглушка: Анна',
    ]);
    expect(files).toEqual([]);
  });

  test('lead to the source, and let people act without going back', () => {
    const { keyboard } = show(one(), seen({ view: 'details' }));
    expect(keyboard.map((row) => row.map(({ label }) => label))).toEqual([
      ['‹ Back', '📈 Graph', '📜 Log'],
      ['🕓 Changes', '🔗 Source'],
      ['✋ Acknowledge'],
    ]);
  });
});
