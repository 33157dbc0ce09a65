import { type Block, bold, type Button, code, type Inline, line, list, time } from '../../../core/doc.ts';
import { defineMessages } from '../../../core/i18n.ts';
import { formatMatcher } from '../../../integrations/alertmanager/matchers.ts';
import type { Incident } from '../../../store/incidents.ts';
import { ALERTMANAGER, type IncidentSilence, silenceSchema } from '../../../tasks/incidents.ts';
import { namesOf } from '../../../tasks/silences/alerts.ts';
import { wordsOf } from '../../../tasks/silences/comment.ts';
import { type Duration, DURATIONS } from '../../../tasks/silences/duration.ts';
import {
  type Candidate,
  candidatesOf,
  matchersOfChoice,
  previewOf,
  refusalOf,
} from '../../../tasks/silences/selection.ts';
import { clip } from './alerts.ts';
import { clock, operationButton, viewButton } from './common.ts';
import type { Drawing, IncidentPart, View } from './part.ts';

export const messages = defineMessages({
  en: `
    incident-silenced = Silenced until
    incident-silenced-resolved = it is over
    incident-silenced-part = { $muted } of { $of } alerts
    incident-silence-open = 🔕 Silence…
    incident-silence-change = 🔕 Change…
    incident-unsilence = 🔔 End silence
    incident-silence-what = What would be silenced
    incident-silence-mutes = { $n ->
        [0] Nothing that fires now.
        [one] Now { $n } alert
       *[other] Now { $n } alerts
    }
    incident-silence-others = { $n ->
        [one] , { $n } of them of another incident
       *[other] , { $n } of them of other incidents
    }
    incident-silence-asof = as of { $clock }
    incident-silence-unasked = Alertmanager has not been asked yet: what it mutes now is seen when it is pressed.
    incident-silence-for = { $word ->
        [m15] 🔕 15 min
        [h1] 🔕 1 h
        [h4] 🔕 4 h
        [h24] 🔕 24 h
        [morning] 🌅 until 09:00
       *[resolved] ✅ until resolved
    }
    incident-silence-this = 🎯 Only this
    incident-silence-alert = 📣 Whole alert
    incident-silence-comment = { $on ->
        [yes] 💬 With a comment: yes
       *[no] 💬 With a comment…
    }
    incident-silence-explain = A comment is asked for after the choice of the time.
    incident-silence-end-all = 🔔 End for all { $n }
  `,
  ru: `
    incident-silenced = Заглушено до
    incident-silenced-resolved = конца инцидента
    incident-silenced-part = алерты: { $muted } из { $of }
    incident-silence-open = 🔕 Заглушить…
    incident-silence-change = 🔕 Изменить…
    incident-unsilence = 🔔 Снять заглушку
    incident-silence-what = Что будет заглушено
    incident-silence-mutes = { $n ->
        [0] Сейчас ничего из горящего.
        [one] Сейчас { $n } алерт
        [few] Сейчас { $n } алерта
       *[other] Сейчас { $n } алертов
    }
    incident-silence-others = , из них чужих: { $n }
    incident-silence-asof = на { $clock }
    incident-silence-unasked = Alertmanager ещё не опрошен: что заглушится, станет видно при нажатии.
    incident-silence-for = { $word ->
        [m15] 🔕 15 мин
        [h1] 🔕 1 ч
        [h4] 🔕 4 ч
        [h24] 🔕 24 ч
        [morning] 🌅 до 09:00
       *[resolved] ✅ до конца
    }
    incident-silence-this = 🎯 Только это
    incident-silence-alert = 📣 Весь алерт
    incident-silence-comment = { $on ->
        [yes] 💬 С комментарием: да
       *[no] 💬 С комментарием…
    }
    incident-silence-explain = После выбора срока будет запрошен комментарий.
    incident-silence-end-all = 🔔 Снять со всех ({ $n })
  `,
});

