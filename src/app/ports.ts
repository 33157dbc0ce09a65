import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Catalogue, Translate } from '../core/i18n.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Config, Endpoint } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import type { Database } from '../store/db.ts';
import { deployments } from '../store/deployments.ts';
import { observation } from '../store/observations.ts';
import type { JobQueue } from '../store/queue.ts';
import { createCertificateWatch } from '../tasks/certificates.ts';
import type { Facts } from '../tasks/define.ts';
import { createDrDesk } from '../tasks/dr/desk.ts';
import { createEvidence } from '../tasks/evidence/evidence.ts';
import { containersKey } from '../tasks/docker-look.ts';
import { createIncidentDesk } from '../tasks/incidents.ts';
import { createKitDesk } from '../tasks/kit/desk.ts';
import { createLockPaths } from '../tasks/lock-paths.ts';
import { createOverview } from '../tasks/overview.ts';
import type { Ports } from '../tasks/ports.ts';
import { lastBoard } from '../tasks/recovery/board.ts';
import { createRecoveryDesk } from '../tasks/recovery/desk.ts';
import { createSloDesk } from '../tasks/recovery/slo.ts';
import { guestSettings } from '../tasks/recovery/guest-settings.ts';
import { pgRestorers } from '../tasks/recovery/postgres-parts.ts';
import { pgProductions } from '../tasks/recovery/postgres-production.ts';
import { backupTargets, checkTargets, drillsGuests, drillTargets } from '../tasks/recovery/targets.ts';
import type { Runbooks } from '../tasks/runbooks.ts';
import { createScratchDesk } from '../tasks/scratch/desk.ts';
import { createSilenceDesk } from '../tasks/silences/desk.ts';
import { createTargetNames } from '../tasks/silences/names.ts';
import { createStormDesk } from '../tasks/storms.ts';
import { type Place, placeFor } from '../tasks/watch/placement.ts';
import { createProbeBoard } from '../tasks/watcher/board.ts';
import { createDrillDesk } from '../tasks/watcher/drills.ts';
import { createWatchDesk } from '../tasks/watch/rota.ts';
import { recoveryParts, volumeDesk } from './recovery.ts';
import type { Systems } from './systems.ts';

/** What forms, menus and checks may know of the declared world. */
export function factsOf(config: Config, db: Database): Facts {
  return {
    stanzas: config.postgres.map(({ id }) => id),
    endpoints: config.certificates.endpoints.map(({ id }) => id),
    operators: config.operators,
    guests: async () => {
      const seen = await Promise.all(config.proxmox.map(({ id }) => observation(db, `proxmox.${id}.guests`)));
      return seen.flatMap((one) => namesIn(one?.data)).sort();
    },
    restorable: async (stanza, now) => {
      const [board, [deployed]] = await Promise.all([lastBoard(db), deployments(db, new Date(0), now, 1)]);
      const window = board?.states.find(({ target }) => target === `pg:${stanza}`)?.window;
      return { ...(window ? { window } : {}), ...(deployed ? { deployedAt: deployed.at } : {}) };
    },
    engines: config.docker.map(({ id }) => id),
    containers: async () => {
      const seen = await Promise.all(config.docker.map(({ id }) => observation(db, containersKey(id))));
      return [...new Set(seen.flatMap((one) => namesIn(one?.data)))].sort();
    },
    backupTargets: async () => [...backupTargets(config), ...(await guestTargets(db))],
    drillTargets: async () => [...drillTargets(config), ...(drillsGuests(config) ? await guestTargets(db) : [])],
    checkTargets: checkTargets(config),
    volumes: config.restic.flatMap(({ volumes }) => volumes.map(({ id }) => id)),
    resticSets: config.restic.map(({ id }) => id),
    offsiteSets: config.restic.flatMap(({ id, offsite }) => (offsite ? [id] : [])),
  };
}

/** Guests whose backups were looked at. */
async function guestTargets(db: Database): Promise<string[]> {
  const board = await lastBoard(db);
  return (board?.states ?? [])
    .map(({ target }) => target)
    .filter((target) => target.startsWith('guest:'))
    .sort();
}

function namesIn(data: unknown): string[] {
  if (typeof data !== 'object' || data === null || !('names' in data) || !Array.isArray(data.names)) return [];
  return data.names.filter((name): name is string => typeof name === 'string');
}

