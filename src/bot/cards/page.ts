import { code, type Doc, type Inline, line, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { incident } from '../../store/incidents.ts';
import { ledBy, page } from '../../store/pages.ts';
import { titleFor } from '../../tasks/incidents.ts';
import { defineCard } from './define.ts';
import { operationButton } from './incident/common.ts';
import { whyText } from './incident/people.ts';
import { activeSilence } from './incident/silence.ts';

export const messages = defineMessages({
  en: `
    page-owned = { $who } is on it now.
    page-yours = You are on it.
    page-over = It is over.
    page-silenced = It is silenced now.
  `,
  ru: `
    page-owned = Теперь им занимается { $who }.
    page-yours = Вы им занимаетесь.
    page-over = Он закончился.
    page-silenced = Теперь он заглушён.
  `,
});

/** A further call to an incident, in reply to its card: with a sound, which an edit of the card does not make. */
export default defineCard({
  kind: 'page',
  messages,
  render: async (context, card): Promise<Doc | 'gone'> => {
    const { q, t, now, people } = context;
    const call = await page(q, Number(card.ref));
    const row = call && (await incident(q, call.incident));
    if (!call || !row) return 'gone';
    const isSilenced = activeSilence(row, now) !== undefined;
    // Of an escalation, which ends when somebody is on it. A call of one person to take over is not.
    const isEnded = row.state === 'resolved' || (call.step !== undefined && (row.owner !== undefined || isSilenced));
    if (isEnded && card.messageId === undefined) return 'gone';
    const name: Inline[] = [titleFor(t, row), ' · ', code(`#${row.id}`)];
    if (row.state === 'resolved') return { blocks: [title('resolved', name), line(t('page-over'))] };
    const head = title(isSilenced ? 'silenced' : row.severity, name);
    const why = line(`🔔 ${whyText(context, call.why)}`);
    if (row.owner !== undefined && row.owner !== call.person) {
      const owned = line(t('page-owned', { who: people(row.owner)?.name ?? row.owner }));
      return { blocks: call.step === undefined ? [head, why, owned] : [head, owned] };
    }
    if (isEnded) return { blocks: [head, line(t(row.owner === undefined ? 'page-silenced' : 'page-yours'))] };
    const rest = await ledBy(q, call.id);
    const more = rest > 0 ? [line(t('incident-page-rest', { n: rest }))] : [];
    const buttons = row.owner === undefined ? [[operationButton(row, t('incident-ack'), 'ack', {}, 'primary')]] : [];
    return { blocks: [head, why, ...more], buttons };
  },
});
