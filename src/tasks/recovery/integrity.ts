import { days } from '../../core/clock.ts';
import { parseTarget } from '../../core/recovery.ts';
import type { Config } from '../../config/schema.ts';
import type { IntegrityCheck } from '../../store/recovery.ts';

/**
 * What the checks of a repository are worth. `unproven`: they found nothing wrong, but have not caught planted damage for too long,
 * so that nobody knows whether they would find any. `drills`: nothing can be damaged without harm there; drills have to prove it.
 */
export interface Integrity {
  readonly state: 'ok' | 'warning' | 'failed' | 'unproven' | 'old' | 'never' | 'drills';
  /** Of the last check. */
  readonly at?: Date;
  readonly readBytes?: number;
  readonly ofBytes?: number;
  /** When planted damage was last caught. */
  readonly caughtAt?: Date;
}

/** A check that is older says nothing any more: they run weekly. */
const CHECK_MAX_DAYS = 16;

export interface IntegrityRules {
  readonly now: Date;
  readonly damageMaxAgeDays: number;
  /** Whether damage can be planted there. */
  readonly hasDecoy: boolean;
}

/** Judges a repository by its newest checks and the newest decoy that was caught. */
export function judgeIntegrity(
  {
    verify,
    caught,
    decoy,
  }: {
    readonly verify: IntegrityCheck | undefined;
    readonly caught: IntegrityCheck | undefined;
    readonly decoy: IntegrityCheck | undefined;
  },
  { now, damageMaxAgeDays, hasDecoy }: IntegrityRules,
): Integrity {
  if (!verify) return { state: 'never' };
  const { at, readBytes, ofBytes } = verify;
  const known = {
    at,
    ...(readBytes === undefined ? {} : { readBytes }),
    ...(ofBytes === undefined ? {} : { ofBytes }),
    ...(caught ? { caughtAt: caught.at } : {}),
  };
  // Damage that was found stays found, whatever the decoy says.
  if (verify.state === 'failed') return { state: 'failed', ...known };
  if (verify.state === 'broken') return { state: 'old', ...known };
  if (now.getTime() - at.getTime() > days(CHECK_MAX_DAYS)) return { state: 'old', ...known };
  if (hasDecoy) {
    const isCaught = caught !== undefined && now.getTime() - caught.at.getTime() <= days(damageMaxAgeDays);
    // The newest decoy was overlooked: that it was caught before helps nobody.
    if (!isCaught || decoy?.state === 'failed') return { state: 'unproven', ...known };
  }
  if (verify.state === 'warning') return { state: 'warning', ...known };
  return { state: hasDecoy ? 'ok' : 'drills', ...known };
}

/** The repository in which the backups of a target lie, as `/verify` names it; nothing where its source tells by itself. */
export function repositoryOf(target: string, { restic }: Pick<Config, 'restic'>): string | undefined {
  const parsed = parseTarget(target);
  if (parsed?.kind === 'pg') return target;
  if (parsed?.kind !== 'volume') return undefined;
  const set = restic.find(({ volumes }) => volumes.some(({ id }) => id === parsed.id));
  return set && `restic:${set.id}`;
}
