import { VakhtaError } from '../../core/error.ts';
import type { Text } from '../../core/i18n.ts';
import type { Random } from '../../core/random.ts';
import { formatTarget, type DrillReport, type Proof, type Step } from '../../core/recovery.ts';
import { type FileEntry, MARKER } from '../../integrations/restic/files.ts';
import type { Snapshot } from '../../integrations/restic/port.ts';
import type { Drillable, WorkContext } from '../recovery/define.ts';
import type { ScratchDesk } from '../scratch/desk.ts';
import { dumpFile } from './backup.ts';
import { inScratch, locking, pathsOf, type Side, sideOf, tagsOf, type VolumePlace, type VolumeWork } from './desk.ts';
import { gigabytes } from './words.ts';

const GB = 1e9;
/** Up to this much is compared file by file; of more, a sample of it. */
const COMPARED_BYTES = GB;
const SAMPLE_FILES = 2000;

export interface DrillEdges {
  readonly scratch: ScratchDesk;
  readonly random: Random;
  readonly locks: readonly string[];
}

interface Found {
  readonly snapshot: Snapshot;
  readonly sizeBytes: number;
  /** What has to be read of the copy elsewhere. */
  readonly readBytes?: number;
}

/** A restore of the newest snapshot into the scratch folder, compared with what restic says and with the files that live. */
export function volumeDrill(place: VolumePlace, side: Side, { scratch, random, locks }: DrillEdges): Drillable {
  const { set, volume, restic } = place;
  const target = formatTarget({ kind: side === 'primary' ? 'volume' : 'offsite-volume', id: volume.id });

  const find = async (signal: AbortSignal): Promise<Found> => {
    const repository = sideOf(place, side);
    const snapshot = (await repository.snapshots(tagsOf(volume.id), signal)).at(-1);
    if (snapshot === undefined) {
      throw new VakhtaError('permanent', 'volume-no-snapshot', `${volume.id} has no snapshot`, {
        args: { volume: volume.id },
      });
    }
    const sizeBytes = snapshot.sizeBytes ?? (await repository.size(snapshot.id, 'restored', signal));
    const readBytes = side === 'offsite' ? await repository.size(snapshot.id, 'stored', signal) : undefined;
    // Before the disk: what costs money is refused whatever room there is.
    if (readBytes !== undefined) guardCost(place, readBytes);
    const { free, total } = await restic.files.space(set.scratchDir, signal);
    const kept = (total * set.freePercent) / 100;
    if (free - sizeBytes < kept) {
      const args = { volume: volume.id, need: gigabytes(sizeBytes + kept), free: gigabytes(free), dir: set.scratchDir };
      throw new VakhtaError('permanent', 'volume-no-room', `${volume.id}: not enough room`, { args });
    }
    return { snapshot, sizeBytes, ...(readBytes === undefined ? {} : { readBytes }) };
  };

  return {
    target,
    locks,
    plan: async (signal) => {
      const { snapshot, sizeBytes, readBytes } = await find(signal);
      const lines: Text[] = [
        {
          key: 'volume-drill-plan',
          args: { snapshot: snapshot.shortId, at: utc(snapshot.at), size: gigabytes(sizeBytes), dir: set.scratchDir },
        },
        ...(readBytes === undefined ? [] : [costLine(place, readBytes)]),
      ];
      return { lines, sizeBytes };
    },
    run: (context) => run(place, side, find, { ...context, scratch }, random),
  };
}

async function run(
  place: VolumePlace,
  side: Side,
  find: (signal: AbortSignal) => Promise<Found>,
  work: VolumeWork & Pick<WorkContext, 'remember'>,
  random: Random,
): Promise<DrillReport> {
  const { restic, set, volume } = place;
  const { clock, signal, progress, runId } = work;
  const began = clock.now();
  const { snapshot, sizeBytes, readBytes } = await find(signal);
  const version = await restic.version(signal);
  const folder = `${set.scratchDir}/drill-${runId}`;
  const steps: Step[] = [];
  const timed = async <T>(text: Text, part: () => Promise<T>): Promise<T> => {
    const from = clock.now().getTime();
    progress({ step: text });
    try {
      return await part();
    } finally {
      steps.push({ text, ms: clock.now().getTime() - from });
    }
  };
  return inScratch(place, folder, work, async () => {
    const repository = sideOf(place, side);
    const restoring = { key: 'volume-drill-restoring' };
    const restored = await timed(restoring, () =>
      locking(place, [side], work, () =>
        repository.restore(snapshot.id, folder, {
          signal,
          onProgress: ({ percent, remainingMs }) =>
            progress({
              step: restoring,
              ...(percent === undefined ? {} : { percent }),
              ...(remainingMs === undefined ? {} : { remainingMs }),
            }),
        }),
      ).then(
        (): Proof => ({ ok: true, text: { key: 'volume-proof-read-back' } }),
        (thrown: unknown): Proof => {
          // What is damaged is what the drill is there to find; what kept it from trying is not.
          if (!(thrown instanceof VakhtaError) || thrown.code !== 'restic-restore-damaged') throw thrown;
          return { ok: false, text: { key: thrown.text, args: { ...thrown.args } } };
        },
      ),
    );
    const rtoMs = steps[0]?.ms ?? 0;
    const proofs: Proof[] = [restored];
    if (restored.ok) {
      await timed({ key: 'volume-drill-comparing' }, async () => {
        const files = (await restic.files.tree(folder, signal)).filter(({ name }) => name !== MARKER);
        proofs.push(await againstSnapshot(place, side, snapshot, files, signal));
        const live = await againstLive(place, folder, files, random, signal);
        if (live) proofs.push(live);
        const dump = dumpFile(place);
        if (dump !== undefined) {
          const bytes = files.find(({ name }) => `/${name}` === dump)?.bytes ?? 0;
          const args = { file: volume.before?.dump?.file ?? '', bytes };
          proofs.push({ ok: bytes > 0, text: { key: bytes > 0 ? 'volume-proof-dump' : 'volume-proof-no-dump', args } });
        }
      });
    }
    if (readBytes !== undefined) steps.push({ text: costLine(place, readBytes), ms: 0 });
    return {
      source: snapshot.shortId,
      rtoMs,
      rpoMs: Math.max(0, began.getTime() - snapshot.at.getTime()),
      sizeBytes,
      versions: { restic: version },
      steps,
      proofs,
    };
  });
}

