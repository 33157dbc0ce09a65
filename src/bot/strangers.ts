import { doc, line } from '../core/doc.ts';
import { minutes } from '../core/clock.ts';
import { PRIORITY } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import type { Catalogue } from '../core/i18n.ts';
import type { Random } from '../core/random.ts';
import type { Config } from '../config/schema.ts';
import { appendAudit } from '../store/audit.ts';
import { cardByMessage } from '../store/cards.ts';
import type { Database } from '../store/db.ts';
import { incidentOfCard } from '../store/why.ts';
import { post } from './outbox/body.ts';
import type { Place } from './identity.ts';

export interface Strangers {
  /** Somebody without a place in the configuration wrote or pressed. */
  met(user: { readonly id: number; readonly language: string | undefined }, place: Place, what: string): Promise<void>;
}

const AUDIT_EVERY_MS = minutes(10);
/** More strangers than this within the interval are counted, not listed. */
const MAX_KNOWN = 500;

/** One polite line a day in private, silence in groups, and an audit entry that counts what came since the last one. */
export function createStrangers(options: {
  readonly db: Database;
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly random: Random;
}): Strangers {
  const { db, config, catalogue, clock, random } = options;
  const met = new Map<number, { at: number; unwritten: number }>();

  const note = async (id: number, place: Place, what: string): Promise<void> => {
    const now = clock.now();
    const before = met.get(id);
    if (before !== undefined && now.getTime() - before.at < AUDIT_EVERY_MS) {
      before.unwritten += 1;
      return;
    }
    if (met.size >= MAX_KNOWN)
      for (const [key, { at }] of met) if (now.getTime() - at >= AUDIT_EVERY_MS) met.delete(key);
    if (met.size >= MAX_KNOWN && before === undefined) return;
    met.set(id, { at: now.getTime(), unwritten: 0 });
    const card = what === 'press' ? await cardByMessage(db, place.chat.id, place.messageId) : undefined;
    const incident = card && (await incidentOfCard(db, card));
    const detail = {
      what,
      ...(before && before.unwritten > 0 ? { since_last: before.unwritten } : {}),
      ...(incident === undefined ? {} : { incident }),
    };
    await db.tx((tx) =>
      appendAudit(tx, { actor: `outsider:${id}`, action: 'refused', subject: `chat:${place.chat.id}`, detail }, now),
    );
  };

  return {
    met: async (user, place, what) => {
      await note(user.id, place, what);
      if (place.chat.type !== 'private') return;
      const now = clock.now();
      const language =
        user.language === undefined ? config.site.language : user.language.startsWith('ru') ? 'ru' : 'en';
      const t = catalogue.for(language);
      await post(db, random, {
        chat: place.chat.id,
        doc: doc(line(t('bot-outsider', { id: user.id }))),
        reader: { t, zone: config.site.zone, now },
        priority: PRIORITY.information,
        dedupeKey: `outsider:${user.id}:${now.toISOString().slice(0, 10)}`,
      });
    },
  };
}
