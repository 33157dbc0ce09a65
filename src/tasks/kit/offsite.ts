import { VakhtaError, toVakhtaError } from '../../core/error.ts';
import type { Executor } from '../../integrations/exec/executor.ts';
import { seconds } from '../../core/clock.ts';

/** A folder on another machine, over SSH. */
export interface OffsiteFolder {
  readonly host: string;
  readonly dir: string;
  readonly executor: Pick<Executor, 'run'>;
}

const STEP_MS = seconds(120);

/**
 * Brings the text there under a name of its own, compares its sum, renames it; then removes all but the `keep` newest whose names
 * match, and what was begun and left. Where it lies. Throws `kit-offsite`, `kit-offsite-dir`.
 */
export async function sendOffsite(
  folder: OffsiteFolder,
  what: { readonly name: string; readonly text: string; readonly sha256: string },
  keep: { readonly count: number; readonly isOurs: (name: string) => boolean },
  signal: AbortSignal,
): Promise<string> {
  const dir = checkedDir(folder);
  const path = `${dir}/${what.name}`;
  const part = `${path}.part`;
  await run(folder, ['mkdir', '-p', dir], signal);
  try {
    await run(folder, ['sh', '-c', 'umask 077; cat > "$1"', 'sh', part], signal, what.text);
    const seen = await sumOf(folder, part, signal);
    if (seen !== what.sha256) throw failed(folder, 'what arrived is not what was sent');
  } catch (thrown) {
    await folder.executor.run(['rm', '-f', part], { timeoutMs: STEP_MS }).catch(() => undefined);
    throw thrown;
  }
  await run(folder, ['mv', '-f', part, path], signal);
  const all = (await run(folder, ['ls', '-1', dir], signal)).split('\n');
  const names = all.filter(keep.isOurs).toSorted();
  const old = [
    ...names.slice(0, Math.max(0, names.length - keep.count)),
    ...all.filter((name) => name.endsWith('.part') && keep.isOurs(name.slice(0, -'.part'.length))),
  ];
  if (old.length > 0) await run(folder, ['rm', '-f', ...old.map((name) => `${dir}/${name}`)], signal);
  return path;
}

/** The sum of the file of this name there; `undefined` when there is none. Throws `kit-offsite`. */
export async function offsiteSum(
  folder: OffsiteFolder,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `${checkedDir(folder)}/${name}`;
  const found = await guarded(folder, () => folder.executor.run(['test', '-f', path], { signal, timeoutMs: STEP_MS }));
  return found.code === 0 ? sumOf(folder, path, signal) : undefined;
}

async function sumOf(folder: OffsiteFolder, path: string, signal: AbortSignal): Promise<string | undefined> {
  return /^[0-9a-f]{64}/u.exec(await run(folder, ['sha256sum', path], signal))?.[0];
}

/** Absolute, so that it cannot be read as an option either. */
function checkedDir({ dir }: OffsiteFolder): string {
  if (/^\/[^\n\0]*$/u.test(dir)) return dir.replace(/\/+$/u, '');
  throw new VakhtaError('usage', 'kit-offsite-dir', `${dir} is not absolute`, { args: { dir } });
}

async function run(
  folder: OffsiteFolder,
  argv: readonly string[],
  signal: AbortSignal,
  stdin?: string,
): Promise<string> {
  const options = { signal, timeoutMs: STEP_MS, ...(stdin === undefined ? {} : { stdin }) };
  const { code, stdout, stderr } = await guarded(folder, () => folder.executor.run(argv, options));
  if (code === 0) return stdout;
  throw failed(folder, (stderr.trim().split('\n').at(-1) ?? '').slice(0, 200) || `${argv[0]}: ${code}`);
}

async function guarded<T>(folder: OffsiteFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = toVakhtaError(thrown);
    if (error.code === 'exec-cancelled' || error.kind === 'bug') throw thrown;
    throw failed(folder, error.message, thrown);
  }
}

const failed = ({ host }: OffsiteFolder, why: string, cause?: unknown): VakhtaError =>
  new VakhtaError('permanent', 'kit-offsite', `kit to ${host}: ${why}`, { args: { host, why }, cause });
