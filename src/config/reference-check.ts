import type { TextArgs } from '../core/i18n.ts';
import type { Path, SourceDocument } from './document.ts';
import { valueAt } from './issues.ts';
import { formatPath, type Problem } from './problem.ts';
import { suggest } from './suggest.ts';

export type Mapping = Readonly<Record<string, unknown>>;

export interface Item {
  readonly of: Mapping;
  readonly path: Path;
}

/** Reads the plain data of a file, and collects what is wrong with it. */
export class Check {
  readonly problems: Problem[] = [];
  readonly document: SourceDocument;

  constructor(document: SourceDocument) {
    this.document = document;
  }

  report(path: Path, text: string, args: TextArgs = {}, severity: Problem['severity'] = 'error'): void {
    this.problems.push({ severity, ...this.document.placeOf(path), path: formatPath(path), text, args });
  }

  /** The mappings of a list; nothing when the list is missing or something else. */
  items(...path: readonly string[]): Item[] {
    const list = valueAt(this.document.value, path);
    if (!Array.isArray(list)) return [];
    return list.flatMap((of: unknown, index) => (isMapping(of) ? [{ of, path: [...path, index] }] : []));
  }

  mapping(...path: readonly string[]): Mapping | undefined {
    const value = valueAt(this.document.value, path);
    return isMapping(value) ? value : undefined;
  }
}

/** A name that stands nowhere, with the one that was meant when it is near. */
export function unknown(check: Check, path: Path, what: string, given: string, known: readonly string[]): void {
  const near = suggest(given, known);
  if (near !== undefined) check.report(path, 'cfg-unknown-ref-near', { what, given, near });
  else if (known.length === 0) check.report(path, 'cfg-unknown-ref-none', { what, given });
  else check.report(path, 'cfg-unknown-ref', { what, given, known: known.join(', ') });
}

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
