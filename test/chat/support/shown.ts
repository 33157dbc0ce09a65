import { expect } from 'vitest';
import { drawRun } from '../../../src/bot/cards/run.ts';
import type { CardContext } from '../../../src/bot/cards/define.ts';
import { render, type Rendered } from '../../../src/bot/render.ts';
import { type Config, fileSchema, resolve } from '../../../src/config/schema.ts';
import type { Doc } from '../../../src/core/doc.ts';
import { catalogue } from '../../../src/core/i18n.ts';
import type { Language } from '../../../src/core/people.ts';
import type { Run } from '../../../src/store/runs.ts';
import type { Operation } from '../../../src/tasks/define.ts';
import { allMessages } from '../../../src/messages.gen.ts';
import { cast, type Life, lifeMessages } from './life.ts';

const texts = catalogue([...allMessages, lifeMessages]);
const LANGUAGES = ['en', 'ru'] as const satisfies readonly Language[];

export type Shown = Readonly<Record<Language, Rendered>>;

/** A configuration with these sections; the rest is as small as it may be. */
export const configWith = (sections: Readonly<Record<string, unknown>> = {}): Config =>
  resolve(
    fileSchema.parse({
      site: { name: 'Test site', zone: 'Europe/Moscow', language: 'en' },
      telegram: { token: 'env:TOKEN' },
      operators: [{ id: 'ada', name: 'Ada', telegram_id: 104, role: 'admin' }],
      chats: [{ id: 'ops', chat_id: -1001 }],
      routes: [{ chat: 'ops' }],
      ...sections,
    }),
    {},
  );

/**
 * A document as Telegram shows it, in both languages. Whatever it is: the verdict comes first, every message has its text, and
 * it fits into one message.
 */
export async function shown(
  make: (context: CardContext) => Doc | Promise<Doc>,
  life: Life,
  operations: readonly Operation[],
  now: Date,
  config = configWith(),
): Promise<Shown> {
  const drawn = await Promise.all(
    LANGUAGES.map(async (language) => {
      const t = texts.for(language);
      const context: CardContext = {
        q: life.db,
        t,
        language,
        zone: 'Europe/Moscow',
        now,
        config,
        operations: new Map(operations.map((one) => [one.name, one])),
        people: (id) => cast().get(id),
      };
      const doc = await make(context);
      expect(doc.blocks[0]?.kind, 'the verdict comes first').toBe('title');
      const rendered = render(doc, { t, zone: 'Europe/Moscow', now });
      const labels = rendered.keyboard.flat().map((button) => ('label' in button ? String(button.label) : ''));
      for (const text of [rendered.text, ...labels]) {
        expect(text, 'a text is missing').not.toMatch(/\{\s*[$a-z][\w-]*\s*\}/);
        expect(text).not.toMatch(/undefined|NaN|\[object|Invalid/);
      }
      expect(Array.from(rendered.text).length).toBeLessThanOrEqual(4096);
      expect(rendered.files).toEqual([]);
      for (const row of rendered.keyboard) expect(row.length).toBeLessThanOrEqual(3);
      return [language, rendered] as const;
    }),
  );
  const [[, en], [, ru]] = drawn as [(typeof drawn)[number], (typeof drawn)[number]];
  // Russian is Russian: letters of it in every message, beside names and figures.
  expect(ru.text).toMatch(/[а-яё]{3}/i);
  expect(en.text).not.toMatch(/[а-яё]/i);
  return { en, ru };
}

/** The card of a run. */
export const shownRun = (run: Run, life: Life, operations: readonly Operation[], now: Date): Promise<Shown> =>
  shown((context) => drawRun(context, run), life, operations, now);
