import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Log } from '../core/log.ts';
import { systemCode } from '../config/files.ts';
import type { AuthConfig, Config } from '../config/schema.ts';
import { LOCAL_HOST } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { type Alertmanager, createAlertmanager } from '../integrations/alertmanager/alertmanager.ts';
import type { Probeable } from '../integrations/define.ts';
import { createDocker } from '../integrations/docker/docker.ts';
import type { Docker } from '../integrations/docker/port.ts';
import type { Executor } from '../integrations/exec/executor.ts';
import { createLocalExecutor } from '../integrations/exec/local.ts';
import { createSshExecutor } from '../integrations/exec/ssh.ts';
import { createPgBackRest, type PgBackRest } from '../integrations/pgbackrest/pgbackrest.ts';
import type { Restic } from '../integrations/restic/port.ts';
import { createRestic, type RepositorySettings, variablesOf } from '../integrations/restic/restic.ts';
import { createWalG } from '../integrations/wal-g/wal-g.ts';
import { createLoki } from '../integrations/loki/loki.ts';
import type { Loki } from '../integrations/loki/port.ts';
import { createPbs } from '../integrations/pbs/pbs.ts';
import type { Pbs } from '../integrations/pbs/port.ts';
import type { Auth } from '../integrations/prometheus/http.ts';
import { createPrometheus, type Prometheus } from '../integrations/prometheus/prometheus.ts';
import type { Proxmox } from '../integrations/proxmox/port.ts';
import { createProxmox } from '../integrations/proxmox/proxmox.ts';
import { createTlsProber, type TlsProber } from '../integrations/tls/prober.ts';
import type { Vault } from '../integrations/vault/port.ts';
import { guestRightsProbe } from '../tasks/recovery/guest-rights.ts';
import { several, type Several } from '../tasks/several.ts';

/** The clients of all configured outside systems. Only a worker (and doctor) makes them: they hold credentials. */
export interface Systems {
  readonly alertmanager: Alertmanager | undefined;
  readonly prometheus: Prometheus | undefined;
  readonly loki: Loki | undefined;
  readonly proxmox: Several<Proxmox>;
  readonly pbs: Several<Pbs>;
  readonly pgbackrest: Several<PgBackRest>;
  /** Where the programs of a cluster run, by the id of its stanza: as `run_as`, and for start and stop as `service_as`. */
  readonly clusters: Several<{ readonly executor: Executor; readonly service: Executor }>;
  readonly docker: Several<Docker>;
  readonly restic: Several<Restic>;
  /** The program and the machine of a set, with another repository: for what is damaged on purpose. */
  readonly resticWith: (set: string, repository: RepositorySettings) => Restic;
  readonly hosts: Several<Executor>;
  readonly tls: TlsProber;
  readonly vault: Vault | undefined;
  /** By the names that doctor prints: `proxmox pve1`. */
  readonly probes: readonly (readonly [name: string, of: Probeable])[];
  close(): Promise<void>;
}

export interface SystemsEdges {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: Secrets;
  readonly vault: Vault | undefined;
  /** Text of a file with certificates. */
  readonly readText: (path: string) => Promise<string>;
}

