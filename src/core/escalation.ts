/** One step: whom it calls is the caller's matter. */
export interface Step {
  /** After the incident has had nobody for this long. */
  readonly afterMs: number;
  /** It reaches nobody: there is no such person, or they cannot be written to. */
  readonly isVoid: boolean;
}

export interface EscalationState {
  /** Since when nobody has the incident. */
  readonly since: Date;
  /** Somebody is called again, so the first step does not wait. */
  readonly atOnce: boolean;
  /** How many steps are done. */
  readonly done: number;
  /** When the last of them was, or the last repetition. */
  readonly lastAt: Date | undefined;
}

/** What is due: the numbers of the steps to do now, in order; `repeat` when all are done and it is time to call again. */
export interface Due {
  readonly steps: readonly number[];
  readonly repeat: boolean;
}

/**
 * When each step is due. One that follows a step which reaches nobody takes its time: nobody waits for a person who cannot be
 * called. No step is due before the one ahead of it.
 */
export function stepTimes(steps: readonly Step[], { since, atOnce }: EscalationState): Date[] {
  const early = atOnce ? (steps[0]?.afterMs ?? 0) : 0;
  const times: Date[] = [];
  let last = 0;
  for (const [n, step] of steps.entries()) {
    const own = Math.max(0, step.afterMs - early);
    last = n > 0 && steps[n - 1]?.isVoid ? last : Math.max(last, own);
    times.push(new Date(since.getTime() + last));
  }
  return times;
}

/** What is due now. `repeatMs` 0: it is not called again. Nothing is repeated while no step reaches anybody. */
export function dueSteps(steps: readonly Step[], state: EscalationState, repeatMs: number, now: Date): Due {
  const times = stepTimes(steps, state);
  const due = times.flatMap((time, n) => (n >= state.done && time <= now ? [n] : []));
  const isDone = state.done >= steps.length && steps.some((step) => !step.isVoid);
  const lastAt = state.lastAt?.getTime() ?? state.since.getTime();
  return { steps: due, repeat: isDone && repeatMs > 0 && now.getTime() - lastAt >= repeatMs };
}
