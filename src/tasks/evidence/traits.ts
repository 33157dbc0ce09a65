import { incidentData } from '../../core/incident.ts';
import { traitsOf } from '../../core/traits.ts';
import type { Database } from '../../store/db.ts';
import { addTraits, incidentsWithoutTraits } from '../../store/evidence.ts';

const BATCH = 500;

/** Notes of each new incident by what it can be found again. A round takes what has come since the last one. */
export function createTraitsIndex({ db }: { readonly db: Database }): {
  readonly round: (signal: AbortSignal) => Promise<void>;
} {
  return {
    round: async (signal) => {
      for (let more = true; more && !signal.aborted; ) {
        const rows = await incidentsWithoutTraits(db, BATCH);
        await addTraits(
          db,
          rows.map(({ id, data, startedAt }) => ({
            incidentId: id,
            startedAt,
            ...traitsOf(incidentData.parse(data)),
          })),
        );
        more = rows.length === BATCH;
      }
    },
  };
}
