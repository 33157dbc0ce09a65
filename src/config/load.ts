import { VakhtaError } from '../core/error.ts';
import { catalogue } from '../core/i18n.ts';
import { findSecretShapes } from '../core/redact.ts';
import { type Place, readYaml, type SourceDocument } from './document.ts';
import { type Env, type ReadFile, systemCode } from './files.ts';
import { schemaProblems } from './issues.ts';
import { isSecretSchema, type JsonSchema, jsonSchema, schemaAt } from './json-schema.ts';
import { messages } from './messages.ts';
import { formatPath, formatProblem, inFileOrder, type Problem } from './problem.ts';
import { referenceProblems, strings } from './references.ts';
import { type Config, fileSchema, resolve } from './schema.ts';
import { parseSecretRef, type SecretRef } from './secret-ref.ts';

export const DEFAULT_PATH = 'config/vakhta.yaml';

/** Much more than an installation needs; a file of this size is another file. */
const MAX_CHARACTERS = 1_000_000;

export interface LoadOptions {
  /** Default: the variable VAKHTA_CONFIG, then `config/vakhta.yaml`. */
  readonly path?: string;
  readonly env: Env;
  readonly readFile: ReadFile;
}

/** A secret reference with the place where it is written, for `doctor`. */
export interface PlacedSecretRef extends Place {
  readonly path: string;
  readonly ref: SecretRef;
}

export type Loaded = { readonly file: string; readonly problems: readonly Problem[] } & (
  | { readonly ok: true; readonly config: Config; readonly references: readonly PlacedSecretRef[] }
  | { readonly ok: false }
);

/**
 * Reads and checks the configuration: the only reader of the environment and of the file. All problems come back at
 * once, in the order of the file. With `ok: true` they are warnings only. Never rejects for what stands in the file.
 */
export async function loadConfig({ path, env, readFile }: LoadOptions): Promise<Loaded> {
  const file = path ?? nonEmpty(env.VAKHTA_CONFIG) ?? DEFAULT_PATH;
  let text: string;
  try {
    ({ text } = await readFile(file));
  } catch (cause) {
    const why = systemCode(cause);
    const name = why === 'ENOENT' ? 'cfg-no-file' : 'cfg-unreadable';
    return { ok: false, file, problems: [error({ line: 1, column: 1 }, '', name, { why })] };
  }
  return parseConfig(text, file, env);
}

/** The same for a text that was read already. */
export function parseConfig(text: string, file: string, env: Env): Loaded {
  if (text.length > MAX_CHARACTERS) {
    return {
      ok: false,
      file,
      problems: [error({ line: 1, column: 1 }, '', 'cfg-too-large', { most: MAX_CHARACTERS })],
    };
  }
  const { document, findings } = readYaml(text);
  const problems = findings.map(({ line, column, ...finding }) =>
    error({ line, column }, '', finding.text, finding.args),
  );
  const done = (more: readonly Problem[]) => inFileOrder(withPasted([...problems, ...more], text));

  if (document === undefined) return { ok: false, file, problems: done([]) };
  const { value } = document;
  if (value === null || value === undefined) {
    return { ok: false, file, problems: done([error({ line: 1, column: 1 }, '', 'cfg-empty-file')]) };
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    return { ok: false, file, problems: done([error({ line: 1, column: 1 }, '', 'cfg-not-a-mapping')]) };
  }

  const parsed = fileSchema.safeParse(value);
  const schema = jsonSchema();
  const found = parsed.success ? [] : schemaProblems(parsed.error.issues, document, schema);
  const all = done([...found, ...referenceProblems(document)]);
  if (!parsed.success || all.some(({ severity }) => severity === 'error')) return { ok: false, file, problems: all };
  return {
    ok: true,
    file,
    problems: all,
    config: resolve(parsed.data, env),
    references: placedReferences(document, schema),
  };
}

/**
 * The configuration, or the one error `config-invalid` (kind usage) whose message lists every problem, a line each.
 * The command line prints the list in the operator's language itself, by `formatProblem`.
 */
export function requireConfig(loaded: Loaded): Config {
  if (loaded.ok) return loaded.config;
  const t = catalogue([messages]).for('en');
  const lines = loaded.problems.map((problem) => formatProblem(loaded.file, problem, t));
  const count = loaded.problems.filter(({ severity }) => severity === 'error').length;
  throw new VakhtaError('usage', 'config-invalid', lines.join('\n'), { args: { file: loaded.file, count } });
}

/** Problems that already speak of the secret on their line. */
const ON_ITS_LINE = new Set(['cfg-secret-literal', 'cfg-secret-literal-file', 'cfg-url-secret']);

/** Adds what is shaped like a credential anywhere in the file, comments too, unless its line is reported already. */
function withPasted(problems: readonly Problem[], text: string): Problem[] {
  const reported = new Set(problems.filter(({ text: key }) => ON_ITS_LINE.has(key)).map(({ line }) => line));
  const pasted = new Map<number, Problem>();
  for (const { kind, start, end } of findSecretShapes(text)) {
    // Headers occur in explanations; a reference in quotes is what we ask for.
    if (kind === 'header' || parseSecretRef(text.slice(start, end)) !== undefined) continue;
    const before = text.slice(0, start).split('\n');
    const line = before.length;
    // A key in a block (`private_key: |`) begins a line below the place that is reported.
    if (reported.has(line) || reported.has(line - 1) || pasted.has(line)) continue;
    pasted.set(line, error({ line, column: (before.at(-1) ?? '').length + 1 }, '', 'cfg-secret-pasted', { kind }));
  }
  return [...problems, ...pasted.values()];
}

function placedReferences(document: SourceDocument, schema: JsonSchema): PlacedSecretRef[] {
  return [...strings(document.value)].flatMap(({ path, value }) => {
    const ref = isSecretSchema(schemaAt(schema, path)) ? parseSecretRef(value) : undefined;
    return ref === undefined ? [] : [{ ref, path: formatPath(path), ...document.placeOf(path) }];
  });
}

const error = (place: Place, path: string, text: string, args: Problem['args'] = {}): Problem => ({
  severity: 'error',
  ...place,
  path,
  text,
  args,
});

const nonEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
