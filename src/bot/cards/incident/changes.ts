import { hours } from '../../../core/clock.ts';
import { type Block, bold, code, gap, type Inline, type Inlines, line, link, list, time } from '../../../core/doc.ts';
import { formatDuration } from '../../../core/format.ts';
import { defineMessages } from '../../../core/i18n.ts';
import type { IncidentData } from '../../../core/incident.ts';
import { namesOf, traitsOf } from '../../../core/traits.ts';
import { type Deployment, deployments } from '../../../store/deployments.ts';
import { type ChangeRun, changesBy, type Similar, similarIncidents } from '../../../store/evidence.ts';
import type { Incident } from '../../../store/incidents.ts';
import type { CardContext } from '../define.ts';
import { clip, type DrawingContext } from './alerts.ts';
import { isUrl } from './runbook.ts';

export const messages = defineMessages({
  en: `
    changes-title = What changed in the { $hours } h before
    changes-none = Nothing that Vakhta knows of: no run of its own on this target, no deployment of this service.
    changes-deployed = { $service } { $version }
    changes-deploy-started = deployment began
    changes-deploy-succeeded = deployed
    changes-deploy-failed = deployment failed
    changes-deploy-cancelled = deployment cancelled
    changes-after = after it began
    changes-before = { $time } before
    changes-elsewhere = Elsewhere in these hours
    changes-run-succeeded = done
    changes-run-warning = done with a warning
    changes-run-failed = failed
    changes-run-cancelled = cancelled
    changes-run-reconciling = nobody knows how it ended
    changes-run-open = under way
    similar-title = The same alert before
    similar-none = It is the first time since the history begins.
    similar-open = still firing
    similar-lasted = { $time }
    similar-owner = handled by { $who }
    similar-nobody = nobody took it
    similar-helped = helped: { $what }
    similar-other-target = on { $target }
  `,
  ru: `
    changes-title = Что менялось за { $hours } ч до него
    changes-none = «Вахта» ни о чём не знает: ни своих действий с этой целью, ни выкладок этой службы.
    changes-deployed = { $service } { $version }
    changes-deploy-started = выкладка началась
    changes-deploy-succeeded = выложено
    changes-deploy-failed = выкладка не удалась
    changes-deploy-cancelled = выкладка отменена
    changes-after = уже после начала
    changes-before = за { $time } до начала
    changes-elsewhere = В других местах за это время
    changes-run-succeeded = выполнено
    changes-run-warning = выполнено с замечанием
    changes-run-failed = не удалось
    changes-run-cancelled = отменено
    changes-run-reconciling = чем кончилось, неизвестно
    changes-run-open = выполняется
    similar-title = Тот же алерт раньше
    similar-none = За всё время, которое хранится, он впервые.
    similar-open = ещё горит
    similar-lasted = { $time }
    similar-owner = кто занимался: { $who }
    similar-nobody = никто не брал
    similar-helped = помогло: { $what }
    similar-other-target = на { $target }
  `,
});

const HOURS = 6;
const RUNS = 8;
const DEPLOYMENTS = 30;
const OWN = 8;
const ELSEWHERE = 4;
const SIMILAR = 5;
const TEXT_MAX = 80;
const MINUTE_MS = 60_000;

/** What happened before an incident, and what happened in earlier ones like it. */
export interface Changes {
  readonly runs: readonly ChangeRun[];
  /** Of what the incident is about, and of the rest. */
  readonly deployments: { readonly own: readonly Deployment[]; readonly other: readonly Deployment[] };
  readonly similar: readonly Similar[];
}

/** Three queries, whatever there is to find. */
export async function loadChanges(
  { q, operations, now }: Pick<CardContext, 'q' | 'operations' | 'now'>,
  row: Incident,
  data: IncidentData,
): Promise<Changes> {
  const from = new Date(row.startedAt.getTime() - hours(HOURS));
  const to = row.resolvedAt ?? now;
  const changing = [...operations.values()]
    .filter(({ risk, quiet }) => risk !== 'read' && !quiet)
    .map(({ name }) => name);
  const names = namesOf(data);
  const traits = traitsOf(data);
  const [runs, deployed, similar] = await Promise.all([
    changesBy(q, { incident: row.id, names, operations: changing }, from, to, RUNS),
    deployments(q, from, to, DEPLOYMENTS),
    traits.alertname === '' ? [] : similarIncidents(q, { id: row.id, ...traits }, changing, SIMILAR),
  ]);
  const isOwn = ({ service }: Deployment): boolean => names.includes(service.toLowerCase());
  return {
    runs,
    deployments: { own: deployed.filter(isOwn), other: deployed.filter((one) => !isOwn(one)) },
    similar,
  };
}

