import { join } from 'node:path';
import { prepareRepository, simulatorCommand } from '../../src/simulators/pgbackrest/index.ts';
import { run, temporaryFolder } from './components/index.ts';
import { builtFolder } from './program.ts';

export interface SlowBackups {
  /** For a stanza's `binary`. */
  readonly binary: readonly string[];
  /** Labels in the repository, oldest first. */
  labels(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Simulated pgBackRest whose backups of stanza `main` take `durationMs`: for tests about what happens meanwhile. */
export async function slowBackups(durationMs: number): Promise<SlowBackups> {
  const { path, remove } = await temporaryFolder();
  const folder = join(path, 'repo');
  prepareRepository(folder, { stanzas: ['main'], durationMs });
  const binary = simulatorCommand(folder, await builtFolder());
  const made = await run([...binary, '--stanza=main', 'stanza-create']);
  if (made.code !== 0) throw new Error(`stanza-create: ${made.stdout}${made.stderr}`);
  return {
    binary,
    labels: async () => {
      const { stdout } = await run([...binary, '--stanza=main', '--output=json', 'info']);
      const [stanza] = JSON.parse(stdout) as { backup: { label: string }[] }[];
      return (stanza?.backup ?? []).map(({ label }) => label);
    },
    stop: remove,
  };
}
