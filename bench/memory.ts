import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/core/clock.ts';
import { build } from './build.ts';
import { type Bench, figure, interleaved } from './figures.ts';
import { openPlace, type Program, ROOT } from './place.ts';
import { install, openTelegram } from './program.ts';

const ROUNDS = 5;
/** What starting leaves behind is over then: the first run, the menus, the schedules. */
const IDLE_MS = 8000;
const SETTLE = ['--expose-gc', '--import', join(ROOT, 'bench/settle.mjs')];

/** Resident memory of the idle program, after garbage collection. */
export const memory: Bench = {
  name: 'memory',
  about: `built program idle for ${IDLE_MS / 1000} s, after garbage collection, against an empty Node.js process`,
  run: async (report) => {
    report('building');
    const main = build();
    const place = await openPlace();
    const { telegram, url } = await openTelegram();
    try {
      const installed = await install(place, url, main);
      const measured = async (running: Program): Promise<number> => {
        await systemClock.sleep(IDLE_MS);
        await running.ask('settle');
        await systemClock.sleep(500);
        const mebibytes = residentKib(running.pid) / 1024;
        await running.stop();
        return mebibytes;
      };
      const rounds = await interleaved(
        ROUNDS,
        {
          program: async () => measured(await installed.start(SETTLE)),
          baseline: () => measured(place.node([...SETTLE, '-e', 'setInterval(() => {}, 1e9)'])),
        },
        report,
      );
      return [figure('memory when idle', 'MiB RSS', rounds)];
    } finally {
      await place.close();
      await telegram.close();
    }
  },
};

function residentKib(pid: number): number {
  if (process.platform !== 'linux')
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  return Number(/^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
