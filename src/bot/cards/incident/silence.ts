import { time } from '../../../core/doc.ts';
import type { Incident } from '../../../store/incidents.ts';
import { type IncidentSilence, silenceSchema } from '../../../tasks/incidents.ts';
import { operationButton } from './common.ts';
import type { IncidentPart } from './part.ts';

const DURATIONS = ['1h', '4h', '24h'] as const;

export function activeSilence(row: Incident, now: Date): IncidentSilence | undefined {
  const silence = row.silence ? silenceSchema.parse(row.silence) : undefined;
  return silence && silence.until > now ? silence : undefined;
}

/** How long to be quiet. What is over can only be made audible again. */
export const silence: IncidentPart = {
  facts: ({ context: { t, now, people }, row }) => {
    const active = activeSilence(row, now);
    return active ? [[t('incident-silenced'), [time(active.until), ` · ${people(active.by)?.name ?? active.by}`]]] : [];
  },
  rows: ({ context: { t, now }, row }) => {
    if (activeSilence(row, now)) return [[operationButton(row, t('incident-unsilence'), 'unsilence')]];
    if (row.state === 'resolved') return [];
    return [
      DURATIONS.map((duration) =>
        operationButton(row, t('incident-silence', { hours: Number.parseInt(duration, 10) }), 'silence', { duration }),
      ),
    ];
  },
};
