import { bold, type Button, type Inlines, line } from '../../../core/doc.ts';
import { formatDuration } from '../../../core/format.ts';
import type { IncidentData } from '../../../core/incident.ts';
import { attemptsOf, type FixAttempt } from '../../../store/fixes.ts';
import type { Incident } from '../../../store/incidents.ts';
import { namesItsFix, type Offer, offersFor } from '../../../tasks/fixes/offers.ts';
import type { CardContext } from '../define.ts';
import { clip } from './alerts.ts';
import { clock, viewButton } from './common.ts';
import type { Drawing, IncidentPart } from './part.ts';

/** What may mend the incident, and what was tried. */
export interface FixExtras {
  readonly offers: readonly FixOffer[];
  /** Newest first. */
  readonly attempts: readonly FixAttempt[];
}

/** An offer with the words of its button in the reader's language. */
export interface FixOffer extends Offer {
  readonly text: string;
}

const NO_FIXES: FixExtras = { offers: [], attempts: [] };

const ON_FACE = 2;
const ATTEMPTS = 5;
const LABEL_MAX = 40;

/** Nothing is asked of the database for an incident that no rule concerns. */
export async function loadFixes(context: CardContext, row: Incident, data: IncidentData): Promise<FixExtras> {
  const { fixes: rules } = context.config;
  if (rules.length === 0 && !Object.values(data.alerts).some(namesItsFix)) return NO_FIXES;
  const attempts = await attemptsOf(context.q, row.id, ATTEMPTS);
  if (row.state !== 'firing') return { offers: [], attempts };
  const { offers } = offersFor(data, rules, context.operations);
  return { offers: named(context, offers), attempts };
}

/** Several of the same name are told apart by what they act on. */
function named(context: CardContext, offers: readonly Offer[]): FixOffer[] {
  const texts = offers.map(({ operation, label }) => nameOf(context, operation, label));
  return offers.map((offer, n) => {
    const twins = offers.filter((_, m) => texts[m] === texts[n]);
    const differing = Object.entries(offer.args)
      .filter(([name, value]) => twins.some(({ args }) => args[name] !== value))
      .map(([, value]) => String(value));
    const text = differing.length > 0 ? `${texts[n] ?? ''}: ${differing.join(' ')}` : (texts[n] ?? '');
    return { ...offer, text: clip(text, LABEL_MAX) };
  });
}

const nameOf = (
  { t, language }: Pick<CardContext, 't' | 'language'>,
  operation: string,
  label: { readonly ru: string; readonly en: string } | undefined,
): string => label?.[language] ?? t(`op-${operation.replaceAll('.', '-')}`);

function button(
  { context: { t } }: Drawing,
  { operation, args, label, clearsMinutes, key, fingerprints, text }: FixOffer,
) {
  return {
    kind: 'press',
    label: t('fix-button', { what: text }),
    press: {
      kind: 'operation',
      operation,
      args,
      fix: { key, fingerprints, clearsMinutes, ...(label ? { label } : {}) },
    },
  } satisfies Button;
}

const isOpen = ({ state }: FixAttempt): boolean => state === 'running' || state === 'waiting';

/** What is under way already is not offered a second time. */
const open = ({ row, extras: { fixes = NO_FIXES } }: Drawing): readonly FixOffer[] =>
  row.state === 'resolved'
    ? []
    : fixes.offers.filter(({ key }) => !fixes.attempts.some((attempt) => attempt.key === key && isOpen(attempt)));

function told({ context, row }: Drawing, attempt: FixAttempt): Inlines | undefined {
  const { t, people } = context;
  const what = nameOf(context, attempt.operation, attempt.label);
  const who = people(attempt.actor.id)?.name ?? attempt.actor.id;
  const after = (state: string): Inlines => [
    bold(what),
    ` ${state} · ${who} · ${t('fix-run', { number: String(attempt.number) })}`,
  ];
  switch (attempt.state) {
    case 'running':
      return attempt.runState === 'running' && attempt.percent !== undefined
        ? after(t('fix-running', { percent: String(Math.floor(attempt.percent)) }))
        : after(t('fix-state', { state: attempt.runState }));
    case 'waiting':
      return after(t('fix-waiting', { clock: attempt.clearsBy ? clock(context, attempt.clearsBy) : '' }));
    case 'cleared': {
      // It came back: what helped once is history.
      if (row.state !== 'resolved') return undefined;
      const ms = (attempt.endedAt ?? attempt.createdAt).getTime() - attempt.createdAt.getTime();
      return t('fix-cleared', { who, what, time: formatDuration(ms, t) });
    }
    case 'failed':
      return after(t('fix-failed', { why: attempt.why ?? 'failed' }));
    case 'dropped':
      return after(t('fix-dropped', { why: attempt.why ?? 'cancelled' }));
  }
}

/** What may mend it: buttons, and how the last attempt goes. */
export const fixes: IncidentPart = {
  facts: (drawing) => {
    const [last] = drawing.extras.fixes?.attempts ?? [];
    const text = last && told(drawing, last);
    return text === undefined ? [] : [[drawing.context.t('fix-label'), text]];
  },
  primary: (drawing) =>
    open(drawing)
      .slice(0, 1)
      .map((offer) => button(drawing, offer)),
  rows: (drawing) => {
    const offers = open(drawing);
    const second = offers.slice(1, ON_FACE).map((offer) => button(drawing, offer));
    const more = offers.length > ON_FACE ? [viewButton(drawing.context.t('fix-more'), 'fixes')] : [];
    return second.length + more.length === 0 ? [] : [[...second, ...more]];
  },
  views: {
    fixes: (drawing) => {
      const { t } = drawing.context;
      const offers = open(drawing);
      return {
        blocks: [line(t(offers.length === 0 ? 'fix-none' : 'fix-choose'))],
        rows: offers.map((offer) => [button(drawing, offer)]),
      };
    },
  },
};
