/** The part of PromQL that a graph needs: what is compared with what, at the top level of a rule's expression. */

export interface Threshold {
  readonly op: '>' | '>=' | '<' | '<=' | '==' | '!=';
  readonly value: number;
}

export interface Graphable {
  /** What to draw. Without the comparison, since that would leave only the points where it holds. */
  readonly expr: string;
  /** Absent when the rule does not compare with a plain number: a guess would be worse than none. */
  readonly threshold?: Threshold;
}

/** The expression behind an alert, out of the link to its graph that Prometheus sends (`/graph?g0.expr=…`). */
export function expressionOf(generatorUrl: string): string | undefined {
  if (!URL.canParse(generatorUrl)) return undefined;
  const expr = new URL(generatorUrl).searchParams.get('g0.expr')?.trim();
  return expr === undefined || expr === '' ? undefined : expr;
}

/**
 * What to draw of a rule's expression. `x > 90` is `x` with the threshold 90, so is `90 < x`. Of `x > 90 and y` it is the
 * left side, whose values the alert carries. `or`, `bool`, a chain of comparisons and a comparison of two vectors give no threshold.
 */
export function graphable(rule: string): Graphable {
  if (rule.length > LONGEST) return { expr: rule };
  const expr = unwrapped(withoutComments(rule));
  const words = operatorsOf(expr);
  if (words.some(({ text }) => text === 'or')) return { expr };
  const set = words.find(({ text }) => text === 'and' || text === 'unless');
  if (set) return graphable(expr.slice(0, set.at));
  const [comparison, ...more] = words;
  if (!comparison || more.length > 0) return { expr };
  const left = expr.slice(0, comparison.at).trim();
  const right = expr.slice(comparison.at + comparison.text.length).trim();
  if (left === '' || right === '' || /^bool\b/iu.test(right)) return { expr };
  const op = comparison.text as Threshold['op'];
  const limit = numberOf(right);
  if (limit !== undefined) return { expr: unwrapped(left), threshold: { op, value: limit } };
  const turned = numberOf(left);
  if (turned !== undefined) return { expr: unwrapped(right), threshold: { op: MIRRORED[op], value: turned } };
  return { expr: unwrapped(left) };
}

/** Rules come from outside; what is longer than this is drawn as it is. */
const LONGEST = 8000;
const LONGEST_NUMBER = 200;

const MIRRORED = { '>': '<', '>=': '<=', '<': '>', '<=': '>=', '==': '==', '!=': '!=' } as const;

export type Unit = 'plain' | 'bytes' | 'seconds';

/** Functions and aggregations whose result has the unit of their argument. */
const SAME_UNIT = new Set(
  'avg min max sum topk bottomk quantile abs ceil floor round sort sort_desc clamp clamp_min clamp_max time avg_over_time min_over_time max_over_time sum_over_time last_over_time quantile_over_time by without on ignoring'.split(
    ' ',
  ),
);

/** The unit by the names of the metrics, where nothing in the expression changes it. */
export function unitOf(expr: string): Unit {
  const bare = blank(expr).replaceAll(/\{[^}]*\}|\[[^\]]*\]/gu, ' ');
  if (/[*/%^]/u.test(bare)) return 'plain';
  const called = [...bare.matchAll(/([a-zA-Z_:][\w:]*)\s*\(/gu)].map(([, name = '']) => name.toLowerCase());
  if (called.some((name) => !SAME_UNIT.has(name))) return 'plain';
  const grouped = bare.replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/giu, ' ');
  const metrics = [...grouped.matchAll(/[a-zA-Z_:][\w:]*/gu)]
    .map(([name]) => name)
    .filter((name) => !SAME_UNIT.has(name.toLowerCase()));
  if (metrics.length === 0) return 'plain';
  if (metrics.every((name) => name.endsWith('_bytes'))) return 'bytes';
  // An instant is no duration until it is taken from the present one.
  const isAge = called.includes('time');
  const isSeconds = (name: string): boolean =>
    name.endsWith('_seconds') && name.endsWith('_timestamp_seconds') === isAge;
  return metrics.every(isSeconds) ? 'seconds' : 'plain';
}

/** A string as PromQL and LogQL quote it. */
export const quoted = (value: string): string => JSON.stringify(value);

interface Operator {
  readonly at: number;
  readonly text: string;
}

/** Comparisons and set operators outside of brackets and strings; those that bind tighter are of no interest. */
function operatorsOf(expr: string): Operator[] {
  const text = blank(expr);
  const found: Operator[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char)) depth -= 1;
    if (depth !== 0) continue;
    const [token] = /^(?:>=|<=|==|!=|>|<)/u.exec(text.slice(at, at + 2)) ?? [];
    const isWordStart = !/[\w:]/u.test(text[at - 1] ?? ' ');
    const [word] = (isWordStart ? /^(?:and|or|unless)\b(?!:)/iu.exec(text.slice(at, at + 7)) : null) ?? [];
    const hit = token ?? word;
    if (hit === undefined) continue;
    found.push({ at, text: hit.toLowerCase() });
    at += hit.length - 1;
  }
  return found;
}

/** The same length, with the content of strings blanked out: what stands in a string is no operator. */
const blank = (expr: string): string =>
  expr.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/gu, (string) => '_'.repeat(string.length));

function withoutComments(expr: string): string {
  const text = blank(expr);
  let result = '';
  let isComment = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '#') isComment = true;
    if (text[at] === '\n') isComment = false;
    if (!isComment) result += expr[at] ?? '';
  }
  return result;
}

/** Without the brackets around the whole. */
function unwrapped(expr: string): string {
  const text = expr.trim();
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  const masked = blank(text);
  let depth = 0;
  for (let at = 0; at < masked.length; at += 1) {
    if (masked[at] === '(') depth += 1;
    if (masked[at] === ')') depth -= 1;
    if (depth === 0) return at === masked.length - 1 ? unwrapped(text.slice(1, -1)) : text;
  }
  return text;
}

/** The value of arithmetic with plain numbers (`24 * 3600`, `-(2 ^ 30)`); `undefined` for everything else. */
function numberOf(text: string): number | undefined {
  if (text.length > LONGEST_NUMBER) return undefined;
  const tokens = text.match(/0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[-+*/%^()]|\S/giu) ?? [];
  let at = 0;
  const next = (): string => tokens[at] ?? '';
  const power = (): number => {
    const token = next();
    at += 1;
    if (token === '(') {
      const inside = sum();
      if (next() !== ')') return Number.NaN;
      at += 1;
      return raised(inside);
    }
    return raised(/^[\d.]/u.test(token) ? Number(token) : Number.NaN);
  };
  // Binds tighter than a sign, and to the right.
  const raised = (base: number): number => {
    if (next() !== '^') return base;
    at += 1;
    return base ** signed();
  };
  const signed = (): number => {
    const sign = next();
    if (sign !== '-' && sign !== '+') return power();
    at += 1;
    return sign === '-' ? -signed() : signed();
  };
  const product = (): number => {
    let value = signed();
    while (['*', '/', '%'].includes(next())) {
      const op = next();
      at += 1;
      const by = signed();
      value = op === '*' ? value * by : op === '/' ? value / by : value % by;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (next() === '+' || next() === '-') {
      const op = next();
      at += 1;
      value = op === '+' ? value + product() : value - product();
    }
    return value;
  };
  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? value : undefined;
}
