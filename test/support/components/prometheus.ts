import { copyFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { need } from './detect.ts';
import { freePort, temporaryFolder } from './place.ts';
import { httpOk, launch, type Launched, until } from './process.ts';

export interface PrometheusServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  log(): string;
  stop(): Promise<void>;
}

export interface ScrapeTarget {
  readonly job: string;
  /** `host:port` each. */
  readonly targets: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly metricsPath?: string;
}

export interface PrometheusOptions {
  /** Paths of rule files, or rule groups as Prometheus writes them (`{ groups: [...] }`). */
  readonly rules?: readonly (string | object)[];
  readonly targets?: readonly ScrapeTarget[];
  /** `http://host:port` of an Alertmanager. */
  readonly alertmanagerUrl?: string;
  /** Scrape and evaluation interval, default 1s. */
  readonly interval?: string;
  readonly externalLabels?: Readonly<Record<string, string>>;
}

/**
 * Prometheus that scrapes and evaluates every second. With an Alertmanager it takes five seconds to start, because it has to
 * find it first; without one half a second. It is ready before the first scrape is done.
 */
export async function startPrometheus(options: PrometheusOptions = {}): Promise<PrometheusServer> {
  const program = need('prometheus');
  const { path: folder, remove } = await temporaryFolder();
  const port = await freePort();
  const interval = options.interval ?? '1s';
  const ruleFiles: string[] = [];
  for (const [index, rules] of (options.rules ?? []).entries()) {
    const file = join(folder, `${index}-${typeof rules === 'string' ? basename(rules) : 'rules.yml'}`);
    await (typeof rules === 'string' ? copyFile(rules, file) : writeFile(file, stringify(rules)));
    ruleFiles.push(file);
  }
  const config = {
    global: {
      scrape_interval: interval,
      scrape_timeout: interval,
      evaluation_interval: interval,
      external_labels: options.externalLabels ?? { site: 'test' },
    },
    rule_files: ruleFiles,
    ...(options.alertmanagerUrl === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(options.alertmanagerUrl).host] }] }] } }),
    scrape_configs: (options.targets ?? []).map(({ job, targets, labels, metricsPath }) => ({
      job_name: job,
      ...(metricsPath === undefined ? {} : { metrics_path: metricsPath }),
      static_configs: [{ targets, ...(labels ? { labels } : {}) }],
    })),
  };
  const file = join(folder, 'prometheus.yml');
  await writeFile(file, stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const server: Launched = launch('prometheus', [
    program,
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    '--storage.tsdb.retention.time=2h',
    `--web.listen-address=127.0.0.1:${port}`,
    `--web.external-url=${url}`,
    '--web.enable-lifecycle',
    // It learns its Alertmanagers only after five seconds, loses what fires before, and repeats that after a minute.
    '--rules.alert.resend-delay=1s',
    '--rules.alert.for-grace-period=0s',
  ]);
  const stop = async () => {
    await server.stop();
    await remove();
  };
  try {
    await until('Prometheus', () => httpOk(`${url}/-/ready`), { process: server });
    if (options.alertmanagerUrl !== undefined) {
      await until('Prometheus to find its Alertmanager', () => knowsAlertmanager(url), { process: server });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, log: () => server.log(), stop };
}

async function knowsAlertmanager(url: string): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/alertmanagers`);
  const { data } = (await response.json()) as { data?: { activeAlertmanagers?: unknown[] } };
  return (data?.activeAlertmanagers?.length ?? 0) > 0;
}
