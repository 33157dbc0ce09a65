import { Secret as OtpSecret, TOTP } from 'otpauth';
import { z } from 'zod';
import type { Clock } from '../../../src/core/clock.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { doc, line } from '../../../src/core/doc.ts';
import { defineMessages } from '../../../src/core/i18n.ts';
import type { Log } from '../../../src/core/log.ts';
import type { Actor, Operator, Role } from '../../../src/core/people.ts';
import type { Approval, Risk } from '../../../src/core/policy.ts';
import { systemRandom } from '../../../src/core/random.ts';
import type { Redactor } from '../../../src/core/redact.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Database } from '../../../src/store/db.ts';
import { run as findRun, type Run } from '../../../src/store/runs.ts';
import {
  defineOperation,
  type Operation,
  type Outcome,
  type Reconciled,
  type RunContext,
  type Verified,
} from '../../../src/tasks/define.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import { createLockPaths } from '../../../src/tasks/lock-paths.ts';
import { createExecutor, type Executor } from '../../../src/tasks/lifecycle/executor.ts';
import type { Quieter } from '../../../src/tasks/lifecycle/quieting.ts';
import { createReconciler } from '../../../src/tasks/lifecycle/reconciler.ts';
import { createRequests, type Requests } from '../../../src/tasks/lifecycle/requests.ts';
import { createStepUp } from '../../../src/tasks/lifecycle/step-up.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { storeForTest, type StoreDatabase } from '../../support/store.ts';

export const lifeMessages = defineMessages({
  en: `
    op-life = Something for tests
    life-plan = will touch { $what }
    life-step = step { $n }
    life-seen = it is so
    life-not-seen = it is not so
    life-lost = the work is not there
    life-busy = still busy
    life-done = done
  `,
  ru: `
    op-life = Что-то для тестов
    life-plan = тронет { $what }
    life-step = шаг { $n }
    life-seen = это так
    life-not-seen = это не так
    life-lost = работы нет
    life-busy = ещё занято
    life-done = готово
  `,
});

export type LifeContext = RunContext<never>;
type Result = { readonly what: string };

/** What a test operation does; each test replaces the parts that it is about. */
export interface Behaviour {
  run?: (context: LifeContext, args: Result) => Promise<Outcome<Result>>;
  verify?: (context: { readonly signal: AbortSignal }) => Promise<Verified>;
  reconcile?: (external: Readonly<Record<string, unknown>> | undefined, runId: string) => Promise<Reconciled<Result>>;
  plan?: (signal: AbortSignal) => Promise<void>;
}

export interface LifeOperation {
  readonly name: string;
  readonly risk: Risk;
  readonly approval?: Approval;
  readonly role?: Role;
  readonly locks?: (args: Result) => readonly string[];
  readonly timeoutMs?: number;
  readonly does?: Behaviour;
}

/** The outside world of the test operations: which runs really acted on it, in order. */
export interface Outside {
  readonly acted: string[];
}

export function lifeOperation(spec: LifeOperation, outside: Outside): Operation {
  const { name, risk, role = 'operator', does = {} } = spec;
  return defineOperation({
    name,
    messages: lifeMessages,
    role,
    risk,
    ...(spec.approval ? { approval: spec.approval } : {}),
    args: z.object({ what: z.string().min(1).max(40) }),
    result: z.object({ what: z.string() }),
    ports: [],
    timeoutMs: spec.timeoutMs ?? 600_000,
    locks: spec.locks ?? (() => []),
    plan: async ({ signal }, { what }) => {
      await does.plan?.(signal);
      return { target: what, lines: [{ key: 'life-plan', args: { what } }] };
    },
    run: async (context, args) => {
      if (does.run) return does.run(context, args);
      await context.remember({ begun: true });
      outside.acted.push(context.runId);
      return { state: 'succeeded', result: args };
    },
    ...(risk === 'read'
      ? {}
      : {
          verify: (context: { readonly signal: AbortSignal }): Promise<Verified> =>
            does.verify?.(context) ?? Promise.resolve({ ok: true, text: { key: 'life-seen' } }),
          reconcile: async (
            { runId }: { readonly runId: string },
            args: Result,
            external: Readonly<Record<string, unknown>> | undefined,
          ): Promise<Reconciled<Result>> => {
            if (does.reconcile) return does.reconcile(external, runId);
            if (external?.['begun'] !== true) return { state: 'again' };
            if (outside.acted.includes(runId)) return { state: 'succeeded', result: args };
            return { state: 'failed', text: { key: 'life-lost' } };
          },
        }),
    report: (_result, _args, { t }) => doc(line(t('life-done'))),
  });
}

