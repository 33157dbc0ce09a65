import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newStanza, record } from './backup.ts';
import { DEFAULTS, openRepository, type SimulatorSettings } from './repository.ts';

export type { SimulatorSettings } from './repository.ts';

/** The words to put into a stanza's `binary`: this program instead of pgBackRest, with its repository in `folder`. */
export function simulatorCommand(folder: string): string[] {
  const source = import.meta.url.endsWith('.ts');
  const cli = fileURLToPath(new URL(source ? './cli.ts' : './cli.js', import.meta.url));
  // The executor runs programs in the root folder, where `tsx` would not be found by its name.
  const loader = source ? ['--import', import.meta.resolve('tsx')] : [];
  return [process.execPath, ...loader, cli, `--repo1-path=${folder}`];
}

/**
 * Writes the repository's settings; with `now`, also a history that looks like a week of nightly backups before it.
 * Calling it again changes the settings and leaves existing backups alone.
 */
export function prepareRepository(folder: string, settings: Partial<SimulatorSettings> & { now?: Date } = {}): void {
  const { now, ...rest } = settings;
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
      const type = day === 7 ? 'full' : day === 3 ? 'diff' : 'incr';
      record(state, repository.settings(), { type, start, stop: new Date(start.getTime() + 95_000) });
    }
    repository.save(stanza, state);
  }
}