interface PortsOptions {
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly secrets: Secrets;
  readonly systems: Systems | undefined;
  readonly queue: JobQueue;
  /** In the language of the site. */
  readonly t: Translate;
  readonly catalogue: Catalogue;
  readonly runbooks: Runbooks;
  readonly version: string;
  /** Where the configuration was read from; the emergency kit holds it. */
  readonly configFile: string | undefined;
  /** Keeps secrets out of log lines and pictures. */
  readonly redact: (text: string) => string;
}

/** The ports by name, made when first used; one that is not configured, or not in this process, says so. */
export function portsOf(options: PortsOptions): Ports {
  const { config, db, clock, log, systems, queue, t, catalogue, redact } = options;
  const missing = (port: string): never => {
    throw new VakhtaError('permanent', 'port-missing', `port ${port} is not available here`, { args: { port } });
  };
  const incidents = createIncidentDesk({ db, clock });
  const watch = createWatchDesk({ db, clock, config });
  const storms = createStormDesk({ db, clock });
  const silences = createSilenceDesk({
    db,
    clock,
    zone: config.site.zone,
    names: createTargetNames(db, config),
    nameOf: (by) => config.operators.find(({ id }) => id === by)?.name ?? by,
  });
  const probes = createProbeBoard({ db, clock, config });
  const drills = createDrillDesk({ db, clock, config, alertmanager: systems?.alertmanager, t });
  const lockPaths = createLockPaths(config);
  const scratch = createScratchDesk({ db, clock });
  const { random, secrets } = options;
  const { runbooks, version, configFile } = options;
  const kit =
    systems &&
    createKitDesk({ config, db, clock, runbooks, catalogue, version, redact, hosts: systems.hosts, configFile });
  const parts = systems && recoveryParts(config, systems, { db, clock, log, random, scratch, secrets, kit });
  const recovery = createRecoveryDesk({ db, clock, log, config, parts });
  const slo = createSloDesk({ db, clock, config, catalogue });
  const dr = createDrDesk({ db, clock, config, runbooks, version });
  const own = {
    dr,
    drills,
    guestSettings: guestSettings(config),
    incidents,
    lockPaths,
    recovery,
    slo,
    runbooks,
    scratch,
    storms,
    silences,
    probes,
    watch,
  };
  if (!systems) {
    return {
      ...own,
      get alertmanager() {
        return missing('alertmanager');
      },
      get certificates() {
        return missing('certificates');
      },
      get docker() {
        return missing('docker');
      },
      get evidence() {
        return missing('evidence');
      },
      get kit() {
        return missing('kit');
      },
      get overview() {
        return missing('overview');
      },
      get pgbackrest() {
        return missing('postgres');
      },
      get productions() {
        return missing('productions');
      },
      get proxmox() {
        return missing('proxmox');
      },
      get restores() {
        return missing('restores');
      },
      get volumes() {
        return missing('volumes');
      },
    };
  }
  const { alertmanager, proxmox, pgbackrest } = systems;
  return {
    ...own,
    proxmox,
    pgbackrest,
    restores: pgRestorers(config, systems, { clock, scratch }),
    productions: pgProductions(config, systems, { clock, scratch }),
    docker: systems.docker,
    volumes: volumeDesk(config, systems, { db }),
    evidence: createEvidence({
      db,
      clock,
      config,
      catalogue,
      redact,
      incidents,
      prometheus: systems.prometheus,
      loki: systems.loki,
      hosts: systems.hosts,
    }),
    certificates: createCertificateWatch({
      db,
      clock,
      prober: systems.tls,
      config,
      place: (endpoint) => certificatePlace(config, endpoint),
    }),
    overview: createOverview({
      db,
      clock,
      config,
      proxmox,
      pgbackrest,
      alertmanager,
      recovery,
      queued: async () => (await queue.counts()).waiting,
    }),
    get kit() {
      return kit ?? missing('kit');
    },
    get alertmanager() {
      return alertmanager ?? missing('alertmanager');
    },
  };
}

/** Certificate warnings go where an alert `CertificateExpiry` of that endpoint would go. */
function certificatePlace(config: Config, endpoint: Endpoint): Place {
  const labels = {
    alertname: 'CertificateExpiry',
    service: 'certificates',
    instance: endpoint.servername,
    endpoint: endpoint.id,
  };
  return placeFor(labels, 'warning', config);
}
