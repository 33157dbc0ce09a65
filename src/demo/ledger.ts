import { days, minutes, seconds } from '../core/clock.ts';
import { defineMessages } from '../core/i18n.ts';
import { newId, type Random } from '../core/random.ts';
import type { Database } from '../store/db.ts';
import { beginRestoreDrill, endRestoreDrill } from '../store/recovery.ts';

export const messages = defineMessages({
  en: `
    demo-drill-proof = An example of the demo: nothing was restored
    demo-drill-failed = An example of the demo, of a drill that failed
  `,
  ru: `
    demo-drill-proof = Пример для демо: на самом деле ничего не восстанавливалось
    demo-drill-failed = Пример для демо: проверка не удалась
  `,
});

interface Past {
  readonly target: string;
  readonly source: string;
  /** Days between the drills, and how long ago the newest one was. */
  readonly every: number;
  readonly newest: number;
  /** Minutes of the restore, from the oldest to the newest; a zero is a drill that failed. */
  readonly rto: readonly number[];
  /** Seconds of work that would have been lost; absent where nobody measures it. */
  readonly rpo?: number;
  readonly sizeBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

const PAST: readonly Past[] = [
  {
    target: 'pg:main',
    source: 'example',
    every: 7,
    newest: 2,
    rto: [0.4, 0.42, 0.41, 0.55, 0.61, 0.6, 0, 0.31, 0.3, 0.33, 0.28],
    rpo: 15,
    sizeBytes: 1_503_238_553,
    versions: { pgbackrest: '2.45', postgres: '15.8' },
  },
  {
    target: 'offsite-pg:main',
    source: 'example',
    every: 14,
    newest: 9,
    rto: [38.5, 36.2, 41, 33.8, 24.5],
    rpo: 20,
    sizeBytes: 1_503_238_553,
    versions: { pgbackrest: '2.45', postgres: '15.8' },
  },
  {
    target: 'guest:gitlab',
    source: 'example',
    every: 14,
    newest: 5,
    rto: [22, 23.5, 21.8, 26, 28.4],
    sizeBytes: 68_719_476_736,
    versions: {},
  },
];

/** Enters a quarter of example drills into the ledger, each of them marked as one, so that `/slo` has something to draw. */
export async function enterPastDrills(
  db: Database,
  { random, now }: { readonly random: Random; readonly now: Date },
): Promise<void> {
  const drills = PAST.flatMap(({ rto, rpo, every, newest, ...past }) =>
    rto.map((long, n) => ({
      ...past,
      rtoMs: minutes(long),
      startedAt: new Date(now.getTime() - days(newest + every * (rto.length - 1 - n))),
      ...(rpo === undefined ? {} : { rpoMs: seconds(rpo + ((n * 17) % 40)) }),
    })),
  ).toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
  for (const { target, rtoMs, startedAt, ...seen } of drills) {
    const id = newId(random, startedAt);
    const isGood = rtoMs > 0;
    await beginRestoreDrill(db, { id, target, trigger: 'schedule', actor: 'schedule:demo', startedAt });
    await endRestoreDrill(
      db,
      id,
      isGood ? 'passed' : 'failed',
      {
        ...seen,
        rtoMs: isGood ? rtoMs : minutes(3),
        steps: [],
        proofs: [{ ok: isGood, text: { key: isGood ? 'demo-drill-proof' : 'demo-drill-failed' } }],
      },
      new Date(startedAt.getTime() + rtoMs + minutes(1)),
    );
  }
}
