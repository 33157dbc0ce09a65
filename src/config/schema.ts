import { z } from 'zod';
import type { Operator } from '../core/people.ts';
import type { SecretRef } from './secret-ref.ts';
import { kit, pbs, recovery, restic, restoreDrill } from './sections/backups.ts';
import { LOCAL_HOST, text } from './sections/common.ts';
import { chat, digest, operator, route } from './sections/people.ts';
import { database, http, log, policy, queue, retention, site, telegram } from './sections/service.ts';
import {
  deployments,
  docker,
  drill,
  escalation,
  fix,
  heartbeat,
  logSource,
  loki,
  loudness,
  probe,
  silences,
  storm,
  topology,
  watch,
  watchdog,
} from './sections/watch.ts';
import { alertmanager, certificates, host, postgres, prometheus, proxmox, vault } from './sections/systems.ts';

export type { SecretRef } from './secret-ref.ts';
export { LOCAL_HOST } from './sections/common.ts';

/** The whole file, each mapping by itself. What one place says of another is checked by `references.ts`. */
export const fileSchema = z
  .strictObject({
    site,
    telegram,
    http: http.prefault({}),
    database: database.prefault({}),
    queue: queue.prefault({}),
    data_dir: text()
      .default('./data')
      .describe('Folder for embedded PostgreSQL and other state. Relative to the working directory.'),
    log: log.prefault({}),
    operators: z.array(operator).min(1).describe('People who may use the bot. Everybody else gets one polite line.'),
    chats: z.array(chat).min(1).describe('Chats where the bot writes.'),
    routes: z
      .array(route)
      .min(1)
      .describe('Where an alert goes: the first route that matches. The last one has neither match nor severity.'),
    watch: watch.prefault({}),
    escalation: escalation.prefault({}),
    loudness: loudness.prefault({}),
    storm: storm.prefault({}),
    topology: topology.prefault({}),
    alertmanager: alertmanager.exactOptional(),
    silences: silences.prefault({}),
    prometheus: prometheus.exactOptional(),
    loki: loki.exactOptional(),
    logs: z.array(logSource).default([]).describe('Where the log lines of an alert are found: the first that matches.'),
    watchdog: watchdog.exactOptional(),
    heartbeat: heartbeat.exactOptional(),
    drill: drill.exactOptional(),
    probes: z.array(probe).default([]).describe('What this program itself tries to reach.'),
    deployments: deployments.exactOptional(),
    proxmox: z.array(proxmox).default([]).describe('Proxmox VE hosts or clusters.'),
    hosts: z.array(host).default([]).describe('Machines reached over SSH.'),
    docker: z.array(docker).default([]).describe('Docker engines.'),
    fixes: z.array(fix).default([]).describe('Operations offered on the cards of alerts that they may mend.'),
    postgres: z.array(postgres).default([]).describe('PostgreSQL clusters that are backed up.'),
    restic: z.array(restic).default([]).describe('Volumes of Docker and files, by restic.'),
    pbs: z.array(pbs).default([]).describe('Proxmox Backup Servers.'),
    recovery: recovery.prefault({}),
    restore_drills: z.array(restoreDrill).default([]).describe('Restores that are tried out by the clock.'),
    kit: kit.exactOptional(),
    certificates: certificates.prefault({}),
    vault: vault.exactOptional(),
    digest: z.array(digest).default([]).describe('Regular summaries.'),
    policy: policy.prefault({}),
    retention: retention.prefault({}),
  })
  .meta({ title: 'Vakhta', description: 'Configuration of Vakhta.' });

type File = z.output<typeof fileSchema>;

/** A person, with the reference to the TOTP secret that only the worker resolves. */
export interface ConfiguredOperator extends Operator {
  readonly totp?: SecretRef;
  readonly quietHours?: File['operators'][number]['quietHours'];
}

type WithPlace = 'title' | 'language' | 'zone';
type Filled<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: NonNullable<T[P]> };

