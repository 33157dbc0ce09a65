import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { code, doc, facts, type Inlines, line, time } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatBytes } from '../../core/format.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { defineOperation, definite } from '../define.ts';
import { boundLocks } from '../lock-paths.ts';
import { locking, type SetPlace, tagsOf } from '../volumes/desk.ts';

export const messages = defineMessages({
  en: `
    op-forget = Remove snapshots beyond the retention (restic)
    op-forget-arg-set = Which set of backups?
    forget-goes = { $volume }: { $count ->
        [one] one snapshot goes
       *[other] { $count } snapshots go
    }, the oldest of { $oldest }, the newest of { $newest }; { $kept } stay
    forget-nothing = Nothing in { $set } is beyond the retention: no snapshot goes
    forget-prune = then what no snapshot needs any more is freed
    forget-forgetting = Taking snapshots off the list
    forget-pruning = Freeing what no snapshot needs
    forget-gone = What was forgotten is not listed any more
    forget-there = Still listed: { $ids }
    forget-tidying = What the removal has locked is being set right
    forget-none = No snapshot was beyond the retention.
    forget-removed-n = { $count ->
        [one] one snapshot
       *[other] { $count } snapshots
    } removed, { $kept } stay, the oldest of
    forget-freed = Freed
    err-forget-changed = Meanwhile more would go than was approved: { $ids }. Ask again and look at the new plan.
    err-forget-damaged = The newest check of { $set } has found damage, so nothing is removed from it: what is still good may be needed. Copy the repository away, repair it, and let /verify find none.
  `,
  ru: `
    op-forget = Удалить снимки сверх положенного (restic)
    op-forget-arg-set = Какой набор копий?
    forget-goes = { $volume }: { $count ->
        [one] уйдёт { $count } снимок
        [few] уйдут { $count } снимка
       *[other] уйдёт { $count } снимков
    }, самый старый от { $oldest }, самый новый от { $newest }; останется { $kept }
    forget-nothing = В { $set } нет ничего сверх положенного: снимки останутся все
    forget-prune = затем освободится то, что не нужно ни одному снимку
    forget-forgetting = Снимки убираются из списка
    forget-pruning = Освобождается то, что не нужно ни одному снимку
    forget-gone = Удалённого в списке больше нет
    forget-there = Всё ещё в списке: { $ids }
    forget-tidying = Освобождается то, что заняло удаление
    forget-none = Снимков сверх положенного не было.
    forget-removed-n = удалено { $count ->
        [one] { $count } снимок
        [few] { $count } снимка
       *[other] { $count } снимков
    }, осталось { $kept }, самый старый от
    forget-freed = Освобождено
    err-forget-changed = За это время набралось больше, чем было одобрено: { $ids }. Запросите снова и посмотрите новый план.
    err-forget-damaged = Последняя проверка { $set } нашла повреждение, поэтому оттуда ничего не удаляется: уцелевшее ещё понадобится. Скопируйте репозиторий, почините и дождитесь чистой /verify.
  `,
});

const rowSchema = z.object({
  volume: z.string(),
  kept: z.number(),
  removed: z.array(z.object({ id: z.string(), at: z.coerce.date() })),
});
const rowsSchema = z.object({ rows: z.array(rowSchema) });
type Row = z.output<typeof rowSchema>;

const resultSchema = rowsSchema.extend({ freedBytes: z.number().optional(), oldest: z.array(z.coerce.date()) });

const idsOf = (rows: readonly Row[]): string[] => rows.flatMap(({ removed }) => removed.map(({ id }) => id));
const shortOf = (ids: readonly string[]): string => ids.map((id) => id.slice(0, 8)).join(', ');
const day = (at: Date | undefined): string => at?.toISOString().slice(0, 10) ?? '—';

const planLines = (rows: readonly Row[], set: string): Text[] => {
  const goes = rows.filter(({ removed }) => removed.length > 0);
  if (goes.length === 0) return [{ key: 'forget-nothing', args: { set } }, { key: 'forget-prune' }];
  return [
    ...goes.map(({ volume, kept, removed }) => ({
      key: 'forget-goes',
      args: {
        volume,
        kept,
        count: removed.length,
        oldest: day(removed[0]?.at),
        newest: day(removed.at(-1)?.at),
      },
    })),
    { key: 'forget-prune' },
  ];
};

