import { FluentBundle, FluentNumber, FluentResource } from '@fluent/bundle';
import type { Language } from './people.ts';

/** The same Fluent keys in both languages, side by side where they are used. `npm test` compares the keys. */
export interface Messages {
  readonly en: string;
  readonly ru: string;
}

export const defineMessages = (messages: Messages): Messages => messages;

export type TextArgs = Readonly<Record<string, string | number>>;

/** `t('key', { n: 3 })`: the text in one reader's language. Attributes as `key.attribute`. */
export interface Translate {
  (key: string, args?: TextArgs): string;
  readonly language: Language;
  has(key: string): boolean;
}

export interface Catalogue {
  readonly for: (language: Language) => Translate;
}

/**
 * One catalogue out of all modules' messages. Throws on a syntax error or on a key that two modules define.
 * Isolation marks are off (they corrupt copied host names), and numbers are not grouped (they are meant to be copied).
 */
export function catalogue(all: readonly Messages[]): Catalogue {
  const translators = { en: translator('en', all), ru: translator('ru', all) };
  return { for: (language) => translators[language] };
}

function translator(language: Language, all: readonly Messages[]): Translate {
  const bundle = new FluentBundle(language, {
    useIsolating: false,
    functions: {},
  });
  for (const messages of all) {
    const errors = bundle.addResource(new FluentResource(dedent(messages[language])));
    if (errors.length > 0) throw new Error(`message catalogue (${language}): ${errors.map(String).join('; ')}`);
  }
  const find = (key: string) => {
    const [id = key, attribute] = key.split('.', 2);
    const message = bundle.getMessage(id);
    return attribute === undefined ? message?.value : message?.attributes[attribute];
  };
  const translate = (key: string, args?: TextArgs): string => {
    const pattern = find(key);
    if (pattern === undefined || pattern === null) return `{${key}}`;
    const errors: Error[] = [];
    return bundle.formatPattern(pattern, args ? ungrouped(args) : null, errors);
  };
  return Object.assign(translate, { language, has: (key: string) => Boolean(find(key)) });
}

/** Numbers choose the plural form, but are printed plainly: 12345, not 12 345. */
function ungrouped(args: TextArgs) {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === 'number' ? plainNumber(value) : value]),
  );
}

/** Fluent indents multi-line patterns; our template literals are indented as code, so the common margin goes. */
function dedent(text: string): string {
  const lines = text.split('\n');
  const margins = lines.filter((l) => l.trim() !== '').map((l) => l.length - l.trimStart().length);
  const margin = margins.length > 0 ? Math.min(...margins) : 0;
  return lines.map((l) => l.slice(margin)).join('\n');
}

const plainNumber = (value: number): FluentNumber => new FluentNumber(value, { useGrouping: false });

/** A sentence by catalogue key: stored with the run, put into words for each reader. */
export interface Text {
  readonly key: string;
  readonly args?: Readonly<Record<string, string | number>>;
}
