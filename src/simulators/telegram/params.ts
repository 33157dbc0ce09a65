import { badRequest } from './api-error.ts';

export interface Upload {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/**
 * Parameters of one call. The Bot API takes each of them as text, whatever the request's encoding, and nested objects as
 * JSON text; a JSON body may hold them as they are.
 */
export class Params {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #files: ReadonlyMap<string, Upload>;

  constructor(values: Readonly<Record<string, unknown>>, files: ReadonlyMap<string, Upload> = new Map()) {
    this.#values = values;
    this.#files = files;
  }

  has(name: string): boolean {
    const value = this.#values[name];
    return value !== undefined && value !== null;
  }

  /** The value as text; empty when absent. */
  text(name: string): string {
    const value = this.#values[name];
    if (value === undefined || value === null) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  /** An integer; 0 when absent or not a number, as the server's `to_integer` does. */
  integer(name: string): number {
    const value = Number.parseInt(this.text(name), 10);
    return Number.isSafeInteger(value) ? value : 0;
  }

  bool(name: string): boolean {
    return ['true', 'yes', '1'].includes(this.text(name).toLowerCase());
  }

  /** A nested object; undefined when absent or empty. `what` names it in "can't parse … JSON object". */
  json(name: string, what: string): unknown {
    const value = this.#values[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw badRequest(`can't parse ${what} JSON object`);
    }
  }

  /** A nested object that must be an object. */
  object(name: string, what: string): Record<string, unknown> | undefined {
    const value = this.json(name, what);
    if (value === undefined) return undefined;
    if (!isRecord(value)) throw badRequest(`object expected as ${what}`);
    return value;
  }

  /** A file to send: the uploaded part of that name, the part that `attach://part` points to, or a reference as text. */
  source(name: string): Upload | string {
    return this.#files.get(name) ?? this.attached(this.text(name));
  }

  /** The uploaded part that `attach://part` points to, or the reference itself. */
  attached(reference: string): Upload | string {
    const part = /^attach:\/\/(.+)$/.exec(reference)?.[1];
    return (part === undefined ? undefined : this.#files.get(part)) ?? reference;
  }

  /** The same call with other values, as for each item of an album; uploads stay. */
  with(values: Readonly<Record<string, unknown>>): Params {
    return new Params(values, this.#files);
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
