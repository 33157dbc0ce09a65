import { Secret } from './secret.ts';

const MASK = '[redacted]';

/** A value shorter than this is not looked for: masking it would tear ordinary words apart. */
const SHORTEST = 4;

/** Base64 hides where a value begins; a fragment shorter than this would match by accident. */
const SHORTEST_FRAGMENT = 8;

/** Guards everything that leaves the program: log lines, messages, audit entries, job data. */
export interface Redactor {
  /** From now on this value is masked, also in base64, URL, JSON and HTML form, and line by line when it has several. */
  learn(secret: Secret | string): void;
  /** The text with every learned value, and everything shaped like a credential, replaced by `[redacted]`. */
  redact(text: string): string;
  /** The same for every string inside a value; the value itself is left alone. */
  redactDeep(value: unknown): unknown;
}

interface Shape {
  readonly kind: SecretKind;
  /** Regular expression, case-insensitive. Its one group is the secret; without a group the whole match is. */
  readonly source: string;
}

export type SecretKind = 'telegram-token' | 'api-token' | 'vault-token' | 'private-key' | 'header' | 'password';

const SECRET_HEADERS =
  'x-vault-token|private-token|x-telegram-bot-api-secret-token|x-api-key|x-auth-token|cookie|set-cookie';
const SECRET_FIELDS =
  'password|passwd|pwd|pgpassword|secret|secret_id|client_secret|token|access_token|refresh_token|client_token|api[_-]?key|private[_-]?key|sslpassword';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

const SHAPES: readonly Shape[] = [
  // Also right after "bot" in the path of a Bot API call, and with the colon URL-encoded.
  { kind: 'telegram-token', source: String.raw`(?<!\d)\d{6,12}(?::|%3A)[\w-]{30,}` },
  {
    kind: 'private-key',
    source: String.raw`-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|$)`,
  },
  { kind: 'private-key', source: String.raw`AGE-SECRET-KEY-1[0-9A-Z]{50,}` },
  { kind: 'api-token', source: String.raw`P[VB][ES]APIToken[=:]\s*[^\s"',;]{1,200}?[=:](${UUID})` },
  { kind: 'api-token', source: String.raw`PVEAuthCookie=([^\s;"']+)` },
  { kind: 'vault-token', source: String.raw`(?<![\w.-])(?:hvs|hvb|hvr)\.[\w-]{20,}` },
  { kind: 'vault-token', source: String.raw`(?<![\w.-])[sbr]\.[A-Za-z0-9]{24}(?![\w.-])` },
  {
    kind: 'api-token',
    source: String.raw`(?<![\w-])(?:glpat-[\w-]{20,}|gh[pousr]_[a-z0-9]{30,}|github_pat_\w{22,}|glsa_\w{20,}|xox[abprs]-[\w-]{10,})`,
  },
  { kind: 'api-token', source: String.raw`(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}` },
  { kind: 'header', source: String.raw`authorization\\?["']?\s*[:=]\s*\\?["']?([^"'\r\n\\]+)` },
  { kind: 'header', source: String.raw`(?<![\w-])(?:${SECRET_HEADERS})\\?["']?\s*:\s*\\?["']?([^"'\r\n\\]+)` },
  // Without the header's name a digit is asked for, so that "basic authentication" stays readable.
  { kind: 'header', source: String.raw`(?<![\w-])(?:bearer|basic)\s+((?=[a-z_~+/=.-]*\d)[\w.~+/=-]{8,})` },
  // user:password@host; a port and a path behind the colon are no password.
  { kind: 'password', source: String.raw`:\/\/[^\s:@/"']{0,200}:(?!\d{1,5}(?:[/?#\s]|$))([^\s"'<>]{1,500})@` },
  {
    kind: 'password',
    source: String.raw`(?<![a-z0-9-])(?:\w{1,40}_)?(?:${SECRET_FIELDS})\s*=\s*("[^"\r\n]*"|'[^'\r\n]*'|(?:[^\s&;,"'}\\]|\\(?!["']))+)`,
  },
  {
    kind: 'password',
    source: String.raw`["'](?:\w{1,40}_)?(?:${SECRET_FIELDS})\\?["']\s*:\s*\\?["']((?:[^"'\\]|\\[^"'])+)`,
  },
];

const compiled = SHAPES.map(({ kind, source }) => ({ kind, pattern: new RegExp(source, 'dgi') }));
const anyShape = new RegExp(SHAPES.map(({ source }) => `(?:${source})`).join('|'), 'i');

export interface SecretFound {
  readonly kind: SecretKind;
  /** First and last+1 index in the text. */
  readonly start: number;
  readonly end: number;
}

