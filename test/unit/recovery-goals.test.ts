import { describe, expect, it } from 'vitest';
import { hours, minutes } from '../../src/core/clock.ts';
import { goalsOf } from '../../src/core/recovery.ts';

const settings = {
  rtoMinutes: 30,
  rpoMinutes: 60,
  goals: [
    { for: 'guest:gitlab', rtoMinutes: 90 },
    { for: 'guest', rtoMinutes: 45, rpoMinutes: 1560 },
  ],
};

describe('what recovery of a target has to reach', () => {
  it('is the goal of all where neither it nor its kind has one', () => {
    const all = { rtoMs: minutes(30), rpoMs: hours(1) };
    expect(goalsOf('pg:main', settings)).toEqual(all);
    expect(goalsOf('guest:mail', { rtoMinutes: 30, rpoMinutes: 60 })).toEqual(all);
    expect(goalsOf('kit:home', settings)).toEqual(all);
  });

  it('is that of its kind, and names it', () => {
    expect(goalsOf('guest:mail', settings)).toEqual({
      rtoMs: minutes(45),
      rpoMs: hours(26),
      rtoOf: 'guest',
      rpoOf: 'guest',
    });
  });

  it('is its own before that of its kind, each of the two by itself', () => {
    expect(goalsOf('guest:gitlab', settings)).toEqual({
      rtoMs: minutes(90),
      rpoMs: hours(26),
      rtoOf: 'guest:gitlab',
      rpoOf: 'guest',
    });
  });
});
