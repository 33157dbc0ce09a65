import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Doc } from '../core/doc.ts';
import type { Messages, Text, Translate } from '../core/i18n.ts';
import type { Actor, Language, Operator, Role } from '../core/people.ts';
import { VakhtaError } from '../core/error.ts';
import { type Approval, approvalFor, type Risk } from '../core/policy.ts';
import type { Log } from '../core/log.ts';
import type { Matcher } from '../integrations/alertmanager/matchers.ts';
import type { PortName, Ports } from './ports.ts';
import type { TargetNames } from './silences/names.ts';

export type { Text } from '../core/i18n.ts';

/** What will happen, worked out without doing it. */
export interface Plan {
  /** The name that a `destroy` asks to be typed, and that cards show. */
  readonly target: string;
  readonly lines: readonly Text[];
  /** What `run` needs of the plan, so that what was approved is what is done. */
  readonly bound?: Readonly<Record<string, unknown>>;
}

export interface Progress {
  readonly step: Text;
  /** 0–100; absent when nothing is known. */
  readonly percent?: number;
  /** Milliseconds to go, as estimated by the tool. */
  readonly remainingMs?: number;
}

/** How a run ended well enough to report: `warning` is amber, and never shown as green. */
export interface Outcome<R> {
  readonly state: 'succeeded' | 'warning';
  readonly result: R;
}

/** Was the aim reached, seen by another way than the one that acted. */
export interface Verified {
  readonly ok: boolean;
  readonly text: Text;
}

/** What really happened to a run whose worker died. `again`: it provably never started, so it may be queued again. */
export type Reconciled<R> =
  | { readonly state: 'succeeded' | 'warning'; readonly result: R }
  | { readonly state: 'failed'; readonly text: Text }
  | { readonly state: 'again' }
  /** The outside is still busy with it; ask again later. */
  | { readonly state: 'busy'; readonly text: Text };

export interface Context<P extends PortName> {
  readonly runId: string;
  readonly actor: Actor;
  /** The person behind the actor, as the configuration has them now. */
  readonly operator?: Operator;
  readonly ports: Pick<Ports, P>;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts on cancel, time-out and shutdown. */
  readonly signal: AbortSignal;
}

