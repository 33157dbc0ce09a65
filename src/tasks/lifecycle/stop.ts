import { VakhtaError } from '../../core/error.ts';

/**
 * Why work is stopped from outside: somebody cancelled it, its time is up, the process ends, or the run is no longer ours
 * (its worker was given up for dead and somebody else looks after it).
 */
export type StopReason = 'cancel' | 'timeout' | 'shutdown' | 'superseded';

const REASONS: Readonly<Record<StopReason, string>> = {
  cancel: 'stopped-cancel',
  timeout: 'stopped-timeout',
  shutdown: 'stopped-shutdown',
  superseded: 'stopped-superseded',
};

/** What a signal aborts with, so that clients throw something that the life cycle recognises. */
export const stopped = (reason: StopReason): VakhtaError =>
  new VakhtaError('transient', REASONS[reason], `stopped: ${reason}`, { text: 'err-stopped' });

/** Why the signal was aborted; undefined when it was not. */
export function stopOf(signal: AbortSignal): StopReason | undefined {
  if (!signal.aborted) return undefined;
  const { reason } = signal as { readonly reason: unknown };
  if (!(reason instanceof VakhtaError)) return 'shutdown';
  const found = (Object.keys(REASONS) as StopReason[]).find((name) => REASONS[name] === reason.code);
  return found ?? 'shutdown';
}
