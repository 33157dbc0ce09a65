import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/core/clock.ts';
import { systemRandom } from '../src/core/random.ts';
import {
  createTelegramSimulator,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from '../src/simulators/telegram/index.ts';
import { configuration, environment, GROUP, PEOPLE, TELEGRAM_TOKEN } from './configuration.ts';
import { freePort, type Place, type Program, ROOT, untilOk } from './place.ts';

/** A Bot API server with people, and without limits unless some are given. */
export async function openTelegram({
  clock = systemClock,
  limits = 'off',
}: Partial<Pick<TelegramSimulatorOptions, 'clock' | 'limits'>> = {}): Promise<{
  telegram: TelegramSimulator;
  url: string;
}> {
  const telegram = createTelegramSimulator({
    clock,
    random: systemRandom,
    token: TELEGRAM_TOKEN,
    limits,
    cast: PEOPLE,
    chats: [{ id: GROUP, title: 'Benchmark', members: PEOPLE.map(({ id }) => id) }],
  });
  const { url } = await telegram.listen();
  return { telegram, url };
}

export interface Installed {
  /** Starts `vakhta start` and waits until it is ready; `extra` are options of Node.js. */
  start(extra?: readonly string[]): Promise<Program>;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** The whole program with a configuration file, its database and a Bot API server to talk to. `main` is the built one, or the source. */
export async function install(
  place: Place,
  apiRoot: string,
  main: readonly string[],
  { asShipped = false } = {},
): Promise<Installed> {
  const port = await freePort();
  const file = join(place.folder, 'vakhta.yaml');
  await writeFile(file, configuration({ apiRoot, port, dataDir: join(place.folder, 'program'), asShipped }));
  const env = { ...environment(place.databaseUrl), VAKHTA_CONFIG: file, VAKHTA_LANG: 'en' };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    start: async (extra = []) => {
      const program = place.node([...extra, ...main, 'start'], env);
      await untilOk(`${url}/readyz`, program);
      return program;
    },
  };
}

export const SOURCE = ['--import', 'tsx', join(ROOT, 'src/main.ts')] as const;
