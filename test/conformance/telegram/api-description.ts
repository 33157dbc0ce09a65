import { contract, haveContracts } from '../../support/contracts.ts';

interface Field {
  readonly name: string;
  readonly types: readonly string[];
  readonly required: boolean;
}
interface Description {
  readonly methods: Readonly<
    Record<string, { readonly fields?: readonly Field[]; readonly returns: readonly string[] }>
  >;
  readonly types: Readonly<
    Record<string, { readonly fields?: readonly Field[]; readonly subtypes?: readonly string[] }>
  >;
}

const description = haveContracts ? (contract('telegram', 'bot-api-10.1.spec.json') as Description) : undefined;
/** Newer than the description (Bot API 10.3). */
const NEWER = new Set(['InlineKeyboardButton.disabled']);

/** What is wrong with a call's parameters by the Bot API description; nothing without the description. */
export function requestProblems(method: string, parameters: Readonly<Record<string, unknown>>): string[] {
  const fields = description?.methods[method]?.fields;
  if (description === undefined) return [];
  if (description.methods[method] === undefined) return [`${method}: the Bot API has no such method`];
  return objectProblems(method, fields ?? [], parameters);
}

/** What is wrong with a result by the Bot API description. */
export function resultProblems(method: string, result: unknown): string[] {
  const returns = description?.methods[method]?.returns;
  return returns === undefined ? [] : anyOf(`${method} result`, returns, result);
}

export function updateProblems(update: unknown): string[] {
  return description === undefined ? [] : valueProblems('update', 'Update', update);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Blob);

function objectProblems(where: string, fields: readonly Field[], value: Readonly<Record<string, unknown>>): string[] {
  const known = new Set(fields.map((field) => field.name));
  const type = where.slice(where.lastIndexOf(':') + 1);
  const strange = Object.keys(value).filter((name) => !known.has(name) && !NEWER.has(`${type}.${name}`));
  return [
    ...strange.map((name) => `${where}: unknown field ${name}`),
    ...fields.flatMap((field) => {
      const given = value[field.name];
      if (given === undefined) return field.required ? [`${where}: ${field.name} is missing`] : [];
      return anyOf(`${where}.${field.name}`, field.types, given);
    }),
  ];
}

function anyOf(where: string, types: readonly string[], value: unknown): string[] {
  const attempts = types.map((type) => valueProblems(where, type, value));
  // The best attempt tells most: the one with the fewest complaints.
  return attempts.toSorted((a, b) => a.length - b.length)[0] ?? [`${where}: no type fits`];
}

function valueProblems(where: string, type: string, value: unknown): string[] {
  const wrong = (fits: boolean) => (fits ? [] : [`${where}: not ${type}: ${JSON.stringify(value)?.slice(0, 80)}`]);
  const element = /^Array of (.+)$/.exec(type)?.[1];
  if (element !== undefined) {
    if (!Array.isArray(value)) return wrong(false);
    return value.flatMap((item, index) => valueProblems(`${where}[${index}]`, element, item));
  }
  switch (type) {
    case 'Integer':
      return wrong(Number.isSafeInteger(value));
    case 'Float':
      return wrong(typeof value === 'number');
    case 'String':
      return wrong(typeof value === 'string');
    case 'Boolean':
      return wrong(typeof value === 'boolean');
    case 'True':
      return wrong(value === true);
    case 'InputFile':
      return wrong(value instanceof Blob);
    default: {
      const described = description?.types[type];
      if (described === undefined) return [`${where}: the description has no type ${type}`];
      if (described.subtypes !== undefined) return anyOf(where, described.subtypes, value);
      return isObject(value) ? objectProblems(`${where}:${type}`, described.fields ?? [], value) : wrong(false);
    }
  }
}
