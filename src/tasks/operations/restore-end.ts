import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import { doc, line } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { SCRATCH_KIND } from '../recovery/postgres-restore.ts';
import type { ScratchDesk, ScratchThing } from '../scratch/desk.ts';

export const messages = defineMessages({
  en: `
    op-restore-end = Remove the restored copies of PostgreSQL
    op-restore-end-arg-stanza = Of which database?
    restore-end-plan = { $n ->
        [one] one restored copy of { $stanza } is stopped and removed
       *[other] { $n } restored copies of { $stanza } are stopped and removed
      }
    restore-end-done = { $n ->
        [one] The copy is gone.
       *[other] { $n } copies are gone.
      }
    restore-end-seen = no copy of { $stanza } is kept up any more
    restore-end-left = a copy of { $stanza } is still there
    err-restore-end-none = No restored copy of { $stanza } is kept up.
  `,
  ru: `
    op-restore-end = Удалить восстановленные копии PostgreSQL
    op-restore-end-arg-stanza = Какой базы?
    restore-end-plan = { $n ->
        [one] { $n } восстановленная копия { $stanza } будет остановлена и удалена
        [few] { $n } восстановленные копии { $stanza } будут остановлены и удалены
       *[other] { $n } восстановленных копий { $stanza } будут остановлены и удалены
      }
    restore-end-done = { $n ->
        [one] Копия удалена.
        [few] Удалены { $n } копии.
       *[other] Удалено { $n } копий.
      }
    restore-end-seen = запущенных копий { $stanza } больше нет
    restore-end-left = копия { $stanza } ещё на месте
    err-restore-end-none = Восстановленных копий { $stanza } сейчас не держат.
  `,
});

/** Copies that were asked to stay; those of restores under way are their own. */
const keptOf = async (scratch: ScratchDesk, stanza: string): Promise<readonly ScratchThing[]> =>
  (await scratch.open()).filter(
    ({ kind, place, what }) => kind === SCRATCH_KIND && place === stanza && what['until'] !== undefined,
  );

export default defineOperation({
  name: 'restore.end',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ stanza: z.string().min(1).max(64) }),
  fields: { stanza: { choices: (known) => known.stanzas } },
  result: z.object({ n: z.number() }),
  ports: ['restores', 'scratch'],
  timeoutMs: minutes(30),

  plan: async ({ ports }, { stanza }) => {
    ports.restores.get(stanza);
    const n = (await keptOf(ports.scratch, stanza)).length;
    if (n === 0) {
      throw new VakhtaError('usage', 'restore-end-none', `no kept copy of ${stanza}`, { args: { stanza } });
    }
    return { target: stanza, lines: [{ key: 'restore-end-plan', args: { n, stanza } }] };
  },

  run: async ({ ports, clock, remember }, { stanza }) => {
    await remember({ begun: clock.now().toISOString() });
    const kept = await keptOf(ports.scratch, stanza);
    const restorer = ports.restores.get(stanza);
    for (const { id, runId } of kept) await restorer.discard(runId, id);
    return { state: 'succeeded', result: { n: kept.length } };
  },

  verify: async ({ ports }, { stanza }) => {
    const isGone = (await keptOf(ports.scratch, stanza)).length === 0;
    return { ok: isGone, text: { key: isGone ? 'restore-end-seen' : 'restore-end-left', args: { stanza } } };
  },

  // Removing twice does no harm.
  reconcile: async ({ ports }, { stanza }) => {
    const left = await keptOf(ports.scratch, stanza);
    return left.length === 0 ? { state: 'succeeded', result: { n: 1 } } : { state: 'again' };
  },

  report: ({ n }, _args, { t }) => doc(line(t('restore-end-done', { n }))),
});