export interface RunContext<P extends PortName> extends Context<P> {
  readonly plan: Plan;
  /** Shown on the card; the newest wins, so call it as often as there is news. */
  readonly progress: (progress: Progress) => void;
  /** Stores the handle of the outside work (UPID, annotation) before going on: reconcile reads it after a crash. */
  readonly remember: (external: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** What the form, the command line and the check of arguments may know of the declared world. */
export interface Facts {
  readonly stanzas: readonly string[];
  readonly endpoints: readonly string[];
  readonly operators: readonly Operator[];
  /** Names of guests as last seen in Proxmox; empty when never seen. */
  guests(): Promise<readonly string[]>;
  /** What may be restored of a stanza, as last seen, and what happened meanwhile that one may want to be before. */
  restorable(stanza: string, now: Date): Promise<Restorable>;
  /** Docker engines. */
  readonly engines: readonly string[];
  /** Names of containers as last seen, of all engines; empty when never seen. */
  containers(): Promise<readonly string[]>;
  /** Targets of backups (`pg:main`), guests as last seen. */
  backupTargets(): Promise<readonly string[]>;
  /** Those whose restore can be tried out. */
  drillTargets(): Promise<readonly string[]>;
  /** Volumes and files that restic backs up. */
  readonly volumes: readonly string[];
  /** Sets of backups by restic, and those of them that have a copy elsewhere. */
  readonly resticSets: readonly string[];
  readonly offsiteSets: readonly string[];
  /** Repositories that can be verified: `pg:main`, `restic:files`, `pbs:pbs1/main`. */
  readonly checkTargets: readonly string[];
}

/** A value to choose; with a label where the value itself says too little. */
export type Choice = string | { readonly value: string; readonly label: Text };

/** Who is asked, and when: moments are offered in their zone. */
export interface Asked {
  readonly zone: string;
  readonly now: Date;
}

export interface Restorable {
  readonly window?: { readonly from: Date; readonly to: Date };
  /** The last deployment that was told of. */
  readonly deployedAt?: Date;
}

export interface Field {
  /** Values offered as buttons and in the command line's help; typed ones are accepted too, and checked by the schema. */
  readonly choices?: (facts: Facts, args: Args, asked: Asked) => readonly Choice[] | Promise<readonly Choice[]>;
  /** A sentence under the question. */
  readonly note?: (facts: Facts, args: Args, asked: Asked) => Promise<Text | undefined>;
  /** Not asked by the form and not a word of the command: set by a button only. */
  readonly hidden?: boolean;
  /** The last word of the command, and all that follow it: a sentence without quotes. */
  readonly rest?: boolean;
  /** It may be left out, and yet is asked for while the arguments so far say so. */
  readonly asked?: (args: Args) => boolean;
}

/** How `report` speaks: the reader's language, and the time of drawing. */
export interface View {
  readonly t: Translate;
  readonly language: Language;
  readonly now: Date;
  /** What the card was turned to by its buttons, for reports in pages; empty at first. */
  readonly view?: string;
}

/**
 * An operation, declared once. From this come the slash command, the form, the buttons, the help, the command line, the
 * audit entry, the job and the reference page. `name` is dotted (`backup.pg`); the command is the same words (`/backup pg`).
 *
 * Catalogue keys that must exist in `messages`, with `-` for `.`: `op-backup-pg` (summary), and for each field that is not
 * hidden `op-backup-pg-arg-<field>` (the question).
 */
export interface OperationSpec<S extends z.ZodObject, P extends PortName, R> {
  readonly name: string;
  readonly messages: Messages;
  readonly role: Role;
  readonly risk: Risk;
  /** Stricter than the risk asks for. */
  readonly approval?: Approval;
  /** In the order of the command's words. */
  readonly args: S;
  readonly fields?: { readonly [K in keyof z.infer<S>]?: Field };
  readonly result: z.ZodType<R>;
  readonly ports: readonly P[];
  /** Runs in the process that was asked, without the queue: for what needs only the database. */
  readonly inline?: boolean;
  /** Left out of menus and help: asked for by buttons and tests only. */
  readonly unlisted?: boolean;
  /** Asked for from an incident's card, it shows there; a card of its own appears only when something needs a person. */
  readonly quiet?: boolean;
  /** Runs that share a key wait for each other. */
  readonly locks?: (args: z.infer<S>, plan: Plan) => readonly string[];
  /** A run that failed its `verify` shows its report all the same: what was seen is what one wants to read. */
  readonly reportsFailure?: boolean;
  readonly timeoutMs: number;
  readonly plan: (context: Context<P>, args: z.infer<S>) => Promise<Plan>;
  /**
   * Does it. Before anything is changed outside, `remember` has to be called: it refuses when the run is no longer this
   * worker's. Of a change, an error of kind `usage`, `denied` or `permanent` says that it is known how it ended (see
   * `definite`); after any other, `reconcile` is asked.
   */
  readonly run: (context: RunContext<P>, args: z.infer<S>) => Promise<Outcome<R>>;
  /**
   * The alerts that its own work raises: lists of matchers, each scoped to the target, one silence each. They are muted while it
   * works, where an Alertmanager is configured; what fires on afterwards is told on the card.
   */
  readonly quiets?: (args: z.infer<S>, plan: Plan, names: TargetNames) => Promise<readonly (readonly Matcher[])[]>;
  /** Obligatory for everything but `read`. */
  readonly verify?: (context: Context<P>, args: z.infer<S>, result: R) => Promise<Verified>;
  /** Obligatory for everything but `read`: what happened, asked of the outside, when the worker died. */
  readonly reconcile?: (
    context: Context<P>,
    args: z.infer<S>,
    external: Readonly<Record<string, unknown>> | undefined,
  ) => Promise<Reconciled<R>>;
  /** The result in the reader's language; a `read` shows it as it is, otherwise the card adds title, requester, times. */
  readonly report: (result: R, args: z.infer<S>, view: View) => Doc;
  /** One press that takes it back, offered on the card of a change that succeeded. */
  readonly undo?: (
    args: z.infer<S>,
    result: R,
  ) => { readonly operation: string; readonly args: Record<string, unknown> };
}

/** Arguments as stored: the output of the operation's own schema. */
export type Args = Readonly<Record<string, unknown>>;

/** One word of the command, one question of the form. */
export interface Argument extends Field {
  readonly name: string;
  readonly required: boolean;
  /** The values of an enumeration, absent for free text. */
  readonly options?: readonly string[];
  readonly schema: z.ZodType;
}

/** An operation with its types folded away: what the registry and the life cycle handle. */
export interface Operation {
  readonly name: string;
  /** The words of the command: `['backup', 'pg']`. */
  readonly command: readonly string[];
  /** Catalogue key of the summary: `op-backup-pg`. */
  readonly key: string;
  readonly messages: Messages;
  readonly role: Role;
  readonly risk: Risk;
  readonly approval: Approval;
  readonly arguments: readonly Argument[];
  readonly ports: readonly PortName[];
  readonly inline: boolean;
  readonly unlisted: boolean;
  readonly quiet: boolean;
  readonly reportsFailure: boolean;
  readonly timeoutMs: number;
  readonly verifies: boolean;
  readonly reconciles: boolean;
  /** It says what its work makes noisy. */
  readonly isNoisy: boolean;
  /** Checked arguments. Throws `usage` with all problems at once. */
  parse(raw: unknown): Args;
  locks(args: Args, plan: Plan): readonly string[];
  plan(context: Context<PortName>, args: Args): Promise<Plan>;
  quiets(args: Args, plan: Plan, names: TargetNames): Promise<readonly (readonly Matcher[])[]>;
  run(context: RunContext<PortName>, args: Args): Promise<Outcome<unknown>>;
  verify(context: Context<PortName>, args: Args, result: unknown): Promise<Verified | undefined>;
  reconcile(context: Context<PortName>, args: Args, external: Args | undefined): Promise<Reconciled<unknown>>;
  report(result: unknown, args: Args, view: View): Doc;
  undo(args: Args, result: unknown): { readonly operation: string; readonly args: Record<string, unknown> } | undefined;
}

/** The same failure as a known end: what passes by itself elsewhere, but here is sure to have changed nothing. */
export const definite = (error: VakhtaError): VakhtaError =>
  new VakhtaError('permanent', error.code, error.message, { text: error.text, args: error.args, cause: error });

/** Declares an operation: one file in tasks/operations, one default export. */
export function defineOperation<S extends z.ZodObject, P extends PortName, R>(spec: OperationSpec<S, P, R>): Operation {
  const args = (raw: unknown): z.infer<S> => parseArgs(spec.name, spec.args, raw) as z.infer<S>;
  const result = (raw: unknown): R => spec.result.parse(raw);
  return {
    name: spec.name,
    command: spec.name.split('.'),
    key: `op-${spec.name.replaceAll('.', '-')}`,
    messages: spec.messages,
    role: spec.role,
    risk: spec.risk,
    approval: approvalFor(spec.risk, spec.approval),
    arguments: describeArguments(spec.args, spec.fields ?? {}),
    ports: spec.ports,
    inline: spec.inline ?? false,
    unlisted: spec.unlisted ?? false,
    quiet: spec.quiet ?? false,
    reportsFailure: spec.reportsFailure ?? false,
    timeoutMs: spec.timeoutMs,
    verifies: spec.verify !== undefined,
    reconciles: spec.reconcile !== undefined,
    isNoisy: spec.quiets !== undefined,
    parse: args,
    locks: (raw, plan) => spec.locks?.(args(raw), plan) ?? [],
    plan: (context, raw) => spec.plan(context, args(raw)),
    quiets: async (raw, plan, names) => (await spec.quiets?.(args(raw), plan, names)) ?? [],
    run: async (context, raw) => {
      const outcome = await spec.run(context, args(raw));
      return { state: outcome.state, result: result(outcome.result) };
    },
    verify: async (context, raw, value) => spec.verify?.(context, args(raw), result(value)),
    reconcile: async (context, raw, external) => {
      // A read changed nothing, so asking again is always right.
      if (!spec.reconcile) return { state: 'again' };
      return spec.reconcile(context, args(raw), external);
    },
    report: (value, raw, view) => spec.report(result(value), args(raw), view),
    undo: (raw, value) => spec.undo?.(args(raw), result(value)),
  };
}

function parseArgs(operation: string, schema: z.ZodObject, raw: unknown): Args {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  throw new VakhtaError('usage', 'bad-arguments', `${operation}: ${problems.join('; ')}`, {
    args: { operation: `/${operation.replaceAll('.', ' ')}`, problems: problems.join('; ') },
  });
}

function describeArguments(schema: z.ZodObject, fields: Readonly<Record<string, Field | undefined>>): Argument[] {
  return Object.entries(schema.shape).map(([name, type]) => {
    const options = enumOptions(type);
    return {
      ...fields[name],
      name,
      schema: type as z.ZodType,
      // What may be absent, but not `undefined`, refuses it when it is asked by itself.
      required: !(type instanceof z.ZodExactOptional) && !(type as z.ZodType).safeParse(undefined).success,
      ...(options ? { options } : {}),
    };
  });
}

/** The values of an enumeration, also behind `.default()`, `.optional()` and `.exactOptional()`. */
function enumOptions(type: unknown): readonly string[] | undefined {
  if (type instanceof z.ZodEnum) return type.options.map(String);
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional || type instanceof z.ZodExactOptional) {
    return enumOptions(type.def.innerType);
  }
  return undefined;
}
