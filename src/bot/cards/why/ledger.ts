import { DateTime } from 'luxon';
import { days } from '../../../core/clock.ts';
import type { IncidentData } from '../../../core/incident.ts';
import { messageUrl } from '../../../core/message-url.ts';
import { events, type Incident, type IncidentEvent } from '../../../store/incidents.ts';
import {
  auditedAbout,
  cardsShowing,
  deliveriesOf,
  runsAbout,
  type WhyCard,
  type WhyDelivery,
  type WhyRun,
} from '../../../store/why.ts';
import type { CardContext } from '../define.ts';
import { errorText } from '../../errors.ts';
import { eventText } from '../incident/event-text.ts';
import { DECISIONS, decisionStep, operationName } from './decisions.ts';

/** One line of the ledger. */
export interface Step {
  readonly at: Date;
  readonly text: string;
  /** Of the message, where it can be opened. */
  readonly url?: string | undefined;
}

export interface Ledger {
  /** Oldest first. */
  readonly steps: readonly Step[];
  /** How often a message was drawn anew without anything to tell of it. */
  readonly edits: number;
  /** From the first news to the first message; absent: not shown. */
  readonly seenAfterMs: number | undefined;
  /** False when the deliveries of its time are forgotten by now. */
  readonly isComplete: boolean;
}

const EVENTS = 2000;
const DELIVERIES = 500;
const RUNS = 100;
const AUDITED = 500;
/** Shorter waits are how it always goes: for a first message, and for a redraw. */
const NOTICED_MS = 2000;
const WAIT_MS = 10_000;
/** The outbox keeps what it has settled for seven days. */
const KEPT_MS = days(7);
const ERROR_MAX = 120;

/** Everything that is known of what became of one incident, put in order. Five queries. */
export async function loadLedger(context: CardContext, row: Incident, data: IncidentData): Promise<Ledger> {
  const { q, now } = context;
  const [history, cards, runs] = await Promise.all([
    events(q, row.id, EVENTS),
    cardsShowing(q, row.id),
    runsAbout(q, row.id, row.startedAt, RUNS),
  ]);
  const [deliveries, audited] = await Promise.all([
    deliveriesOf(
      q,
      cards.map(({ id }) => id),
      DELIVERIES,
    ),
    auditedAbout(
      q,
      row.id,
      runs.map(({ number }) => number),
      DECISIONS,
      AUDITED,
    ),
  ]);
  const oldest = history.toReversed();
  const opened = oldest[0]?.at ?? row.startedAt;
  const seen = cards.flatMap(({ firstDeliveredAt }) => (firstDeliveredAt ? [firstDeliveredAt.getTime()] : []));
  const steps = [
    ...burns(context, data, opened),
    ...received(context, data, oldest),
    ...eventSteps(context, data, oldest),
    ...cards.flatMap((card) => cardSteps(context, card, firstDelivery(card, deliveries))),
    ...deliveries.flatMap((one) => deliverySteps(context, one, cards)),
    ...runs.map((run) => runStep(context, run)),
    ...audited.map((entry) => decisionStep(context, entry, runs)),
  ];
  return {
    steps: steps.toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    edits: Math.max(0, deliveries.filter(({ state }) => state === 'sent').length - seen.length),
    seenAfterMs: seen.length === 0 ? undefined : Math.max(0, Math.min(...seen) - opened.getTime()),
    isComplete: deliveries.length > 0 || now.getTime() - opened.getTime() < KEPT_MS,
  };
}

function burns({ t }: CardContext, data: IncidentData, opened: Date): Step[] {
  const starts = Object.values(data.alerts)
    .map(({ startsAt }) => Date.parse(startsAt))
    .filter((at) => Number.isFinite(at) && at < opened.getTime());
  return starts.length === 0 ? [] : [{ at: new Date(Math.min(...starts)), text: t('why-burns') }];
}

function received({ t }: CardContext, data: IncidentData, oldest: readonly IncidentEvent[]): Step[] {
  const [first] = oldest;
  if (!first) return [];
  const n = oldest.filter(({ kind, at }) => kind === 'alert-fired' && at.getTime() === first.at.getTime()).length;
  return [{ at: first.at, text: t('why-received', { n, receiver: data.receiver || '—' }) }];
}

/** What happened to several alerts at once is one step; repetitions in a row are one, too. */
function eventSteps(context: CardContext, data: IncidentData, oldest: readonly IncidentEvent[]): Step[] {
  const groups: { event: IncidentEvent; n: number; last: Date }[] = [];
  const began = oldest[0]?.at.getTime();
  for (const event of oldest) {
    // Told by "came in" already.
    if (event.at.getTime() === began && (event.kind === 'opened' || event.kind === 'alert-fired')) continue;
    const last = groups.at(-1);
    const isSame = last?.event.kind === event.kind;
    if (last && isSame && (event.kind === 'repeated' || last.event.at.getTime() === event.at.getTime())) {
      last.n += 1;
      last.last = event.at;
    } else groups.push({ event, n: 1, last: event.at });
  }
  const { t, zone } = context;
  return groups.map(({ event, n, last }) => ({
    at: event.at,
    text:
      event.kind === 'repeated'
        ? t('why-repeated', { n, clock: DateTime.fromJSDate(last, { zone }).toFormat('HH:mm') })
        : eventText(context, event, data.alerts, n),
  }));
}

