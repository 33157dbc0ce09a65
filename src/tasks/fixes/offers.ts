import { VakhtaError } from '../../core/error.ts';
import type { IncidentAlert, IncidentData } from '../../core/incident.ts';
import { canonicalJson } from '../../core/json.ts';
import type { LabelTest } from '../../core/routing.ts';
import type { Operation } from '../define.ts';

/** A fix as the configuration has it. */
export interface FixRule {
  readonly match: Readonly<Record<string, LabelTest>>;
  readonly operation: string;
  readonly args: Readonly<Record<string, string | number | boolean>>;
  readonly label?: FixLabel;
  readonly clearsMinutes: number;
}

export interface FixLabel {
  readonly ru: string;
  readonly en: string;
}

/** An operation that may mend alerts of an incident, with its arguments in full. */
export interface Offer {
  readonly operation: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly label?: FixLabel;
  readonly clearsMinutes: number;
  /** Equal for offers that do the same. */
  readonly key: string;
  /** The alerts that it is for. */
  readonly fingerprints: readonly string[];
}

export type RefusalCode = 'unknown-operation' | 'no-fix' | 'unknown-argument' | 'unknown-label' | 'bad-arguments';

/** Why an operation is not offered although a rule names it. */
export interface Refusal {
  readonly operation: string;
  readonly code: RefusalCode;
  /** The argument, the label, or what the schema says. */
  readonly detail: string;
}

/** What a rule names itself: a label or an annotation, and arguments as `key=value,…`. */
const OPERATION = 'vakhta_operation';
const ARGUMENTS = 'vakhta_args';
/** What a rule that names its own fix does not say. */
const CLEARS_MINUTES = 10;
/** A group of hundreds of alerts is no menu. */
const OFFERS_MAX = 12;
const FINGERPRINTS_MAX = 200;

/** Whether the alert's own rule names an operation. */
export const namesItsFix = ({ labels, annotations }: IncidentAlert): boolean =>
  (labels[OPERATION] ?? annotations[OPERATION] ?? '') !== '';

/** `{{label}}`, with spaces allowed. */
const LABEL = /\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/gu;

type Given = Readonly<Record<string, string | number | boolean>>;

/** What may be offered for the alerts that fire, in the order of the rules, and what may not. Pure. */
export function offersFor(
  data: IncidentData,
  rules: readonly FixRule[],
  operations: ReadonlyMap<string, Operation>,
): { readonly offers: readonly Offer[]; readonly refusals: readonly Refusal[] } {
  const offers = new Map<string, Offer & { readonly fingerprints: string[] }>();
  const refusals = new Map<string, Refusal>();
  const firing = Object.values(data.alerts).filter(({ status }) => status === 'firing');
  const consider = (alert: IncidentAlert, name: string, raw: Given | Refusal, rule: Partial<FixRule>): void => {
    const found = isRefusal(raw) ? raw : argumentsOf(name, raw, operations);
    if (isRefusal(found)) {
      refusals.set(JSON.stringify(found), found);
      return;
    }
    const key = `${name} ${canonicalJson(found.args)}`;
    const known = offers.get(key);
    if (known) {
      const { fingerprints } = known;
      const isNew = !fingerprints.includes(alert.fingerprint);
      if (isNew && fingerprints.length < FINGERPRINTS_MAX) fingerprints.push(alert.fingerprint);
    } else if (offers.size < OFFERS_MAX) {
      const { label, clearsMinutes = CLEARS_MINUTES } = rule;
      const fingerprints = [alert.fingerprint];
      offers.set(key, {
        operation: name,
        args: found.args,
        clearsMinutes,
        key,
        fingerprints,
        ...(label ? { label } : {}),
      });
    }
  };
  for (const rule of rules) {
    for (const alert of firing) {
      if (matches(rule.match, alert)) consider(alert, rule.operation, filled(rule, alert.labels), rule);
    }
  }
  for (const alert of firing) {
    const name = alert.labels[OPERATION] ?? alert.annotations[OPERATION];
    const words = alert.labels[ARGUMENTS] ?? alert.annotations[ARGUMENTS] ?? '';
    if (name !== undefined && name !== '') consider(alert, name, written(name, words), {});
  }
  return { offers: [...offers.values()], refusals: [...refusals.values()] };
}

