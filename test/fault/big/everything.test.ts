import { expect, it } from 'vitest';
import { NOTHING, weather } from '../support/weather.ts';

it('1,000 alerts reach their right state, through 50 kills, with PostgreSQL, Redis and Telegram failing in every way', async () => {
  const broken = await weather({
    alerts: 1000,
    kills: 50,
    roles: ['bot', 'worker'],
    guests: ['pg1', 'docker1', 'gitlab', 'nginx', 'dns', 'vault', 'monitoring', 'mail'],
    lengthMs: 240_000,
    restarts: { postgres: 4, redis: 4 },
    settleMs: 600_000,
  });
  expect(broken).toEqual(NOTHING);
});
