import { jsonSchema, SCHEMA_PATH } from '../../src/config/json-schema.ts';
import type { Generated } from '../generate.ts';

/** The JSON Schema by which editors complete and underline `config/vakhta.yaml`. */
export async function generate(): Promise<Generated[]> {
  return [{ path: SCHEMA_PATH, content: `${JSON.stringify(jsonSchema(), null, 2)}\n` }];
}
