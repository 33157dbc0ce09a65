import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Catalogue } from '../core/i18n.ts';
import type { Language, Operator } from '../core/people.ts';
import type { Queryable } from '../store/db.ts';
import { languages, setLanguage } from '../store/prefs.ts';
import type { Reader } from './render.ts';

/** Somebody or some chat that is written to: in which language and zone. */
export interface Addressee extends Reader {
  readonly language: Language;
  readonly operator?: Operator;
}

/** Knows how each operator and each chat wants to be spoken to. */
export interface Readers {
  operator(operator: Operator): Promise<Addressee>;
  /** The operator (or `digest:<id>`) of that name if given and known, the person behind a private chat, else the chat's own settings. */
  chat(chat: number, reader?: string): Promise<Addressee>;
  choose(operator: Operator, language: Language): Promise<void>;
}

/** Choices of other processes are seen after this long. */
const FRESH_MS = 30_000;

export function createReaders(options: {
  readonly db: Queryable;
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
}): Readers {
  const { db, config, catalogue, clock } = options;
  let chosen: ReadonlyMap<string, Language> = new Map();
  let readAt = -Infinity;

  const languageOf = async (operator: Operator): Promise<Language> => {
    const now = clock.now().getTime();
    if (Math.abs(now - readAt) >= FRESH_MS) {
      chosen = await languages(db);
      readAt = now;
    }
    return chosen.get(operator.id) ?? operator.language;
  };
  const as = (language: Language, zone: string): Addressee => ({
    language,
    t: catalogue.for(language),
    zone,
    now: clock.now(),
  });
  const forOperator = async (operator: Operator): Promise<Addressee> => ({
    ...as(await languageOf(operator), operator.zone),
    operator,
  });

  return {
    operator: forOperator,
    chat: async (id, reader) => {
      const operator =
        config.operators.find((one) => one.id === reader) ?? config.operators.find((one) => one.telegramId === id);
      if (operator) return forOperator(operator);
      const digest = config.digest.find((one) => `digest:${one.id}` === reader);
      if (digest) return as(digest.language, digest.zone);
      const chat = config.chats.find((one) => one.chatId === id);
      return as(chat?.language ?? config.site.language, chat?.zone ?? config.site.zone);
    },
    choose: async (operator, language) => {
      await setLanguage(db, operator.id, language, clock.now());
      readAt = -Infinity;
    },
  };
}