/** The delivery that showed a card for the first time; unknown once the outbox has forgotten it. */
function firstDelivery(card: WhyCard, deliveries: readonly WhyDelivery[]): WhyDelivery | undefined {
  const { firstDeliveredAt } = card;
  if (!firstDeliveredAt) return undefined;
  return deliveries.find(
    ({ cardId, state, settledAt }) =>
      cardId === card.id && state === 'sent' && settledAt && settledAt.getTime() >= firstDeliveredAt.getTime(),
  );
}

function cardSteps(context: CardContext, card: WhyCard, first: WhyDelivery | undefined): Step[] {
  const { t } = context;
  const where = whereOf(context, card);
  const steps: Step[] = [
    { at: card.createdAt, text: t(card.kind === 'storm' ? 'why-wanted-storm' : 'why-wanted', { where }) },
  ];
  const { firstDeliveredAt: shown } = card;
  const waited = shown && shown.getTime() - card.createdAt.getTime() >= NOTICED_MS ? first?.waited : undefined;
  const delayedBy = card.delayedBy ?? waited;
  if (shown) {
    const args = {
      where,
      message: String(card.messageId ?? '—'),
      seconds: secondsOf(shown.getTime() - card.createdAt.getTime()),
    };
    steps.push({
      at: shown,
      text:
        delayedBy === undefined
          ? t('why-shown', args)
          : t('why-shown-late', { ...args, why: t(`why-late-${delayedBy}`) }),
      url: messageUrl(card),
    });
  }
  if (card.goneAt) steps.push({ at: card.goneAt, text: `${t('why-card-gone')} · ${where}` });
  return steps;
}

function deliverySteps({ t }: CardContext, one: WhyDelivery, cards: readonly WhyCard[]): Step[] {
  const { settledAt, createdAt, attempts } = one;
  const at = settledAt ?? createdAt;
  const error = Array.from(reasonOf(one.error)).slice(0, ERROR_MAX).join('');
  if (one.state === 'unknown') return [{ at, text: t('why-unknown-sent', { error }) }];
  if (one.state === 'failed') return [{ at, text: t('why-failed', { error }) }];
  // A card whose state was gone is told by the card itself.
  if (one.state === 'dropped')
    return cards.some(({ id, goneAt }) => id === one.cardId && goneAt)
      ? []
      : [{ at, text: t('why-dropped', { error }) }];
  const steps: Step[] = [];
  const waited = at.getTime() - createdAt.getTime();
  const isFirst = cards.some((card) => card.id === one.cardId && isNear(card, at));
  if (one.waited !== undefined && waited >= WAIT_MS && !isFirst) {
    steps.push({ at, text: t('why-waited', { seconds: secondsOf(waited), why: t(`why-late-${one.waited}`) }) });
  }
  if (attempts > 1 && one.error !== undefined) steps.push({ at, text: t('why-tried', { attempts, error }) });
  return steps;
}

/** Without what the outbox noted for its next attempt. */
const reasonOf = (error: string | undefined): string => (error ?? '—').replace(/^next: [^;]*; /u, '');

const isNear = ({ firstDeliveredAt }: WhyCard, at: Date): boolean =>
  firstDeliveredAt !== undefined && Math.abs(at.getTime() - firstDeliveredAt.getTime()) < 1000;

const ENDED = new Set(['succeeded', 'warning', 'failed', 'cancelled', 'rejected', 'expired']);

function runStep(context: CardContext, run: WhyRun): Step {
  const { t, people } = context;
  const who = run.actor.kind === 'operator' ? (people(run.actor.id)?.name ?? run.actor.id) : run.actor.id;
  const { error } = run;
  const reason =
    error === undefined ? '' : ` — ${errorText(error, t)}${error.id === undefined ? '' : ` (${error.id})`}`;
  const state = `${t(`why-run-${ENDED.has(run.state) ? run.state : 'open'}`)}${reason}`;
  const what = operationName(context, run.operation);
  return {
    at: run.createdAt,
    text: t(run.pressed ? 'why-run-pressed' : 'why-run', { who, what, number: String(run.number), state }),
  };
}

function whereOf({ config }: CardContext, { chat, thread, topic }: WhyCard): string {
  const known = config.chats.find(({ chatId }) => chatId === chat);
  const person = config.operators.find(({ telegramId }) => telegramId === chat);
  const name = known?.title ?? known?.id ?? person?.name ?? String(chat);
  const named = topic ?? Object.entries(known?.topics ?? {}).find(([, id]) => id === thread)?.[0];
  return named === undefined ? name : `${name} / ${named}`;
}

const secondsOf = (ms: number): string => (Math.max(0, ms) / 1000).toFixed(1);
