import { VakhtaError } from '../../core/error.ts';
import type { Docker } from '../../integrations/docker/port.ts';
import type { Backup } from '../../integrations/restic/port.ts';
import { inScratch, locking, pathsOf, tagsOf, tidily, type VolumePlace, type VolumeWork } from './desk.ts';

/** What a container gets between TERM and KILL. */
const GRACE_S = 30;

export interface VolumeBackup extends Backup {
  /** Bytes of the dump that is kept with the files. */
  readonly dumpBytes?: number;
  /** How long containers were paused or stopped. */
  readonly awayMs?: number;
  /** Containers that could not be set going again. */
  readonly away: readonly string[];
}

interface Held {
  readonly id: string;
  readonly name: string;
  readonly how: 'pause' | 'stop';
  readonly claim: string;
}

/** Where the dump of a volume lies: always the same place, so that restic sees one series of snapshots. */
const dumpFolder = ({ set, volume }: VolumePlace): string => `${set.scratchDir}/dumps/${set.id}-${volume.id}`;
export const dumpFile = (place: VolumePlace): string | undefined =>
  place.volume.before?.dump && `${dumpFolder(place)}/${fileName(place.volume.before.dump.file)}`;

/** What is to be backed up; throws `restic-source-missing`, so that nothing is stopped for what is not there. */
export async function presentPaths(place: VolumePlace, signal: AbortSignal): Promise<readonly string[]> {
  const paths = await pathsOf(place, signal);
  const missing = await place.restic.files.missing(paths, signal);
  if (missing.length === 0) return paths;
  const detail = missing.slice(0, 3).join(', ');
  throw new VakhtaError('permanent', 'restic-source-missing', `${detail} missing`, {
    args: { set: place.set.id, detail },
  });
}

/** Backs a volume up: containers quiet, dump made, one snapshot of dump and files, containers going again whatever happens. */
export async function backupVolume(place: VolumePlace, work: VolumeWork): Promise<VolumeBackup> {
  const { volume, docker } = place;
  const { clock, signal, progress } = work;
  const paths = await presentPaths(place, signal);
  const { pause = [], stop = [], dump } = volume.before ?? {};
  const held: Held[] = [];
  const began = clock.now();
  let away: readonly string[] = [];
  let made: { readonly backup: Backup; readonly dumpBytes?: number };

  const hold = async (how: Held['how'], names: readonly string[]): Promise<void> => {
    for (const name of names) {
      await holdOne(engineOf(place), volume.engine ?? '', how, name, work, (one) => held.push(one));
    }
  };
  /** The one that dumps has to run for that. */
  const others = (names: readonly string[]) => names.filter((name) => name !== dump?.container);
  const dumping = (names: readonly string[]) => names.filter((name) => name === dump?.container);

  const copy = async (more: readonly string[]): Promise<Backup> => {
    await hold('stop', dumping(stop));
    await hold('pause', pause);
    progress({ step: { key: 'volume-step-copying' } });
    return locking(place, ['primary'], work, () =>
      place.restic.backup(
        { paths: [...paths, ...more], exclude: volume.exclude, tags: [...tagsOf(volume.id), `run=${work.runId}`] },
        {
          signal,
          onProgress: ({ percent, remainingMs }) =>
            progress({
              step: { key: 'volume-step-copying' },
              ...(percent === undefined ? {} : { percent }),
              ...(remainingMs === undefined ? {} : { remainingMs }),
            }),
        },
      ),
    );
  };

  try {
    if (others(stop).length > 0) progress({ step: { key: 'volume-step-stopping' } });
    await hold('stop', others(stop));
    const file = dumpFile(place);
    if (dump && file !== undefined) {
      made = await inScratch(place, dumpFolder(place), work, async () => {
        progress({ step: { key: 'volume-step-dumping' } });
        const argv =
          dump.container === undefined
            ? dump.command
            : engineOf(place).execWords((await engineOf(place).inspect(dump.container, signal)).id, dump.command);
        const dumpBytes = await place.restic.files.capture(argv, file, signal);
        if (dumpBytes === 0) {
          throw new VakhtaError('permanent', 'volume-dump-empty', `${volume.id}: the dump is empty`, {
            args: { volume: volume.id },
          });
        }
        return { backup: await copy([file]), dumpBytes };
      });
    } else {
      made = { backup: await copy([]) };
    }
  } finally {
    if (docker) away = await resume(docker, held, work);
  }
  const { backup, dumpBytes } = made;
  return {
    ...backup,
    ...(dumpBytes === undefined ? {} : { dumpBytes }),
    ...(held.length > 0 ? { awayMs: clock.now().getTime() - began.getTime() } : {}),
    away,
  };
}

/** Notes it before it is done: also what fails may have worked. What does not run now, nobody has to set going again. */
async function holdOne(
  docker: Docker,
  engine: string,
  how: Held['how'],
  container: string,
  { scratch, runId, signal }: VolumeWork,
  note: (held: Held) => void,
): Promise<void> {
  const { id, name, status } = await docker.inspect(container, signal);
  if (status !== 'running') return;
  const what = { container: id, name, how };
  note({ id, name, how, claim: await scratch.claim({ runId, kind: 'paused-container', place: engine, what }) });
  if (how === 'pause') await docker.pause(id, signal);
  else await docker.stop(id, GRACE_S, signal);
}

/** Sets them going again, the last one first; the names of those that are not. */
async function resume(docker: Docker, held: readonly Held[], { clock, log, scratch }: VolumeWork): Promise<string[]> {
  const away: string[] = [];
  for (const { id, name, how, claim } of held.toReversed()) {
    try {
      await tidily(clock, (signal) => resumeOne(docker, id, how, signal));
      await scratch.released(claim);
    } catch (error) {
      away.push(name);
      log.error({ err: error, container: name }, 'a container was not set going again');
    }
  }
  return away;
}

/** Sets a container going again; one that is gone, or goes already, is fine. */
export async function resumeOne(docker: Docker, id: string, how: 'pause' | 'stop', signal: AbortSignal): Promise<void> {
  const now = await docker.inspect(id, signal).catch((error: unknown) => {
    if (error instanceof VakhtaError && error.code === 'docker-no-container') return undefined;
    throw error;
  });
  if (now === undefined) return;
  if (how === 'pause' && now.status === 'paused') await docker.unpause(id, signal);
  if (how === 'stop' && (now.status === 'exited' || now.status === 'created')) await docker.start(id, signal);
}

function engineOf({ volume, docker }: VolumePlace): Docker {
  if (docker) return docker;
  throw new VakhtaError('usage', 'volume-nothing', `${volume.id} has no engine`, { args: { volume: volume.id } });
}

function fileName(name: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,100}$/u.test(name)) return name;
  throw new VakhtaError('usage', 'volume-dump-file', `${JSON.stringify(name)} is no file name`, {
    args: { file: name.slice(0, 64) },
  });
}
