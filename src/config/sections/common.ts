import { z } from 'zod';
import type { TextArgs } from '../../core/i18n.ts';
import { LANGUAGES } from '../../core/people.ts';
import { looksLikeSecretRef, parseSecretRef, SECRET_REF_PATTERN } from '../secret-ref.ts';

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type CamelKeys<T> = { readonly [K in keyof T as K extends string ? Camel<K> : K]: T[K] };

const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [camel(key), of])) as CamelKeys<T>;
}

/**
 * A mapping of the file: unknown keys are errors, keys are snake_case in YAML and camelCase in the program. Only this
 * mapping's own keys are changed, so that names people choose (topics, labels) stay as they were written.
 */
export const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape).transform((value) => camelKeys(value));

/** What a rule of ours found wrong: a catalogue key and its arguments, carried through zod to the report. */
export interface Finding {
  readonly text: string;
  readonly args?: TextArgs;
}

/** A string that `read` understands; its answer is the value, or a finding that says what is wrong. */
export const readAs = <T>(read: (value: string) => { readonly ok: T } | Finding) =>
  z.string().transform((value, context): T => {
    const result = read(value);
    if ('ok' in result) return result.ok;
    context.addIssue({ code: 'custom', params: { ...result } });
    return z.NEVER;
  });

/** A string that must satisfy `test`; otherwise the finding `text` is reported. */
const stringThat = (test: (value: string) => boolean, text: string) =>
  readAs((value) => (test(value) ? { ok: value } : { text }));

const ID = /^[a-z0-9][a-z0-9_.-]{0,39}$/;

/** A short stable name that people type and that stands in the audit. */
export const id = () => stringThat((value) => ID.test(value), 'cfg-bad-id').meta({ pattern: ID.source });

export const text = () => z.string().min(1);

export const language = () => z.enum(LANGUAGES);

export const zone = () => stringThat(isZone, 'cfg-bad-zone').meta({ examples: ['Europe/Moscow', 'UTC'] });

function isZone(name: string): boolean {
  try {
    // An offset ("+03:00") is accepted by Intl but knows no daylight saving: only names of the IANA base.
    return /^[A-Za-z]/.test(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** `HH:MM` of a 24-hour clock. */
export const timeOfDay = () =>
  stringThat((value) => TIME.test(value), 'cfg-bad-time').meta({ pattern: TIME.source, examples: ['08:30'] });

/** An http(s) address without a trailing slash, and without user and password: those are secrets. */
export const url = () =>
  readAs((value) => {
    if (!URL.canParse(value)) return { text: 'cfg-bad-url' };
    const parsed = new URL(value);
    if (!['http:', 'https:'].includes(parsed.protocol)) return { text: 'cfg-bad-url' };
    if (parsed.username !== '' || parsed.password !== '') return { text: 'cfg-url-secret' };
    return { ok: value.replace(/\/+$/, '') };
  }).meta({ pattern: '^https?://[^@\\s]+$' });

/** `env:NAME`, `file:/path` or `vault:mount/path#key`. A literal is refused without being printed. */
export const secretRef = () =>
  readAs((value) => {
    const ref = parseSecretRef(value);
    if (ref !== undefined) return { ok: ref };
    if (looksLikeSecretRef(value)) return { text: 'cfg-secret-ref' };
    // A key of several lines fits badly into an environment variable.
    return { text: value.includes('\n') ? 'cfg-secret-literal-file' : 'cfg-secret-literal' };
  }).meta({ pattern: SECRET_REF_PATTERN, examples: ['env:NAME', 'file:/run/secrets/name', 'vault:mount/path#key'] });

export const port = () => z.int().min(1).max(65_535);

export const count = (least: number, most: number) => z.int().min(least).max(most);

/** How the program shows who it is to a system that asks: exactly one of the two. */
export const auth = () =>
  section({
    bearer: secretRef().describe('Bearer token.').exactOptional(),
    basic: section({ user: text().describe('User name.'), password: secretRef().describe('Password.') })
      .describe('HTTP basic authentication.')
      .exactOptional(),
  }).describe('Credentials: either bearer or basic.');

/** `host` of what is run on the machine where the worker runs. */
export const LOCAL_HOST = 'local';

/** As Proxmox builds it: `USER@REALM!NAME`, realm and name of two characters at least (pve-common, `JSONSchema.pm`). */
const TOKEN_ID = /^[^\s:/@!]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+$/;

export const tokenId = () =>
  stringThat((value) => TOKEN_ID.test(value), 'cfg-bad-token-id').meta({ pattern: TOKEN_ID.source });

const FINGERPRINT = /^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/;

/** SHA-256 of a certificate, in capitals. */
export const fingerprint = () =>
  readAs((value) => (FINGERPRINT.test(value) ? { ok: value.toUpperCase() } : { text: 'cfg-bad-fingerprint' })).meta({
    pattern: FINGERPRINT.source,
  });
