import type { Config } from '../../config/schema.ts';
import type { Catalogue, Translate } from '../../core/i18n.ts';
import type { Queryable } from '../../store/db.ts';
import { languages } from '../../store/prefs.ts';
import { run } from '../../store/runs.ts';

/** For whom a picture is drawn: words and times in it cannot be changed later. */
export interface EvidenceReader {
  readonly t: Translate;
  readonly zone: string;
}

/** The person who asked by command, or the chat where it will stand; else the site. */
export async function readerOf(
  q: Queryable,
  runId: string,
  config: Pick<Config, 'operators' | 'chats' | 'site'>,
  catalogue: Catalogue,
): Promise<EvidenceReader> {
  const origin = (await run(q, runId))?.origin;
  const operator =
    config.operators.find(({ id }) => id === origin?.reader) ??
    config.operators.find(({ telegramId }) => telegramId === origin?.chat);
  if (operator) {
    const language = (await languages(q)).get(operator.id) ?? operator.language;
    return { t: catalogue.for(language), zone: operator.zone };
  }
  const chat = config.chats.find(({ chatId }) => chatId === origin?.chat);
  return { t: catalogue.for(chat?.language ?? config.site.language), zone: chat?.zone ?? config.site.zone };
}
