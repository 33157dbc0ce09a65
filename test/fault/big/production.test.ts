import { afterAll, beforeAll, expect, it } from 'vitest';
import { withComponents } from '../../support/components/index.ts';
import { openProductionGround, type ProductionGround } from '../support/production.ts';

withComponents(['postgres', 'pgbackrest'], () => {
  let site: ProductionGround;
  beforeAll(async () => {
    site = await openProductionGround();
  });
  afterAll(() => site?.stop());

  it.for([
    ['backup', 'after', 'old'],
    ['restore', 'after', 'old'],
    ['start beside', 'after', 'old'],
    ['stop beside', 'after', 'old'],
    ['sync', 'after', 'old'],
    ['stop production', 'before', 'old'],
    ['stop production', 'half', 'old'],
    ['stop production', 'after', 'old'],
    ['exchange', 'before', 'old'],
    ['exchange', 'half', 'old'],
    ['exchange', 'after', 'new'],
    ['start production', 'before', 'new'],
    ['start production', 'after', 'new'],
  ] as const)(
    'a restore over production killed at “%s” (%s): the %s production runs',
    async ([command, when, which]) => {
      expect(await site.killedAt(command, when)).toBe(which);
    },
  );
});