const VIEW = 'silence';
const LABEL_MAX = 30;
const WORDS: Readonly<Record<Duration, string>> = {
  '15m': 'm15',
  '1h': 'h1',
  '4h': 'h4',
  '24h': 'h24',
  '09:00': 'morning',
  resolved: 'resolved',
};

function noted(row: Incident, now: Date): IncidentSilence | undefined {
  const silence = row.silence ? silenceSchema.parse(row.silence) : undefined;
  return silence && silence.until > now ? silence : undefined;
}

/** The silence under which an incident is, when it covers all of its alerts. */
export function activeSilence(row: Incident, now: Date): IncidentSilence | undefined {
  const silence = noted(row, now);
  return silence?.muted === undefined ? silence : undefined;
}

/** How long to be quiet, and about what exactly. What is over can only be made audible again. */
export const silence: IncidentPart = {
  facts: ({ context: { t, now, people }, row }) => {
    const is = noted(row, now);
    if (!is) return [];
    const until: Inline = is.resolved === true ? t('incident-silenced-resolved') : time(is.until);
    const part = is.muted === undefined ? '' : ` · ${t('incident-silenced-part', { muted: is.muted, of: is.of ?? 0 })}`;
    return [[t('incident-silenced'), [until, ` · ${people(is.by)?.name ?? is.by}${part}`]]];
  },
  secondary: ({ context: { t, now }, row }) => {
    const is = noted(row, now);
    // What others made, or what covers only a part, is ended where it shows what that does.
    const isWhole = is && is.elsewhere !== true && is.muted === undefined;
    if (isWhole) return [operationButton(row, t('incident-unsilence'), 'unsilence')];
    if (row.state === 'resolved' || row.source !== ALERTMANAGER) return [];
    return [viewButton(t(is ? 'incident-silence-change' : 'incident-silence-open'), VIEW)];
  },
  views: {
    [VIEW]: (drawing, argument) =>
      drawing.row.state === 'resolved' || drawing.row.source !== ALERTMANAGER ? undefined : picker(drawing, argument),
  },
};

/** What is chosen stands in the view: numbers of candidates, and a mark of the list that they count in. */
interface Choice {
  readonly chosen: ReadonlySet<number>;
  readonly isExplained: boolean;
}

function choiceOf(argument: string, candidates: readonly Candidate[]): Choice {
  const isExplained = argument.endsWith('!');
  const [mark, ...numbers] = argument.replace('!', '').split('.');
  // The alerts have changed since: what is chosen would be something else.
  if (mark !== markOf(candidates)) {
    return { chosen: new Set(candidates.flatMap(({ isUsual }, n) => (isUsual ? [n] : []))), isExplained };
  }
  return { chosen: new Set(numbers.filter((one) => one !== '').map(Number)), isExplained };
}

const viewOf = (candidates: readonly Candidate[], chosen: Iterable<number>, isExplained: boolean): string =>
  `${VIEW}:${[markOf(candidates), ...[...chosen].toSorted((a, b) => a - b)].join('.')}${isExplained ? '!' : ''}`;

/** FNV-1a in four characters. */
function markOf(candidates: readonly Candidate[]): string {
  let hash = 0x81_1c_9d_c5;
  for (const char of JSON.stringify(candidates.map(({ name, values }) => [name, values]))) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01_00_01_93);
  }
  return (hash >>> 0).toString(36).padStart(7, '0').slice(-4);
}

