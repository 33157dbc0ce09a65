import type { Clock } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import type { Catalogue, Translate } from '../core/i18n.ts';
import type { Config, Endpoint } from '../config/schema.ts';
import type { Database } from '../store/db.ts';
import { observation } from '../store/observations.ts';
import type { JobQueue } from '../store/queue.ts';
import { createCertificateWatch } from '../tasks/certificates.ts';
import type { Facts } from '../tasks/define.ts';
import { createEvidence } from '../tasks/evidence/evidence.ts';
import { containersKey } from '../tasks/docker-look.ts';
import { createIncidentDesk } from '../tasks/incidents.ts';
import { createOverview } from '../tasks/overview.ts';
import type { Ports } from '../tasks/ports.ts';
import { createSilenceDesk } from '../tasks/silences/desk.ts';
import { createTargetNames } from '../tasks/silences/names.ts';
import { createStormDesk } from '../tasks/storms.ts';
import { type Place, placeFor } from '../tasks/watch/placement.ts';
import { createProbeBoard } from '../tasks/watcher/board.ts';
import { createDrillDesk } from '../tasks/watcher/drills.ts';
import { createWatchDesk } from '../tasks/watch/rota.ts';
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
    engines: config.docker.map(({ id }) => id),
    containers: async () => {
      const seen = await Promise.all(config.docker.map(({ id }) => observation(db, containersKey(id))));
      return [...new Set(seen.flatMap((one) => namesIn(one?.data)))].sort();
    },
  };
}

function namesIn(data: unknown): string[] {
  if (typeof data !== 'object' || data === null || !('names' in data) || !Array.isArray(data.names)) return [];
  return data.names.filter((name): name is string => typeof name === 'string');
}

interface PortsOptions {
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly systems: Systems | undefined;
  readonly queue: JobQueue;
  /** In the language of the site. */
  readonly t: Translate;
  readonly catalogue: Catalogue;
  /** Keeps secrets out of log lines and pictures. */
  readonly redact: (text: string) => string;
}

/** The ports by name, made when first used; one that is not configured, or not in this process, says so. */
export function portsOf({ config, db, clock, systems, queue, t, catalogue, redact }: PortsOptions): Ports {
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
  const own = { drills, incidents, storms, silences, probes, watch };
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
      get overview() {
        return missing('overview');
      },
      get pgbackrest() {
        return missing('postgres');
      },
      get proxmox() {
        return missing('proxmox');
      },
    };
  }
  const { alertmanager, proxmox, pgbackrest } = systems;
  return {
    ...own,
    proxmox,
    pgbackrest,
    docker: systems.docker,
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
      queued: async () => (await queue.counts()).waiting,
    }),
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
