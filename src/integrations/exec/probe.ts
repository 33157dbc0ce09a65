import { seconds } from '../../core/clock.ts';
import { toVakhtaError } from '../../core/error.ts';
import type { Probe } from '../define.ts';
import type { Executor } from './executor.ts';

/** Runs `true`: the machine is reached, the login works, and the run-as prefix or sudo is allowed. */
export async function probeExecutor(executor: Pick<Executor, 'run' | 'describe'>, signal: AbortSignal): Promise<Probe> {
  const where = executor.describe();
  const failed = (reason: string): Probe => ({ state: 'down', text: 'exec-probe-failed', args: { where, reason } });
  try {
    const { code, stderr } = await executor.run(['true'], { signal, timeoutMs: seconds(5) });
    if (code === 0) return { state: 'ok', text: 'exec-probe-ok', args: { where } };
    return failed(stderr.trim().split('\n', 1)[0] || `exit ${code}`);
  } catch (thrown) {
    const error = toVakhtaError(thrown);
    return { state: 'down', text: error.text, args: error.args };
  }
}
