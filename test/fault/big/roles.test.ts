import { expect, it } from 'vitest';
import { NOTHING, weather } from '../support/weather.ts';

it('a storm loses nothing either when bot and worker are processes of their own, and each is killed', async () => {
  const broken = await weather({
    alerts: 60,
    kills: 5,
    roles: ['bot', 'worker'],
    guests: ['pg1', 'docker1', 'gitlab', 'nginx'],
    lengthMs: 20_000,
  });
  expect(broken).toEqual(NOTHING);
});
