import type { Alertmanager } from '../integrations/alertmanager/alertmanager.ts';
import type { Docker } from '../integrations/docker/port.ts';
import type { PgBackRest } from '../integrations/pgbackrest/pgbackrest.ts';
import type { Proxmox } from '../integrations/proxmox/port.ts';
import type { CertificateWatch } from './certificates.ts';
import type { DrDesk } from './dr/desk.ts';
import type { Evidence } from './evidence/evidence.ts';
import type { IncidentDesk } from './incidents.ts';
import type { KitDesk } from './kit/desk.ts';
import type { GuestSettings } from './recovery/guest-settings.ts';
import type { Overview } from './overview.ts';
import type { LockPaths } from './lock-paths.ts';
import type { ScratchDesk } from './scratch/desk.ts';
import type { SilenceDesk } from './silences/desk.ts';
import type { RecoveryDesk } from './recovery/desk.ts';
import type { SloDesk } from './recovery/slo.ts';
import type { PgProduction } from './recovery/postgres-production.ts';
import type { PgRestorer } from './recovery/postgres-restore.ts';
import type { Runbooks } from './runbooks.ts';
import type { Several } from './several.ts';
import type { VolumeDesk } from './volumes/desk.ts';
import type { WatchDesk } from './watch/rota.ts';
import type { StormDesk } from './storms.ts';
import type { ProbeBoard } from './watcher/board.ts';
import type { DrillDesk } from './watcher/drills.ts';

/**
 * What operations and checks may use of the outside, by name. app.ts composes them; a process that lacks one (the bot role
 * has no infrastructure credentials) throws `port-missing` when it is used.
 */
export interface Ports {
  readonly alertmanager: Alertmanager;
  readonly certificates: CertificateWatch;
  readonly docker: Several<Docker>;
  readonly dr: DrDesk;
  readonly drills: DrillDesk;
  readonly evidence: Evidence;
  readonly guestSettings: GuestSettings;
  readonly incidents: IncidentDesk;
  readonly kit: KitDesk;
  readonly lockPaths: LockPaths;
  readonly overview: Overview;
  readonly pgbackrest: Several<PgBackRest>;
  readonly probes: ProbeBoard;
  /** Restores over production: of those whose configuration says how the cluster is started and stopped. */
  readonly productions: Several<PgProduction>;
  readonly proxmox: Several<Proxmox>;
  readonly recovery: RecoveryDesk;
  /** Restores of PostgreSQL beside production. */
  readonly restores: Several<PgRestorer>;
  readonly runbooks: Runbooks;
  readonly volumes: VolumeDesk;
  readonly watch: WatchDesk;
  readonly storms: StormDesk;
  readonly scratch: ScratchDesk;
  readonly silences: SilenceDesk;
  readonly slo: SloDesk;
}

export type PortName = keyof Ports;