export type Chat = Filled<File['chats'][number], WithPlace>;
export type Digest = Filled<File['digest'][number], 'language' | 'zone'>;
export type Endpoint = Filled<File['certificates']['endpoints'][number], 'servername' | 'name'>;
export type Probe = Filled<File['probes'][number], 'name'>;
export type Stanza = Filled<File['postgres'][number], 'binary'>;
export type ResticSet = Filled<File['restic'][number], 'hostName'>;
export type ResticVolume = ResticSet['volumes'][number];
export type PrometheusConfig = NonNullable<File['prometheus']>;
export type AuthConfig = NonNullable<PrometheusConfig['auth']>;

/** The configuration as the program uses it: camelCase, defaults filled in, every reference to another place valid. */
export interface Config
  extends Readonly<
    Omit<
      File,
      | 'data_dir'
      | 'restore_drills'
      | 'operators'
      | 'chats'
      | 'digest'
      | 'certificates'
      | 'watch'
      | 'probes'
      | 'postgres'
      | 'restic'
    >
  > {
  readonly dataDir: string;
  readonly restoreDrills: File['restore_drills'];
  readonly postgres: readonly Stanza[];
  readonly restic: readonly ResticSet[];
  readonly operators: readonly ConfiguredOperator[];
  readonly chats: readonly Chat[];
  readonly digest: readonly Digest[];
  readonly watch: Filled<File['watch'], 'zone'>;
  readonly probes: readonly Probe[];
  readonly certificates: Omit<File['certificates'], 'endpoints'> & { readonly endpoints: readonly Endpoint[] };
}

/**
 * Fills in what depends on another place of the file: languages and zones from the site and the chat, names from ids,
 * connection strings from the environment (`DATABASE_URL`, `REDIS_URL`).
 */
export function resolve(file: File, env: Readonly<Record<string, string | undefined>>): Config {
  const { data_dir: dataDir, restore_drills: restoreDrills, ...rest } = file;
  const { language, zone } = file.site;
  const chats = file.chats.map((one) => ({
    ...one,
    title: one.title ?? one.id,
    language: one.language ?? language,
    zone: one.zone ?? zone,
  }));
  const chatById = new Map(chats.map((one) => [one.id, one]));
  return {
    ...rest,
    dataDir,
    restoreDrills,
    postgres: file.postgres.map((one) => ({
      ...one,
      binary: one.binary ?? [one.driver === 'wal-g' ? 'wal-g' : 'pgbackrest'],
    })),
    restic: file.restic.map((one) => ({
      ...one,
      hostName: one.hostName ?? (one.host === LOCAL_HOST ? file.site.id : one.host),
    })),
    database: withDefault(file.database, 'url', env, 'DATABASE_URL'),
    queue: withDefault(file.queue, 'redisUrl', env, 'REDIS_URL'),
    operators: file.operators.map((one) => ({
      ...one,
      language: one.language ?? language,
      zone: one.zone ?? zone,
      hasTotp: one.totp !== undefined,
    })),
    chats,
    digest: file.digest.map((one) => ({
      ...one,
      language: one.language ?? chatById.get(one.chat)?.language ?? language,
      zone: one.zone ?? chatById.get(one.chat)?.zone ?? zone,
    })),
    watch: { ...file.watch, zone: file.watch.zone ?? zone },
    probes: file.probes.map((one) => ({ ...one, name: one.name ?? one.id })),
    certificates: {
      ...file.certificates,
      warnDays: file.certificates.warnDays.toSorted((a, b) => b - a),
      endpoints: file.certificates.endpoints.map((one) => ({
        ...one,
        servername: one.servername ?? one.host,
        name: one.name ?? one.id,
      })),
    },
  };
}

function withDefault<T extends object>(
  from: T,
  key: keyof T,
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): T {
  const given = env[name];
  if (from[key] !== undefined || given === undefined || given === '') return from;
  const ref: SecretRef = { scheme: 'env', name };
  return { ...from, [key]: ref };
}