function picker({ context, row, data, extras }: Drawing, argument: string): View {
  const { t } = context;
  const candidates = candidatesOf(data);
  const { chosen, isExplained } = choiceOf(argument, candidates);
  const matchers = matchersOfChoice(candidates.filter((_, n) => chosen.has(n)));
  const alerts = extras.alerts?.alerts ?? [];
  const refusal = refusalOf(matchers, data, alerts);
  const what: Inline[] = matchers.flatMap((one, n): Inline[] => [n > 0 ? ' ' : '', code(formatMatcher(one))]);
  const blocks: Block[] = [...current({ context, row, data, extras }), line(bold(t('incident-silence-what')))];
  if (what.length > 0) blocks.push(line(...what));
  if (refusal) blocks.push(line(`⚠ ${t(`err-${refusal}`, { id: String(row.id) })}`));
  else if (!extras.alerts) blocks.push(line(t('incident-silence-unasked')));
  else {
    const { muted, own } = previewOf(matchers, data, alerts);
    const others = muted.length > own ? t('incident-silence-others', { n: muted.length - own }) : '';
    const asof = t('incident-silence-asof', { clock: clock(context, extras.alerts.at) });
    blocks.push(line(`${t('incident-silence-mutes', { n: muted.length })}${others} · ${asof}`));
    const names = namesOf(muted);
    const rest = new Set(muted.map(({ labels }) => namesOf([{ labels }])[0])).size - names.length;
    if (names.length > 0) blocks.push(rest > 0 ? list(names, t('render-more', { n: rest })) : list(names));
  }
  if (isExplained && !refusal) blocks.push(line(t('incident-silence-explain')));

  const turn = (label: string, numbers: Iterable<number>, explained = isExplained): Button =>
    viewButton(label, viewOf(candidates, numbers, explained));
  const numbersOf = (test: (one: Candidate) => boolean): number[] =>
    candidates.flatMap((one, n) => (test(one) ? [n] : []));
  const toggles = candidates.map((one, n): Button => {
    const others = [...chosen].filter((other) => other !== n);
    const value = one.values.length === 1 ? `=${one.values[0] ?? ''}` : ` (${one.values.length})`;
    const label = clip(`${chosen.has(n) ? '☑' : '☐'} ${one.name}${value}`, LABEL_MAX);
    return turn(label, chosen.has(n) ? others : [...others, n]);
  });
  const durations = DURATIONS.map((duration) =>
    operationButton(row, t('incident-silence-for', { word: WORDS[duration] }), 'silence', {
      duration,
      matchers,
      ...(isExplained ? { explain: true } : {}),
    }),
  );
  const isWhole = numbersOf(({ name }) => name === 'alertname');
  return {
    blocks,
    look: [
      turn(
        t('incident-silence-this'),
        numbersOf(({ isUsual }) => isUsual),
      ),
      ...(isWhole.length > 0 ? [turn(t('incident-silence-alert'), isWhole)] : []),
    ],
    rows: [
      ...(refusal ? [] : [durations.slice(0, 3), durations.slice(3)]),
      ...pairs(toggles),
      [turn(t('incident-silence-comment', { on: isExplained ? 'yes' : 'no' }), chosen, !isExplained)],
      endRow({ context, row, data, extras }),
    ].filter((buttons) => buttons.length > 0),
  };
}

const pairs = (buttons: readonly Button[]): Button[][] =>
  Array.from({ length: Math.ceil(buttons.length / 2) }, (_, n) => buttons.slice(n * 2, n * 2 + 2));

/** Who silenced it, and why. */
function current({ context: { t, now, people }, row, extras }: Drawing): Block[] {
  const is = noted(row, now);
  if (!is) return [];
  const until: Inline = is.resolved === true ? t('incident-silenced-resolved') : time(is.until);
  const comment = extras.silence ? wordsOf(extras.silence.comment) : '';
  const by = people(is.by)?.name ?? is.by;
  return [line(`${t('incident-silenced')} `, until, ` · ${by}${comment === '' ? '' : ` · ${clip(comment, 200)}`}`)];
}

function endRow({ context: { t, now }, row, extras }: Drawing): Button[] {
  const is = noted(row, now);
  if (!is) return [];
  if (is.elsewhere !== true) return [operationButton(row, t('incident-unsilence'), 'unsilence')];
  const n = extras.silence?.covers ?? 0;
  return [
    {
      kind: 'press',
      label: t('incident-silence-end-all', { n }),
      press: { kind: 'operation', operation: 'silence.end', args: { silence: is.id } },
    },
  ];
}
