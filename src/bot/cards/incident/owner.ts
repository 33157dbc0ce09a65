import { bold, type Button } from '../../../core/doc.ts';
import { clock, operationButton, viewButton } from './common.ts';
import type { Fact, IncidentPart } from './part.ts';
import { handOverView, pageBlocks, peopleFacts } from './people.ts';

/** Who has it, who was called, and what people said. */
export const owner: IncidentPart = {
  facts: (drawing) => {
    const { context, row } = drawing;
    const { t, people } = context;
    const facts: Fact[] = [];
    if (row.owner) {
      const isOver = row.state === 'resolved';
      const at = row.ackedAt && clock(context, row.ackedAt);
      const when = at === undefined || isOver ? [] : [` ${t('incident-since-clock', { clock: at })}`];
      const name = bold(people(row.owner)?.name ?? row.owner);
      facts.push([t(isOver ? 'incident-was-owner' : 'incident-owner'), [name, ...when]]);
    }
    return [...facts, ...peopleFacts(drawing)];
  },
  blocks: pageBlocks,
  primary: ({ context: { t }, row }): Button[] => {
    if (row.state === 'resolved') return [];
    if (row.owner)
      return [operationButton(row, t('incident-unack'), 'unack'), viewButton(t('incident-handover'), 'handover')];
    return [operationButton(row, t('incident-ack'), 'ack', {}, 'primary')];
  },
  views: { handover: handOverView },
};
