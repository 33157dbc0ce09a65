import { z } from 'zod';
import type { Path } from './document.ts';
import { fileSchema } from './schema.ts';
import { SECRET_REF_PATTERN } from './secret-ref.ts';

/** The part of JSON Schema 2020-12 that the configuration uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

export const SCHEMA_PATH = 'config/vakhta.schema.json';

/** The file's JSON Schema (2020-12), derived from zod: what editors complete and underline. */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-2020-12' }) as JsonSchema;
}

/** What the schema says of one place of the file; undefined where it says nothing. */
export function schemaAt(root: JsonSchema, path: Path): JsonSchema | undefined {
  let at: JsonSchema | undefined = root;
  for (const step of path) {
    if (at === undefined) return undefined;
    const rest: JsonSchema | undefined =
      typeof at.additionalProperties === 'object' ? at.additionalProperties : undefined;
    at = typeof step === 'number' ? at.items : (own(at.properties, step) ?? rest);
  }
  return at;
}

export const isSecretSchema = (schema: JsonSchema | undefined): boolean => schema?.pattern === SECRET_REF_PATTERN;

const own = <T>(of: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  of !== undefined && Object.hasOwn(of, key) ? of[key] : undefined;