export default defineOperation({
  name: 'forget',
  messages,
  role: 'operator',
  // What goes cannot be had again: the plan is restic's own dry run, and a second person looks at it.
  risk: 'disrupt',
  approval: 'second',
  args: z.object({ set: z.string().min(1).max(64) }),
  fields: { set: { choices: (known) => known.resticSets } },
  result: resultSchema,
  ports: ['scratch', 'volumes'],
  timeoutMs: hours(24),
  locks: (_args, plan) => boundLocks(plan),

  plan: async ({ ports, signal }, { set }) => {
    const place = ports.volumes.set(set);
    if (await ports.volumes.damagedAt(place)) throw damaged(set);
    const rows = await forgetAll(place, true, signal);
    return { target: set, lines: planLines(rows, set), bound: { locks: [ports.volumes.lockOf(place)], rows } };
  },

  run: async ({ ports, plan, runId, clock, log, signal, progress, remember }, { set }) => {
    const { scratch, volumes } = ports;
    const place = volumes.set(set);
    const approved = new Set(idsOf(rowsSchema.parse(plan.bound).rows));
    // Waited for in the queue, and a check may have come before.
    if (await volumes.damagedAt(place)) throw damaged(set);
    const rows = await forgetAll(place, true, signal).catch((thrown: unknown) => {
      throw thrown instanceof VakhtaError ? definite(thrown) : thrown;
    });
    const more = idsOf(rows).filter((id) => !approved.has(id));
    if (more.length > 0) {
      const ids = shortOf(more);
      throw new VakhtaError('permanent', 'forget-changed', `${set}: more would go: ${ids}`, { args: { ids } });
    }
    await remember({ rows });
    const work = { runId, clock, log, signal, progress, scratch };
    const freedBytes = await locking(place, ['primary'], work, async () => {
      progress({ step: { key: 'forget-forgetting' } });
      await forgetAll(place, false, signal);
      progress({ step: { key: 'forget-pruning' } });
      return place.restic.primary.prune({ signal });
    });
    const result = { rows, oldest: await oldestOf(place, rows, signal) };
    return { state: 'succeeded', result: { ...result, ...(freedBytes === undefined ? {} : { freedBytes }) } };
  },

  verify: async ({ ports, signal }, { set }, { rows }) => {
    const left = await stillThere(ports.volumes.set(set), rows, signal);
    if (left === '') return { ok: true, text: { key: 'forget-gone' } };
    return { ok: false, text: { key: 'forget-there', args: { ids: left } } };
  },

  reconcile: async ({ ports, runId, signal }, { set }, external) => {
    if (external === undefined) return { state: 'again' };
    if ((await ports.scratch.open()).some((thing) => thing.runId === runId)) {
      return { state: 'busy', text: { key: 'forget-tidying' } };
    }
    const place = ports.volumes.set(set);
    const { rows } = rowsSchema.parse(external);
    const left = await stillThere(place, rows, signal);
    if (left !== '') return { state: 'failed', text: { key: 'forget-there', args: { ids: left } } };
    return { state: 'succeeded', result: { rows, oldest: await oldestOf(place, rows, signal) } };
  },

  report: ({ rows, oldest, freedBytes }, _args, { t }) => {
    const shown = rows.flatMap(({ volume, removed, kept }, n): (readonly [string, Inlines])[] => {
      if (removed.length === 0) return [];
      const at = oldest[n];
      const words = `${t('forget-removed-n', { count: removed.length, kept })} `;
      return [[volume, at ? [words, time(at)] : [words, '—']]];
    });
    const freed = freedBytes === undefined ? [] : [[t('forget-freed'), code(formatBytes(freedBytes, t))] as const];
    const all = [...shown, ...freed];
    return doc(...(shown.length === 0 ? [line(t('forget-none'))] : []), ...(all.length > 0 ? [facts(...all)] : []));
  },
});

const damaged = (set: string): VakhtaError =>
  new VakhtaError('permanent', 'forget-damaged', `${set} is damaged: nothing is removed`, { args: { set } });

/** Each volume is a series of its own. */
async function forgetAll({ set, restic }: SetPlace, dryRun: boolean, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { id } of set.volumes) {
    const { kept, removed } = await restic.primary.forget({ keep: set.keep, tags: tagsOf(id), dryRun }, signal);
    rows.push({ volume: id, kept, removed: removed.map(({ id: snapshot, at }) => ({ id: snapshot, at })) });
  }
  return rows;
}

async function stillThere({ restic }: SetPlace, rows: readonly Row[], signal: AbortSignal): Promise<string> {
  const listed = new Set((await restic.primary.snapshots(['vakhta'], signal)).map(({ id }) => id));
  return shortOf(idsOf(rows).filter((id) => listed.has(id)));
}

/** The oldest snapshot that each volume has left, in the order of the rows; the beginning of time when there is none. */
async function oldestOf({ restic }: SetPlace, rows: readonly Row[], signal: AbortSignal): Promise<Date[]> {
  const listed = await restic.primary.snapshots(['vakhta'], signal);
  return rows.map(({ volume }) => {
    const own = listed.find(({ tags }) => tagsOf(volume).every((tag) => tags.includes(tag)));
    return own?.at ?? new Date(0);
  });
}
