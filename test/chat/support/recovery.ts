import { silentLog } from '../../../src/core/log.ts';
import type { DrillReport } from '../../../src/core/recovery.ts';
import type { Config } from '../../../src/config/schema.ts';
import type { Operation } from '../../../src/tasks/define.ts';
import type { Ports } from '../../../src/tasks/ports.ts';
import type {
  BackupSource,
  BackupState,
  Drillable,
  Verifiable,
  WorkContext,
} from '../../../src/tasks/recovery/define.ts';
import { createRecoveryDesk, type RecoveryDesk } from '../../../src/tasks/recovery/desk.ts';
import { createScratchDesk, type ScratchDesk } from '../../../src/tasks/scratch/desk.ts';
import { type Life, openLife } from './life.ts';
import { configWith } from './shown.ts';

export const goodReport = (changes: Partial<DrillReport> = {}): DrillReport => ({
  source: '20261122-030000F',
  rtoMs: 252_000,
  rpoMs: 41_000,
  sizeBytes: 1_200_000_000,
  versions: { pgbackrest: '2.45', postgres: '15.8' },
  steps: [
    { text: { key: 'life-step', args: { n: 1 } }, ms: 200_000 },
    { text: { key: 'life-step', args: { n: 2 } }, ms: 52_000 },
  ],
  proofs: [
    { ok: true, text: { key: 'life-seen' } },
    { ok: true, text: { key: 'life-done' } },
  ],
  ...changes,
});

export const backupState = (target: string, changes: Partial<BackupState> = {}): BackupState => ({
  target,
  state: 'ok',
  line: { key: 'life-seen' },
  notes: [],
  backups: [],
  ...changes,
});

/** What stands for the outside: each test replaces the parts that it is about. */
export interface FakeRecovery {
  drill: (context: WorkContext) => Promise<DrillReport>;
  plan: () => Promise<void>;
  verify: Verifiable['verify'];
  decoy: NonNullable<Verifiable['decoy']>;
  states: (name: string, signal: AbortSignal) => Promise<readonly BackupState[]>;
}

export interface RecoveryLife {
  readonly life: Life;
  readonly fake: FakeRecovery;
  readonly recovery: RecoveryDesk;
  readonly scratch: ScratchDesk;
  readonly config: Config;
  /** What operations may use; a test adds to it. */
  readonly ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }>;
}

/** The life cycle with a recovery desk of fake parts: `pg:main` and `volume:etc` can be tried out, `pg:main` can be verified. */
export async function openRecovery(
  operations: readonly Operation[],
  options: {
    readonly sources?: readonly Pick<BackupSource, 'name' | 'targets'>[];
    readonly sections?: Record<string, unknown>;
    readonly verifiables?: readonly string[];
    readonly withoutDecoy?: string;
  } = {},
): Promise<RecoveryLife> {
  const ports: Partial<{ -readonly [P in keyof Ports]: Ports[P] }> = {};
  const life = await openLife({ operations, ports });
  const { db, clock } = life;
  const config = configWith(options.sections);
  const fake: FakeRecovery = {
    drill: () => Promise.resolve(goodReport()),
    plan: () => Promise.resolve(),
    verify: () => Promise.resolve({ state: 'ok', lines: [{ key: 'life-seen' }], readBytes: 10, ofBytes: 20 }),
    decoy: () => Promise.resolve({ caught: true, text: { key: 'life-done' } }),
    states: (name) =>
      Promise.resolve(
        (options.sources?.find((one) => one.name === name)?.targets ?? []).map((one) => backupState(one)),
      ),
  };
  const drillable = (target: string): Drillable => ({
    target,
    locks: [`host-x/${target.replace(':', '-')}/backup`],
    plan: async () => {
      await fake.plan();
      return { lines: [{ key: 'life-plan', args: { what: target } }] };
    },
    run: (context) => fake.drill(context),
  });
  const verifiable = (target: string): Verifiable => ({
    target,
    locks: [`host-x/${target.replace(':', '-')}/backup`],
    verify: (context) => fake.verify(context),
    ...(options.withoutDecoy === target ? {} : { decoy: (context: WorkContext) => fake.decoy(context) }),
  });
  const recovery = createRecoveryDesk({
    db,
    clock,
    log: silentLog,
    config,
    parts: {
      drillables: ['pg:main', 'volume:etc'].map(drillable),
      verifiables: (options.verifiables ?? ['pg:main']).map(verifiable),
      sources: (options.sources ?? []).map((source) => ({
        ...source,
        states: (signal) => fake.states(source.name, signal),
      })),
    },
  });
  const scratch = createScratchDesk({ db, clock });
  ports.recovery = recovery;
  ports.scratch = scratch;
  return { life, fake, recovery, scratch, config, ports };
}
