import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Docker } from '../integrations/docker/port.ts';
import type { Database } from '../store/db.ts';
import { observe } from '../store/observations.ts';
import type { Several } from './several.ts';

export interface DockerLookOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly engines: Several<Docker>;
}

/** Where the names of an engine's containers are noted, for menus and forms. */
export const containersKey = (engine: string): string => `docker.${engine}.containers`;

/** Asks each engine for its containers. One that does not answer keeps the names that were seen last. */
export function createDockerLook({ db, clock, log, engines }: DockerLookOptions) {
  return {
    round: async (signal: AbortSignal): Promise<void> => {
      await Promise.all(
        engines.all.map(async (engine) => {
          try {
            const names = (await engine.ps(signal)).map(({ name }) => name);
            await observe(db, containersKey(engine.id), true, { names }, clock.now());
          } catch (error) {
            if (!signal.aborted) log.info({ engine: engine.id, err: error }, 'a Docker engine was not looked at');
          }
        }),
      );
    },
  };
}
