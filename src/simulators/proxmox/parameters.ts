/** What a call takes, in the words of the host's own schema. */
export interface Parameter {
  readonly type: 'string' | 'integer' | 'boolean';
  readonly required?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly pattern?: RegExp;
  /** What follows `invalid format - `. */
  readonly format?: string;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** One text for each parameter that fails, as `PVE/JSONSchema.pm` words them. */
export function checkParameters(known: Parameters, given: Readonly<Record<string, string>>): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(known)) {
    const value = given[name];
    if (value !== undefined) {
      const problem = check(parameter, value);
      if (problem !== undefined) errors[name] = problem;
    } else if (parameter.required === true) errors[name] = 'property is missing and it is not optional';
  }
  for (const name of Object.keys(given)) {
    if (!(name in known)) {
      errors[name] = 'property is not defined in schema and the schema does not allow additional properties';
    }
  }
  return errors;
}

function check(parameter: Parameter, value: string): string | undefined {
  const { type, minimum, maximum, pattern, format } = parameter;
  if (type === 'integer') {
    if (!/^[+-]?\d+$/.test(value)) return `type check ('integer') failed - got '${value}'`;
    if (minimum !== undefined && Number(value) < minimum) return `value must have a minimum value of ${minimum}`;
    if (maximum !== undefined && Number(value) > maximum) return `value must have a maximum value of ${maximum}`;
  }
  if (type === 'boolean' && value !== '0' && value !== '1') return `type check ('boolean') failed - got '${value}'`;
  if (pattern?.test(value) === false) {
    return format === undefined ? 'value does not match the regex pattern' : `invalid format - ${format}\n`;
  }
  if (parameter.enum?.includes(value) === false) {
    return `value '${value}' does not have a value in the enumeration '${parameter.enum.join(', ')}'`;
  }
  return undefined;
}

export const NODE: Parameter = {
  type: 'string',
  required: true,
  pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/,
  format: 'value does not look like a valid node name',
};
export const VMID: Parameter = { type: 'integer', required: true, minimum: 100, maximum: 999_999_999 };
export const FLAG: Parameter = { type: 'boolean' };
export const TEXT: Parameter = { type: 'string' };
export const COUNT: Parameter = { type: 'integer', minimum: 0 };
export const NUMBER: Parameter = { type: 'integer' };
