/** What a call takes, in the words of the server's own schema. */
export interface Parameter {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly required?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly pattern?: RegExp;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** The refusal as `proxmox-schema/src/schema.rs` words it; nothing when all is well. */
export function checkParameters(known: Parameters, given: Readonly<Record<string, string>>): string | undefined {
  const problems = [
    ...Object.entries(given).flatMap(([name, value]) => {
      const parameter = known[name];
      const problem =
        parameter === undefined ? 'schema does not allow additional properties.' : check(parameter, value);
      return problem === undefined ? [] : [`'${name}': ${problem}`];
    }),
    ...Object.entries(known).flatMap(([name, { required }]) =>
      required === true && given[name] === undefined ? [`'${name}': parameter is missing and it is not optional.`] : [],
    ),
  ];
  if (problems.length === 0) return undefined;
  return problems.length === 1
    ? `parameter verification failed - ${problems[0]}`
    : `parameter verification failed:\n${problems.map((problem) => `- ${problem}`).join('\n')}`;
}

function check({ type, minimum, maximum, pattern, enum: values }: Parameter, value: string): string | undefined {
  if (type === 'integer') {
    if (!/^[+-]?\d+$/.test(value)) return 'Expected integer value.';
    if (minimum !== undefined && Number(value) < minimum) {
      return `value must have a minimum value of ${minimum} (got ${value})`;
    }
    if (maximum !== undefined && Number(value) > maximum) {
      return `value must have a maximum value of ${maximum} (got ${value})`;
    }
  }
  if (type === 'boolean' && !/^(?:0|1|true|false|on|off|yes|no)$/i.test(value))
    return 'Unable to parse boolean option.';
  if (pattern?.test(value) === false) return 'value does not match the regex pattern';
  if (values?.includes(value) === false) return `value '${value}' is not defined in the enumeration.`;
  return undefined;
}

export const isTrue = (value: string | undefined, otherwise: boolean): boolean =>
  value === undefined ? otherwise : /^(?:1|true|on|yes)$/i.test(value);

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
export const STORE: Parameter = { type: 'string', required: true, pattern: /^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$/ };
export const ANY_STORE: Parameter = { ...STORE, required: false };
export const NS: Parameter = {
  type: 'string',
  pattern: /^(?:(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/){0,7}[A-Za-z0-9_][A-Za-z0-9._-]*)?$/,
};
export const NODE: Parameter = {
  type: 'string',
  required: true,
  pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/,
};
export const UPID: Parameter = {
  type: 'string',
  required: true,
  pattern:
    /^UPID:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8,9}:[0-9A-Fa-f]{8,16}:[0-9A-Fa-f]{8}:[^:\s]+:[^:\s]*:[^:\s]+:$/,
};
export const TYPE: Parameter = { type: 'string', enum: ['vm', 'ct', 'host'] };
export const ID: Parameter = { type: 'string', pattern: NAME };
export const DEPTH: Parameter = { type: 'integer', minimum: 0, maximum: 7 };
export const THREADS: Parameter = { type: 'integer', minimum: 1, maximum: 32 };
export const FLAG: Parameter = { type: 'boolean' };
export const TEXT: Parameter = { type: 'string' };
export const COUNT: Parameter = { type: 'integer', minimum: 0 };
export const TIME: Parameter = { type: 'integer', minimum: 1 };
