import {
  type Block,
  bold,
  type Button,
  code,
  type Doc,
  facts,
  type Icon,
  type Inline,
  type Inlines,
  line,
  list,
  time,
  title,
} from '../../../core/doc.ts';
import { formatDuration } from '../../../core/format.ts';
import { titleIn } from '../../../core/own-alert.ts';
import { countStorm, sharedLabels } from '../../../core/storm.ts';
import type { Storm, StormMember } from '../../../store/storms.ts';
import { counted, inOrder } from '../../../tasks/storms.ts';
import { clip, type DrawingContext } from '../incident/alerts.ts';
import { clock, viewButton } from '../incident/common.ts';

/** Critical ones named on the card itself. */
const NAMED = 6;
const SHARED = 3;
const PAGE = 15;
const TITLE_MAX = 70;
const LABEL_MAX = 48;

/** The one card of a storm: how many, how bad, what they share, and the critical ones by name. */
export function drawStorm(context: DrawingContext, storm: Storm, members: readonly StormMember[], view: string): Doc {
  const ordered = inOrder(members);
  const page = /^all:(\d+)$/.exec(view)?.[1];
  const head = headOf(context, storm, members);
  if (page !== undefined) return listOf(context, storm, ordered, head, Number(page));
  return faceOf(context, storm, ordered, head);
}

function headOf({ t }: DrawingContext, storm: Storm, members: readonly StormMember[]): Block {
  const { incidents, alerts } = countStorm(members.map(counted));
  const shown = { incidents, alerts, time: formatDuration(lengthOf(storm), t) };
  const key = storm.endedAt ? 'storm-head-over' : storm.calmAt ? 'storm-head-calm' : 'storm-head';
  return title(iconOf(storm, members), t(key, shown));
}

/** From the first incident to the last new one. */
const lengthOf = ({ startedAt, lastAt }: Storm): number => Math.max(1000, lastAt.getTime() - startedAt.getTime());

/** The worst that fires. When the storm is over and something still fires, that has a card of its own to say so. */
function iconOf({ endedAt }: Storm, members: readonly StormMember[]): Icon {
  const firing = members.filter(({ state }) => state === 'firing');
  if (firing.length === 0) return members.length > 0 ? 'resolved' : 'info';
  if (endedAt) return 'info';
  return (['critical', 'warning'] as const).find((one) => firing.some(({ severity }) => severity === one)) ?? 'info';
}

function faceOf(context: DrawingContext, storm: Storm, members: readonly StormMember[], head: Block): Doc {
  const { t, now } = context;
  const counts = countStorm(members.map(counted));
  const length = formatDuration(lengthOf(storm), t);
  const rows: (readonly [string, Inlines])[] = [
    storm.calmAt || storm.endedAt
      ? [t('storm-lasted'), [`${length} · `, time(storm.startedAt), ' – ', time(storm.lastAt, 'clock')]]
      : [
          t('storm-since'),
          [
            time(storm.startedAt),
            ` · ${t('storm-for', { time: roughly(context, now.getTime() - storm.startedAt.getTime()), clock: clock(context, now) })}`,
          ],
        ],
    ...counts.bySeverity.map(({ severity, incidents, alerts, firing }): readonly [string, Inlines] => [
      t(`icon-${severity}`),
      t('storm-severity', { incidents, alerts, firing }),
    ]),
  ];
  const common = sharedLabels(members.map(counted), SHARED);
  if (common.length > 0) {
    const parts = common.flatMap(({ name, value, alerts }, n): Inline[] => [
      ...(n > 0 ? [' · '] : []),
      code(clip(`${name}=${value}`, LABEL_MAX)),
      ` ×${alerts}`,
    ]);
    rows.push([t('storm-shared'), parts]);
  }
  const blocks: Block[] = [head, facts(...rows), line(verdict(context, storm, members))];
  const folded = members.filter((one) => one.folded && one.state === 'firing').length;
  if (folded > 0) blocks.push(line(t('storm-folded', { n: folded })));
  const criticals = members.filter(({ state, severity }) => state === 'firing' && severity === 'critical');
  if (criticals.length > 0 && !storm.endedAt) {
    const items = criticals.slice(0, NAMED).map((one) => incidentLine(context, one, false));
    const hidden = criticals.length - items.length;
    blocks.push(line(bold(t('storm-criticals'))));
    blocks.push(hidden > 0 ? list(items, t('storm-more', { n: hidden })) : list(items));
  }
  const free = members.filter(({ state, owner }) => state === 'firing' && owner === undefined).length;
  const ack: Button = {
    kind: 'press',
    label: t('storm-ack', { n: free }),
    style: 'primary',
    press: { kind: 'operation', operation: 'storm.ack', args: { storm: storm.id } },
  };
  const all = viewButton(t('storm-all', { n: members.length }), 'all:1');
  return { blocks, buttons: [...(free > 0 ? [[ack]] : []), ...(members.length > 0 ? [[all]] : [])] };
}

