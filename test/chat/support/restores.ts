import { VakhtaError } from '../../../src/core/error.ts';
import { formatMoment, type Window } from '../../../src/core/pitr.ts';
import type { Psql } from '../../../src/integrations/postgres/psql.ts';
import type { PgRestorer } from '../../../src/tasks/recovery/postgres-restore.ts';
import { SCRATCH_KIND } from '../../../src/tasks/recovery/postgres-restore.ts';
import type { ScratchDesk } from '../../../src/tasks/scratch/desk.ts';

export interface FakeRestores {
  readonly restorer: PgRestorer;
  /** What was done, in order. */
  readonly done: string[];
  window: Window;
  /** What the server's log says of where recovery stopped. */
  stoppedAt: Date | undefined;
  /** Called in the middle of a restore. */
  during: (signal: AbortSignal) => Promise<void>;
  rows: number;
}

/** Restores that only happen in the list of temporary things; the desk is the real one. */
export function createFakeRestores(scratch: ScratchDesk, window: Window): FakeRestores {
  const done: string[] = [];
  const row = (version = '15.8') => ({
    version,
    databases: 3,
    tables: 12,
    relations: 400,
    rows: fake.rows,
    last: new Date(window.from.getTime() + 1000).toISOString(),
  });
  const psql: Psql = {
    rows: (_sql, schema) => Promise.resolve([schema.parse(row())]),
    run: () => Promise.resolve(),
  };
  const unused = () => Promise.reject(new Error('not part of this test'));
  const discard: PgRestorer['discard'] = async (runId, claim) => {
    done.push(`discard ${runId.slice(-4)}`);
    await scratch.released(claim);
  };
  const restorer: PgRestorer = {
    id: 'main',
    zone: 'Europe/Moscow',
    backups: undefined as never,
    production: psql,
    clusters: {
      placeOf: () => ({ logFile: '/scratch/server.log' }),
      isUp: () => Promise.resolve(true),
      programs: {
        read: () =>
          Promise.resolve(
            fake.stoppedAt &&
              `recovery stopping before commit of transaction 7, time ${fake.stoppedAt.toISOString().replace('T', ' ').replace('Z', '+00')}\n`,
          ),
      },
    } as never,
    look: () => Promise.resolve({ backups: [], repo: 1, window: fake.window }),
    plan: ({ target, zone }) => {
      const side =
        target === undefined
          ? undefined
          : target < fake.window.from
            ? 'early'
            : target > fake.window.to
              ? 'late'
              : undefined;
      if (side !== undefined && target) {
        const show = (at: Date) => formatMoment(at, zone);
        const args = {
          stanza: 'main',
          asked: show(target),
          earliest: show(fake.window.from),
          latest: show(fake.window.to),
        };
        return Promise.reject(new VakhtaError('usage', `pg-target-too-${side}`, side, { args }));
      }
      return Promise.resolve({
        label: '20261123-020000F',
        repo: 1,
        backupAt: fake.window.from,
        ...(target ? { target } : {}),
        sizeBytes: 1_500_000_000,
        walBytes: 320_000_000,
        neededBytes: 1_820_000_000,
        freeBytes: 90_000_000_000,
        port: 54_330,
        window: fake.window,
      });
    },
    restore: async (plan, { runId, signal, progress }) => {
      const what = { folder: `/scratch/${runId}`, port: plan.port };
      const claim = await scratch.claim({ runId, kind: SCRATCH_KIND, place: 'main', what });
      done.push(`restore ${plan.target?.toISOString() ?? 'latest'}`);
      progress({ step: { key: 'pgbackrest-step-restoring' }, percent: 40 });
      try {
        await fake.during(signal);
        signal.throwIfAborted();
      } catch (error) {
        await discard(runId, claim);
        throw error;
      }
      return {
        server: { psql, socketDir: `/scratch/${runId}/s`, port: plan.port },
        claim,
        filesMs: 61_000,
        startMs: 8200,
      };
    },
    discard,
    keep: async (runId, claim, port, until) => {
      const what = { folder: `/scratch/${runId}`, port, until: until.toISOString() };
      const kept = await scratch.claim({ runId, kind: SCRATCH_KIND, place: 'main', what });
      await scratch.released(claim);
      return kept;
    },
    mark: unused,
    control: unused,
  };
  const fake: FakeRestores = {
    restorer,
    done,
    window,
    stoppedAt: undefined,
    during: () => Promise.resolve(),
    rows: 5_000_000,
  };
  return fake;
}
