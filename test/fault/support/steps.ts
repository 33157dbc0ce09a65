import { readdir, readFile, readlink } from 'node:fs/promises';
import pg from 'pg';
import type { App } from '../../../src/app.ts';
import { isFinal, RUN_STATES } from '../../../src/core/run.ts';
import { run as findRun, type Run } from '../../../src/store/runs.ts';
import { freePort, until } from '../../support/components/index.ts';
import {
  type Installation,
  type InstallationOptions,
  type ProgramProcess,
  startInstallation,
} from '../../support/installation.ts';

/**
 * Every moment at which a run says something lasting: a change of its state, of the handle of its outside work, of its progress, a
 * scratch thing noted or gone. Told by the database itself, so that the program knows nothing of it.
 */
const TELL = `
  create table test_moments (id bigint generated always as identity, run_id uuid, what text, primary key (run_id, what));
  create function test_tell(run uuid, moment text) returns void language plpgsql as $$ begin
    insert into test_moments (run_id, what) values (run, moment) on conflict do nothing;
    if found then perform pg_notify('test_moment', run || ' ' || moment); end if;
  end $$;
  create function test_run() returns trigger language plpgsql as $$ begin
    if new.state is distinct from old.state then perform test_tell(new.id, 'state ' || new.state); end if;
    if new.external is distinct from old.external and new.external is not null then
      perform test_tell(new.id, 'handle ' || (select string_agg(key, ',' order by key) from jsonb_object_keys(new.external) as key));
    end if;
    if new.progress #>> '{step,key}' is distinct from old.progress #>> '{step,key}' and new.progress is not null then
      perform test_tell(new.id, 'progress ' || (new.progress #>> '{step,key}'));
    end if;
    return null;
  end $$;
  create trigger test_run after update on runs for each row execute function test_run();
  create function test_thing() returns trigger language plpgsql as $$ begin
    if tg_op = 'INSERT' then perform test_tell(new.run_id, 'made ' || new.kind);
    elsif new.released_at is not null and old.released_at is null then perform test_tell(new.run_id, 'gone ' || new.kind);
    end if;
    return null;
  end $$;
  create trigger test_thing after insert or update on scratch_things for each row execute function test_thing();`;

export interface Site {
  readonly here: Installation;
  /** The half that speaks with people, in this process; it has no credentials. */
  readonly bot: App;
  /** Asks as an operator, confirms when that is asked for; the run's id. */
  ask(operation: string, args: Record<string, unknown>): Promise<string>;
  cancel(run: string): Promise<void>;
  run(id: string): Promise<Run>;
  /** What a run has told so far, in order. */
  moments(run: string): Promise<readonly string[]>;
  /** Resolves at this moment of the run; false when it ended without. */
  reached(run: string, what: string | RegExp): Promise<boolean>;
  /** To its end; everything temporary is gone then too. */
  ended(run: string, timeoutMs?: number): Promise<Run>;
  /** A drill to its end, as the run and the ledger tell it: they never contradict each other. */
  drilled(run: string): Promise<Run['state']>;
  /** `kill -9`, at once. */
  kill(): Promise<void>;
  /** Asks it to end, as `systemctl stop` does; its exit code. */
  stopInOrder(): Promise<number | null>;
  /** Another worker, for which the time until a silent one is given up has passed already. */
  restart(): Promise<void>;
  rows(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  worker(): ProgramProcess;
  stop(): Promise<void>;
}

const ANNA = { kind: 'operator', id: 'anna' } as const;
const BORIS = { kind: 'operator', id: 'boris' } as const;

/** An installation of two processes, of which the worker can be killed at any of its steps. */
export async function openSite(options: InstallationOptions): Promise<Site> {
  const here = await startInstallation({ logLevel: 'debug', ...options });
  const bot = await here.open('bot');
  const port = await freePort();
  const client = new pg.Client(here.databaseUrl);
  await client.connect();
  await client.query(TELL);
  await client.query('listen test_moment');
  const rows: Site['rows'] = async (sql, values = []) =>
    (await client.query<Record<string, unknown>>(sql, [...values])).rows;
  let worker = await here.launch('worker', { port });
  await worker.ready();

  const run: Site['run'] = async (id) => {
    const found = await findRun(bot.db, id);
    if (!found) throw new Error(`no run ${id}`);
    return found;
  };
  const moments: Site['moments'] = async (id) => {
    const told = await rows('select what from test_moments where run_id = $1 order by id', [id]);
    return told.map(({ what }) => String(what));
  };

  const ended: Site['ended'] = async (id, timeoutMs = 180_000) => {
    const isOver = async () => {
      const open = await rows('select from scratch_things where run_id = $1 and released_at is null', [id]);
      return open.length === 0 && isFinal((await run(id)).state);
    };
    await until(`the end of ${id}`, isOver, { timeoutMs, process: worker });
    return run(id);
  };

  return {
    here,
    bot,
    rows,
    run,
    moments,
    worker: () => worker,
    ask: async (operation, args) => {
      const { id } = await bot.requests.request(BORIS, operation, args);
      await until('the plan', async () => (await run(id)).state !== 'planning');
      if ((await run(id)).state === 'confirming') await bot.requests.answer(id, 'confirm', BORIS);
      return id;
    },
    cancel: async (id) => void (await bot.requests.answer(id, 'cancel', ANNA)),
    reached: (id, what) =>
      new Promise((resolve, reject) => {
        const is = (moment: string) => (typeof what === 'string' ? moment === what : what.test(moment));
        const isEnd = (moment: string) => RUN_STATES.some((state) => isFinal(state) && moment === `state ${state}`);
        const settle = (found: boolean) => {
          client.off('notification', hear);
          resolve(found);
        };
        const hear = ({ payload = '' }: pg.Notification) => {
          const [of, moment] = [payload.slice(0, 36), payload.slice(37)];
          if (of !== id) return;
          if (is(moment)) settle(true);
          else if (isEnd(moment)) settle(false);
        };
        client.on('notification', hear);
        // What was told before somebody listened.
        moments(id).then((told) => {
          if (told.some(is)) settle(true);
          else if (told.some(isEnd)) settle(false);
        }, reject);
      }),
    ended,
    drilled: async (id) => {
      const { state } = await ended(id);
      const ledger = async () => (await rows('select state from restore_drills where id = $1', [id]))[0]?.['state'];
      await until('the ledger', async () => (await ledger()) !== 'running');
      const entry = await ledger();
      // Green only when the ledger has all of its proofs; else it says that nobody saw the end.
      const isTrue = entry === 'passed' ? state === 'succeeded' : state !== 'succeeded' && entry !== 'failed';
      if (!isTrue) throw new Error(`the run ${id} ended as ${state}, the ledger has it as ${String(entry)}`);
      return state;
    },
    kill: async () => {
      worker.signal('SIGKILL');
      await worker.ended;
    },
    stopInOrder: async () => {
      worker.signal('SIGTERM');
      return (await worker.ended).code;
    },
    restart: async () => {
      // The time after which a silent worker is given up, and its things with it, without anybody waiting for it.
      await client.query(
        `update runs set heartbeat_at = heartbeat_at - interval '2 minutes' where finished_at is null`,
      );
      worker = await here.launch('worker', { port });
      await worker.ready();
    },
    stop: async () => {
      await client.end();
      await here.stop();
    },
  };
}

/** Processes of this machine whose command line has this word, as `pid command`; those of the test itself left out. */
export async function processesWith(word: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/u.test(pid) || Number(pid) === process.pid) continue;
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (command.includes(word) || cwd.includes(word)) found.push(`${pid} ${command}`);
  }
  return found;
}