/** Everything in a text that is shaped like a credential. Never carries the value. */
export function findSecretShapes(text: string): SecretFound[] {
  if (!anyShape.test(text)) return [];
  return compiled.flatMap(({ kind, pattern }) =>
    Array.from(text.matchAll(pattern), (match): SecretFound => {
      const [start, end] = match.indices?.[1] ?? match.indices?.[0] ?? [match.index, match.index + match[0].length];
      return { kind, start, end };
    }),
  );
}

/** Masks by shape alone, for text that is shown before any secret is known. */
export const redactShapes = (text: string): string => mask(text, findSecretShapes(text));

export function createRedactor(): Redactor {
  const variants = new Set<string>();
  // One expression answers the usual case, "nothing here"; only a hit pays for the exact search.
  let anyVariant: RegExp | undefined;

  const learn = (secret: Secret | string): void => {
    const value = secret instanceof Secret ? secret.reveal() : secret;
    const before = variants.size;
    for (const part of partsOf(value)) for (const variant of variantsOf(part)) variants.add(variant);
    if (variants.size !== before) anyVariant = undefined;
  };

  const redact = (text: string): string => {
    if (anyVariant === undefined && variants.size > 0) {
      anyVariant = new RegExp([...variants].map(escapeRegExp).join('|'));
    }
    const spans: Span[] = findSecretShapes(text);
    if (anyVariant?.test(text)) for (const variant of variants) spans.push(...occurrences(text, variant));
    return mask(text, spans);
  };

  return { learn, redact, redactDeep: (value) => deep(value, redact, new WeakSet()) };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Overlapping finds become one mask, so that no rest of a value stays visible beside another. */
function mask(text: string, spans: readonly Span[]): string {
  let result = '';
  let done = 0;
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    if (end <= done) continue;
    if (start >= done) result += text.slice(done, start) + (start === done && done > 0 ? '' : MASK);
    done = end;
  }
  return result + text.slice(done);
}

function occurrences(text: string, value: string): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    spans.push({ start: at, end: at + value.length });
  }
  return spans;
}

/** What of a value is secret by itself: the whole, its lines (a key is often logged line by line), a DSN's password. */
function partsOf(value: string): string[] {
  const parts = [value, value.trim()];
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  if (lines.length > 1) parts.push(...lines.filter((line) => line.length >= 16 && !line.startsWith('-----')));
  if (URL.canParse(value)) {
    const { password } = new URL(value);
    parts.push(password, decodeURIComponentSafely(password));
  }
  return [...new Set(parts)].filter((part) => part.length >= SHORTEST);
}

/** The forms in which a value turns up in addresses, headers, JSON, HTML. */
function variantsOf(value: string): string[] {
  const wellFormed = Buffer.from(value, 'utf8').toString('utf8');
  const encoded = encodeURIComponent(wellFormed);
  const form = new URLSearchParams({ v: wellFormed }).toString().slice(2);
  const json = JSON.stringify(value).slice(1, -1);
  const html = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const base64 = base64Forms(wellFormed);
  return [
    value,
    ...base64,
    ...base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_')),
    ...[encoded, form, form.replaceAll('+', '%20')].flatMap((one) => [one, lowerHex(one)]),
    json,
    JSON.stringify(json).slice(1, -1),
    goJson(json),
    html,
    html.replaceAll('"', '&quot;'),
    html.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
  ].filter((one) => one.length >= SHORTEST);
}

/** Go's encoder, and so Vault's and Alertmanager's, also escapes what HTML could misread. */
const goJson = (json: string): string =>
  json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');

const lowerHex = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase());

/**
 * A value inside something longer ("user:password") falls on one of three places in base64's groups of three bytes;
 * of each, the characters that depend on the value alone.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const forms = [bytes.toString('base64').replace(/=+$/, '')];
  for (const offset of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    const fragment = text.slice(first, last);
    if (fragment.length >= SHORTEST_FRAGMENT) forms.push(fragment);
  }
  return forms;
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const SECRET_KEY = new RegExp(`^(?:(?:proxy-)?authorization|${SECRET_HEADERS})$`, 'i');

function deep(value: unknown, redact: (text: string) => string, above: WeakSet<object>): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Secret) return value;
  if (above.has(value)) return '[circular]';
  above.add(value);
  try {
    if (Array.isArray(value)) return value.map((item) => deep(item, redact, above));
    if (value instanceof Error) {
      const { name, message, stack, cause } = value;
      return {
        ...ownFields(value, redact, above),
        name,
        message: redact(message),
        stack: stack && redact(stack),
        cause: deep(cause, redact, above),
      };
    }
    return ownFields(value, redact, above);
  } finally {
    above.delete(value);
  }
}

function ownFields(value: object, redact: (text: string) => string, above: WeakSet<object>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, of]) => [
      redact(key),
      SECRET_KEY.test(key) && typeof of === 'string' ? MASK : deep(of, redact, above),
    ]),
  );
}