export const TOTP_OF: Readonly<Record<string, string>> = {
  ada: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  cyril: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
};

const person = (id: string, role: Role, telegramId: number): Operator => ({
  id,
  name: id[0]?.toUpperCase() + id.slice(1),
  telegramId,
  role,
  language: 'en',
  zone: 'Europe/Moscow',
  hasTotp: id in TOTP_OF,
});

export const cast = (): Map<string, Operator> =>
  new Map(
    [
      person('vera', 'viewer', 101),
      person('anna', 'operator', 102),
      person('boris', 'operator', 103),
      person('ada', 'admin', 104),
      person('cyril', 'admin', 105),
    ].map((one) => [one.id, one]),
  );

export const as = (id: string): Actor => ({ kind: 'operator', id });

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

export interface LifeOptions {
  readonly operations?: readonly (LifeOperation | Operation)[];
  readonly solo?: boolean;
  /** Time that runs by itself, for outside systems behind real sockets; `clock` then moves nothing. */
  readonly time?: Clock;
  readonly ports?: Partial<Ports>;
  readonly redactor?: Redactor;
  readonly quieter?: Pick<Quieter, 'open' | 'after'>;
}

export interface Life {
  readonly store: StoreDatabase;
  readonly db: Database;
  readonly clock: ManualClock;
  readonly people: Map<string, Operator>;
  readonly outside: Outside;
  readonly requests: Requests;
  readonly executor: Executor;
  readonly log: LogLine[];
  /** Runs handed to the queue, in order; with the delay that was asked for. */
  readonly queued: { readonly id: string; readonly delayMs: number | undefined }[];
  /** Ends of runs as the metrics hear of them. */
  readonly ended: string[];
  /** Another worker process on the same database. */
  worker(name: string, db?: Database): Executor;
  /** Delivers what is queued without a delay, until nothing is; each job to a fresh look of the executor. */
  deliver(): Promise<void>;
  /** One round of the reconciler, then delivers. */
  round(executor?: Executor): Promise<void>;
  run(id: string): Promise<Run>;
  /** Asks and takes the run to where it waits for somebody, or to its end. */
  ask(actor: Actor, operation: string, what?: string): Promise<Run>;
  audit(): Promise<
    readonly { readonly actor: string; readonly action: string; readonly subject: string; readonly detail: unknown }[]
  >;
  locks(): Promise<readonly string[]>;
  code(operator: string): string;
}

const isOperation = (one: LifeOperation | Operation): one is Operation => 'parse' in one;

