import { VakhtaError } from '../../core/error.ts';
import type { Docker } from '../../integrations/docker/port.ts';
import type { ScratchRemover, ScratchThing } from '../scratch/desk.ts';
import type { Several } from '../several.ts';
import { resumeOne } from './backup.ts';
import { ownerOf, sideOf, type VolumeDesk } from './desk.ts';

/** Takes away what volumes left: folders, containers that are still held, locks of restic whose process is no more. */
export function volumeRemovers(desk: VolumeDesk, docker: Several<Docker>): readonly ScratchRemover[] {
  return [
    {
      kind: 'folder',
      remove: async (thing, signal) => {
        const folder = text(thing, 'folder');
        await desk.set(text(thing, 'set')).restic.files.removeScratch(folder, ownerOf(folder, thing.runId), signal);
      },
    },
    {
      kind: 'paused-container',
      remove: (thing, signal) => {
        const how = text(thing, 'how') === 'stop' ? 'stop' : 'pause';
        return resumeOne(docker.get(thing.place), text(thing, 'container'), how, signal);
      },
    },
    {
      kind: 'repository-lock',
      remove: async (thing, signal) => {
        const repository = sideOf(desk.set(thing.place), text(thing, 'side') === 'offsite' ? 'offsite' : 'primary');
        const state = await repository.clearOwnLock(new Date(text(thing, 'since')), signal);
        if (state === 'held') {
          throw new VakhtaError('transient', 'volume-still-running', 'restic still runs', {
            args: { set: thing.place },
          });
        }
      },
    },
  ];
}

function text({ what, kind }: ScratchThing, name: string): string {
  const value = what[name];
  if (typeof value === 'string') return value;
  throw new VakhtaError('bug', 'internal', `a ${kind} without ${name}`);
}
