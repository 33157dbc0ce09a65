import { z } from 'zod';
import { LANGUAGES, type Language } from '../core/people.ts';
import type { Queryable } from './db.ts';
import { many } from './rows.ts';

const pref = z.object({ operator: z.string(), language: z.enum(LANGUAGES) });

/** The language that each operator chose in the chat, by operator id; the configuration holds for the others. */
export async function languages(q: Queryable): Promise<Map<string, Language>> {
  const rows = await many(
    q,
    pref,
    'select operator_id as operator, language from operator_prefs where language = any ($1)',
    [LANGUAGES],
  );
  return new Map(rows.map(({ operator, language }) => [operator, language]));
}

export async function setLanguage(q: Queryable, operator: string, language: Language, now: Date): Promise<void> {
  await q.query(
    `insert into operator_prefs (operator_id, language, updated_at) values ($1, $2, $3)
     on conflict (operator_id) do update set language = excluded.language, updated_at = excluded.updated_at`,
    [operator, language, now],
  );
}