function verdict(context: DrawingContext, storm: Storm, members: readonly StormMember[]): string {
  const { t } = context;
  const firing = members.filter(({ state }) => state === 'firing');
  if (members.length === 0) return t('storm-empty');
  if (storm.endedAt && firing.length === 0) return t('storm-over-all');
  if (storm.endedAt) {
    const own = firing.filter(({ folded }) => !folded).length;
    return t('storm-over-some', { over: members.length - firing.length, firing: own });
  }
  if (storm.calmAt) {
    const left = firing.filter(({ ownCard, folded }) => !ownCard && !folded).length;
    return t('storm-calm', { clock: clock(context, storm.lastAt), left });
  }
  return t('storm-raging', { own: members.filter(({ ownCard }) => ownCard).length });
}

/** The whole list, a page at a time; as a file when it is long. */
function listOf(
  { t, ...rest }: DrawingContext,
  storm: Storm,
  members: readonly StormMember[],
  head: Block,
  wanted: number,
): Doc {
  const context = { t, ...rest };
  const pages = Math.max(1, Math.ceil(members.length / PAGE));
  const page = Math.min(Math.max(1, wanted), pages);
  const from = (page - 1) * PAGE;
  const shown = members.slice(from, from + PAGE);
  const where = t('storm-page', { from: from + 1, to: from + shown.length, n: members.length });
  const turn: Button[] = [
    viewButton(t('storm-back'), ''),
    ...(page > 1 ? [viewButton(t('storm-earlier', { page: page - 1 }), `all:${page - 1}`)] : []),
    ...(page < pages ? [viewButton(t('storm-later', { page: page + 1 }), `all:${page + 1}`)] : []),
  ];
  const file: Button = {
    kind: 'press',
    label: t('storm-file'),
    press: { kind: 'operation', operation: 'storm.list', args: { storm: storm.id } },
  };
  return {
    blocks:
      shown.length === 0
        ? [head, line(t('storm-empty'))]
        : [head, line(where), list(shown.map((one) => incidentLine(context, one, true)))],
    buttons: pages > 1 ? [turn, [file]] : [turn],
  };
}

/** `🔴 #12 Title · 5 alerts · firing · Anna`. */
function incidentLine({ t, people }: DrawingContext, member: StormMember, withState: boolean): Inline[] {
  const { id, state, severity, all, truncated, owner } = member;
  const icon = t(state === 'resolved' ? 'icon-resolved' : `icon-${severity}`).split(' ')[0] ?? '';
  const parts = [
    t('storm-line', { alerts: all.length + truncated }),
    ...(withState ? [t(`storm-${state}`)] : []),
    ...(owner === undefined ? [] : [people(owner)?.name ?? owner]),
  ];
  return [`${icon} `, code(`#${id}`), ` ${clip(titleIn(t, member), TITLE_MAX)} · ${parts.join(' · ')}`];
}

/** To the minute once it is one. */
const roughly = ({ t }: DrawingContext, ms: number): string =>
  formatDuration(ms < 60_000 ? Math.max(1000, ms) : Math.floor(ms / 60_000) * 60_000, t);
