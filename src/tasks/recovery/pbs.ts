import type { Clock } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import { backupLock, machineLock, serviceLock } from '../../core/locks.ts';
import type { Config } from '../../config/schema.ts';
import type { Pbs } from '../../integrations/pbs/port.ts';
import type { Several } from '../several.ts';
import type { BackupSource, BackupState, RecoveryParts, Verifiable } from './define.ts';
import { type DatastoreLook, type PbsLook } from './pbs-look.ts';
import { datastoreState } from './pbs-state.ts';
import { verifyDatastore } from './pbs-verify.ts';

export { createPbsLook, snapshotsOf } from './pbs-look.ts';

export interface PbsPartsEdges {
  readonly clock: Clock;
  readonly pbs: Several<Pbs>;
  readonly look: PbsLook;
}

/** Backup servers: a line for each datastore, and the check that reads its chunks. Guests are told of by `guests.ts`. */
export function pbsParts(
  servers: Config['pbs'],
  { clock, pbs, look }: PbsPartsEdges,
): Pick<RecoveryParts, 'sources' | 'verifiables'> {
  return {
    sources: servers.map(
      (server): BackupSource => ({
        name: `pbs ${server.id}`,
        targets: server.datastores.map(({ name }) => targetOf(server.id, name)),
        states: async (signal) => (await look.at(server.id, signal)).map((one) => stateOf(one, clock.now())),
      }),
    ),
    verifiables: servers.flatMap((server) =>
      server.datastores.map((datastore): Verifiable => {
        const service = serviceLock(machineLock(server.id), `pbs-${datastore.name}`);
        return {
          target: targetOf(server.id, datastore.name),
          locks: [backupLock(service)],
          verify: (context) => verifyDatastore(pbs.get(server.id), datastore, context),
        };
      }),
    ),
  };
}

const targetOf = (id: string, store: string): string => `pbs:${id}/${store}`;

/** A rule that stumbles over an answer nobody foresaw must not silence the other datastores. */
function stateOf(look: DatastoreLook, now: Date): BackupState {
  try {
    return datastoreState(look, now);
  } catch (thrown) {
    const { text, args } = toVakhtaError(thrown);
    return { target: look.target, state: 'unknown', line: { key: text, args }, notes: [], backups: [] };
  }
}