/** Requests, executor and reconciler on a database of their own, with a clock that stands still and a queue in memory. */
export async function openLife(options: LifeOptions = {}): Promise<Life> {
  const store = await storeForTest();
  const { db } = store;
  const clock = createManualClock('2026-11-23T09:00:00Z');
  const time = options.time ?? clock;
  const outside: Outside = { acted: [] };
  const list = (options.operations ?? []).map((one) => (isOperation(one) ? one : lifeOperation(one, outside)));
  const operations = new Map(list.map((one) => [one.name, one]));
  const people = cast();
  const logged: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void logged.push({ level, message, fields });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const queued: { id: string; delayMs: number | undefined }[] = [];
  const ended: string[] = [];
  const policy = { solo: options.solo ?? false, confirmMinutes: 10, approveMinutes: 60, soloDelayMinutes: 15 };
  const shared = { operations, people: (id: string) => people.get(id), policy, clock: time, random: systemRandom, log };
  const enqueue = (run: Run, delayMs?: number): Promise<void> => {
    queued.push({ id: run.id, delayMs });
    return Promise.resolve();
  };
  // The object that was handed in: some tests put their ports there later.
  const ports = (options.ports ?? {}) as { -readonly [K in keyof Ports]: Ports[K] };
  ports.lockPaths ??= createLockPaths({ hosts: [], postgres: [], docker: [] });
  const worker = (name: string, its: Database = db): Executor =>
    createExecutor({
      ...shared,
      db: its,
      ports,
      worker: name,
      ...(options.redactor ? { redactor: options.redactor } : {}),
      ...(options.quieter ? { quieter: options.quieter } : {}),
      stepUp: createStepUp({
        secrets: (id) => {
          const secret = TOTP_OF[id];
          return secret === undefined ? undefined : () => Promise.resolve(new Secret(secret));
        },
      }),
      enqueue,
      onEnd: (_operation, state) => void ended.push(state),
    });
  const executor = worker('worker-1');
  const requests = createRequests({ ...shared, db, enqueue, processInline: (id) => executor.process(id) });
  const deliver = async (): Promise<void> => {
    for (;;) {
      const n = queued.findIndex(({ delayMs }) => delayMs === undefined || delayMs === 0);
      const [job] = n < 0 ? [] : queued.splice(n, 1);
      if (!job) return;
      await executor.process(job.id);
    }
  };
  const run = async (id: string): Promise<Run> => {
    const found = await findRun(db, id);
    if (!found) throw new Error(`no run ${id}`);
    return found;
  };
  return {
    store,
    db,
    clock,
    people,
    outside,
    requests,
    executor,
    log: logged,
    queued,
    ended,
    worker,
    deliver,
    run,
    round: async (its = executor) => {
      const requeue = (one: Run) => enqueue(one);
      await createReconciler({ db, clock: time, log, executor: its, requeue }).round(new AbortController().signal);
      await deliver();
    },
    ask: async (actor, operation, what = 'db1') => {
      const asked = await requests.request(actor, operation, { what });
      await deliver();
      return run(asked.id);
    },
    audit: async () =>
      z
        .array(z.object({ actor: z.string(), action: z.string(), subject: z.string(), detail: z.unknown() }))
        .parse((await db.query('select actor, action, subject, detail from audit order by seq')).rows),
    locks: async () =>
      z
        .array(z.object({ key: z.string() }))
        .parse((await db.query('select key from run_locks order by key')).rows)
        .map(({ key }) => key),
    code: (operator) =>
      new TOTP({ secret: OtpSecret.fromBase32(TOTP_OF[operator] ?? ''), period: 30 }).generate({
        timestamp: clock.now().getTime(),
      }),
  };
}

/** The code of what was refused; fails when nothing was. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof VakhtaError) return thrown.code;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

/** A gate that test and operation meet at. */
export function gate(): { readonly reached: Promise<void>; pass(): Promise<void>; open(): void } {
  let reach: () => void = () => {};
  let release: () => void = () => {};
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const opened = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    pass: () => {
      reach();
      return opened;
    },
    open: release,
  };
}

/** Everything in the tables of the life cycle, the outbox, the conversations and the audit, as one text to search. */
export async function everythingStored({ db }: StoreDatabase): Promise<string> {
  const parts: unknown[] = [];
  for (const table of [
    'runs',
    'run_events',
    'run_locks',
    'audit',
    'cards',
    'outbox',
    'actions',
    'conversations',
    'step_up_used',
  ]) {
    parts.push((await db.query(`select to_jsonb(x) as row from ${table} x`)).rows);
  }
  return JSON.stringify(parts);
}
