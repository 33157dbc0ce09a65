import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import { DatastoreReader, RemoteAudit } from '../simulators/pbs/access.ts';
import { createPbsSimulator, type PbsSimulator } from '../simulators/pbs/simulator.ts';

const TOKEN_ID = 'vakhta@pbs!demo';
const TOKEN = '00000000-0000-4000-8000-000000000002';

export interface DemoPbs {
  readonly pbs: PbsSimulator;
  readonly env: Readonly<Record<string, string>>;
  /** The section of the configuration. */
  readonly yaml: string;
  stop(): Promise<void>;
}

/** The backup server of the demo: all in order, but for mail, whose newest backup was never verified. */
export async function startDemoPbs({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: Random;
}): Promise<DemoPbs> {
  const acl = [
    { path: '/datastore', privileges: DatastoreReader },
    { path: '/remote', privileges: RemoteAudit },
  ];
  const pbs = createPbsSimulator({ clock, random, tokens: [{ id: TOKEN_ID, secret: TOKEN, acl }] });
  pbs.newest('main', 'ct/108').verification = undefined;
  const url = await pbs.start();
  return {
    pbs,
    env: { VAKHTA_PBS_TOKEN: TOKEN },
    yaml: `pbs:
  - id: pbs1
    url: ${url}
    token_id: ${TOKEN_ID}
    token: env:VAKHTA_PBS_TOKEN
    datastores:
      - { name: main, storage: pbs }
      - { name: offsite, offsite: true, max_age_hours: 50 }
`,
    stop: () => pbs.stop(),
  };
}
