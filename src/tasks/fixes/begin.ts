import { VakhtaError } from '../../core/error.ts';
import type { Tx } from '../../store/db.ts';
import { insertAttempt } from '../../store/fixes.ts';
import { appendEvents } from '../../store/incidents.ts';
import type { Run } from '../../store/runs.ts';

/**
 * Notes, in the transaction that writes the run, that it is to mend an incident. Throws `fix-running` when the same is under
 * way already: two cards of one incident offer the same.
 */
export async function beginFix(tx: Tx, run: Run, now: Date): Promise<void> {
  const { incident, fix } = run.origin;
  if (incident === undefined || fix === undefined) return;
  const begun = await insertAttempt(tx, { ...fix, runId: run.id, incidentId: incident }, now);
  if (!begun) {
    throw new VakhtaError('usage', 'fix-running', `incident ${incident}: ${fix.key} is under way`, {
      args: { incident: String(incident) },
    });
  }
  const { kind, id } = run.actor;
  await appendEvents(tx, [
    {
      incidentId: incident,
      at: now,
      kind: 'fix-started',
      actor: kind === 'operator' ? id : kind,
      data: { run: String(run.number), operation: run.operation },
    },
  ]);
}
