import { type Button, code, type Doc, type Inline, line, list } from '../../../core/doc.ts';
import { formatDuration } from '../../../core/format.ts';
import { defineMessages } from '../../../core/i18n.ts';
import { titleIn } from '../../../core/own-alert.ts';
import { topologyOf } from '../../../core/topology.ts';
import type { Queryable } from '../../../store/db.ts';
import { type FoldedIncident, foldedInto } from '../../../store/folding.ts';
import { incident, type Incident } from '../../../store/incidents.ts';
import { saysOf } from '../../../tasks/incidents.ts';
import { knownInventories } from '../../../tasks/watch/inventory.ts';
import { clip, type DrawingContext } from './alerts.ts';
import { viewButton } from './common.ts';
import type { IncidentPart, View } from './part.ts';

export const messages = defineMessages({
  en: `
    incident-folded = Folded
    incident-folded-counts = { $guests ->
        [0] { "" }
        [one] { $guests } guest,{ " " }
       *[other] { $guests } guests,{ " " }
    }{ $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    }{ $firing ->
        [0] , all over
       *[other] { "" }
    }
    incident-folded-age = inventory { $time } old
    incident-folded-into = Folded into
    incident-folded-button = ▸ Folded: { $n }
    incident-folded-page = Folded into it: { $from }–{ $to } of { $n }
    incident-folded-line = { $alerts ->
        [one] { $alerts } alert
       *[other] { $alerts } alerts
    }
    incident-folded-firing = firing
    incident-folded-resolved = over
    incident-folded-none = Nothing is folded into it any more.
    incident-folded-earlier = ‹ { $page }
    incident-folded-later = { $page } ›
  `,
  ru: `
    incident-folded = Свёрнуто
    incident-folded-counts = { $guests ->
        [0] { "" }
        [one] { $guests } гость,{ " " }
        [few] { $guests } гостя,{ " " }
       *[many] { $guests } гостей,{ " " }
    }{ $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    }{ $firing ->
        [0] , всё погасло
       *[other] { "" }
    }
    incident-folded-age = данным о размещении { $time }
    incident-folded-into = Свёрнут в
    incident-folded-button = ▸ Свёрнуто: { $n }
    incident-folded-page = Свёрнуто сюда: { $from }–{ $to } из { $n }
    incident-folded-line = { $alerts ->
        [one] { $alerts } алерт
        [few] { $alerts } алерта
       *[many] { $alerts } алертов
    }
    incident-folded-firing = горит
    incident-folded-resolved = погас
    incident-folded-none = Ничего свёрнутого больше нет.
    incident-folded-earlier = ‹ { $page }
    incident-folded-later = { $page } ›
  `,
});

const PAGE = 15;
const TITLE_MAX = 70;
/** An inventory that is older than this says so. */
const FRESH_MS = 10 * 60_000;

/** What drawing needs to know of folding. */
export interface FoldingExtras {
  readonly folded: readonly FoldedIncident[];
  /** How many guests they speak of. */
  readonly guests: number;
  readonly inventoryAt?: Date | undefined;
  readonly parent?: (Pick<Incident, 'id' | 'title' | 'state'> & { readonly says?: string | undefined }) | undefined;
}

/** Reads what is folded into an incident that says something is down, and into what another one is folded. */
export async function loadFolding(q: Queryable, row: Incident): Promise<FoldingExtras | undefined> {
  if (row.foldedInto !== undefined) {
    const parent = await incident(q, row.foldedInto);
    return { folded: [], guests: 0, parent: parent && { ...parent, says: saysOf(parent) } };
  }
  // Children of one that is over stay with it when they ended before.
  if (!row.saysDown && row.state === 'firing') return undefined;
  const folded = await foldedInto(q, row.id);
  if (folded.length === 0) return undefined;
  const inventories = await knownInventories(q);
  const topology = topologyOf(inventories.all);
  const guests = new Set(
    folded.flatMap(({ alerts }) =>
      alerts.flatMap(({ labels }) => {
        const entity = topology.entityOf(labels);
        return entity?.kind === 'guest' ? [entity.id] : [];
      }),
    ),
  );
  return { folded, guests: guests.size, inventoryAt: inventories.seenAt };
}

const alertsOf = ({ alerts, truncated }: FoldedIncident): number => alerts.length + truncated;

/** What was folded into it, or into what it is folded. */
export const folding: IncidentPart = {
  facts: ({ context: { t, now }, extras: { folding: known } }) => {
    if (!known) return [];
    if (known.parent) {
      return [
        [t('incident-folded-into'), [code(`#${known.parent.id}`), ` ${clip(titleIn(t, known.parent), TITLE_MAX)}`]],
      ];
    }
    const { folded, guests, inventoryAt } = known;
    if (folded.length === 0) return [];
    const alerts = folded.reduce((sum, one) => sum + alertsOf(one), 0);
    const firing = folded.filter(({ state }) => state === 'firing').length;
    const age = inventoryAt ? now.getTime() - inventoryAt.getTime() : 0;
    const counts = t('incident-folded-counts', { guests, alerts, firing }).trim();
    const old = age > FRESH_MS ? ` · ${t('incident-folded-age', { time: formatDuration(age, t) })}` : '';
    return [[t('incident-folded'), `${counts}${old}`]];
  },
  rows: ({ context: { t }, extras: { folding: known } }) =>
    known && known.folded.length > 0
      ? [[viewButton(t('incident-folded-button', { n: known.folded.length }), 'folded:1')]]
      : [],
  views: {
    folded: ({ context, extras: { folding: known } }, argument) =>
      foldedPage(context, known?.folded ?? [], Number(argument) || 1),
  },
};

/** All of them, a page at a time. */
function foldedPage(context: DrawingContext, all: readonly FoldedIncident[], wanted: number): View {
  const { t } = context;
  const pages = Math.max(1, Math.ceil(all.length / PAGE));
  const page = Math.min(Math.max(1, wanted), pages);
  const from = (page - 1) * PAGE;
  const shown = all.slice(from, from + PAGE);
  const look: Button[] = [
    ...(page > 1 ? [viewButton(t('incident-folded-earlier', { page: page - 1 }), `folded:${page - 1}`)] : []),
    ...(page < pages ? [viewButton(t('incident-folded-later', { page: page + 1 }), `folded:${page + 1}`)] : []),
  ];
  const where = t('incident-folded-page', { from: from + 1, to: from + shown.length, n: all.length });
  const blocks: Doc['blocks'] =
    shown.length === 0
      ? [line(t('incident-folded-none'))]
      : [line(where), list(shown.map((one) => foldedLine(context, one)))];
  return { blocks, look, rows: [] };
}

function foldedLine({ t, people }: DrawingContext, one: FoldedIncident): Inline[] {
  const icon = t(one.state === 'resolved' ? 'icon-resolved' : `icon-${one.severity}`).split(' ')[0] ?? '';
  const parts = [
    t('incident-folded-line', { alerts: alertsOf(one) }),
    t(`incident-folded-${one.state}`),
    ...(one.owner === undefined ? [] : [people(one.owner)?.name ?? one.owner]),
  ];
  return [`${icon} `, code(`#${one.id}`), ` ${clip(titleIn(t, one), TITLE_MAX)} · ${parts.join(' · ')}`];
}
