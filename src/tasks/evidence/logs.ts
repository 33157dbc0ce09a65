import { z } from 'zod';
import type { Labels } from '../../core/alertmanager.ts';
import { type Clock, hours, minutes, seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { incidentData } from '../../core/incident.ts';
import type { Config } from '../../config/schema.ts';
import type { Executor, RunResult } from '../../integrations/exec/executor.ts';
import type { Loki } from '../../integrations/loki/port.ts';
import type { Incident } from '../../store/incidents.ts';
import type { Several } from '../several.ts';
import { missing, type Missing } from './graph.ts';
import { parseDocker, parseJournal } from './log-lines.ts';
import { byWeight, matches } from './pick.ts';

/** The last lines; more do not fit on a phone. */
export const LINES = 20;
const LINE_MAX = 1000;
const TIMEOUT_MS = seconds(20);
const OUTPUT_MAX = 512 * 1024;
/** How far back Loki looks. */
const BACK_MS = hours(6);
/** "Around the beginning" ends this long after it: what the crash itself said is there by then. */
const AFTER_START_MS = minutes(1);

export const MOMENTS = ['now', 'start'] as const;
export type Moment = (typeof MOMENTS)[number];

export const logLinesSchema = z.object({
  kind: z.literal('lines'),
  /** `nginx · docker`, `ssh.service · pg`, or the selector. */
  where: z.string(),
  source: z.enum(['journald', 'docker', 'loki']),
  lines: z.array(z.object({ at: z.coerce.date().exactOptional(), text: z.string() })),
});
export type LogLines = z.output<typeof logLinesSchema>;
export type LogLine = LogLines['lines'][number];

export interface LogEdges {
  readonly config: Pick<Config, 'logs' | 'docker' | 'loki'>;
  readonly hosts: Several<Executor>;
  readonly loki: Loki | undefined;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
}

type Source = Config['logs'][number];

/** The last lines that the target of an incident logged, up to now or up to its beginning. */
export async function readLogs(
  edges: LogEdges,
  row: Incident,
  moment: Moment,
  signal: AbortSignal,
): Promise<LogLines | Missing> {
  const { config } = edges;
  if (config.logs.length === 0) return missing('not-configured');
  const found = sourceOf(config.logs, row);
  if (!found) return missing('no-source');
  const until =
    moment === 'start'
      ? new Date(Math.min(edges.clock.now().getTime(), row.startedAt.getTime() + AFTER_START_MS))
      : undefined;
  const lines = await read(edges, found, until, signal);
  if ('kind' in lines) return lines;
  if (lines.lines.length === 0) return missing('no-lines', { where: lines.where });
  return {
    kind: 'lines',
    ...lines,
    lines: lines.lines
      .slice(-LINES)
      .map(({ text, ...more }) => ({ ...more, text: Array.from(edges.redact(text)).slice(0, LINE_MAX).join('') })),
  };
}

function sourceOf(sources: readonly Source[], row: Incident): { source: Source; labels: Labels } | undefined {
  for (const { labels } of byWeight(incidentData.parse(row.data))) {
    const source = sources.find(({ match }) => matches(match, labels));
    if (source) return { source, labels };
  }
  return undefined;
}

type Read = Pick<LogLines, 'where' | 'source' | 'lines'> | Missing;

async function read(
  { config, hosts, loki, clock }: LogEdges,
  { source, labels }: { readonly source: Source; readonly labels: Labels },
  until: Date | undefined,
  signal: AbortSignal,
): Promise<Read> {
  if (source.loki !== undefined) {
    if (!loki) return missing('no-loki');
    const selector = filled(source.loki, labels, 'loki');
    const to = until ?? clock.now();
    const lines = await loki.lines(selector, { from: new Date(to.getTime() - BACK_MS), to, limit: LINES }, signal);
    return { where: selector, source: 'loki', lines: lines.map(({ at, text }) => ({ at, text })) };
  }
  const host = hostOf(hosts, filled(source.host ?? '', labels, 'host'));
  if ('kind' in host) return host;
  const options = { timeoutMs: TIMEOUT_MS, maxOutputBytes: OUTPUT_MAX, signal };
  const stop = until === undefined ? undefined : Math.floor(until.getTime() / 1000);
  if (source.container !== undefined) {
    const container = filled(source.container, labels, 'container');
    const engine = config.docker.find((one) => one.host === host.id);
    const sudo = engine?.runAs === undefined ? [] : ['sudo', '-n', '-u', engine.runAs, '--'];
    const docker = [...sudo, ...(engine?.binary ?? ['docker'])];
    const argv = [
      ...docker,
      'logs',
      '--tail',
      String(LINES),
      '--timestamps',
      ...(stop === undefined ? [] : ['--until', String(stop)]),
      container,
    ];
    const result = await host.executor.run(argv, options);
    if (result.code !== 0) throw unread(`${container} · ${host.id}`, result);
    return { where: `${container} · ${host.id}`, source: 'docker', lines: parseDocker(result.stdout, result.stderr) };
  }
  const unit = filled(source.unit ?? '', labels, 'unit');
  const argv = [
    'journalctl',
    '-u',
    unit,
    '-n',
    String(LINES),
    '--no-pager',
    '-o',
    'short-iso',
    ...(stop === undefined ? [] : ['--until', `@${stop}`]),
  ];
  const result = await host.executor.run(argv, options);
  if (result.code !== 0) throw unread(`${unit} · ${host.id}`, result);
  return { where: `${unit} · ${host.id}`, source: 'journald', lines: parseJournal(result.stdout) };
}

const unread = (where: string, { code, stderr }: RunResult): VakhtaError => {
  const why = stderr.trim().split('\n').at(-1)?.slice(0, 200) || `exit ${code ?? '?'}`;
  return new VakhtaError('permanent', 'logs-refused', `${where}: ${why}`, { args: { where, why } });
};

/** The declared host, also when the label has a port behind the name (`pg:9100`). */
function hostOf(hosts: Several<Executor>, name: string): { id: string; executor: Executor } | Missing {
  const id = [name, name.replace(/:\d+$/u, '')].find((one) => hosts.ids.includes(one));
  return id === undefined ? missing('no-host', { host: name }) : { id, executor: hosts.get(id) };
}

/**
 * What a value may look like that comes from outside, in a label, and becomes part of a command or of a query. None begins
 * with `-`, so that none is taken for an option; none has a quote, a brace or a backslash, so that none leaves its string.
 */
const VALUES = {
  host: /^[\p{L}\d][\p{L}\d._:-]{0,199}$/u,
  unit: /^[\p{L}\d][\p{L}\d:_.@-]{0,199}$/u,
  container: /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/u,
  loki: /^[\p{L}\d/][\p{L}\d ._:/@+-]{0,199}$/u,
} as const;

/** The text with each `{{label}}` replaced; a value that does not look like one is refused. */
export function filled(template: string, labels: Labels, kind: keyof typeof VALUES): string {
  const pattern = VALUES[kind];
  const check = (value: string, name: string): string => {
    if (pattern.test(value)) return value;
    const shown = value.slice(0, 60);
    throw new VakhtaError('permanent', 'logs-label', `label ${name} is not a ${kind}: ${shown}`, {
      args: { label: name, value: shown },
    });
  };
  const text = template.replaceAll(/\{\{\s*([a-zA-Z_]\w*)\s*\}\}/gu, (_, name: string) =>
    check(labels[name] ?? '', name),
  );
  return kind === 'loki' ? text : check(text, kind);
}
