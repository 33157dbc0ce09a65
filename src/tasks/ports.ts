import type { Alertmanager } from '../integrations/alertmanager/alertmanager.ts';
import type { Docker } from '../integrations/docker/port.ts';
import type { PgBackRest } from '../integrations/pgbackrest/pgbackrest.ts';
import type { Proxmox } from '../integrations/proxmox/port.ts';
import type { CertificateWatch } from './certificates.ts';
import type { IncidentDesk } from './incidents.ts';
import type { Overview } from './overview.ts';
import type { SilenceDesk } from './silences/desk.ts';
import type { Several } from './several.ts';

/**
 * What operations and checks may use of the outside, by name. app.ts composes them; a process that lacks one (the bot role
 * has no infrastructure credentials) throws `port-missing` when it is used.
 */
export interface Ports {
  readonly alertmanager: Alertmanager;
  readonly certificates: CertificateWatch;
  readonly docker: Several<Docker>;
  readonly incidents: IncidentDesk;
  readonly overview: Overview;
  readonly pgbackrest: Several<PgBackRest>;
  readonly proxmox: Several<Proxmox>;
  readonly silences: SilenceDesk;
}

export type PortName = keyof Ports;
