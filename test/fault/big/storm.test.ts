import { expect, it } from 'vitest';
import { NOTHING, weather } from '../support/weather.ts';

const GUESTS = ['pg1', 'docker1', 'gitlab', 'nginx', 'dns', 'vault', 'monitoring', 'mail'];

it('a storm of 200 alerts loses nothing, though the program is killed ten times and Telegram fails', async () => {
  const broken = await weather({ alerts: 200, kills: 10, roles: ['start'], guests: GUESTS, lengthMs: 50_000 });
  expect(broken).toEqual(NOTHING);
});
