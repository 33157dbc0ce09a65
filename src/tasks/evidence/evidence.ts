import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Catalogue } from '../../core/i18n.ts';
import type { Executor } from '../../integrations/exec/executor.ts';
import type { Loki } from '../../integrations/loki/port.ts';
import type { Prometheus } from '../../integrations/prometheus/port.ts';
import type { Database } from '../../store/db.ts';
import { putPicture } from '../../store/pictures.ts';
import { pngOf } from '../charts/png.ts';
import type { Theme } from '../charts/theme.ts';
import type { IncidentDesk } from '../incidents.ts';
import type { Several } from '../several.ts';
import { drawGraph, type Graph, type Missing } from './graph.ts';
import { type LogLines, type Moment, readLogs } from './logs.ts';
import { readerOf } from './reader.ts';

/** What the outside knows about an incident. A piece that cannot be had says why instead of failing. */
export interface Evidence {
  /** The graph as a picture in the table `pictures`, drawn for whom the run is for. Throws `no-incident`, `prometheus-*`. */
  graph(incident: number, theme: Theme, runId: string, signal: AbortSignal): Promise<Graph | Missing>;
  /** The last log lines, redacted. Throws `no-incident`, `logs-*`, `ssh-*`, `exec-*`, `loki-*`. */
  logs(incident: number, moment: Moment, signal: AbortSignal): Promise<LogLines | Missing>;
}

export interface EvidenceOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly incidents: Pick<IncidentDesk, 'get'>;
  readonly prometheus: Prometheus | undefined;
  readonly loki: Loki | undefined;
  readonly hosts: Several<Executor>;
  readonly redact: (text: string) => string;
}

export function createEvidence(options: EvidenceOptions): Evidence {
  const { db, clock, config, catalogue, incidents, prometheus, loki, hosts, redact } = options;
  const keep = async (svg: string, signal: AbortSignal): Promise<string> =>
    putPicture(db, { mime: 'image/png', ...(await pngOf(svg, signal)) }, clock.now());
  return {
    graph: async (incident, theme, runId, signal) => {
      const row = await incidents.get(incident);
      const reader = await readerOf(db, runId, config, catalogue);
      return drawGraph({ prometheus, clock, redact, keep }, row, reader, theme, signal);
    },
    logs: async (incident, moment, signal) =>
      readLogs({ config, hosts, loki, clock, redact }, await incidents.get(incident), moment, signal),
  };
}
