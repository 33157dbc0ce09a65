import type { Labels } from '../../core/alertmanager.ts';
import {
  bold,
  type Button,
  code,
  type Doc,
  facts,
  type Inline,
  type Inlines,
  line,
  list,
  quote,
  strike,
  time,
  title,
  type Block,
} from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { type IncidentAlert, type IncidentData, incidentData } from '../../core/incident.ts';
import { events, incident, type Incident, type IncidentEvent } from '../../store/incidents.ts';
import { silenceSchema } from '../../tasks/incidents.ts';
import { type CardContext, defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    incident-critical = CRITICAL
    incident-warning = WARNING
    incident-info = INFO
    incident-resolved = RESOLVED
    incident-since = Since
    incident-lasted = Lasted
    incident-alerts = Alerts
    incident-counts = { $firing } firing{ $resolved ->
        [0] { "" }
       *[other] , { $resolved } resolved
    }{ $gone ->
        [0] { "" }
       *[other] , { $gone } no longer reported
    }{ $truncated ->
        [0] { "" }
       *[other] , { $truncated } not named by Alertmanager
    }
    incident-all-over = { $total } — all over
    incident-where = Where
    incident-owner = On it
    incident-since-clock = since
    incident-silenced = Silenced until
    incident-silenced-by = by { $who }
    incident-more = … and { $n } more: press Details
    incident-ended-unseen = { $n } of them { $n ->
        [one] was
       *[other] were
    } silenced or inhibited at the end: the end itself was never reported
    incident-ack = ✋ I’m on it
    incident-unack = Give back
    incident-silence = 🔕 { $duration }
    incident-unsilence = 🔔 End silence
    incident-details = Details
    incident-back = ‹ Back
    incident-runbook = 📖 Runbook
    incident-graph = 📈 Source
    incident-history = History
    incident-event-opened = appeared
    incident-event-reopened = came back
    incident-event-resolved = over
    incident-event-severity = severity { $from } → { $to }
    incident-event-repeated = reported again
    incident-event-alert-fired = alert fired
    incident-event-alert-resolved = alert over
    incident-event-alert-gone = alert no longer reported
    incident-event-acknowledged = taken on by { $actor }
    incident-event-released = given back by { $actor }
    incident-event-silenced = silenced by { $actor }
    incident-event-unsilenced = silence ended by { $actor }

  `,
  ru: `
    incident-critical = КРИТИЧНО
    incident-warning = ВНИМАНИЕ
    incident-info = К СВЕДЕНИЮ
    incident-resolved = РЕШЕНО
    incident-since = С
    incident-lasted = Длилось
    incident-alerts = Алерты
    incident-counts = { $firing ->
        [one] горит { $firing }
       *[other] горят { $firing }
    }{ $resolved ->
        [0] { "" }
       *[other] , погасли { $resolved }
    }{ $gone ->
        [0] { "" }
       *[other] , о { $gone } больше не сообщают
    }{ $truncated ->
        [0] { "" }
       *[other] , ещё { $truncated } Alertmanager не назвал
    }
    incident-all-over = { $total } — все погасли
    incident-where = Где
    incident-owner = Занимается
    incident-since-clock = с
    incident-silenced = Тишина до
    incident-silenced-by = поставил(а) { $who }
    incident-more = … и ещё { $n }: нажмите «Подробности»
    incident-ended-unseen = { $n } из них под конец были заглушены или подавлены: о самом окончании не сообщали
    incident-ack = ✋ Занимаюсь
    incident-unack = Вернуть
    incident-silence = 🔕 { $duration }
    incident-unsilence = 🔔 Снять тишину
    incident-details = Подробности
    incident-back = ‹ Назад
    incident-runbook = 📖 Инструкция
    incident-graph = 📈 Источник
    incident-history = История
    incident-event-opened = появился
    incident-event-reopened = вернулся
    incident-event-resolved = закончился
    incident-event-severity = важность { $from } → { $to }
    incident-event-repeated = пришло повторно
    incident-event-alert-fired = алерт загорелся
    incident-event-alert-resolved = алерт погас
    incident-event-alert-gone = об алерте больше не сообщают
    incident-event-acknowledged = взял(а) на себя { $actor }
    incident-event-released = вернул(а) { $actor }
    incident-event-silenced = заглушил(а) { $actor }
    incident-event-unsilenced = тишину снял(а) { $actor }

  `,
});

/** Alerts named on the card itself; the rest is one press away. */
const SHOWN = 5;
const HISTORY = 30;
const SILENCES = ['1h', '4h', '24h'] as const;

/** Labels that say where it burns, the most telling first. The others are in the details. */
const TELLING = [
  'instance',
  'host',
  'node',
  'guest',
  'name',
  'service',
  'container',
  'database',
  'datname',
  'device',
  'mountpoint',
  'target',
  'job',
  'cluster',
  'site',
];

export default defineCard({
  kind: 'incident',
  messages,
  render: async (context, card) => {
    const row = await incident(context.q, Number(card.ref));
    if (!row) return 'gone';
    const data = incidentData.parse(row.data);
    if (card.view === 'details') return details(context, row, data, await events(context.q, row.id, HISTORY));
    return face(context, row, data);
  },
});

function face(context: CardContext, row: Incident, data: IncidentData): Doc {
  const { t } = context;
  const alerts = Object.values(data.alerts);
  const firing = alerts.filter((alert) => alert.status === 'firing');
  const shown = row.state === 'firing' ? firing : alerts;
  const blocks: Block[] = [head(context, row), facts(...summary(context, row, data))];
  if (alerts.length > 1 || row.title !== alerts[0]?.annotations['summary']) {
    const items = shown.slice(0, SHOWN).map((alert) => alertLine(alert, data, row.title));
    const rest = shown.length - items.length;
    if (items.some((item) => !isEmpty(item))) {
      blocks.push(rest > 0 ? list(items, t('incident-more', { n: rest })) : list(items));
    }
  }
  const description =
    data.commonAnnotations['description'] ?? (alerts.length === 1 ? alerts[0]?.annotations['description'] : undefined);
  if (description && description.trim() !== row.title)
    blocks.push(quote(description.split('\n'), description.length > 300));
  const gone = alerts.filter((alert) => alert.status === 'gone').length;
  if (row.state === 'resolved' && gone > 0) blocks.push(line(t('incident-ended-unseen', { n: gone })));
  return { blocks, buttons: buttons(context, row, data) };
}

function head({ t }: CardContext, row: Incident): Block {
  const resolved = row.state === 'resolved';
  const icon = resolved ? 'ok' : row.silence ? 'silenced' : row.severity;
  const word = t(resolved ? 'incident-resolved' : `incident-${row.severity}`);
  return title(icon, [bold(word), ` · ${row.title} · `, code(`#${row.id}`)]);
}