export async function createSystems(config: Config, edges: SystemsEdges): Promise<Systems> {
  const { clock, log, secrets, vault } = edges;
  const http = { fetch: globalThis.fetch, clock };
  const readPem = async (path: string): Promise<string> => {
    try {
      return await edges.readText(path);
    } catch (cause) {
      const why = systemCode(cause);
      throw new VakhtaError('usage', 'ca-file', `${path} cannot be read: ${why}`, { args: { path, why }, cause });
    }
  };
  const closers: (() => void | Promise<void>)[] = [];

  const authOf = (auth: AuthConfig | undefined): { auth?: Auth } => {
    if (auth?.bearer) return { auth: { kind: 'bearer', token: secrets.source(auth.bearer) } };
    if (auth?.basic)
      return { auth: { kind: 'basic', user: auth.basic.user, password: secrets.source(auth.basic.password) } };
    return {};
  };

  const sshOf = (host: Config['hosts'][number], runAs?: string): Executor => {
    const executor = createSshExecutor(
      {
        host: host.address,
        port: host.port,
        user: host.user,
        privateKey: secrets.source(host.privateKey),
        hostKey: host.hostKey,
        ...(runAs === undefined ? {} : { sudo: { user: runAs } }),
      },
      { clock, log },
    );
    closers.push(() => executor.close());
    return executor;
  };

  const hosts = several(config.hosts.map((host) => [host.id, sshOf(host)] as const));

  const executorOf = (
    place: { readonly host: string; readonly runAs?: string },
    /** Variables that sudo on this machine is to leave alone; over SSH they are named for each call. */
    variables: readonly string[] = [],
  ): Executor => {
    const { runAs } = place;
    if (place.host === LOCAL_HOST) {
      const keep = variables.length > 0 ? [`--preserve-env=${variables.join(',')}`] : [];
      const prefix = runAs === undefined ? {} : { prefix: ['sudo', '-n', '-u', runAs, ...keep, '--'] };
      return createLocalExecutor(prefix, { clock });
    }
    const host = config.hosts.find(({ id }) => id === place.host);
    return host && runAs !== undefined ? sshOf(host, runAs) : hosts.get(place.host);
  };

  const clusters = several(
    config.postgres.map((stanza) => {
      const { id, host, cluster } = stanza;
      const executor = executorOf(stanza);
      const runAs = cluster?.serviceAs;
      return [id, { executor, service: runAs === undefined ? executor : executorOf({ host, runAs }) }] as const;
    }),
  );

  const pgbackrest = several(
    config.postgres.map((stanza) => {
      const { id, binary, config: file } = stanza;
      const settings = { id, stanza: stanza.stanza, binary, ...(file === undefined ? {} : { config: file }) };
      const own = { executor: clusters.get(id).executor, clock };
      if (stanza.driver === 'wal-g') {
        const { cluster } = stanza;
        return [id, createWalG({ ...settings, ...(cluster ? { cluster } : {}) }, own)] as const;
      }
      return [id, createPgBackRest(settings, own)] as const;
    }),
  );

  const docker = several(
    config.docker.map((engine) => {
      const { id, binary } = engine;
      return [id, createDocker({ id, binary }, { executor: executorOf(engine) })] as const;
    }),
  );

  const repositoryOf = ({
    repository,
    password,
    env,
  }: Pick<Config['restic'][number], 'repository' | 'password' | 'env'>): RepositorySettings => ({
    repository,
    password: secrets.source(password),
    env: Object.fromEntries(Object.entries(env).map(([name, ref]) => [name, secrets.source(ref)])),
  });
  const resticSets = several(
    config.restic.map((set) => {
      const { id, binary, hostName, scratchDir, offsite } = set;
      const repositories = [repositoryOf(set), ...(offsite ? [repositoryOf(offsite)] : [])];
      const executor = executorOf(set, variablesOf(repositories));
      const [primary = repositoryOf(set), second] = repositories;
      const settings = { id, binary, hostName, scratchDir, primary, ...(second ? { offsite: second } : {}) };
      return [id, { settings, executor }] as const;
    }),
  );
  const resticOf = (id: string, repository?: RepositorySettings): Restic => {
    const { settings, executor } = resticSets.get(id);
    const { offsite: _offsite, ...alone } = settings;
    return createRestic(repository ? { ...alone, primary: repository } : settings, { executor, clock });
  };
  const restic = several(resticSets.ids.map((id) => [id, resticOf(id)] as const));

  const proxmox = several(
    await Promise.all(
      config.proxmox.map(async ({ id, url, tokenId, token, ca, fingerprint }) => {
        const pem = ca === undefined ? undefined : await readPem(ca);
        return [
          id,
          createProxmox({ id, url, tokenId, token: secrets.source(token), ca: pem, fingerprint }, { clock, log }),
        ] as const;
      }),
    ),
  );

  const pbs = several(
    await Promise.all(
      config.pbs.map(async ({ id, url, tokenId, token, ca, fingerprint, datastores }) => {
        const pem = ca === undefined ? undefined : await readPem(ca);
        const stores = datastores.map(({ name }) => name);
        const settings = { id, url, tokenId, token: secrets.source(token), ca: pem, fingerprint, datastores: stores };
        return [id, createPbs(settings, { clock, log })] as const;
      }),
    ),
  );

  const alertmanager =
    config.alertmanager &&
    createAlertmanager({ url: config.alertmanager.url, ...authOf(config.alertmanager.auth) }, http);
  const prometheus =
    config.prometheus && createPrometheus({ url: config.prometheus.url, ...authOf(config.prometheus.auth) }, http);
  const loki = config.loki && createLoki({ url: config.loki.url, ...authOf(config.loki.auth) }, http);
  const extra = config.certificates.ca === undefined ? [] : [await readPem(config.certificates.ca)];
  const tls = createTlsProber({ ca: extra }, { clock });

  return {
    alertmanager,
    prometheus,
    loki,
    proxmox,
    pbs,
    pgbackrest,
    clusters,
    docker,
    restic,
    resticWith: resticOf,
    hosts,
    tls,
    vault,
    probes: [
      ...(vault ? [['vault', vault] as const] : []),
      ...(alertmanager ? [['alertmanager', alertmanager] as const] : []),
      ...(prometheus ? [['prometheus', prometheus] as const] : []),
      ...(loki ? [['loki', loki] as const] : []),
      ...proxmox.ids.map((id) => [`proxmox ${id}`, proxmox.get(id)] as const),
      ...config.proxmox.flatMap(({ id, backup }) =>
        backup ? [[`proxmox ${id} backups`, guestRightsProbe(proxmox.get(id), backup)] as const] : [],
      ),
      ...pbs.ids.map((id) => [`pbs ${id}`, pbs.get(id)] as const),
      ...hosts.ids.map((id) => [`host ${id}`, hosts.get(id)] as const),
      ...docker.ids.map((id) => [`docker ${id}`, docker.get(id)] as const),
      ...restic.ids.map((id) => [`restic ${id}`, restic.get(id)] as const),
      ...pgbackrest.ids.map((id) => [`postgres ${id}`, pgbackrest.get(id)] as const),
    ],
    close: async () => {
      for (const close of closers) await close();
      await vault?.close();
    },
  };
}
