import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { find, missing } from '../test/support/components/detect.ts';
import { httpOk, launch, until } from '../test/support/components/process.ts';
import { GROUP, TELEGRAM_TOKEN, WEBHOOK_TOKEN } from './configuration.ts';
import { freePort } from './place.ts';

export interface Alertmanager {
  /** What Prometheus would send. */
  post(alerts: readonly PostedAlert[]): Promise<void>;
  stop(): Promise<void>;
}

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  /** In the past: the alert is resolved. */
  readonly endsAt?: string;
}

/** Go durations. */
export interface Pace {
  readonly groupBy: readonly string[];
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeatInterval: string;
}

/** Why a benchmark that needs a real Alertmanager cannot run here. */
export const noAlertmanager = (): string | undefined => missing('alertmanager');

/** Alertmanager's own receiver, with its default text. */
export const nativeReceiver = (apiRoot: string) => ({
  telegram_configs: [
    { api_url: apiRoot, bot_token: TELEGRAM_TOKEN, chat_id: GROUP, parse_mode: '', send_resolved: true },
  ],
});

export const webhookReceiver = (program: string) => ({
  webhook_configs: [
    {
      url: `${program}/webhooks/alertmanager`,
      send_resolved: true,
      http_config: { authorization: { type: 'Bearer', credentials: WEBHOOK_TOKEN } },
    },
  ],
});

/** The real Alertmanager with one receiver; both sides of a benchmark get one of their own, equal but for the receiver. */
export async function openAlertmanager(receiver: object, pace: Pace): Promise<Alertmanager> {
  const program = find('alertmanager');
  if (program === undefined) throw new Error(noAlertmanager());
  const folder = await mkdtemp(join(tmpdir(), 'vakhta-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = join(folder, 'alertmanager.yml');
  await writeFile(
    file,
    stringify({
      route: {
        receiver: 'measured',
        group_by: pace.groupBy,
        group_wait: pace.groupWait,
        group_interval: pace.groupInterval,
        repeat_interval: pace.repeatInterval,
      },
      receivers: [{ name: 'measured', ...receiver }],
    }),
  );
  const server = launch('alertmanager', [
    program,
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--web.external-url=${url}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ]);
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until('Alertmanager', () => httpOk(`${url}/-/ready`), { process: server });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    post: async (alerts) => {
      const answer = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
      if (!answer.ok) throw new Error(`Alertmanager refused the alerts: ${answer.status} ${await answer.text()}`);
    },
    stop,
  };
}
