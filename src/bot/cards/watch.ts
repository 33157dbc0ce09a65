import { type Block, code, facts, list, time, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { firing } from '../../store/incidents.ts';
import { watchOverride } from '../../store/watch.ts';
import { defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    watchcard-given = { $who } hands you the watch
    watchcard-until = Until
    watchcard-open = until you hand it on
    watchcard-fires = Fires now
    watchcard-quiet = nothing
  `,
  ru: `
    watchcard-given = { $who } передаёт вам вахту
    watchcard-until = До
    watchcard-open = пока не передадите дальше
    watchcard-fires = Сейчас горит
    watchcard-quiet = ничего
  `,
});

const SHOWN = 5;

/** Tells somebody in private that the watch was given to them. `ref` is the number of the change. */
export default defineCard({
  kind: 'watch',
  messages,
  render: async ({ q, t, people }, card) => {
    const given = await watchOverride(q, Number(card.ref));
    if (!given) return 'gone';
    const burning = await firing(q, { limit: 100 });
    const blocks: Block[] = [
      title('bell', t('watchcard-given', { who: people(given.by)?.name ?? given.by })),
      facts(
        [t('watchcard-until'), given.to ? time(given.to) : t('watchcard-open')],
        [t('watchcard-fires'), burning.length === 0 ? t('watchcard-quiet') : String(burning.length)],
      ),
    ];
    const items = burning.slice(0, SHOWN).map(({ id, title: words }) => [code(`#${id}`), ` ${words}`]);
    if (items.length > 0) blocks.push(list(items, burning.length > SHOWN ? `… +${burning.length - SHOWN}` : undefined));
    return { blocks };
  },
});
