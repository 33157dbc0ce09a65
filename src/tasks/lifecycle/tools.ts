import type { Clock } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import { toJson } from '../../core/json.ts';
import { conflict } from '../../core/locks.ts';
import type { Log } from '../../core/log.ts';
import type { Actor } from '../../core/people.ts';
import { newErrorId, type Random } from '../../core/random.ts';
import { createRedactor, type Redactor } from '../../core/redact.ts';
import type { RunState } from '../../core/run.ts';
import type { Database } from '../../store/db.ts';
import type { RunPatch } from '../../store/run-steps.ts';
import { openRuns, type Run, type RunError } from '../../store/runs.ts';
import type { Context, Operation, Plan, Progress, Text } from '../define.ts';
import type { Ports } from '../ports.ts';
import { type People, showRun, step } from './shared.ts';
import type { Quieter } from './quieting.ts';
import type { StepUp } from './step-up.ts';

export interface ExecutorOptions {
  readonly db: Database;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly ports: Ports;
  readonly people: People;
  readonly policy: {
    readonly solo: boolean;
    readonly confirmMinutes: number;
    readonly approveMinutes: number;
    readonly soloDelayMinutes: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Masks secrets in what is stored of a run; without it only what is shaped like a credential is masked. */
  readonly redactor?: Redactor;
  /** Name of this process, never used by another; written into the run while it works on it. */
  readonly worker: string;
  readonly stepUp: StepUp;
  readonly enqueue: (run: Run, delayMs?: number) => Promise<void>;
  /** Mutes what a run's own work makes noisy; absent without an Alertmanager. */
  readonly quieter?: Pick<Quieter, 'open' | 'after'> | undefined;
  /** Counts how runs ended. */
  readonly onEnd?: (operation: string, state: Run['state'], durationMs: number) => void;
}

export const SYSTEM: Actor = { kind: 'system', id: 'vakhta' };
export const NO_PLAN: Plan = { target: '', lines: [] };
/** Progress of a run that waits for another one. */
export const WAITS_FOR_LOCK = 'run-waits-lock';

/** What every stage of the life cycle needs in a worker. */
export interface Tools extends ExecutorOptions {
  readonly contextOf: (run: Run, signal: AbortSignal) => Context<keyof Ports>;
  /** An error as the run keeps it: with an id that the operator can quote, and the cause in the log only. */
  readonly record: (thrown: unknown, run: Run) => RunError;
  /** Ends the run; `mine`: only while it is this worker's. Undefined: somebody else moved it first. */
  readonly finish: (run: Run, to: RunState, patch: RunPatch, mine?: 'mine') => Promise<Run | undefined>;
  /** Runs that wait for one of these locks try again now. */
  readonly wake: (keys: readonly string[]) => Promise<void>;
  readonly locksOf: (run: Run, operation: Operation) => readonly string[];
  readonly clean: (text: Text) => Text;
  readonly cleanProgress: (progress: Progress) => Progress;
  /** A result as it is stored: plain JSON without secrets. */
  readonly cleanJson: (value: unknown) => unknown;
}

export function createTools(options: ExecutorOptions): Tools {
  const { db, operations, people, clock, log } = options;
  const redactor = options.redactor ?? createRedactor();

  const cleanArgs = (args: NonNullable<Text['args']>) =>
    Object.fromEntries(
      Object.entries(args).map(([name, value]) => [name, typeof value === 'string' ? redactor.redact(value) : value]),
    );
  const clean = ({ key, args }: Text) => (args ? { key, args: cleanArgs(args) } : { key });

  const locksOf: Tools['locksOf'] = (run, operation) => operation.locks(run.args, run.plan ?? NO_PLAN);

  const wake: Tools['wake'] = async (keys) => {
    if (keys.length === 0) return;
    try {
      for (const run of await openRuns(db, ['queued'])) {
        const waitsFor = run.progress?.step.key === WAITS_FOR_LOCK ? run.progress.step.args?.['key'] : undefined;
        if (typeof waitsFor === 'string' && keys.some((key) => conflict(key, waitsFor))) await options.enqueue(run);
      }
    } catch (error) {
      log.warn({ err: error }, 'runs that wait for a lock were not woken; the reconciler does it');
    }
  };

  return {
    ...options,
    locksOf,
    wake,
    clean,
    cleanProgress: (progress) => ({ ...progress, step: clean(progress.step) }),
    cleanJson: (value) => redactor.redactDeep(JSON.parse(toJson(value))),
    contextOf: (run, signal) => {
      const operator = run.actor.kind === 'operator' ? people(run.actor.id) : undefined;
      return {
        runId: run.id,
        actor: run.actor,
        ...(operator ? { operator } : {}),
        ports: options.ports,
        clock,
        log,
        signal,
      };
    },
    record: (thrown, run) => {
      const { kind, code, text, args, message } = toVakhtaError(thrown);
      const id = newErrorId(options.random);
      // `error` means that the developers must act; a person who mistyped a name is no news for the log at all.
      const level = kind === 'bug' ? 'error' : kind === 'usage' ? 'info' : 'warn';
      const fields = { run: run.id, number: run.number, operation: run.operation, errorId: id, err: thrown };
      log[level](fields, message);
      return { id, kind, code, text, args: cleanArgs(args) };
    },
    finish: async (run, to, patch, mine) => {
      const now = clock.now();
      const operation = operations.get(run.operation);
      const fenced = mine ? { ...patch, onlyBy: options.worker } : patch;
      const moved = await db.tx(async (tx) => {
        const after = await step(tx, run, to, fenced, now, { actor: SYSTEM, action: `run.${to}` });
        if (after && operation) await showRun(tx, after, operation, now, to !== 'succeeded');
        return after;
      });
      if (!moved) return undefined;
      options.onEnd?.(run.operation, to, now.getTime() - (run.startedAt ?? run.createdAt).getTime());
      if (operation && moved.startedAt) await wake(locksOf(moved, operation));
      return moved;
    },
  };
}