function summary({ t, now, people }: CardContext, row: Incident, data: IncidentData): (readonly [string, Inlines])[] {
  const alerts = Object.values(data.alerts);
  const count = (status: IncidentAlert['status']) => alerts.filter((alert) => alert.status === status).length;
  const rows: (readonly [string, Inlines])[] = [];
  if (row.state === 'firing') {
    rows.push([t('incident-since'), [time(row.startedAt), ' (', time(row.startedAt, 'ago'), ')']]);
    rows.push([
      t('incident-alerts'),
      t('incident-counts', {
        firing: count('firing'),
        resolved: count('resolved'),
        gone: count('gone'),
        truncated: data.truncated,
      }),
    ]);
  } else {
    const end = row.resolvedAt ?? now;
    rows.push([
      t('incident-lasted'),
      [
        formatDuration(end.getTime() - row.startedAt.getTime(), t),
        ': ',
        time(row.startedAt),
        ' – ',
        time(end, 'clock'),
      ],
    ]);
    rows.push([t('incident-alerts'), t('incident-all-over', { total: alerts.length })]);
  }
  const where = telling({
    ...data.commonLabels,
    ...data.groupLabels,
    ...(alerts.length === 1 ? alerts[0]?.labels : {}),
  });
  if (where.length > 0)
    rows.push([
      t('incident-where'),
      where
        .slice(0, 4)
        .map(([name, value]) => `${name}=${value}`)
        .join(' · '),
    ]);
  if (row.owner) {
    const name = people(row.owner)?.name ?? row.owner;
    rows.push([
      t('incident-owner'),
      row.ackedAt ? [bold(name), ` ${t('incident-since-clock')} `, time(row.ackedAt, 'clock')] : [bold(name)],
    ]);
  }
  const silence = row.silence ? silenceSchema.parse(row.silence) : undefined;
  if (silence && row.state === 'firing' && silence.until > now) {
    const by = people(silence.by)?.name ?? silence.by;
    rows.push([t('incident-silenced'), [time(silence.until), ', ', t('incident-silenced-by', { who: by })]]);
  }
  return rows;
}

const telling = (labels: Labels): [string, string][] =>
  TELLING.flatMap((name): [string, string][] => (labels[name] ? [[name, labels[name]]] : []));

