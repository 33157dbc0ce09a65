import { VakhtaError } from '../core/error.ts';
import { defineMessages } from '../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-not-declared = “{ $id }” is not in the configuration. Declared: { $known }
  `,
  ru: `
    err-not-declared = «{ $id }» нет в конфигурации. Объявлены: { $known }
  `,
});

/** Several systems of one kind, by the id that the configuration gives them. */
export interface Several<T> {
  readonly ids: readonly string[];
  readonly all: readonly T[];
  /** Throws `usage` with the declared ids when there is no such one. */
  get(id: string): T;
}

export function several<T>(entries: readonly (readonly [string, T])[]): Several<T> {
  const byId = new Map(entries);
  return {
    ids: [...byId.keys()],
    all: [...byId.values()],
    get: (id) => {
      const found = byId.get(id);
      if (found === undefined) {
        const known = [...byId.keys()].join(', ') || '—';
        throw new VakhtaError('usage', 'not-declared', `${id} is not declared`, { args: { id, known } });
      }
      return found;
    },
  };
}
