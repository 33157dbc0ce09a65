import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { need } from './detect.ts';
import { freePort, temporaryFolder } from './place.ts';
import { httpOk, launch, type Launched, until } from './process.ts';

export interface AlertmanagerServer {
  /** `http://127.0.0.1:PORT`; the API is below `/api/v2`. */
  readonly url: string;
  readonly port: number;
  /** `POST /api/v2/alerts`: what Prometheus would send. Throws when it is refused. */
  post(alerts: readonly PostedAlert[]): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  /** In the past: the alert is resolved. */
  readonly endsAt?: string;
  readonly generatorURL?: string;
}

export interface AlertmanagerOptions {
  /** Where the webhook receiver posts to. */
  readonly webhookUrl: string;
  /** Bearer token of the webhook. */
  readonly token?: string;
  /** Prometheus durations. */
  readonly groupWait?: string;
  readonly groupInterval?: string;
  readonly repeatInterval?: string;
  readonly groupBy?: readonly string[];
  readonly maxAlerts?: number;
}

/** Alertmanager with one webhook receiver, ready to take alerts. Its waits are short: 100 ms for a group, 1 s between. */
export async function startAlertmanager(options: AlertmanagerOptions): Promise<AlertmanagerServer> {
  const program = need('alertmanager');
  const { path: folder, remove } = await temporaryFolder();
  const port = await freePort();
  const config = {
    global: { resolve_timeout: '5m' },
    route: {
      receiver: 'vakhta',
      group_by: options.groupBy ?? ['alertname'],
      group_wait: options.groupWait ?? '100ms',
      group_interval: options.groupInterval ?? '1s',
      repeat_interval: options.repeatInterval ?? '1h',
    },
    receivers: [
      {
        name: 'vakhta',
        webhook_configs: [
          {
            url: options.webhookUrl,
            send_resolved: true,
            max_alerts: options.maxAlerts ?? 0,
            ...(options.token === undefined
              ? {}
              : { http_config: { authorization: { type: 'Bearer', credentials: options.token } } }),
          },
        ],
      },
    ],
  };
  const file = join(folder, 'alertmanager.yml');
  await writeFile(file, stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const server: Launched = launch('alertmanager', [
    program,
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--web.external-url=${url}`,
    '--cluster.listen-address=',
    '--log.level=debug',
  ]);
  const stop = async () => {
    await server.stop();
    await remove();
  };
  try {
    await until('Alertmanager', () => httpOk(`${url}/-/ready`), { process: server });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port,
    async post(alerts) {
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
      if (!response.ok) throw new Error(`Alertmanager refused the alerts: ${response.status} ${await response.text()}`);
    },
    log: () => server.log(),
    stop,
  };
}
