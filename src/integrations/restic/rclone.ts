import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Executor } from '../exec/executor.ts';
import { exitError } from './errors.ts';

const PREFIX = 'rclone:';
const PROGRAM = 'rclone.program=';
const LIST_MS = seconds(40);

/**
 * What the place itself says, where restic finds no repository behind rclone: to restic rclone answers "404", also when the keys were
 * refused or nobody was there. Asked for a list, it tells. Undefined when it has nothing to add.
 */
export async function refusalBehindRclone(
  set: string,
  {
    binary,
    env,
    signal,
  }: {
    readonly binary: readonly string[];
    /** As restic had it. */
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
  executor: Executor,
): Promise<VakhtaError | undefined> {
  const { RESTIC_REPOSITORY: repository = '' } = env;
  if (!repository.startsWith(PREFIX)) return undefined;
  const program = binary.find((word) => word.startsWith(PROGRAM))?.slice(PROGRAM.length) ?? 'rclone';
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('RESTIC_')));
  const words = ['lsf', '--max-depth=1', '--retries=1', '--low-level-retries=1', '--contimeout=10s'];
  // Restic puts the remote on the command line of rclone as well.
  const argv = [program, ...words, '--', repository.slice(PREFIX.length)];
  try {
    const result = await executor.run(argv, { env: own, timeoutMs: LIST_MS, ...(signal ? { signal } : {}) });
    if (result.code === 0) return undefined;
    const error = exitError(set, result);
    return error.code === 'restic-failed' || error.code === 'restic-no-repository' ? undefined : error;
  } catch (error) {
    // No rclone by that name, or sudo does not let it through: then restic's word stands.
    if (error instanceof VakhtaError && error.code !== 'exec-cancelled') return undefined;
    throw error;
  }
}
