import { contract } from '../../support/contracts.ts';

/**
 * Checks requests and answers against the API description of Proxmox VE 9.2. Read lazily: without the descriptions the
 * tests that need them skip.
 */
export interface Schema {
  readonly type?: string;
  readonly optional?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly patternJs?: string;
  readonly patternJsFlags?: string;
  readonly format?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly requires?: string;
}

export interface Method {
  readonly parameters?: Schema;
  readonly returns?: Schema;
  readonly allowtoken?: boolean;
}

type Format = { readonly js?: string; readonly flags?: string };

export interface ApiDescription {
  /** What is wrong with a request: unknown path, undeclared or wrong parameters. Empty when all is well. */
  request(method: string, path: string, parameters: Readonly<Record<string, string>>): string[];
  /** What is wrong with the `data` of a good answer. With `strict`, properties that the description lacks count too. */
  answer(method: string, path: string, data: unknown, strict: boolean): string[];
}

/**
 * Properties that the real host sends beyond its own description: `/nodes` rows come from the same code as
 * `/cluster/resources`, `status/current` of a container tells its type, and node status is declared open.
 */
const UNDECLARED: Readonly<Record<string, readonly string[]>> = {
  '/nodes': ['id', 'type', 'disk', 'maxdisk'],
  '/nodes/{node}/lxc/{vmid}/status/current': ['type'],
  '/nodes/{node}/qemu/{vmid}/status/current': [],
  '/nodes/{node}/tasks/{upid}/status': ['endtime'],
  '/nodes/{node}/storage/{storage}/content': ['content', 'subtype'],
  '/cluster/backup': ['type'],
  '/cluster/backup/{id}/included_volumes': ['id'],
};

export function apiDescription(): ApiDescription {
  const { paths } = contract('pve', 'pve-9.2.ops.json') as { paths: Record<string, Record<string, Method>> };
  const { formats } = contract('pve', 'pve-formats.json') as { formats: Record<string, Format> };

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
      if (found.method.allowtoken !== true) return [`${method} ${path}: not to be called with a token`];
      const schema: Schema = { type: 'object', ...found.method.parameters };
      return checkValue(
        schema,
        { ...parameters, ...found.uri },
        { at: `${method} ${path}`, formats, strict: false, extra: [] },
      );
    },
    answer: (method, path, data, strict) => {
      const found = find(method, path);
      if (found === undefined) return [`${method} ${path}: not in the description`];
      const extra = UNDECLARED[found.template] ?? [];
      return checkValue(found.method.returns ?? {}, data, { at: `${method} ${path} →`, formats, strict, extra });
    },
  };
}

interface Place {
  readonly at: string;
  readonly formats: Readonly<Record<string, Format>>;
  readonly strict: boolean;
  readonly extra: readonly string[];
}

/** PVE's dialect: `optional` instead of `required`, booleans as 0 and 1, numbers as strings, patterns anchored. */
export function checkValue(schema: Schema, value: unknown, place: Place): string[] {
  const wrong = (what: string) => [`${place.at} ${what}, got ${JSON.stringify(value)?.slice(0, 80)}`];
  switch (schema.type ?? 'any') {
    case 'null':
      return value === null ? [] : wrong('must be null');
    case 'object':
      return isRecord(value) ? checkObject(schema, value, place) : wrong('must be an object');
    case 'array':
      if (!Array.isArray(value)) return wrong('must be an array');
      return value.flatMap((item, i) =>
        schema.items === undefined ? [] : checkValue(schema.items, item, { ...place, at: `${place.at}[${i}]` }),
      );
    case 'boolean':
      return [0, 1, '0', '1', true, false].includes(value as string) ? [] : wrong('must be a boolean');
    case 'integer':
      if (!/^[+-]?\d+$/.test(String(value))) return wrong('must be an integer');
      return [...checkRange(schema, Number(value), wrong), ...checkText(schema, String(value), place, wrong)];
    case 'number':
      if (value === '' || !Number.isFinite(Number(value))) return wrong('must be a number');
      return checkRange(schema, Number(value), wrong);
    case 'string':
      if (typeof value !== 'string' && typeof value !== 'number') return wrong('must be a string');
      return checkText(schema, String(value), place, wrong);
    default:
      return [];
  }
}

function checkObject(schema: Schema, value: Readonly<Record<string, unknown>>, place: Place): string[] {
  const { properties = {}, additionalProperties } = schema;
  const problems = Object.entries(properties).flatMap(([name, property]) => {
    if (value[name] === undefined) return property.optional === true ? [] : [`${place.at}.${name} is missing`];
    const needs = property.requires !== undefined && value[property.requires] === undefined;
    return [
      ...(needs ? [`${place.at}.${name} requires ${property.requires}`] : []),
      ...checkValue(property, value[name], { ...place, at: `${place.at}.${name}`, extra: [] }),
    ];
  });
  const closed = additionalProperties === false || (place.strict && additionalProperties !== true);
  const undeclared = Object.keys(value).filter((name) => !isDeclared(properties, name) && !place.extra.includes(name));
  // An object without any declared property is free in form (the map of permissions).
  return closed && (Object.keys(properties).length > 0 || additionalProperties === false)
    ? [...problems, ...undeclared.map((name) => `${place.at}.${name} is not declared`)]
    : problems;
}

/** `net[n]` stands for net0, net1 … */
const isDeclared = (properties: Readonly<Record<string, Schema>>, name: string): boolean =>
  name in properties || name.replace(/\d+$/, '[n]') in properties;

function checkRange({ minimum, maximum }: Schema, value: number, wrong: (what: string) => string[]): string[] {
  if (minimum !== undefined && value < minimum) return wrong(`must be at least ${minimum}`);
  return maximum !== undefined && value > maximum ? wrong(`must be at most ${maximum}`) : [];
}

function checkText(schema: Schema, value: string, { formats }: Place, wrong: (what: string) => string[]): string[] {
  if (schema.enum !== undefined && !schema.enum.map(String).includes(value))
    return wrong(`must be one of ${schema.enum.join()}`);
  if (schema.minLength !== undefined && value.length < schema.minLength)
    return wrong(`must have ${schema.minLength} characters`);
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    return wrong(`may have ${schema.maxLength} characters`);
  const pattern = schema.patternJs ?? schema.pattern;
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, schema.patternJsFlags).test(value))
    return wrong(`must match ${pattern}`);
  if (typeof schema.format !== 'string') return [];
  const list = schema.format.endsWith('-list');
  const format = formats[schema.format.replace(/-(?:list|opt)$/, '')];
  if (format?.js === undefined) return [];
  const js = new RegExp(format.js, format.flags);
  const parts = list ? value.split(/[,;\s\0]+/).filter((part) => part !== '') : [value];
  return parts.every((part) => js.test(part)) ? [] : wrong(`must have the format ${schema.format}`);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
