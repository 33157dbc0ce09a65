import { expect, test } from 'vitest';
import { routeFor } from '../../src/core/routing.ts';

const routes = [
  { chat: 'backups', match: { alertname: { pattern: /^(?:Backup.*)$/u } } },
  { chat: 'anna', match: { team: { equals: 'anna' } }, severity: ['warning', 'info'] as const },
  { chat: 'unlabelled', match: { site: { equals: '' }, kind: { equals: 'x' } } },
  { chat: 'rest' },
];
const chat = (labels: Record<string, string>, severity: 'critical' | 'warning' | 'info' = 'warning') =>
  routeFor(routes, labels, severity)?.chat;

test('the first route that matches takes the alert', () => {
  expect(chat({ alertname: 'BackupOld', team: 'anna' })).toBe('backups');
  expect(chat({ team: 'anna' })).toBe('anna');
  expect(chat({})).toBe('rest');
});

test('a severity that the route does not take goes on to the next', () => {
  expect(chat({ team: 'anna' }, 'critical')).toBe('rest');
});

test('a label that is absent counts as empty', () => {
  expect(chat({ kind: 'x' })).toBe('unlabelled');
  expect(chat({ kind: 'x', site: 'a' })).toBe('rest');
});

test('no route, no place', () => {
  expect(routeFor([], {}, 'info')).toBeUndefined();
});