/** What tells this alert from its neighbours: its own labels, and its sentence unless the card already says it. */
function alertLine(alert: IncidentAlert, data: IncidentData, heading: string): Inlines {
  const own = Object.entries(alert.labels).filter(
    ([name, value]) => data.commonLabels[name] !== value && data.groupLabels[name] !== value && name !== 'severity',
  );
  const order = (name: string) => (TELLING.includes(name) ? TELLING.indexOf(name) : TELLING.length);
  const names = own
    .sort(([a], [b]) => order(a) - order(b))
    .slice(0, 3)
    .map(([name, value]) => (name === 'instance' || name === 'alertname' ? value : `${name}=${value}`));
  const sentence = alert.annotations['summary'] ?? alert.annotations['message'] ?? alert.annotations['title'];
  const said = sentence !== undefined && sentence.trim() !== heading ? sentence : undefined;
  const parts: Inline[] = [];
  if (names.length > 0) parts.push(code(names.join(' ')));
  if (said) parts.push(names.length > 0 ? ` ${said}` : said);
  return alert.status === 'firing' || parts.length === 0 ? parts : [strike(...parts)];
}

const isEmpty = (inlines: Inlines): boolean => Array.isArray(inlines) && inlines.length === 0;

function buttons({ t, now }: CardContext, row: Incident, data: IncidentData): Button[][] {
  const args = { incident: row.id };
  const press = (label: string, operation: string, extra: Record<string, unknown> = {}, style?: 'primary'): Button => ({
    kind: 'press',
    label,
    ...(style ? { style } : {}),
    press: { kind: 'operation', operation, args: { ...args, ...extra } },
  });
  const look: Button[] = [{ kind: 'press', label: t('incident-details'), press: { kind: 'view', view: 'details' } }];
  const runbook = runbookUrl(data);
  if (runbook) look.push({ kind: 'url', label: t('incident-runbook'), url: runbook });
  if (row.state === 'resolved') return [look];
  const own = row.owner ? press(t('incident-unack'), 'unack') : press(t('incident-ack'), 'ack', {}, 'primary');
  const silenced = row.silence !== undefined && silenceSchema.parse(row.silence).until > now;
  const quiet = silenced
    ? [press(t('incident-unsilence'), 'unsilence')]
    : SILENCES.map((duration) => press(t('incident-silence', { duration }), 'silence', { duration }));
  return [[own, ...look], quiet];
}

/** The runbook that all alerts share, when it is an address a button may hold. */
function runbookUrl(data: IncidentData): string | undefined {
  const own = Object.values(data.alerts).map((alert) => alert.annotations['runbook_url']);
  const url = data.commonAnnotations['runbook_url'] ?? own.find((candidate) => candidate !== undefined);
  return url !== undefined && /^https?:\/\/[^\s]+$/u.test(url) && URL.canParse(url) ? url : undefined;
}

/** Everything that was reported, without loss: what does not fit is in the file. */
function details(context: CardContext, row: Incident, data: IncidentData, history: readonly IncidentEvent[]): Doc {
  const { t } = context;
  const alerts = Object.values(data.alerts);
  const blocks: Block[] = [head(context, row)];
  for (const alert of alerts.slice(0, SHOWN)) {
    const lines: Inlines[] = [
      [bold(alert.labels['alertname'] ?? alert.fingerprint), ` · ${alert.status} · `, time(new Date(alert.startsAt))],
    ];
    for (const [name, value] of Object.entries(alert.labels)) if (name !== 'alertname') lines.push(`${name}=${value}`);
    for (const [name, value] of Object.entries(alert.annotations)) lines.push(`${name}: ${value}`);
    blocks.push(quote(lines, true));
  }
  const past = history.filter(({ kind }) => kind !== 'repeated').toReversed();
  if (past.length > 0) {
    blocks.push(
      quote([[bold(t('incident-history'))], ...past.map((event) => historyLine(context, event))], past.length > 4),
    );
  }
  const rows: Button[][] = [[{ kind: 'press', label: t('incident-back'), press: { kind: 'view', view: '' } }]];
  const source = alerts
    .map((alert) => alert.generatorUrl)
    .find((url) => /^https?:\/\/[^\s]+$/u.test(url) && URL.canParse(url));
  if (source) rows[0]?.push({ kind: 'url', label: t('incident-graph'), url: source });
  const whole = JSON.stringify({ incident: row.id, title: row.title, state: row.state, ...data }, null, 2);
  const file =
    alerts.length > SHOWN || whole.length > 3500 ? { name: `incident-${row.id}.json`, text: whole } : undefined;
  return { blocks, buttons: rows, ...(file ? { file } : {}) };
}

function historyLine({ t, people }: CardContext, event: IncidentEvent): Inlines {
  const actor = event.actor ? (people(event.actor)?.name ?? event.actor) : '';
  const detail = event.data;
  const text = t(`incident-event-${event.kind}`, {
    actor,
    from: String(detail['from'] ?? ''),
    to: String(detail['to'] ?? ''),
  });
  return [time(event.at, 'clock'), ` ${text}`];
}
