import type { z } from 'zod';
import type { TextArgs } from '../core/i18n.ts';
import type { Path, Place, SourceDocument } from './document.ts';
import { isSecretSchema, type JsonSchema, schemaAt } from './json-schema.ts';
import { formatPath, type Problem } from './problem.ts';
import { suggest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** zod's findings in the operator's words: each with its place, and none with a value of the file. */
export function schemaProblems(issues: readonly Issue[], document: SourceDocument, schema: JsonSchema): Problem[] {
  return issues.flatMap((issue) => explain(issue, document, schema));
}

function explain(issue: Issue, document: SourceDocument, schema: JsonSchema): Problem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const at = (text: string, args: TextArgs = {}, where: Place = document.placeOf(path)): Problem[] => [
    { severity: 'error', ...where, path: formatPath(path), text, args },
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey([...path, key], document, schema));
    case 'invalid_type':
      return wrongType(issue.expected, path, document, schema, at);
    case 'invalid_value':
      return at(...options(issue.values, valueAt(document.value, path)));
    case 'invalid_union':
      return unionProblem(issue, path, document, schema, at);
    case 'invalid_key':
      return at('cfg-bad-key', {}, document.placeOfKey(path));
    case 'too_small':
    case 'too_big':
      return at(...range(issue));
    case 'custom': {
      const params: Readonly<Record<string, unknown>> = issue.params ?? {};
      const text = typeof params.text === 'string' ? params.text : 'cfg-invalid';
      return at(text, { ...secretAdvice(path, document.value), ...asArgs(params.args) });
    }
    case 'invalid_format':
    case 'invalid_element':
    case 'not_multiple_of':
      return at('cfg-invalid');
  }
}

type At = (text: string, args?: TextArgs, where?: Place) => Problem[];

function unknownKey(path: Path, document: SourceDocument, schema: JsonSchema): Problem {
  const key = String(path.at(-1));
  const known = Object.keys(schemaAt(schema, path.slice(0, -1))?.properties ?? {});
  const near = suggest(key, known);
  return {
    severity: 'error',
    ...document.placeOfKey(path),
    path: formatPath(path),
    ...(near === undefined
      ? { text: 'cfg-unknown-key', args: { known: known.join(', ') } }
      : { text: 'cfg-unknown-key-near', args: { near } }),
  };
}

function wrongType(expected: string, path: Path, document: SourceDocument, schema: JsonSchema, at: At): Problem[] {
  const given = valueAt(document.value, path);
  const here = schemaAt(schema, path);
  if (given === undefined) return at(...missing(path, here, document.value), document.placeOfKey(path.slice(0, -1)));
  if (given === null) return at('cfg-empty');
  // A number where a reference belongs is a literal secret too: a PIN, a TOTP secret of digits.
  if (isSecretSchema(here) && typeof given !== 'object')
    return at('cfg-secret-literal', secretAdvice(path, document.value));
  return at('cfg-wrong-type', typeAdvice(kindOf(expected), given));
}

function missing(path: Path, here: JsonSchema | undefined, root: unknown): [string, TextArgs] {
  const key = String(path.at(-1));
  if (isSecretSchema(here)) return ['cfg-missing-secret', { ...secretAdvice(path, root), key }];
  return ['cfg-missing', { key, what: here?.description ?? '' }];
}

function unionProblem(
  issue: Issue & { code: 'invalid_union' },
  path: Path,
  document: SourceDocument,
  schema: JsonSchema,
  at: At,
): Problem[] {
  const given = valueAt(document.value, path);
  // The alternative that fits the written type tells more than "none of them fits": for a list the one that looked inside.
  const near = Array.isArray(given)
    ? issue.errors.find((one) => one.every((inner) => inner.path.length > 0))
    : issue.errors.find((one) => one.every((inner) => inner.code !== 'invalid_type'));
  if (near !== undefined && given !== undefined) {
    return near.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }, document, schema));
  }
  return given === null ? at('cfg-empty') : at('cfg-wrong-type', typeAdvice('text', given));
}

function options(values: readonly unknown[], given: unknown): [string, TextArgs] {
  const known = values.map(String);
  const near = typeof given === 'string' ? suggest(given, known) : undefined;
  const list = known.join(', ');
  return near === undefined ? ['cfg-bad-option', { known: list }] : ['cfg-bad-option-near', { known: list, near }];
}

function range(issue: Issue & { code: 'too_small' | 'too_big' }): [string, TextArgs] {
  if (issue.code === 'too_small') {
    const least = Number(issue.minimum);
    if (issue.origin === 'string') return ['cfg-empty', {}];
    if (issue.origin === 'array') return ['cfg-too-few', { least }];
    return issue.inclusive === false ? ['cfg-must-exceed', { least }] : ['cfg-too-small', { least }];
  }
  return ['cfg-too-big', { most: Number(issue.maximum) }];
}

/**
 * How to write a reference instead: the key and a name for the variable, made of the path
 * (`proxmox[0].token` of the item `pve1` → VAKHTA_PROXMOX_PVE1_TOKEN).
 */
function secretAdvice(path: Path, root: unknown): { key: string; env: string } {
  const words = path.map((step, index) => {
    if (typeof step === 'string') return step;
    const item = valueAt(root, path.slice(0, index + 1));
    const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
    return typeof id === 'string' ? id : String(step + 1);
  });
  const env = ['vakhta', ...words]
    .join('_')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_');
  return { key: String(path.at(-1) ?? ''), env };
}

/** The plain data at a path; undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let at = root;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = Object.entries(at).find(([key]) => key === String(step))?.[1];
  }
  return at;
}

/** What was expected and found, and which of the usual slips it is. */
function typeAdvice(expected: string, value: unknown): TextArgs {
  const given = kindOf(typeName(value));
  const number = expected === 'integer' || expected === 'number';
  let advice = 'other';
  if (expected === 'integer' && given === 'number') advice = 'whole';
  else if (given === 'text' && (number || expected === 'switch')) advice = 'unquote';
  else if (expected === 'text' && (given === 'number' || given === 'switch')) advice = 'quote';
  else if (expected === 'list') advice = 'list';
  return { expected, given, advice };
}

const typeName = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

/** The word by which the catalogue chooses: text, integer, number, switch, list, mapping. */
function kindOf(type: string): string {
  const words: Record<string, string> = {
    string: 'text',
    int: 'integer',
    number: 'number',
    boolean: 'switch',
    array: 'list',
    object: 'mapping',
    record: 'mapping',
  };
  return words[type] ?? 'other';
}

function asArgs(args: unknown): TextArgs {
  if (typeof args !== 'object' || args === null) return {};
  return Object.fromEntries(
    Object.entries(args).filter((entry): entry is [string, string | number] =>
      ['string', 'number'].includes(typeof entry[1]),
    ),
  );
}
