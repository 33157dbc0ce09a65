import { type Block, code, type Inline, type Inlines, line, list, time, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { titleIn } from '../../core/own-alert.ts';
import { type ReleasedIncident, releasedIncidents } from '../../store/held.ts';
import { defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    quiet-burning = { $n ->
        [one] { $n } incident still fires after your quiet hours
       *[other] { $n } incidents still fire after your quiet hours
    }
    quiet-nothing = nothing fires after your quiet hours
    quiet-over = { $n ->
        [one] { $n } other ended meanwhile
       *[other] { $n } others ended meanwhile
    }
    quiet-came-and-went = { $n ->
        [one] { $n } incident came and went
       *[other] { $n } incidents came and went
    }
    quiet-owner = { $who } is on it
    quiet-silenced = silenced
    quiet-since = since
  `,
  ru: `
    quiet-burning = после тихих часов { $n ->
        [one] всё ещё горит { $n } инцидент
        [few] всё ещё горят { $n } инцидента
       *[many] всё ещё горит { $n } инцидентов
    }
    quiet-nothing = после тихих часов ничего не горит
    quiet-over = за это время { $n ->
        [one] закончился ещё { $n }
       *[other] закончилось ещё { $n }
    }
    quiet-came-and-went = за это время { $n ->
        [one] начался и закончился { $n } инцидент
        [few] начались и закончились { $n } инцидента
       *[many] начались и закончились { $n } инцидентов
    }
    quiet-owner = занимается { $who }
    quiet-silenced = заглушён
    quiet-since = с
  `,
});

const SHOWN = 12;

/** What quiet hours held back of one person, as it is now: what still fires, and how many ended. `ref` is `person:epoch ms`. */
export default defineCard({
  kind: 'quiet',
  messages,
  render: async ({ q, t, now, people }, card) => {
    const [person = '', released] = card.ref.split(':');
    const all = await releasedIncidents(q, person, new Date(Number(released)), now);
    if (all.length === 0) return 'gone';
    const shown = all.filter(({ state, isFolded }) => state === 'firing' && !isFolded);
    const over = all.filter(({ state }) => state !== 'firing').length;
    const [worst] = shown;
    if (!worst) return { blocks: [title('ok', t('quiet-nothing')), line(t('quiet-came-and-went', { n: over }))] };
    const item = (one: ReleasedIncident): Inlines => {
      const { id, startedAt, owner, isSilenced } = one;
      const notes: Inline[] = [];
      if (owner !== undefined) notes.push(` · ${t('quiet-owner', { who: people(owner)?.name ?? owner })}`);
      if (isSilenced) notes.push(` · ${t('quiet-silenced')}`);
      return [code(`#${id}`), ` ${titleIn(t, one)} · ${t('quiet-since')} `, time(startedAt), ...notes];
    };
    const hidden = shown.length - SHOWN;
    const items = shown.slice(0, SHOWN).map(item);
    const blocks: Block[] = [
      title(worst.severity, t('quiet-burning', { n: shown.length })),
      hidden > 0 ? list(items, `… +${hidden}`) : list(items),
    ];
    if (over > 0) blocks.push(line(t('quiet-over', { n: over })));
    return { blocks };
  },
});
