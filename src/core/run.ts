/** The life of a run; which step may follow which is decided here and enforced by compare-and-set in the store. */
export const RUN_STATES = [
  'planning',
  'confirming',
  'approving',
  'queued',
  'running',
  'verifying',
  'succeeded',
  'warning',
  'failed',
  'cancelled',
  'rejected',
  'expired',
  'reconciling',
] as const;
export type RunState = (typeof RUN_STATES)[number];

export const NEXT: Readonly<Record<RunState, readonly RunState[]>> = {
  planning: ['confirming', 'approving', 'queued', 'failed', 'cancelled', 'expired'],
  // to itself: a step-up code was handed in, the worker has yet to look at it
  confirming: ['confirming', 'approving', 'queued', 'cancelled', 'expired', 'rejected'],
  approving: ['queued', 'rejected', 'cancelled', 'expired'],
  queued: ['running', 'cancelled', 'failed'],
  running: ['verifying', 'succeeded', 'warning', 'failed', 'cancelled', 'reconciling', 'queued'],
  verifying: ['succeeded', 'warning', 'failed', 'reconciling', 'cancelled'],
  reconciling: ['succeeded', 'warning', 'failed', 'cancelled', 'queued'],
  succeeded: [],
  warning: [],
  failed: [],
  cancelled: [],
  rejected: [],
  expired: [],
};

export const isFinal = (state: RunState): boolean => NEXT[state].length === 0;
export const mayFollow = (from: RunState, to: RunState): boolean => NEXT[from].includes(to);
