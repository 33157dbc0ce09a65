import { VakhtaError } from '../core/error.ts';
import type { DoctorProbe } from '../config/doctor.ts';
import type { Queryable } from '../store/db.ts';
import { codeOf } from '../store/errors.ts';
import { openScratch } from '../store/scratch.ts';

/** PostgreSQL manual, appendix A. */
const UNDEFINED_TABLE = '42P01';

/** What the sweeper tried to remove in vain. The embedded database is not opened for this: another process may have it. */
export const scratchProbe = (withDatabase: <T>(work: (q: Queryable) => Promise<T>) => Promise<T>): DoctorProbe => ({
  name: 'leftovers',
  probe: async () => {
    const open = await withDatabase(openScratch).catch((thrown: unknown): [] => {
      // No such table yet: nothing can be left over. That the database is away, its own line says.
      if (thrown instanceof VakhtaError || codeOf(thrown) === UNDEFINED_TABLE) return [];
      throw thrown;
    });
    const left = open.filter(({ failures }) => failures > 0);
    if (left.length === 0) return { state: 'ok', text: 'doctor-leftovers' };
    const things = left.slice(0, 5).map(({ kind, place }) => `${kind} (${place})`);
    const places = [...new Set(left.map(({ place }) => place))].slice(0, 5);
    const args = { n: left.length, things: things.join(', '), places: places.join(', ') };
    return { state: 'warn', text: 'doctor-leftovers-some', args };
  },
});