export function changesBlocks(context: DrawingContext, row: Incident, changes: Changes): Block[] {
  const { t } = context;
  const own = [
    ...changes.runs.map((run) => ({ at: run.createdAt, text: runLine(context, row, run) })),
    ...changes.deployments.own.map((one) => ({ at: one.at, text: deploymentLine(context, row, one) })),
  ]
    .toSorted((a, b) => b.at.getTime() - a.at.getTime())
    .slice(0, OWN)
    .map(({ text }) => text);
  const other = changes.deployments.other.slice(0, ELSEWHERE).map((one) => deploymentLine(context, row, one));
  return [
    line(bold(t('changes-title', { hours: HOURS }))),
    own.length > 0 ? list(own) : line(t('changes-none')),
    ...(other.length > 0 ? [line(bold(t('changes-elsewhere'))), list(other)] : []),
    gap,
    line(bold(t('similar-title'))),
    changes.similar.length > 0
      ? list(changes.similar.map((one) => similarLine(context, one)))
      : line(t('similar-none')),
  ];
}

const FINAL = new Set(['succeeded', 'warning', 'failed', 'cancelled', 'reconciling']);

function runLine(context: DrawingContext, row: Incident, run: ChangeRun): Inlines {
  const { t, people } = context;
  const key = `op-${run.operation.replaceAll('.', '-')}`;
  const name = t.has(key) ? t(key) : run.operation;
  const actor = run.actor.kind === 'operator' ? (people(run.actor.id)?.name ?? run.actor.id) : run.actor.id;
  return [
    time(run.createdAt),
    ' ',
    name,
    ...(run.target === undefined ? [] : [' ', code(clip(run.target, TEXT_MAX))]),
    ` · ${t(`changes-run-${FINAL.has(run.state) ? run.state : 'open'}`)} · ${actor} · ${ago(context, row, run.createdAt)}`,
  ];
}

function deploymentLine(context: DrawingContext, row: Incident, one: Deployment): Inlines {
  const { t } = context;
  const what = t('changes-deployed', { service: clip(one.service, TEXT_MAX), version: clip(one.version, TEXT_MAX) });
  const named: Inline = one.url !== undefined && isUrl(one.url) ? link(one.url, what) : bold(what);
  const more = [one.environment, one.by]
    .filter((value) => value !== undefined)
    .map((value) => ` · ${clip(value, TEXT_MAX)}`);
  return [time(one.at), ` ${t(`changes-deploy-${one.status}`)} `, named, ...more, ` · ${ago(context, row, one.at)}`];
}

function ago({ t }: DrawingContext, { startedAt }: Incident, at: Date): string {
  const ms = startedAt.getTime() - at.getTime();
  const rough = ms < MINUTE_MS ? ms : Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  return ms < 0 ? t('changes-after') : t('changes-before', { time: formatDuration(rough, t) });
}

function similarLine({ t, people }: DrawingContext, one: Similar): Inlines {
  const ms = (one.resolvedAt?.getTime() ?? 0) - one.startedAt.getTime();
  const lasted =
    one.state === 'firing' ? t('similar-open') : t('similar-lasted', { time: formatDuration(Math.max(0, ms), t) });
  const owner =
    one.owner === undefined ? t('similar-nobody') : t('similar-owner', { who: people(one.owner)?.name ?? one.owner });
  const key = `op-${(one.helped ?? '').replaceAll('.', '-')}`;
  const helped =
    one.helped === undefined
      ? []
      : [` · ${t('similar-helped', { what: `${t.has(key) ? t(key) : one.helped} ${one.helpedTarget ?? ''}`.trim() })}`];
  return [
    code(`#${one.id}`),
    ' ',
    time(one.startedAt),
    ` · ${lasted} · ${owner}`,
    ...helped,
    ...(one.sameTarget || one.target === '' ? [] : [` · ${t('similar-other-target', { target: one.target })}`]),
  ];
}
