import { build } from './build.ts';
import { type Bench, figure, interleaved } from './figures.ts';
import { openPlace } from './place.ts';
import { install, openTelegram } from './program.ts';

const ROUNDS = 9;

/** Process start → `/readyz` answers 200, the database being there and migrated. */
export const start: Bench = {
  name: 'start',
  about: 'built program with its database, start → /readyz 200, against node -e 0, start → end',
  run: async (report) => {
    report('building');
    const main = build();
    const place = await openPlace();
    const { telegram, url } = await openTelegram();
    try {
      const installed = await install(place, url, main);
      const program = async (): Promise<number> => {
        const began = performance.now();
        const running = await installed.start();
        const ms = performance.now() - began;
        await running.stop();
        return ms;
      };
      const baseline = async (): Promise<number> => {
        const began = performance.now();
        await place.node(['-e', '0']).ended;
        return performance.now() - began;
      };
      report('warming up');
      await baseline();
      await program();
      const rounds = await interleaved(ROUNDS, { program, baseline }, report);
      return [figure('start to ready', 'ms', rounds)];
    } finally {
      await place.close();
      await telegram.close();
    }
  },
};
