import { storm, stormMembers } from '../../store/storms.ts';
import { defineCard } from './define.ts';
import { drawStorm } from './storm/draw.ts';
import { messages } from './storm/messages.ts';

export default defineCard({
  kind: 'storm',
  messages,
  render: async (context, card) => {
    const found = await storm(context.q, Number(card.ref));
    if (!found) return 'gone';
    return drawStorm(context, found, await stormMembers(context.q, found.id), card.view);
  },
});
