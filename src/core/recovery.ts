import { minutes } from './clock.ts';
import type { Text } from './i18n.ts';

/** What can be lost and brought back. `offsite-…`: the same, out of the copy elsewhere. */
export const TARGET_KINDS = ['pg', 'guest', 'volume', 'offsite-pg', 'offsite-volume'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** `pg:main`: the kind, and the id or name in it. */
export interface Target {
  readonly kind: TargetKind;
  readonly id: string;
}

/** Reads `pg:main`; nothing when it is no target. */
export function parseTarget(text: string): Target | undefined {
  const [, kind = '', id = ''] = /^([a-z-]+):(.+)$/u.exec(text) ?? [];
  const known = TARGET_KINDS.find((one) => one === kind);
  return known && { kind: known, id };
}

export const formatTarget = ({ kind, id }: Target): string => `${kind}:${id}`;

/** What recovery of a target has to reach, in milliseconds. */
export interface Goals {
  readonly rtoMs: number;
  readonly rpoMs: number;
  /** The kind or the target that has this goal of its own; absent: it is that of all. */
  readonly rtoOf?: string;
  readonly rpoOf?: string;
}

/** As the section `recovery` of the configuration has it. */
export interface GoalSettings {
  readonly rtoMinutes: number;
  readonly rpoMinutes: number;
  /** `for`: a kind (`guest`) or a target (`guest:gitlab`). */
  readonly goals?: readonly { readonly for: string; readonly rtoMinutes?: number; readonly rpoMinutes?: number }[];
}

/** The goal of the target itself, else of its kind, else of all; RTO and RPO each by itself. */
export function goalsOf(target: string, { rtoMinutes, rpoMinutes, goals = [] }: GoalSettings): Goals {
  const names = [target, parseTarget(target)?.kind];
  const own = names.flatMap((name) => goals.filter((one) => one.for === name));
  const rto = own.find((one) => one.rtoMinutes !== undefined);
  const rpo = own.find((one) => one.rpoMinutes !== undefined);
  return {
    rtoMs: minutes(rto?.rtoMinutes ?? rtoMinutes),
    rpoMs: minutes(rpo?.rpoMinutes ?? rpoMinutes),
    ...(rto ? { rtoOf: rto.for } : {}),
    ...(rpo ? { rpoOf: rpo.for } : {}),
  };
}

/** One thing that was looked at after a restore, and whether it was as it had to be. */
export interface Proof {
  readonly ok: boolean;
  readonly text: Text;
}

/** A part of a drill with its length. */
export interface Step {
  readonly text: Text;
  readonly ms: number;
}

/** What was seen in a restore. */
export interface DrillReport {
  /** Label of the backup, or id of the snapshot, that was restored. */
  readonly source: string;
  /** Milliseconds from the order to restore until the restored thing answered; what the drill itself does around it is not counted. */
  readonly rtoMs: number;
  /** Milliseconds of work that would have been lost, had everything ended when the drill began; absent when it cannot be told. */
  readonly rpoMs?: number;
  /** Bytes restored. */
  readonly sizeBytes?: number;
  /** Of the programs that took part, as `{ pgbackrest: '2.45', postgres: '15.8' }`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  /** All have to be ok for the drill to have passed; none is a drill that proves nothing, and fails. */
  readonly proofs: readonly Proof[];
}

export const drillPassed = ({ proofs }: Pick<DrillReport, 'proofs'>): boolean =>
  proofs.length > 0 && proofs.every(({ ok }) => ok);
