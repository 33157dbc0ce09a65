import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { Finding } from './sections/common.ts';

/** Line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

/** A YAML file as plain data that still knows where each part was written. */
export interface SourceDocument {
  readonly value: unknown;
  /** Where the value at a path stands; an empty value stands where its key does, a missing one where its parent does. */
  placeOf(path: Path): Place;
  /** Where the key (or the list item) at a path stands. */
  placeOfKey(path: Path): Place;
}

export interface YamlFinding extends Finding, Place {}

/** More aliases than a person writes: expanding them all is how a small file fills the memory. */
const MAX_ALIASES = 100;

const TEXTS: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'cfg-yaml-duplicate-key',
  TAB_AS_INDENT: 'cfg-yaml-tab',
  BAD_ALIAS: 'cfg-yaml-alias',
  MULTIPLE_DOCS: 'cfg-yaml-documents',
  BAD_INDENT: 'cfg-yaml-indent',
  MISSING_CHAR: 'cfg-yaml-missing-char',
  BAD_SCALAR_START: 'cfg-yaml-quote',
  BAD_DQ_ESCAPE: 'cfg-yaml-escape',
};

/**
 * Reads YAML 1.2. `document` is absent when the text has no usable structure. The parser's own messages are not
 * passed on: they quote the file, and so would print a secret.
 */
export function readYaml(text: string): { document?: SourceDocument; findings: YamlFinding[] } {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const findings = parsed.errors.map((error): YamlFinding => {
    const name = TEXTS[error.code] ?? 'cfg-yaml-syntax';
    return { text: name, args: { code: error.code }, ...place(error.pos[0]) };
  });
  const broken = parsed.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  if (broken) return { findings };

  visit(parsed, {
    Alias: (_, node) => {
      if (node.resolve(parsed) === undefined) findings.push({ text: 'cfg-yaml-alias', ...place(node.range?.[0] ?? 0) });
    },
  });
  if (findings.some(({ text: name }) => name === 'cfg-yaml-alias')) return { findings };

  let value: unknown;
  try {
    value = parsed.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return { findings: [...findings, { text: 'cfg-yaml-aliases', args: { most: MAX_ALIASES }, line: 1, column: 1 }] };
  }

  const resolved = (node: unknown): unknown => (isAlias(node) ? node.resolve(parsed) : node);
  const offsetOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);

  /** Offsets of the last key and of the value on the way along a path, as far as the path exists. */
  const walk = (path: Path): { key: number; value: number } => {
    let node: unknown = parsed.contents;
    let at = { key: offsetOf(node) ?? 0, value: offsetOf(node) ?? 0 };
    for (const step of path) {
      const inside = resolved(node);
      if (isMap(inside)) {
        const pair = inside.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(step));
        if (pair === undefined) return { key: at.key, value: at.key };
        const key = offsetOf(pair.key) ?? at.key;
        node = pair.value;
        at = { key, value: isEmpty(node) ? key : (offsetOf(node) ?? key) };
      } else if (isSeq(inside)) {
        node = inside.items[Number(step)];
        const item = offsetOf(node) ?? at.key;
        at = { key: item, value: item };
      } else {
        return { key: at.key, value: at.key };
      }
    }
    return at;
  };

  return {
    document: { value, placeOf: (path) => place(walk(path).value), placeOfKey: (path) => place(walk(path).key) },
    findings,
  };
}

const isEmpty = (node: unknown): boolean => isScalar(node) && node.value === null && (node.source ?? '') === '';
