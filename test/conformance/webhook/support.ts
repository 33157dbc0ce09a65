import { drawIncident } from '../../../src/bot/cards/incident.ts';
import { NO_EXTRAS } from '../../../src/bot/cards/incident/part.ts';
import type { DrawingContext } from '../../../src/bot/cards/incident/alerts.ts';
import { render, type Rendered } from '../../../src/bot/render.ts';
import { parseWebhook } from '../../../src/core/alertmanager.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import { type Incident, reduceGroup } from '../../../src/core/incident.ts';
import type { Language, Operator } from '../../../src/core/people.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import type { Incident as Row, IncidentEvent } from '../../../src/store/incidents.ts';
import type { Runbooks } from '../../../src/tasks/runbooks.ts';

const texts = catalogue(allMessages);
const anna: Operator = {
  id: 'anna',
  name: 'Анна',
  telegramId: 1,
  role: 'admin',
  language: 'ru',
  zone: 'Europe/Moscow',
  hasTotp: false,
};

export interface Seen {
  readonly language?: Language;
  readonly now: Date;
  readonly zone?: string;
  readonly view?: string;
  readonly runbooks?: Runbooks;
  readonly history?: readonly IncidentEvent[];
}

/** The card as Telegram would show it. */
export function show(incident: Incident, seen: Seen, more: Partial<Row> = {}): Rendered {
  const { language = 'en', zone = 'Europe/Moscow', now, view = '', history = [] } = seen;
  const t = texts.for(language);
  const context: DrawingContext = {
    t,
    language,
    zone,
    now,
    people: (id) => (id === anna.id ? anna : undefined),
    ...(seen.runbooks ? { runbooks: seen.runbooks } : {}),
  };
  const { data, resolvedAt, ...rest } = incident;
  const row: Row = {
    owner: undefined,
    ackedAt: undefined,
    silence: undefined,
    id: 12,
    source: 'alertmanager',
    groupKey: 'g',
    current: true,
    rev: 1,
    updatedAt: now,
    ...rest,
    data: { ...data },
    resolvedAt: resolvedAt ?? undefined,
    ...more,
  };
  return render(drawIncident(context, row, data, view, { ...NO_EXTRAS, history }), { t, zone, now });
}

/** The incident that these webhook bodies make, one after the other, a minute apart. */
export function incidentOfBodies(bodies: readonly string[], now: Date): Incident {
  let incident: Incident | undefined;
  bodies.forEach((body, n) => {
    const at = new Date(now.getTime() + n * 60_000);
    incident = reduceGroup(incident, parseWebhook(body, at), at, { reopenMs: 600_000 }).incident;
  });
  if (!incident) throw new Error('no body');
  return incident;
}

/** Text with its buttons, for eyes and snapshots. */
export function asText({ text, keyboard, files }: Rendered): string {
  const buttons = keyboard.map((row) => row.map(({ label }) => `[${label}]`).join(' '));
  return [text, ...buttons, ...files.map(({ name }) => `(${name})`)].join('\n');
}
