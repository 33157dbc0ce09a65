/**
 * JSON that PostgreSQL takes and gives back unchanged. `jsonb` and `text` refuse U+0000 and lone surrogates, and an
 * outside system may send both in a label; they become U+FFFD, so that a strange alert is kept instead of refused.
 */

/** The text without what PostgreSQL refuses. */
export function cleanText(text: string): string {
  const noNull = text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
  return noNull.toWellFormed();
}

/** `JSON.stringify` with every string cleaned. `undefined` becomes null. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  // A lone surrogate and U+0000 leave JSON.stringify as these escapes; without them there is nothing to clean.
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text;
  return JSON.stringify(clean(JSON.parse(text)));
}

/** One text for one value: keys sorted, no spaces, strings cleaned, what JSON leaves out left out. */
export function canonicalJson(value: unknown): string {
  return stringifySorted(JSON.parse(toJson(value)));
}

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)]));
}

function stringifySorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stringifySorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${stringifySorted(inner)}`).join(',')}}`;
}
