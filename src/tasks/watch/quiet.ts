import type { Severity } from '../../core/incident.ts';
import { quietUntil } from '../../core/quiet.ts';
import type { Config, ConfiguredOperator } from '../../config/schema.ts';
import type { Queryable } from '../../store/db.ts';
import { hold } from '../../store/held.ts';
import { appendEvents } from '../../store/incidents.ts';

/** When the quiet hours end in which this person is now; `undefined` when they may be written to. */
export const quietOf = (person: ConfiguredOperator, now: Date): Date | undefined =>
  person.quietHours && quietUntil(person.quietHours, person.zone, now);

/** A message about an incident that is to appear in a chat. */
export interface NewMessage {
  readonly incident: number;
  readonly severity: Severity;
  readonly chat: number;
}

/**
 * Which of these messages may go out now. In the private chat of somebody in quiet hours nothing but criticals may; the others are
 * noted, also in the history of their incidents, and told when the hours end if they still burn.
 */
export async function letThrough<M extends NewMessage>(
  q: Queryable,
  wanted: readonly M[],
  now: Date,
  { operators = [] }: Partial<Pick<Config, 'operators'>>,
): Promise<M[]> {
  const quiet = new Map(
    operators.flatMap((person) => {
      const until = quietOf(person, now);
      return until === undefined ? [] : [[person.telegramId, { person: person.id, until }] as const];
    }),
  );
  if (quiet.size === 0) return [...wanted];
  const back = wanted.flatMap(({ chat, incident, severity }) => {
    const whom = severity === 'critical' ? undefined : quiet.get(chat);
    return whom ? [{ incident, ...whom }] : [];
  });
  const held = await hold(q, back, now);
  await appendEvents(
    q,
    held.map(({ incident, person, until }) => ({
      incidentId: incident,
      at: now,
      kind: 'held',
      data: { person, until },
    })),
  );
  return wanted.filter(({ chat, severity }) => severity === 'critical' || !quiet.has(chat));
}
