import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createLocalExecutor } from '../../../src/integrations/exec/local.ts';
import type { Executor } from '../../../src/integrations/exec/executor.ts';
import { createRestic, type RepositorySettings } from '../../../src/integrations/restic/restic.ts';
import type { Restic } from '../../../src/integrations/restic/port.ts';
import { need, run, temporaryFolder } from '../../support/components/index.ts';
import { cheapenRestic } from '../../support/components/restic-key.ts';

export const PASSWORD = 'restic-test-password-1';
export const OFFSITE_PASSWORD = 'restic-test-password-2';

const secret = (value: string) => () => Promise.resolve(new Secret(value));

/** A folder with a source, and a real restic that keeps its repositories beside it. */
export async function openPlace(options: { readonly offsite?: string; readonly executor?: Executor } = {}) {
  const { path: folder, remove } = await temporaryFolder({ quick: true });
  const at = (...names: string[]): string => join(folder, ...names);
  const executor = options.executor ?? createLocalExecutor({}, { clock: systemClock });
  const repository = (where: string, password: string): RepositorySettings => ({
    repository: where,
    password: secret(password),
    env: {},
  });
  const settings = {
    id: 'files',
    binary: [need('restic')],
    hostName: 'docker',
    scratchDir: at('scratch'),
    primary: repository(at('repo'), PASSWORD),
    offsite: repository(options.offsite ?? at('offsite'), OFFSITE_PASSWORD),
  };
  const restic: Restic = createRestic(settings, { executor, clock: systemClock });
  await mkdir(at('source', 'sub'), { recursive: true });
  await writeFile(at('source', 'a.txt'), 'first\n');
  await writeFile(at('source', 'sub', 'имя файла.txt'), 'second\n');
  return {
    folder,
    at,
    settings,
    restic,
    executor,
    remove,
    signal: new AbortController().signal,
    /** A repository that was just made costs half a second to open; from now on nothing. */
    cheapen: async (...names: readonly ('repo' | 'offsite' | 'far')[]) => {
      for (const name of names) await cheapenRestic(at(name), name === 'repo' ? PASSWORD : OFFSITE_PASSWORD);
    },
    /** The program itself, beside our client. */
    cli: (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      run([need('restic'), ...words], {
        env: {
          RESTIC_REPOSITORY: at('repo'),
          RESTIC_PASSWORD: PASSWORD,
          RESTIC_CACHE_DIR: at('cache'),
          ...env,
        },
      }),
  };
}

export type Place = Awaited<ReturnType<typeof openPlace>>;
