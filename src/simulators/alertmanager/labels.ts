export type Labels = Readonly<Record<string, string>>;

export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

export const sorted = (labels: Labels): [string, string][] =>
  Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** Prometheus' fingerprint: FNV-1a, 64 bits, over the sorted pairs, each part ended by 0xff (common/model/signature.go). */
export function fingerprint(labels: Labels): string {
  let hash = 0xcbf29ce484222325n;
  const add = (byte: number) => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  };
  for (const pair of sorted(labels)) {
    for (const part of pair) {
      for (const byte of Buffer.from(part, 'utf8')) add(byte);
      add(0xff);
    }
  }
  return hash.toString(16).padStart(16, '0');
}

/** A missing label is the empty string; expressions are anchored. */
export function matches({ name, value, isRegex, isEqual }: Matcher, labels: Labels): boolean {
  const actual = labels[name] ?? '';
  return (isRegex ? new RegExp(`^(?:${value})$`, 'su').test(actual) : actual === value) === isEqual;
}

/** `name="value"`, `!=`, `=~`, `!~`, as the `filter` parameter has them; undefined when it is none. */
export function parseMatcher(text: string): Matcher | undefined {
  const [, name, operator, raw = ''] = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || operator === undefined) return undefined;
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(raw)?.[1];
  if (inner === undefined && /["{},\\]/.test(raw)) return undefined;
  const value = (inner ?? raw).replace(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char));
  return { name, value, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') };
}

/** The labels of the group, and what Alertmanager calls its key: `{}:{alertname="X", cluster="home"}`. */
export function groupOf(labels: Labels, groupBy: readonly string[]): { labels: Labels; key: string } {
  const chosen = sorted(labels).filter(([name]) => groupBy.includes('...') || groupBy.includes(name));
  const text = chosen.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ');
  return { labels: Object.fromEntries(chosen), key: `{}:{${text}}` };
}

/** What all have in common. */
export function common(sets: readonly Labels[]): Labels {
  const [first = {}, ...rest] = sets;
  return Object.fromEntries(sorted(first).filter(([name, value]) => rest.every((each) => each[name] === value)));
}

/** JSON as Go writes it: `<`, `>` and `&` escaped, a line end after it. */
export const goJson = (value: unknown): string =>
  `${JSON.stringify(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}\n`;
