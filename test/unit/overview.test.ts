import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/core/i18n.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { type OverviewData, overviewSchema } from '../../src/tasks/overview.ts';
import { judge, overviewButtons, verdictBlock } from '../../src/tasks/overview-doc.ts';

const NOW = new Date('2026-11-23T09:00:00Z');
const well: OverviewData = overviewSchema.parse({
  at: NOW,
  proxmox: [
    {
      ok: true,
      data: {
        nodes: [{ host: 'pve1', node: 'pve1', status: 'online' }],
        storage: [{ storage: 'local', node: 'pve1', status: 'available', used: 10, total: 100 }],
        running: 9,
        stopped: [],
      },
    },
  ],
  backups: [{ ok: true, data: { id: 'main', state: 'ok', line: { key: 'x' }, ageHours: 3, maxAgeHours: 26 } }],
  alertmanager: { ok: true, data: { silences: 0 } },
  firing: [],
  certificates: [{ endpoint: 'web', state: 'ok', daysLeft: 80 }],
  waiting: [],
  self: { queued: 0, outbox: { queued: 0, oldestMs: 0, unknown: 0 }, processes: [] },
});
const silent = { ok: false as const, source: 'x', why: { key: 'err-timeout' } };
const incident = (severity: 'critical' | 'warning' | 'info', more = {}) => ({
  id: 1,
  severity,
  title: 'x',
  startedAt: NOW,
  ...more,
});
const pve = (data: object): OverviewData['proxmox'] =>
  overviewSchema.parse({
    ...well,
    proxmox: [{ ok: true, data: { nodes: [], storage: [], running: 0, stopped: [], ...data } }],
  }).proxmox;

describe('the first line of status and digest', () => {
  it.each<[string, Partial<OverviewData>, ReturnType<typeof judge>]>([
    ['all well', {}, { critical: 0, warning: 0, unknown: 0 }],
    ['a silent host', { proxmox: [silent] }, { critical: 0, warning: 0, unknown: 1 }],
    ['a silent backup', { backups: [silent] }, { critical: 0, warning: 0, unknown: 1 }],
    ['a silent Alertmanager', { alertmanager: silent }, { critical: 0, warning: 0, unknown: 1 }],
    [
      'a certificate not seen',
      { certificates: [{ endpoint: 'web', state: 'unknown' }] },
      { critical: 0, warning: 0, unknown: 1 },
    ],
    ['a token that sees a part', { proxmox: pve({ limited: ['vm'] }) }, { critical: 0, warning: 0, unknown: 1 }],
    [
      'a node away',
      { proxmox: pve({ nodes: [{ host: 'pve1', node: 'pve1', status: 'offline' }] }) },
      { critical: 0, warning: 1, unknown: 0 },
    ],
    [
      'a full storage',
      { proxmox: pve({ storage: [{ storage: 'a', node: 'b', status: 'available', used: 86, total: 100 }] }) },
      { critical: 0, warning: 1, unknown: 0 },
    ],
    [
      'a storage away',
      { proxmox: pve({ storage: [{ storage: 'a', node: 'b', status: 'unknown' }] }) },
      { critical: 0, warning: 1, unknown: 0 },
    ],
    ['a critical incident', { firing: [incident('critical')] }, { critical: 1, warning: 0, unknown: 0 }],
    [
      'a silenced one',
      { firing: [incident('critical', { silencedUntil: NOW })] },
      { critical: 0, warning: 0, unknown: 0 },
    ],
    ['a note', { firing: [incident('info')] }, { critical: 0, warning: 0, unknown: 0 }],
  ])('%s', (_what, change, expected) => {
    expect(judge({ ...well, ...change })).toEqual(expected);
    const head = verdictBlock({ ...well, ...change }, 'x', catalogue(allMessages).for('en'));
    const icon =
      expected.critical > 0 ? 'critical' : expected.warning > 0 ? 'warning' : expected.unknown > 0 ? 'unknown' : 'ok';
    expect(head).toMatchObject({ kind: 'title', icon });
  });
});

describe('the buttons', () => {
  it('offer what can be done at once, three a row', () => {
    const data = {
      ...well,
      firing: [1, 2, 3, 4, 5].map((id) => incident('warning', { id })),
      backups: [
        {
          ok: true as const,
          data: { id: 'main', state: 'warn' as const, line: { key: 'x' }, ageHours: 40, maxAgeHours: 26 },
        },
      ],
    };
    const rows = overviewButtons(data, { t: catalogue(allMessages).for('ru'), language: 'ru', now: NOW });
    expect(rows.every((row) => row.length <= 3)).toBe(true);
    const presses = rows
      .flat()
      .map((button) => (button.kind === 'press' && button.press.kind === 'operation' ? button.press.operation : '?'));
    expect(presses).toEqual(['ack', 'ack', 'ack', 'backup.pg']);
  });

  it('are none when all is well', () => {
    expect(overviewButtons(well, { t: catalogue(allMessages).for('en'), language: 'en', now: NOW })).toEqual([]);
  });
});
