import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueSteps, type EscalationState, type Step, stepTimes } from '../../src/core/escalation.ts';

const MINUTE = 60_000;
const since = new Date('2026-01-10T03:00:00Z');
const after = (minutes: number) => new Date(since.getTime() + minutes * MINUTE);
const steps = (...all: (readonly [minutes: number, isVoid?: boolean])[]): Step[] =>
  all.map(([minutes, isVoid = false]) => ({ afterMs: minutes * MINUTE, isVoid }));
const state = (more: Partial<EscalationState> = {}): EscalationState => ({
  since,
  atOnce: false,
  done: 0,
  lastAt: undefined,
  ...more,
});
const usual = steps([2], [10], [20]);

describe('escalation', () => {
  test('each step comes at its time, once', () => {
    expect(dueSteps(usual, state(), 0, after(1.9))).toEqual({ steps: [], repeat: false });
    expect(dueSteps(usual, state(), 0, after(2))).toEqual({ steps: [0], repeat: false });
    expect(dueSteps(usual, state({ done: 1 }), 0, after(9))).toEqual({ steps: [], repeat: false });
    expect(dueSteps(usual, state({ done: 1 }), 0, after(10))).toEqual({ steps: [1], repeat: false });
  });

  test('after a stop of the program everything that came due is done at once', () => {
    expect(dueSteps(usual, state({ done: 1 }), 0, after(60)).steps).toEqual([1, 2]);
  });

  test('a step that reaches nobody is not waited for', () => {
    const without = steps([2, true], [10], [20]);
    expect(dueSteps(without, state(), 0, after(2)).steps).toEqual([0, 1]);
    // Found out after the step was done: the next one is due at that moment.
    expect(dueSteps(without, state({ done: 1 }), 0, after(2.1)).steps).toEqual([1]);
    expect(dueSteps(steps([2, true], [10, true], [20]), state(), 0, after(2)).steps).toEqual([0, 1, 2]);
  });

  test('called again, the first step does not wait, and the others follow as far behind as before', () => {
    const again = state({ atOnce: true });
    expect(stepTimes(usual, again)).toEqual([after(0), after(8), after(18)]);
  });

  test('after the last step it is repeated, unless that is switched off or reaches nobody', () => {
    const done = state({ done: 3, lastAt: after(20) });
    expect(dueSteps(usual, done, 30 * MINUTE, after(49)).repeat).toBe(false);
    expect(dueSteps(usual, done, 30 * MINUTE, after(50)).repeat).toBe(true);
    expect(dueSteps(usual, done, 0, after(500)).repeat).toBe(false);
    expect(dueSteps(steps([2, true]), state({ done: 1, lastAt: after(2) }), MINUTE, after(50)).repeat).toBe(false);
  });

  test('for all steps: in order, never before their time, and each exactly once however often it is looked at', () => {
    const anySteps = fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 90 * MINUTE }), isVoid: fc.boolean() }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        anySteps,
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 20 }),
        (all, atOnce, looks) => {
          const times = stepTimes(all, state({ atOnce }));
          expect(times.map(Number)).toEqual(times.map(Number).toSorted((a, b) => a - b));
          const done: number[] = [];
          for (const minute of [...looks.toSorted((a, b) => a - b), 200]) {
            const { steps: due } = dueSteps(all, state({ atOnce, done: done.length }), 0, after(minute));
            for (const n of due) expect(times[n]?.getTime()).toBeLessThanOrEqual(after(minute).getTime());
            done.push(...due);
          }
          expect(done).toEqual(all.map((_, n) => n));
          const mayBeEarly = atOnce || all.some(({ isVoid }) => isVoid);
          for (const [n, { afterMs }] of all.entries())
            expect(times[n]?.getTime()).toBeGreaterThanOrEqual(since.getTime() + (mayBeEarly ? 0 : afterMs));
        },
      ),
    );
  });
});
