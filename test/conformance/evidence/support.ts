import { randomUUID } from 'node:crypto';
import { parseWebhook } from '../../../src/core/alertmanager.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { reduceGroup } from '../../../src/core/incident.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import type { Incident } from '../../../src/store/incidents.ts';
import type { EvidenceReader } from '../../../src/tasks/evidence/reader.ts';

export const reader: EvidenceReader = { t: catalogue(allMessages).for('en'), zone: 'Europe/Moscow' };

export interface GivenAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly generatorURL?: string;
  readonly startsAt?: Date;
  readonly status?: 'firing' | 'resolved';
}

/** An incident as the reducer makes it of one webhook. */
export function incidentRow(alerts: readonly GivenAlert[], now: Date, more: Partial<Incident> = {}): Incident {
  const body = JSON.stringify({ groupKey: randomUUID(), alerts: alerts.map((one) => ({ status: 'firing', ...one })) });
  const { incident } = reduceGroup(undefined, parseWebhook(body, now), now, { reopenMs: 0 });
  return {
    id: 12,
    source: 'alertmanager',
    groupKey: 'g',
    current: true,
    rev: 1,
    updatedAt: now,
    ...incident,
    resolvedAt: incident.resolvedAt ?? undefined,
    owner: undefined,
    ackedAt: undefined,
    silence: undefined,
    ...more,
  };
}

export const link = (expr: string): string =>
  `http://prometheus.lan:9090/graph?g0.expr=${encodeURIComponent(expr)}&g0.tab=1`;
