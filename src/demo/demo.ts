import { createServer } from 'node:net';
import { DateTime } from 'luxon';
import { systemClock } from '../core/clock.ts';
import { catalogue } from '../core/i18n.ts';
import type { Language } from '../core/people.ts';
import { systemRandom } from '../core/random.ts';
import { createRedactor } from '../core/redact.ts';
import { systemReadFile } from '../config/files.ts';
import { parseConfig, requireConfig } from '../config/load.ts';
import { createSecrets } from '../config/secrets.ts';
import { compose } from '../app.ts';
import { createLog } from '../app/log.ts';
import { createSystems } from '../app/systems.ts';
import { allMessages } from '../messages.gen.ts';
import { operations } from '../tasks/operations/registry.gen.ts';
import { enterPastDrills } from './ledger.ts';
import { playNight } from './scenario.ts';
import { CAST, GROUP, startSurroundings, TOPICS } from './surroundings.ts';

export interface DemoOptions {
  readonly print: (text: string) => void;
  readonly language: Language;
  /** Ends the demo; without it SIGINT and SIGTERM do. */
  readonly signal?: AbortSignal;
  readonly webPort?: number;
}

const WEB_PORT = 8099;

/** `npm run demo`: the real program with simulated surroundings, all on loopback, gone without a trace afterwards. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { print, language } = options;
  const clock = systemClock;
  const random = systemRandom;
  const t = catalogue(allMessages).for(language);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  print(t('demo-starting'));

  // The next full minute that is far enough away for everything to be up.
  const digestAt = DateTime.now().plus({ seconds: 75 }).startOf('minute').toFormat('HH:mm');
  const surroundings = await startSurroundings({
    clock,
    random,
    webPort: options.webPort ?? WEB_PORT,
    httpPort: await freePort(),
    digestAt,
    zone,
    language,
  });
  const redactor = createRedactor();
  const loaded = parseConfig(surroundings.yaml, 'demo.yaml', surroundings.env);
  const config = requireConfig(loaded);
  const secrets = createSecrets({
    env: surroundings.env,
    readFile: systemReadFile,
    learn: (secret) => redactor.learn(secret),
  });
  const log = createLog({ level: config.log.level, redactor, write: (line) => void process.stderr.write(line) });
  const app = await compose(config, 'start', {
    clock,
    random,
    log,
    redactor,
    secrets,
    version: 'demo',
    operations,
    systems: () =>
      createSystems(config, {
        clock,
        log,
        secrets,
        vault: undefined,
        readText: async (path) => (await systemReadFile(path)).text,
      }),
  });
  await enterPastDrills(app.db, { random, now: clock.now() });
  await app.start();
  const stopNight = playNight(surroundings.alertmanager, { clock, language });

  const link = `${surroundings.telegramUrl}/?as=${CAST[0].id}&chat=${GROUP}&thread=${TOPICS.alerts}`;
  print('');
  print(`${t('demo-ready')}  ${link}`);
  print('');
  for (const key of ['demo-hint-alerts', 'demo-hint-commands', 'demo-hint-people']) print(`  ${t(key)}`);
  print(`  ${t('demo-hint-digest', { at: digestAt })}`);
  print(`  ${t('demo-stop')}`);

  await ended(options.signal);
  stopNight();
  await app.stop();
  await surroundings.stop();
}

function ended(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { once: true });
    if (signal) return;
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
