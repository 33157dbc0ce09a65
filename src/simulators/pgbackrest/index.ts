import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newStanza, record } from './backup.ts';
import { DEFAULTS, openRepository, reposOf, type SimulatorSettings } from './repository.ts';

export type { SimulatorSettings } from './repository.ts';

/**
 * The words to put into a stanza's `binary`: this program instead of pgBackRest, with its repository in `folder`. `built`: folder of
 * the built program, whose simulators start several times as fast as the sources.
 */
export function simulatorCommand(folder: string, built?: string): string[] {
  return [...programOf(import.meta.url, built && join(built, 'simulators/pgbackrest')), `--repo1-path=${folder}`];
}

/** The words that start `cli` beside a module, or in a folder with the built one. */
export function programOf(module: string, folder?: string): string[] {
  if (folder !== undefined) return [process.execPath, join(folder, 'cli.js')];
  const source = module.endsWith('.ts');
  const cli = fileURLToPath(new URL(source ? './cli.ts' : './cli.js', module));
  // The executor runs programs in the root folder, where `tsx` would not be found by its name.
  const loader = source ? ['--import', import.meta.resolve('tsx')] : [];
  return [process.execPath, ...loader, cli];
}

/**
 * Writes the repository's settings; with `now`, also a history that looks like a week of nightly backups before it.
 * Calling it again changes the settings and leaves existing backups alone.
 */
export function prepareRepository(
  folder: string,
  settings: Partial<SimulatorSettings> & {
    now?: Date;
    /** Stanzas whose nightly backups were all full: more of them than are kept now. */
    allFull?: readonly string[];
  } = {},
): void {
  const { now, allFull = [], ...rest } = settings;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'simulator.json'), JSON.stringify({ ...DEFAULTS, ...rest }, null, 1));
  const repository = openRepository(folder);
  if (now === undefined) return;
  for (const stanza of repository.settings().stanzas) {
    if (repository.load(stanza) !== undefined) continue;
    const state = newStanza(stanza);
    for (let day = 7; day >= 0; day--) {
      const start = new Date(now.getTime() - day * 86_400_000);
      start.setHours(2, 30, 0, 0);
      if (start.getTime() + 95_000 > now.getTime()) continue;
      const type = day === 7 || allFull.includes(stanza) ? 'full' : day === 3 ? 'diff' : 'incr';
      record(state, repository.settings(), { type, start, stop: new Date(start.getTime() + 95_000) });
      // The copies elsewhere are weekly ones, and the day before yesterday's.
      for (const repo of reposOf(repository.settings()).slice(1)) {
        if (day !== 7 && day !== 1) continue;
        const later = new Date(start.getTime() + 600_000);
        record(state, repository.settings(), {
          type: 'full',
          repo,
          start: later,
          stop: new Date(later.getTime() + 180_000),
        });
      }
    }
    repository.save(stanza, state);
  }
}
