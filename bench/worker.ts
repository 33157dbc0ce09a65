import { parse, stringify } from 'yaml';
import { type App, compose } from '../src/app.ts';
import { createLog } from '../src/app/log.ts';
import { createSystems } from '../src/app/systems.ts';
import { systemReadFile } from '../src/config/files.ts';
import { parseConfig, requireConfig } from '../src/config/load.ts';
import { createSecrets } from '../src/config/secrets.ts';
import { systemClock } from '../src/core/clock.ts';
import { systemRandom } from '../src/core/random.ts';
import { createRedactor } from '../src/core/redact.ts';
import { isFinal } from '../src/core/run.ts';
import { run, type Run } from '../src/store/runs.ts';
import { operations } from '../src/tasks/operations/registry.gen.ts';
import { configuration, environment, PEOPLE } from './configuration.ts';
import { freePort, type Place } from './place.ts';

/** The worker's half in this process, with further sections in its configuration. */
export async function openWorker(
  place: Place,
  sections: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<App> {
  const env = { ...environment(place.databaseUrl), ...variables };
  const base = parse(configuration({ port: await freePort(), dataDir: place.folder })) as Record<string, unknown>;
  delete base['alertmanager'];
  const config = requireConfig(parseConfig(stringify({ ...base, ...sections }), 'bench.yaml', env));
  const redactor = createRedactor();
  const log = createLog({ level: 'error', redactor, write: (line) => void process.stderr.write(line) });
  const secrets = createSecrets({ env, readFile: systemReadFile, learn: (secret) => redactor.learn(secret) });
  const readText = async (path: string): Promise<string> => (await systemReadFile(path)).text;
  const app = await compose(config, 'worker', {
    clock: systemClock,
    random: systemRandom,
    log,
    redactor,
    secrets,
    version: 'bench',
    operations,
    systems: () => createSystems(config, { clock: systemClock, log, secrets, vault: undefined, readText }),
  });
  await app.start();
  return app;
}

/** Asks for an operation and waits for its end; throws when that is not a good one. */
export async function operate(app: App, operation: string, args: Record<string, unknown>): Promise<Run> {
  const [anna] = PEOPLE;
  const { id } = await app.requests.request({ kind: 'operator', id: anna?.username ?? '' }, operation, args);
  for (;;) {
    const now = await run(app.db, id);
    if (now && isFinal(now.state)) {
      if (now.state === 'succeeded' || now.state === 'warning') return now;
      throw new Error(
        `${operation} ended as ${now.state}: ${JSON.stringify(now.error)} ${JSON.stringify(now.verified)}`,
      );
    }
    await systemClock.sleep(20);
  }
}

/** Milliseconds from the moment at which the work itself began until the run was over. */
export const tookMs = ({ startedAt, finishedAt }: Run): number =>
  (finishedAt?.getTime() ?? Number.NaN) - (startedAt?.getTime() ?? Number.NaN);
