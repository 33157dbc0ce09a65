import { isDeepStrictEqual } from 'node:util';
import { minutes } from '../../core/clock.ts';
import type { Alert, Silence } from '../../integrations/alertmanager/port.ts';
import { touchCards } from '../../store/cards.ts';
import type { Database } from '../../store/db.ts';
import { noteSeen, type SeenSilence, type SilenceRow, silences } from '../../store/silences.ts';
import { keepAlerts, namesOf, type SeenAlert, under } from './alerts.ts';

/** What becomes of the alerts of a silence is followed this long after its end. */
const AFTERMATH_MS = minutes(15);

export interface Mirrored {
  readonly alerts: readonly SeenAlert[];
  /** Those that are not over, and those that ended a moment ago. */
  readonly silences: readonly SilenceRow[];
}

/**
 * Writes what Alertmanager has answered to where cards and commands read it, and redraws the cards of silences that look different
 * now. `asked` is when it was asked.
 */
export async function mirror(
  db: Database,
  answer: { readonly alerts: readonly Alert[]; readonly silences: readonly Silence[] },
  asked: Date,
): Promise<Mirrored> {
  const alerts = await keepAlerts(db, answer.alerts, asked);
  const since = new Date(asked.getTime() - AFTERMATH_MS);
  const known = new Map((await silences(db, since)).map((row) => [row.id, row]));
  const listed = answer.silences
    .filter(({ id, state }) => state !== 'expired' || known.has(id))
    .map((one) => seenOf(one, alerts));
  const listedIds = new Set(answer.silences.map(({ id }) => id));
  // Alertmanager forgets a silence only long after its end, or with its whole memory.
  const lost = [...known.values()]
    .filter(({ id, state, seenAt }) => state !== 'expired' && !listedIds.has(id) && seenAt < asked)
    .map((row) => ({ ...pick(row), state: 'expired' as const, endsAt: row.endsAt < asked ? row.endsAt : asked }));
  const changed = [...listed, ...lost].filter((one) => {
    const before = known.get(one.id);
    return before === undefined || !isDeepStrictEqual(pick(before), one);
  });
  if (changed.length > 0) {
    await db.tx(async (tx) => {
      await noteSeen(tx, changed, asked);
      for (const { id } of changed) await touchCards(tx, 'silence', id, asked);
    });
  }
  return { alerts, silences: changed.length > 0 ? await silences(db, since) : [...known.values()] };
}

function seenOf({ id, state, matchers, startsAt, endsAt, createdBy, comment }: Silence, alerts: readonly SeenAlert[]) {
  const muted =
    state === 'active' ? alerts.filter(({ silencedBy }) => silencedBy.includes(id)) : under(matchers, alerts);
  const seen: SeenSilence = {
    id,
    state,
    matchers: matchers.map(({ name, value, isRegex, isEqual }) => ({ name, value, isRegex, isEqual })),
    startsAt,
    endsAt,
    createdBy,
    comment,
    covers: muted.length,
    names: namesOf(muted),
  };
  return seen;
}

const pick = ({
  id,
  state,
  matchers,
  startsAt,
  endsAt,
  createdBy,
  comment,
  covers,
  names,
}: SilenceRow): SeenSilence => ({
  id,
  state,
  matchers,
  startsAt,
  endsAt,
  createdBy,
  comment,
  covers,
  names,
});
