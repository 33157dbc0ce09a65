import { type Actor, holds, type Operator } from './people.ts';

/** What an operation can do to the world, mildest first. */
export const RISKS = ['read', 'change', 'disrupt', 'destroy'] as const;
export type Risk = (typeof RISKS)[number];

/**
 * What has to happen between asking and doing:
 * - `none`: nothing (a change of this kind offers an undo instead)
 * - `confirm`: the requester sees the plan and presses a red button that expires
 * - `second`: another person with the role approves the plan
 * - `destroy`: the requester types the target's name and a step-up code, and a second person approves
 */
export type Approval = 'none' | 'confirm' | 'second' | 'destroy';

const BY_RISK: Record<Risk, Approval> = { read: 'none', change: 'none', disrupt: 'confirm', destroy: 'destroy' };
const STRICTNESS: readonly Approval[] = ['none', 'confirm', 'second', 'destroy'];

/** The approval an operation needs: what it declares itself, but never less than its risk asks for. */
export function approvalFor(risk: Risk, declared?: Approval): Approval {
  const least = BY_RISK[risk];
  if (declared === undefined) return least;
  return STRICTNESS.indexOf(declared) > STRICTNESS.indexOf(least) ? declared : least;
}

export type ApprovalVerdict = 'ok' | 'role' | 'own-run';

/** May `person` approve a run that `requester` asked for? The requester never approves their own. */
export function mayApprove(
  person: Operator,
  requester: string,
  needed: { readonly role: Operator['role']; readonly risk: Risk },
): ApprovalVerdict {
  const role = needed.risk === 'destroy' ? 'admin' : needed.role;
  if (!holds(person.role, role)) return 'role';
  return person.id === requester ? 'own-run' : 'ok';
}

/** Where a run stands between asking and doing. */
export type Gate = 'confirming' | 'approving' | 'queued';

/** The gate after the plan is known. With `solo`, a step-up code and a delay stand in for the second person. */
export function firstGate(approval: Approval, solo: boolean): Gate {
  if (approval === 'none') return 'queued';
  if (approval === 'second') return solo ? 'confirming' : 'approving';
  return 'confirming';
}

/** The gate after the requester confirmed. */
export function gateAfterConfirm(approval: Approval, solo: boolean): Gate {
  return approval === 'destroy' && !solo ? 'approving' : 'queued';
}

/** Whether confirming asks for the target's name and a step-up code. */
export const needsStepUp = (approval: Approval, solo: boolean): boolean =>
  approval === 'destroy' || (approval === 'second' && solo);

/** Whether a delay has to pass between the last answer and the start, in which the run can still be cancelled. */
export const needsDelay = (approval: Approval, solo: boolean): boolean =>
  solo && (approval === 'destroy' || approval === 'second');

/**
 * May an actor of this kind ask for it, roles aside? What has to be confirmed needs somebody who can answer: a schedule, HTTP
 * or the system itself cannot, and a step-up code is a person's, so the bare command line has none.
 */
export function mayAsk(kind: Actor['kind'], approval: Approval, solo: boolean): boolean {
  if (kind === 'operator') return true;
  if (kind === 'outsider' || needsStepUp(approval, solo)) return false;
  return kind === 'cli' || firstGate(approval, solo) !== 'confirming';
}
