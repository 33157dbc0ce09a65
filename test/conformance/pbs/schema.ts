import { contract } from '../../support/contracts.ts';

/** Checks requests and answers against the API description of Proxmox Backup Server. Read lazily: without it such tests skip. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly optional?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly enum?: readonly (string | number)[];
  readonly patternJs?: string;
  readonly patternJsFlags?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

interface Method {
  readonly parameters?: Schema;
  readonly returns?: Schema;
}

export interface ApiDescription {
  /** What is wrong with a request: unknown path, undeclared or wrong parameters. Empty when all is well. */
  request(method: string, path: string, parameters: Readonly<Record<string, string>>): string[];
  /** What is wrong with the `data` of a good answer: also every property that the description lacks. */
  answer(method: string, path: string, data: unknown): string[];
}

/** The description says that these answer nothing; what they answer is known from the sources (pbs-wire-facts.json). */
const TOLD_ELSEWHERE: Readonly<Record<string, Schema>> = {
  '/nodes/{node}/tasks/{upid}/log': {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      properties: { n: { type: 'integer', minimum: 1 }, t: { type: 'string' } },
    },
  },
};

export function apiDescription(version: '4.2' | '3.4'): ApiDescription {
  const { paths } = contract('pbs', `pbs-${version}.ops.json`) as { paths: Record<string, Record<string, Method>> };

  const find = (method: string, path: string) => {
    const parts = path.split('/');
    for (const [template, methods] of Object.entries(paths)) {
      const names = template.split('/');
      if (names.length !== parts.length || methods[method] === undefined) continue;
      const uri: Record<string, string> = {};
      const fits = names.every((name, i) => {
        const part = decodeURIComponent(parts[i] ?? '');
        if (!name.startsWith('{')) return name === part;
        uri[name.slice(1, -1)] = part;
        return part !== '';
      });
      if (fits) return { template, method: methods[method], uri };
    }
    return undefined;
  };

  return {
    request: (method, path, parameters) => {
      const found = find(method, path);
      if (found === undefined) return [`${method} ${path}: not in the description`];
      const schema: Schema = { type: 'object', ...found.method.parameters };
      return check(schema, { ...parameters, ...found.uri }, `${method} ${path}`, true);
    },
    answer: (method, path, data) => {
      const found = find(method, path);
      if (found === undefined) return [`${method} ${path}: not in the description`];
      return check(TOLD_ELSEWHERE[found.template] ?? found.method.returns ?? {}, data, `${method} ${path} →`, false);
    },
  };
}

/** `form`: values are words of a form; otherwise they are JSON, where booleans and numbers are real ones. */
function check(schema: Schema, value: unknown, at: string, form: boolean): string[] {
  const wrong = (what: string) => [`${at} ${what}, got ${JSON.stringify(value)?.slice(0, 80)}`];
  // The usage of a time is a number, and in words null.
  if (value === null && schema.description?.includes('Either null')) return [];
  switch (schema.type ?? 'any') {
    case 'null':
      return value === null ? [] : wrong('must be null');
    case 'object':
      return isRecord(value) ? checkObject(schema, value, at, form) : wrong('must be an object');
    case 'array':
      if (!Array.isArray(value)) return wrong('must be an array');
      return value.flatMap((item, i) => check(schema.items ?? {}, item, `${at}[${i}]`, form));
    case 'boolean':
      if (form) return ['true', 'false', '0', '1'].includes(String(value)) ? [] : wrong('must be a boolean');
      return typeof value === 'boolean' ? [] : wrong('must be true or false');
    case 'integer':
    case 'number': {
      const whole = schema.type === 'integer';
      const number = form && /^[+-]?\d+$/.test(String(value)) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) return wrong('must be a number');
      if (whole && !Number.isInteger(number)) return wrong('must be an integer');
      if (schema.minimum !== undefined && number < schema.minimum) return wrong(`must be at least ${schema.minimum}`);
      return schema.maximum !== undefined && number > schema.maximum ? wrong(`must be at most ${schema.maximum}`) : [];
    }
    case 'string':
      return typeof value === 'string' ? checkText(schema, value, wrong) : wrong('must be a string');
    default:
      return [];
  }
}

function checkObject(schema: Schema, value: Readonly<Record<string, unknown>>, at: string, form: boolean): string[] {
  const { properties = {}, additionalProperties } = schema;
  const problems = Object.entries(properties).flatMap(([name, property]) => {
    if (value[name] === undefined) return property.optional === true ? [] : [`${at}.${name} is missing`];
    return check(property, value[name], `${at}.${name}`, form);
  });
  if (additionalProperties === true) return problems;
  const undeclared = Object.keys(value).filter((name) => !(name in properties));
  return [...problems, ...undeclared.map((name) => `${at}.${name} is not declared`)];
}

function checkText(schema: Schema, value: string, wrong: (what: string) => string[]): string[] {
  if (schema.enum !== undefined && !schema.enum.map(String).includes(value))
    return wrong(`must be one of ${schema.enum.join()}`);
  if (schema.minLength !== undefined && value.length < schema.minLength)
    return wrong(`must have ${schema.minLength} characters`);
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    return wrong(`may have ${schema.maxLength} characters`);
  const pattern = schema.patternJs;
  return pattern === undefined || new RegExp(`^(?:${pattern})$`, schema.patternJsFlags).test(value)
    ? []
    : wrong(`must match ${pattern}`);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
