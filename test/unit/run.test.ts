import { describe, expect, it } from 'vitest';
import { isFinal, mayFollow, NEXT, RUN_STATES, type RunState } from '../../src/core/run.ts';

const FINAL: readonly RunState[] = ['succeeded', 'warning', 'failed', 'cancelled', 'rejected', 'expired'];

describe('the life of a run', () => {
  it('ends in six ways, and nothing follows an end', () => {
    expect(RUN_STATES.filter(isFinal).sort()).toEqual([...FINAL].sort());
  });

  it('never begins to act but from the queue', () => {
    expect(RUN_STATES.filter((from) => mayFollow(from, 'running'))).toEqual(['queued']);
  });

  it('goes back to the queue only where nothing was done, or where that was found out', () => {
    expect(RUN_STATES.filter((from) => mayFollow(from, 'queued')).sort()).toEqual(
      ['approving', 'confirming', 'planning', 'reconciling', 'running'].sort(),
    );
    expect(mayFollow('verifying', 'queued')).toBe(false);
  });

  it('can reach an end from everywhere', () => {
    const reachable = (start: RunState): RunState[] => {
      const seen = new Set<RunState>([start]);
      for (const state of seen) for (const next of NEXT[state]) seen.add(next);
      return [...seen];
    };
    expect(RUN_STATES.filter((start) => !reachable(start).some(isFinal))).toEqual([]);
  });

  it('is found out about, not guessed at, when work is broken off', () => {
    for (const state of ['running', 'verifying'] as const) expect(mayFollow(state, 'reconciling')).toBe(true);
  });
});
