/** A matcher as API v2 has it; `isEqual` false turns it round. Regular expressions are anchored (RE2). */
export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

/** `alertname="DiskFull"`, `instance=~"pve.*"`, as the interface and amtool write it. */
export function formatMatcher({ name, value, isRegex, isEqual }: Matcher): string {
  const operator = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
  const quoted = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `${name}${operator}"${quoted}"`;
}

/** Matchers for exactly this alert or group: one equality for each label. */
export const matchersOf = (labels: Readonly<Record<string, string>>): Matcher[] =>
  Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));

/**
 * Whether a label that is absent matches. A silence of nothing but such matchers silences everything that lacks the
 * label. What we cannot read as an expression counts as matching: better refused than too wide.
 */
export function matchesEmpty({ value, isRegex, isEqual }: Matcher): boolean {
  if (!isRegex) return (value === '') === isEqual;
  try {
    return new RegExp(`^(?:${value})$`, 'u').test('') === isEqual;
  } catch {
    return true;
  }
}

/** Only a matcher that names something makes a silence narrow: an inverted one alone still matches nearly all. */
export const narrows = (matcher: Matcher): boolean => matcher.isEqual && !matchesEmpty(matcher) && !matchesAll(matcher);

function matchesAll({ value, isRegex }: Matcher): boolean {
  return isRegex && /^[.^$()*+?|\s]*$/.test(value);
}

/**
 * Whether a matcher holds for these labels; an absent label is the empty text. An expression that only RE2 understands counts as
 * not matching: what is shown is then less than what is muted, never more.
 */
export function matches({ name, value, isRegex, isEqual }: Matcher, labels: Readonly<Record<string, string>>): boolean {
  const actual = labels[name] ?? '';
  if (!isRegex) return (actual === value) === isEqual;
  try {
    return new RegExp(`^(?:${value})$`, 's').test(actual) === isEqual;
  } catch {
    return false;
  }
}

/** As a silence matches: by all of its matchers. */
export const matchesEach = (matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean =>
  matchers.every((matcher) => matches(matcher, labels));

/** A text that stands for itself in an expression of RE2. */
export const quoteRegex = (text: string): string => text.replaceAll(/[\\.+*?()|[\]{}^$]/gu, String.raw`\$&`);

/** One label with one value, or with any of several. */
export function matcherFor(name: string, values: readonly string[]): Matcher {
  const [only = '', ...more] = [...new Set(values)].toSorted();
  if (more.length === 0) return { name, value: only, isRegex: false, isEqual: true };
  return { name, value: [only, ...more].map(quoteRegex).join('|'), isRegex: true, isEqual: true };
}
