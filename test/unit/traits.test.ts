import { expect, test } from 'vitest';
import { parseWebhook } from '../../src/core/alertmanager.ts';
import { type IncidentData, reduceGroup } from '../../src/core/incident.ts';
import { namesOf, traitsOf } from '../../src/core/traits.ts';

const NOW = new Date('2026-11-23T00:00:00Z');
const dataOf = (labels: readonly Readonly<Record<string, string>>[], groupLabels = {}): IncidentData =>
  reduceGroup(
    undefined,
    parseWebhook(
      JSON.stringify({ groupKey: 'g', groupLabels, alerts: labels.map((one) => ({ status: 'firing', labels: one })) }),
      NOW,
    ),
    NOW,
    { reopenMs: 0 },
  ).incident.data;

test('alike are those of the same alert about the same thing, whatever the port', () => {
  const traits = { alertname: 'DiskFull', target: 'pg.example.net' };
  expect(traitsOf(dataOf([{ alertname: 'DiskFull', instance: 'pg.example.net:9100', mountpoint: '/' }]))).toEqual(
    traits,
  );
  expect(traitsOf(dataOf([{ alertname: 'DiskFull', instance: 'pg.example.net:9187', mountpoint: '/x' }]))).toEqual(
    traits,
  );
});

test('the most exact name counts, and only what all alerts share', () => {
  expect(traitsOf(dataOf([{ alertname: 'Down', instance: 'docker:8080', container: 'web' }])).target).toBe('web');
  const two = dataOf([
    { alertname: 'Down', instance: 'a', service: 'shop' },
    { alertname: 'Slow', instance: 'b', service: 'shop' },
  ]);
  expect(traitsOf(two)).toEqual({ alertname: '', target: 'shop' });
  expect(traitsOf(dataOf([{ severity: 'info' }]))).toEqual({ alertname: '', target: '' });
});

test('names are values of labels that name things, with and without port, in small letters', () => {
  const names = namesOf(
    dataOf([{ alertname: 'X', severity: 'critical', instance: 'PG:9100', service: 'Shop', job: 'node' }]),
  );
  expect(names.toSorted()).toEqual(['pg', 'pg:9100', 'shop']);
});
