import { describe, expect, it } from 'vitest';
import { createPersist } from '../../../src/bot/outbox/persist.ts';
import { VakhtaError } from '../../../src/core/error.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const away = () => new VakhtaError('transient', 'database-down', 'database: gone');

describe('what Telegram answered', () => {
  it('is noted when the database is back', async () => {
    const clock = createManualClock();
    let tries = 0;
    const noted = createPersist(clock)(() => {
      tries += 1;
      return tries < 4 ? Promise.reject(away()) : Promise.resolve('noted');
    });
    await clock.advance(700);
    expect(await noted).toBe('noted');
    expect(tries).toBe(4);
  });

  it('is given up when that takes longer than the row can wait', async () => {
    const clock = createManualClock();
    const start = clock.now().getTime();
    const noted = createPersist(clock)(() => Promise.reject(away()));
    const failed = noted.catch((error: unknown) => error);
    await clock.advance(20_000);
    expect(await failed).toMatchObject({ code: 'database-down' });
    expect(clock.pending).toBe(0);
    expect(clock.now().getTime() - start).toBe(20_000);
  });

  it('is not tried again when trying is no use', async () => {
    const clock = createManualClock();
    let tries = 0;
    const noted = createPersist(clock)(() => {
      tries += 1;
      return Promise.reject(new Error('syntax'));
    });
    await expect(noted).rejects.toThrow('syntax');
    expect(tries).toBe(1);
  });
});
