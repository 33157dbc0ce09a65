import { Gauge, type Registry } from 'prom-client';
import { goalsOf } from '../core/recovery.ts';
import type { Config } from '../config/schema.ts';
import type { Queryable } from '../store/db.ts';
import { newestRestoreDrills } from '../store/recovery.ts';
import { lastBoard } from '../tasks/recovery/board.ts';
import type { BackupState } from '../tasks/recovery/define.ts';
import { ageLimitMs } from '../tasks/recovery/limits.ts';

/** Of the board and of the ledger, as they are in the database: any process can tell it. */
export interface BackupSnapshot {
  /** When somebody last looked; nothing when nobody ever did. */
  readonly lookedAt: Date | undefined;
  readonly states: readonly (Pick<
    BackupState,
    'target' | 'state' | 'newestAt' | 'rpoMs' | 'storedBytes' | 'capacityBytes'
  > & { readonly limitMs: number | undefined; readonly goalMs: number })[];
  readonly drills: readonly {
    readonly target: string;
    readonly passed: boolean;
    /** When the last good one began. */
    readonly lastGoodAt: Date | undefined;
  }[];
  readonly drillMaxAgeDays: number;
}

type Configured = Pick<Config, 'postgres' | 'proxmox' | 'restic' | 'pbs' | 'recovery' | 'restoreDrills'>;

export async function backupSnapshot(q: Queryable, config: Configured): Promise<BackupSnapshot> {
  const [board, ended, passed] = await Promise.all([
    lastBoard(q),
    newestRestoreDrills(q, 'ended'),
    newestRestoreDrills(q, 'passed'),
  ]);
  // Also what is to be tried out by the clock and never was.
  const tried = [
    ...new Set([...ended.map(({ target }) => target), ...config.restoreDrills.map(({ target }) => target)]),
  ];
  return {
    lookedAt: board?.at,
    states: (board?.states ?? []).map((one) => ({
      ...one,
      limitMs: ageLimitMs(one.target, config),
      goalMs: goalsOf(one.target, config.recovery).rpoMs,
    })),
    drills: tried.map((target) => ({
      target,
      passed: ended.find((one) => one.target === target)?.state === 'passed',
      lastGoodAt: passed.find((one) => one.target === target)?.startedAt,
    })),
    drillMaxAgeDays: config.recovery.drillMaxAgeDays,
  };
}

const STATES: readonly BackupState['state'][] = ['ok', 'warn', 'down', 'unknown'];

/** Gauges of backups and of restores that were tried out; `set` replaces all that was told before. */
export function createBackupGauges(registers: readonly Registry[]): { readonly set: (now: BackupSnapshot) => void } {
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers: [...registers] });
  const looked = gauge('vakhta_backup_board_timestamp_seconds', 'When the backups were last looked at.');
  const state = gauge(
    'vakhta_backup_state',
    'How the backups of a target stand: 1 for the state that it is in.',
    'target',
    'state',
  );
  const newest = gauge('vakhta_backup_newest_timestamp_seconds', 'When the newest good backup was finished.', 'target');
  const limit = gauge(
    'vakhta_backup_age_limit_seconds',
    'How old the newest backup may be, by the configuration.',
    'target',
  );
  const loss = gauge('vakhta_backup_loss_seconds', 'Work that would be lost now, as of the last look.', 'target');
  const stored = gauge(
    'vakhta_backup_stored_bytes',
    'What all backups of a target, or in a datastore, take up.',
    'target',
  );
  const capacity = gauge('vakhta_backup_capacity_bytes', 'Room in all where they lie.', 'target');
  const goal = gauge(
    'vakhta_recovery_loss_goal_seconds',
    'Work that may be lost (recovery.rpo_minutes and recovery.goals).',
    'target',
  );
  const passed = gauge(
    'vakhta_restore_drill_passed',
    'Whether the newest restore that was tried out went well.',
    'target',
  );
  const good = gauge(
    'vakhta_restore_drill_last_good_timestamp_seconds',
    'When a restore last went well; 0 for never.',
    'target',
  );
  const maxAge = gauge('vakhta_restore_drill_max_age_seconds', 'How old that may be (recovery.drill_max_age_days).');
  const byTarget = [state, newest, limit, loss, goal, stored, capacity, passed, good];

  return {
    set: ({ lookedAt, states, drills, drillMaxAgeDays }) => {
      for (const one of byTarget) one.reset();
      looked.set((lookedAt?.getTime() ?? 0) / 1000);
      maxAge.set(drillMaxAgeDays * 86_400);
      for (const { target, newestAt, limitMs, goalMs, rpoMs, storedBytes, capacityBytes, ...rest } of states) {
        for (const one of STATES) state.set({ target, state: one }, one === rest.state ? 1 : 0);
        if (newestAt) newest.set({ target }, newestAt.getTime() / 1000);
        if (limitMs !== undefined) limit.set({ target }, limitMs / 1000);
        if (rpoMs !== undefined) {
          loss.set({ target }, rpoMs / 1000);
          goal.set({ target }, goalMs / 1000);
        }
        if (storedBytes !== undefined) stored.set({ target }, storedBytes);
        if (capacityBytes !== undefined) capacity.set({ target }, capacityBytes);
      }
      for (const { target, lastGoodAt, ...rest } of drills) {
        passed.set({ target }, rest.passed ? 1 : 0);
        good.set({ target }, (lastGoodAt?.getTime() ?? 0) / 1000);
      }
    },
  };
}
