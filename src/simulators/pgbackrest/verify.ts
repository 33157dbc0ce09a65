import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRepo } from './backup.ts';
import { Failure } from './failure.ts';
import type { Repository } from './repository.ts';

export const MANIFEST = 'manifest.json';
export const sumOf = (content: Buffer): string => createHash('sha1').update(content).digest('hex');

/** Files of a simulated backup, which exist by their number only. */
const FILES = 964;

/** What `verify` prints. As the real one, it says nothing without `--output=text`, and damage does not make it fail. */
export function verify(repository: Repository, stanza: string, options: ReadonlyMap<string, string>): string {
  const output = options.get('output') ?? 'none';
  if (output !== 'none' && output !== 'text') throw new Failure(32, `'${output}' is not allowed for 'output' option`);
  if (output === 'none') return '';
  const repo = Number(options.get('repo') ?? 1);
  const state = repository.load(stanza);
  if (state === undefined) return `stanza: ${stanza}\nstatus: error\n  No usable archive.info file\n`;
  const isVerbose = options.has('verbose');
  const settings = repository.settings();
  const backups = inRepo(state, repo).map(({ label }) => {
    const folder = repository.filesOf(stanza, label);
    const simulated = { files: FILES, missing: 0, wrong: settings.damaged?.includes(label) ? 1 : 0 };
    return { label, ...(existsSync(join(folder, MANIFEST)) ? look(folder) : simulated) };
  });
  const isOk = backups.every(({ missing, wrong }) => missing + wrong === 0);
  const wal = state.wal - (state.archivedFrom?.[repo] ?? 1) + 1;
  const lines = [`stanza: ${stanza}`, `status: ${isOk ? 'ok' : 'error'}`];
  if (isVerbose && wal < 1) lines.push('  archiveId: none found');
  else if (isVerbose) {
    lines.push(`  archiveId: 15-1, total WAL checked: ${wal}, total valid WAL: ${wal}`, counts(0, 0));
  }
  if (isVerbose && backups.length === 0) lines.push('  backup: none found');
  for (const { label, files, missing, wrong } of backups) {
    const bad = missing + wrong;
    if (!isVerbose && bad === 0) continue;
    const status = bad > 0 ? 'invalid' : 'valid';
    lines.push(
      `  backup: ${label}, status: ${status}, total files checked: ${files}, total valid files: ${files - bad}`,
      counts(missing, wrong),
    );
  }
  return `${lines.join('\n')}\n`;
}

const counts = (missing: number, wrong: number): string =>
  `    missing: ${missing}, checksum invalid: ${wrong}, size invalid: 0, other: 0`;

/** Reads the files of a backup that was made of a real folder. */
function look(folder: string): { files: number; missing: number; wrong: number } {
  const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Record<string, string>;
  let missing = 0;
  let wrong = 0;
  for (const [path, sum] of Object.entries(manifest)) {
    const file = join(folder, 'pg_data', path);
    if (!existsSync(file)) missing++;
    else if (sumOf(readFileSync(file)) !== sum) wrong++;
  }
  return { files: Object.keys(manifest).length, missing, wrong };
}
