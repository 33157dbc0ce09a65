import { SEVERITIES, type Severity } from './incident.ts';

/** What `/alerts` is to show. All that is given must hold. */
export interface AlertFilter {
  readonly severity?: Severity;
  /** `free`: nobody has it; else the id of the one who has it. */
  readonly owner?: 'free' | { readonly id: string };
  /** Each must be part of a name: of the service, the host, the alert … In small letters. */
  readonly names: readonly string[];
}

export type ParsedFilter =
  | { readonly ok: true; readonly filter: AlertFilter }
  | { readonly ok: false; readonly unknown: string };

const FREE = new Set(['free', 'nobody', 'свободные', 'ничьи']);
const MINE = new Set(['mine', 'my', 'мои', 'моё', 'мое']);
const WORDS: Readonly<Record<string, Severity>> = {
  crit: 'critical',
  критичные: 'critical',
  критично: 'critical',
  warn: 'warning',
  warnings: 'warning',
  предупреждения: 'warning',
  внимание: 'warning',
};

/** The words behind the command. `me` is who asks; `person` finds an operator by id or name. */
export function parseAlertFilter(
  words: readonly string[],
  me: string | undefined,
  person: (name: string) => string | undefined,
): ParsedFilter {
  let filter: AlertFilter = { names: [] };
  for (const given of words) {
    const word = given.toLowerCase();
    const severity = SEVERITIES.find((one) => one === word) ?? WORDS[word];
    if (severity) filter = { ...filter, severity };
    else if (FREE.has(word)) filter = { ...filter, owner: 'free' };
    else if (MINE.has(word) && me !== undefined) filter = { ...filter, owner: { id: me } };
    else if (word.startsWith('@')) {
      const id = person(word.slice(1));
      if (id === undefined) return { ok: false, unknown: given };
      filter = { ...filter, owner: { id } };
    } else filter = { ...filter, names: [...filter.names, word] };
  }
  return { ok: true, filter };
}

/** The same filter as words, for a button to carry. */
export const filterWords = ({ severity, owner, names }: AlertFilter): string[] => [
  ...(severity ? [severity] : []),
  ...(owner === undefined ? [] : [owner === 'free' ? 'free' : `@${owner.id}`]),
  ...names,
];

export interface Filtered {
  readonly severity: Severity;
  readonly owner?: string | undefined;
  /** In small letters. */
  readonly names: readonly string[];
}

export const passes = ({ severity, owner, names }: AlertFilter, one: Filtered): boolean =>
  (severity === undefined || one.severity === severity) &&
  (owner === undefined || (owner === 'free' ? one.owner === undefined : one.owner === owner.id)) &&
  names.every((name) => one.names.some((other) => other.includes(name)));
