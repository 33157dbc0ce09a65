import { z } from 'zod';
import { openBoard } from './board.ts';
import { openDatabasePlace } from './database-place.ts';
import { type Bench, type Figure, figure, interleaved } from './figures.ts';
import { openPlace } from './place.ts';
import { openWorker, operate, tookMs } from './worker.ts';

const ROUNDS = 5;

const drillResult = z.object({ rtoMs: z.number(), sizeBytes: z.number() });

/** Drill and backup through Vakhta, over SSH, against the bare programs; then how long a look at everything takes. */
export const backup: Bench = {
  name: 'backup',
  about:
    'a drill and a backup of about 1 GB of pgbench data, against the bare pgbackrest; the state of 500 guests and 50 stanzas',
  run: async (report) => [...(await database(report)), ...(await listing(report))],
};

async function database(report: (progress: string) => void): Promise<readonly Figure[]> {
  const base = await openDatabasePlace(report);
  if (!base) {
    console.error(
      'PostgreSQL, pgBackRest and sshd are needed for the figures of drills and backups; they are left out.',
    );
    return [];
  }
  const place = await openPlace();
  const app = await openWorker(place, base.sections);
  const size = `${Math.round(base.megabytes)} MB`;
  try {
    report('the first backup');
    await base.bareBackup();
    const backups = await interleaved(
      ROUNDS,
      {
        program: async () => {
          const whole = tookMs(await operate(app, 'backup.pg', { stanza: 'main', type: 'full' }));
          return { process: await base.lastBackupMs(), whole };
        },
        baseline: async () => {
          const ms = await base.bareBackup();
          return { process: ms, whole: ms };
        },
      },
      (progress) => report(`backup, ${progress}`),
    );
    const drills = await interleaved(
      ROUNDS,
      {
        program: async () => {
          const run = await operate(app, 'drill.restore', { target: 'pg:main' });
          const { rtoMs, sizeBytes } = drillResult.parse(run.result);
          if (sizeBytes < base.megabytes * 1e6) throw new Error(`only ${sizeBytes} bytes were restored`);
          return { restored: rtoMs, whole: tookMs(run) };
        },
        baseline: async () => {
          const ms = await base.bareRestore();
          return { restored: ms, whole: ms };
        },
      },
      (progress) => report(`drill, ${progress}`),
    );
    const seconds = <K extends string>(
      rounds: readonly { readonly program: Record<K, number>; readonly baseline: Record<K, number> }[],
      what: K,
    ) => rounds.map((round) => ({ program: round.program[what] / 1000, baseline: round.baseline[what] / 1000 }));
    return [
      figure(`drill: restored and started, ${size}`, 's', seconds(drills, 'restored'), { at: 'most', ratio: 1.1 }),
      figure('drill: canaries, proofs and removal too', 's', seconds(drills, 'whole')),
      figure(`backup: the process, followed, ${size}`, 's', seconds(backups, 'process'), { at: 'most', ratio: 1.02 }),
      figure('backup: from start to seen', 's', seconds(backups, 'whole')),
    ];
  } finally {
    await app.stop();
    await place.close();
    await base.close();
  }
}

async function listing(report: (progress: string) => void): Promise<readonly Figure[]> {
  const place = await openPlace();
  const board = await openBoard(place);
  try {
    await board.look();
    const rounds = await interleaved(
      ROUNDS,
      { program: () => board.look(), baseline: () => board.slowest() },
      (progress) => report(`board, ${progress}`),
    );
    return [figure('the state of 500 guests and 50 stanzas', 'ms', rounds, { at: 'most', ratio: 1.2 })];
  } finally {
    await board.close();
    await place.close();
  }
}