/**
 * What is wrong with a rule whatever the alert: doctor asks this. A value with `{{label}}` cannot be looked at before there is
 * an alert.
 */
export function ruleProblem(rule: FixRule, operations: ReadonlyMap<string, Operation>): Refusal | undefined {
  const operation = fixable(rule.operation, operations);
  if (isRefusal(operation)) return operation;
  const foreign = foreignArgument(operation, rule.args);
  if (foreign) return foreign;
  for (const argument of operation.arguments) {
    const value = rule.args[argument.name];
    if (typeof value === 'string' && value.search(LABEL) >= 0) continue;
    if (argument.schema.safeParse(value).success) continue;
    return { operation: rule.operation, code: 'bad-arguments', detail: argument.name };
  }
  return undefined;
}

const isRefusal = (value: object): value is Refusal => 'code' in value && 'detail' in value;

const matches = (tests: FixRule['match'], { labels }: IncidentAlert): boolean =>
  Object.entries(tests).every(([name, test]) => {
    const value = labels[name] ?? '';
    return 'equals' in test ? value === test.equals : test.pattern.test(value);
  });

/** Labels come from outside: they fill in text, and what the text means is for the operation's schema to say. */
function filled({ operation, args }: FixRule, labels: Readonly<Record<string, string>>): Given | Refusal {
  let missing: string | undefined;
  const fill = (text: string): string =>
    text.replaceAll(LABEL, (_whole, name: string) => {
      const value = labels[name] ?? '';
      if (value === '') missing ??= name;
      return value;
    });
  const all = Object.entries(args).map(([name, value]) => [name, typeof value === 'string' ? fill(value) : value]);
  if (missing !== undefined) return { operation, code: 'unknown-label', detail: missing };
  return Object.fromEntries(all) as Given;
}

/** `key=value,key=value`; a value goes to the next comma. */
function written(operation: string, text: string): Given | Refusal {
  const args: Record<string, string> = {};
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [name = '', ...value] = part.split('=');
    if (value.length === 0 || name.trim() === '') return { operation, code: 'bad-arguments', detail: part };
    args[name.trim()] = value.join('=').trim();
  }
  return args;
}

function argumentsOf(
  name: string,
  raw: Given,
  operations: ReadonlyMap<string, Operation>,
): Refusal | { readonly args: Readonly<Record<string, unknown>> } {
  const operation = fixable(name, operations);
  if (isRefusal(operation)) return operation;
  const foreign = foreignArgument(operation, raw);
  if (foreign) return foreign;
  try {
    return { args: operation.parse(raw) };
  } catch (error) {
    if (!(error instanceof VakhtaError) || error.kind !== 'usage') throw error;
    return { operation: name, code: 'bad-arguments', detail: String(error.args['problems'] ?? error.message) };
  }
}

/** Something that changes the outside. What only looks, or belongs to a card (acknowledge, silence), mends nothing. */
function fixable(name: string, operations: ReadonlyMap<string, Operation>): Operation | Refusal {
  const operation = operations.get(name);
  if (!operation) return { operation: name, code: 'unknown-operation', detail: name };
  if (operation.risk === 'read' || operation.inline || operation.quiet || operation.unlisted) {
    return { operation: name, code: 'no-fix', detail: name };
  }
  return operation;
}

/** The schema would leave out what it does not know; here it is a slip that somebody should hear of. */
function foreignArgument(operation: Operation, given: Given): Refusal | undefined {
  const known = operation.arguments.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const foreign = Object.keys(given).find((name) => !known.includes(name));
  return foreign === undefined ? undefined : { operation: operation.name, code: 'unknown-argument', detail: foreign };
}