/** Files and bytes are those that the snapshot lists. */
async function againstSnapshot(
  place: VolumePlace,
  side: Side,
  snapshot: Snapshot,
  files: readonly FileEntry[],
  signal: AbortSignal,
): Promise<Proof> {
  const listed = { count: 0, bytes: 0 };
  await sideOf(place, side).list(
    snapshot.id,
    ({ type, sizeBytes }) => {
      if (type !== 'file') return;
      listed.count += 1;
      listed.bytes += sizeBytes;
    },
    signal,
  );
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
  const ok = files.length === listed.count && bytes === listed.bytes;
  const args = { files: files.length, bytes, listed: listed.count, listedBytes: listed.bytes };
  return { ok, text: { key: ok ? 'volume-proof-listed' : 'volume-proof-not-listed', args } };
}

/**
 * Files that live on and have neither another size nor another time since must be the same, byte for byte. Nothing when there is none
 * to compare with: a disaster leaves none.
 */
async function againstLive(
  place: VolumePlace,
  folder: string,
  restored: readonly FileEntry[],
  random: Random,
  signal: AbortSignal,
): Promise<Proof | undefined> {
  const { files } = place.restic;
  const paths = await pathsOf(place, signal).catch(() => []);
  const unchanged = async (those: readonly FileEntry[]): Promise<FileEntry[]> => {
    const live = new Map<string, FileEntry>();
    for (const path of paths) {
      for (const entry of await files.tree(path, signal)) {
        live.set(`${path}${entry.name === '' ? '' : `/${entry.name}`}`.slice(1), entry);
      }
    }
    return those.filter(({ name, bytes, mtime }) => {
      const now = live.get(name);
      return now !== undefined && now.bytes === bytes && now.mtime === mtime;
    });
  };
  const chosen = sample(await unchanged(restored), random);
  const names = chosen.map(({ name }) => name);
  if (names.length === 0) return undefined;
  const [here, there] = [await files.hashes('/', names, signal), await files.hashes(folder, names, signal)];
  const suspects = chosen.filter(({ name }) => here.has(name) && here.get(name) !== there.get(name));
  // What was written to while it was being read differs rightly.
  const differing = suspects.length === 0 ? [] : (await unchanged(suspects)).map(({ name }) => name);
  const compared = names.filter((name) => here.has(name)).length;
  const args = { compared, all: restored.length, bad: differing.length, first: `/${differing[0] ?? ''}` };
  return {
    ok: differing.length === 0,
    text: { key: differing.length === 0 ? 'volume-proof-live' : 'volume-proof-not-live', args },
  };
}

/** All of it when it is not much; otherwise files by chance, up to that much. */
function sample(files: readonly FileEntry[], random: Random): readonly FileEntry[] {
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
  if (bytes <= COMPARED_BYTES && files.length <= SAMPLE_FILES * 10) return files;
  const mixed = files
    .map((file) => ({ file, order: random.bytes(4).readUInt32BE(0) }))
    .toSorted((a, b) => a.order - b.order);
  const chosen: FileEntry[] = [];
  let sum = 0;
  for (const { file } of mixed) {
    if (chosen.length >= SAMPLE_FILES || sum + file.bytes > COMPARED_BYTES) continue;
    chosen.push(file);
    sum += file.bytes;
  }
  return chosen;
}

/** Reading back what lies elsewhere may cost money: more than was allowed is refused. */
function guardCost({ set, volume }: VolumePlace, readBytes: number): void {
  const limit = (set.offsite?.readLimitGb ?? 0) * GB;
  if (readBytes <= limit) return;
  const args = { volume: volume.id, read: gigabytes(readBytes), limit: String(set.offsite?.readLimitGb ?? 0) };
  throw new VakhtaError('permanent', 'volume-cost', `${volume.id}: ${readBytes} bytes would be read`, { args });
}

/** What reading it costs, in a sentence. */
function costLine({ set }: VolumePlace, readBytes: number): Text {
  const { pricePerGb = 0, currency = '' } = set.offsite ?? {};
  const price = ((readBytes / GB) * pricePerGb).toFixed(2);
  const args = { read: gigabytes(readBytes), price, currency };
  return { key: pricePerGb > 0 ? 'volume-drill-price' : 'volume-drill-read', args };
}

/** As a plan shows it, in a form that everybody reads alike. */
const utc = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
