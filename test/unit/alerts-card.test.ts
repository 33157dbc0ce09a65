import { expect, test } from 'vitest';
import { arrange } from '../../src/bot/cards/alerts.ts';
import type { Incident } from '../../src/store/incidents.ts';
import { incidentRow } from '../conformance/evidence/support.ts';

const NOW = new Date('2026-11-23T00:00:00Z');
const row = (id: number, instance: string, more: Partial<Incident> = {}): Incident =>
  incidentRow([{ labels: { alertname: 'Down', severity: 'critical', instance } }], NOW, { id, ...more });
const shown = (rows: readonly Incident[], names: readonly string[] = []) =>
  arrange(rows, { names }).map(({ row: { id }, folded }) => [id, folded]);

test('what is folded stands as a number with the incident that shows it', () => {
  const rows = [row(1, 'pve1'), row(2, 'vm1', { foldedInto: 1 }), row(3, 'vm2', { foldedInto: 1 }), row(4, 'pve2')];
  expect(shown(rows)).toEqual([
    [1, 2],
    [4, 0],
  ]);
});

test('one that is looked for is found under the incident that shows it', () => {
  const rows = [row(1, 'pve1'), row(2, 'vm1', { foldedInto: 1 }), row(3, 'vm2', { foldedInto: 1 })];
  expect(shown(rows, ['vm2'])).toEqual([[1, 1]]);
  expect(shown(rows, ['vm9'])).toEqual([]);
});

test('when the one that showed it fires no more, it stands by itself: nothing that fires is missing', () => {
  expect(shown([row(2, 'vm1', { foldedInto: 1 })])).toEqual([[2, 0]]);
});
