import { z } from 'zod';
import { type Block, bold, code, facts, type Inlines, line, list, time } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import type { Config } from '../../config/schema.ts';
import type { Queryable } from '../../store/db.ts';
import type { View } from '../define.ts';
import { onWatch, unreachablePeople } from './rota.ts';

export const messages = defineMessages({
  en: `
    people-on-watch = On watch
    people-nobody = nobody
    people-until = , until
    people-second = second: { $who }
    people-unreachable = Cannot be called
    people-taken = Taken on, still firing
  `,
  ru: `
    people-on-watch = На вахте
    people-nobody = никого
    people-until = , до
    people-second = следующий: { $who }
    people-unreachable = Не вызвать лично
    people-taken = Взято и ещё горит
  `,
});

/** Who is on watch, as status and digest tell it. */
export const peopleSchema = z.object({
  watch: z.string().optional(),
  second: z.string().optional(),
  until: z.coerce.date().optional(),
  unreachable: z.array(z.string()),
  /** Somebody is to be on watch: there is a rotation, or somebody has it. */
  isKept: z.boolean(),
});
export type PeopleData = z.output<typeof peopleSchema>;

export async function peopleState(
  q: Queryable,
  config: Pick<Config, 'watch' | 'operators'>,
  now: Date,
): Promise<PeopleData> {
  const nameOf = (id: string): string => config.operators.find((one) => one.id === id)?.name ?? id;
  const [{ person, second, until }, unreachable] = await Promise.all([
    onWatch(q, config, now),
    unreachablePeople(q, config),
  ]);
  return {
    ...(person === undefined ? {} : { watch: nameOf(person) }),
    ...(second === undefined ? {} : { second: nameOf(second) }),
    ...(until === undefined ? {} : { until }),
    unreachable: unreachable.map(({ name }) => name),
    isKept: person !== undefined || config.watch.rotation !== undefined,
  };
}

/** How much of it wants a look. */
export const judgePeople = (data: PeopleData | undefined): number => data?.unreachable.length ?? 0;

/** Who is on watch, and who cannot be called. Nothing where nobody keeps a watch. */
export function peopleBlocks(data: PeopleData | undefined, { t }: View): Block[] {
  if (!data) return [];
  const rows: (readonly [string, Inlines])[] = [];
  if (data.isKept) {
    const until = data.watch !== undefined && data.until ? [t('people-until'), ' ', time(data.until)] : [];
    const second = data.second === undefined ? [] : [` · ${t('people-second', { who: data.second })}`];
    rows.push([t('people-on-watch'), [bold(data.watch ?? t('people-nobody')), ...until, ...second]]);
  }
  if (data.unreachable.length > 0) rows.push([t('people-unreachable'), bold(data.unreachable.join(', '))]);
  return rows.length > 0 ? [facts(...rows)] : [];
}

interface Firing {
  readonly id: number;
  readonly title: string;
  readonly owner?: string | undefined;
  readonly startedAt: Date;
}

const SHOWN = 5;

/** What somebody has taken on and what burns all the same. */
export function takenBlocks(firing: readonly Firing[], { t }: View): Block[] {
  const taken = firing.filter(({ owner }) => owner !== undefined);
  if (taken.length === 0) return [];
  const items = taken
    .slice(0, SHOWN)
    .map(
      ({ id, title, owner, startedAt }): Inlines => [
        code(`#${id}`),
        ` ${title} · ${owner ?? ''} · `,
        time(startedAt, 'ago'),
      ],
    );
  const hidden = taken.length - items.length;
  return [line(bold(t('people-taken')), `: ${taken.length}`), hidden > 0 ? list(items, `… +${hidden}`) : list(items)];
}
