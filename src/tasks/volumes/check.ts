import { VakhtaError } from '../../core/error.ts';
import type { Text } from '../../core/i18n.ts';
import { newToken, type Random } from '../../core/random.ts';
import { Secret } from '../../core/secret.ts';
import type { Check, Restic } from '../../integrations/restic/port.ts';
import type { RepositorySettings } from '../../integrations/restic/restic.ts';
import type { Database } from '../../store/db.ts';
import type { Verifiable, WorkContext } from '../recovery/define.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import { inScratch, locking, type SetPlace } from './desk.ts';
import { checksOf, nextPart, noteCheck } from './memory.ts';
import { partsOf } from './state.ts';

export interface CheckEdges {
  readonly db: Database;
  readonly scratch: ScratchDesk;
  readonly random: Random;
  readonly locks: readonly string[];
  /** The same program on the same machine, with another repository: for one that is damaged on purpose. */
  readonly other: (repository: RepositorySettings) => Restic;
}

/** How a check is judged; the real one and the one of planted damage alike. */
const judge = ({ ok, findings }: Check): 'ok' | 'warning' | 'failed' =>
  ok ? (findings.length > 0 ? 'warning' : 'ok') : 'failed';

/** Reads a share of all data each time, the one that waits longest, and proves with damage of its own that it would be seen. */
export function resticCheck(place: SetPlace, edges: CheckEdges): Verifiable {
  const { set, restic } = place;
  const { db, scratch, random } = edges;
  return {
    target: `restic:${set.id}`,
    locks: edges.locks,
    verify: async (context) => {
      const { signal, clock, progress } = context;
      const of = partsOf(place);
      const part = nextPart(await checksOf(db, set.id, of));
      progress({ step: { key: 'volume-check-reading', args: { part, of } } });
      const work = { ...context, scratch };
      const check = await locking(place, ['primary'], work, () => restic.primary.check(part, of, { signal }));
      const state = judge(check);
      await noteCheck(db, set.id, of, part, state !== 'failed', clock.now());
      const after = await checksOf(db, set.id, of);
      const done = Object.keys(after.read).length;
      const lines: Text[] = [
        {
          key: state === 'failed' ? 'volume-check-failed' : 'volume-check-read',
          args: { part, of, done, days: set.checkDays, packs: check.packsRead ?? 0, all: check.packs ?? 0 },
        },
        ...check.findings.map((finding) => ({ key: 'volume-check-finding', args: { finding } })),
      ];
      return { state, lines };
    },
    decoy: (context) => decoy(place, { ...context, scratch }, random, edges.other),
  };
}

/** A small repository of its own, good at first; then one bit of it is changed, and the same check has to see it. */
async function decoy(
  place: SetPlace,
  work: WorkContext & { readonly scratch: ScratchDesk },
  random: Random,
  other: CheckEdges['other'],
): Promise<{ caught: boolean; text: Text }> {
  const { signal, runId, progress } = work;
  const { files } = place.restic;
  const folder = `${place.set.scratchDir}/damage-${runId}`;
  const password = new Secret(newToken(random));
  const repository = `${folder}/repository`;
  const restic = other({ repository, password: () => Promise.resolve(password), env: {} });
  return inScratch(place, folder, work, async () => {
    progress({ step: { key: 'volume-check-decoy' } });
    // Printed by a command: what is stored has to be some hundred kilobytes that cannot be compressed.
    await files.capture(['head', '--bytes=300000', '/dev/urandom'], `${folder}/data`, signal);
    await restic.primary.init(undefined, signal);
    await restic.backup({ paths: [`${folder}/data`], exclude: [], tags: ['vakhta', 'decoy'] }, { signal });
    const before = await restic.primary.check(1, 1, { signal });
    if (judge(before) === 'failed') {
      // A check that calls everything damaged proves nothing by doing it again.
      return { caught: false, text: { key: 'volume-check-decoy-bad', args: { finding: before.findings[0] ?? '—' } } };
    }
    const packs = (await files.tree(`${repository}/data`, signal)).toSorted((a, b) => b.bytes - a.bytes);
    const pack = packs[0]?.name;
    if (pack === undefined) {
      throw new VakhtaError('bug', 'internal', 'a repository without any data');
    }
    await files.damage(`${repository}/data/${pack}`, signal);
    const caught = judge(await restic.primary.check(1, 1, { signal })) === 'failed';
    return { caught, text: { key: caught ? 'volume-check-caught' : 'volume-check-missed' } };
  });
}
