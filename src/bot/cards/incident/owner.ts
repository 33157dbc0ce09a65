import { bold, type Button } from '../../../core/doc.ts';
import { clock, operationButton } from './common.ts';
import type { IncidentPart } from './part.ts';

/** Who has it. */
export const owner: IncidentPart = {
  facts: ({ context, row }) => {
    if (!row.owner) return [];
    const { t, people } = context;
    const isOver = row.state === 'resolved';
    const at = row.ackedAt && clock(context, row.ackedAt);
    const when = at === undefined || isOver ? [] : [` ${t('incident-since-clock', { clock: at })}`];
    const name = bold(people(row.owner)?.name ?? row.owner);
    return [[t(isOver ? 'incident-was-owner' : 'incident-owner'), [name, ...when]]];
  },
  primary: ({ context: { t }, row }): Button[] => {
    if (row.state === 'resolved') return [];
    if (row.owner) return [operationButton(row, t('incident-unack'), 'unack')];
    return [operationButton(row, t('incident-ack'), 'ack', {}, 'primary')];
  },
};
