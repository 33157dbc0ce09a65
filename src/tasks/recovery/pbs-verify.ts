import { seconds } from '../../core/clock.ts';
import { VakhtaError } from '../../core/error.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import type { Pbs, Snapshot } from '../../integrations/pbs/port.ts';
import { parseUpid, type Upid } from '../../integrations/pbs/upid.ts';
import type { VerifyReport, WorkContext } from './define.ts';
import { type Datastore, snapshotName, verificationOf } from './pbs-look.ts';

export const messages = defineMessages({
  en: `
    pbs-check-step = The backup server reads { $what }
    pbs-check-start = The backup server begins to verify { $store }
    pbs-check-all = All { $count } snapshots of { $store } were verified within { $days } d
    pbs-check-damaged = Damaged: { $names }
    pbs-check-left = Not verified after all, perhaps because somebody was using them: { $names }
    pbs-check-empty = { $store } holds no snapshot: nothing was verified
    pbs-check-failed = The verification task ended with “{ $problem }”
    pbs-check-unknown = Nobody knows how the verification task ended
    pbs-check-counts = Read now: { $read }; read within { $days } d and therefore skipped: { $skipped }
  `,
  ru: `
    pbs-check-step = Сервер копий читает { $what }
    pbs-check-start = Сервер копий начинает проверку { $store }
    pbs-check-all = Все снимки { $store } ({ $count }) проверены за последние { $days } дн.
    pbs-check-damaged = Повреждены: { $names }
    pbs-check-left = Остались непроверенными — возможно, были заняты: { $names }
    pbs-check-empty = В { $store } нет снимков: проверять нечего
    pbs-check-failed = Задача проверки закончилась так: «{ $problem }»
    pbs-check-unknown = Чем кончилась задача проверки, неизвестно
    pbs-check-counts = Прочитано сейчас: { $read }; прочитано за последние { $days } дн. и потому пропущено: { $skipped }
  `,
});

const NAMES = 8;
/** A task that is to be stopped is looked for, and told, within this time each. */
const STOP_MS = seconds(2);

/**
 * Lets the server read every chunk of what it has not read within `verify_days`, and then looks at the snapshots themselves: the
 * task says OK also when it had to leave some out.
 */
export async function verifyDatastore(pbs: Pbs, datastore: Datastore, context: WorkContext): Promise<VerifyReport> {
  const { name: store, verifyDays } = datastore;
  const { clock, signal, progress, remember } = context;
  await pbs.mayDo(store, 'Datastore.Verify', signal);
  await pbs.mayDo(store, 'Datastore.Audit', signal);
  const startedAt = clock.now();
  await remember({ startedAt: startedAt.toISOString() });
  const upid = await start(pbs, datastore, startedAt, context);
  await remember({ startedAt: startedAt.toISOString(), upid: upid.upid });
  progress({ step: { key: 'pbs-check-start', args: { store } }, percent: 0 });

  const tally = createVerifyTally();
  const result = await pbs
    .waitForTask(upid.upid, {
      signal,
      onProgress: ({ newLines }) => {
        for (const line of newLines) tally.read(line);
        const { current, percent } = tally.now();
        const step =
          current === undefined
            ? { key: 'pbs-check-start', args: { store } }
            : { key: 'pbs-check-step', args: { what: current } };
        progress({ step, ...(percent === undefined ? {} : { percent }) });
      },
    })
    .catch(async (thrown: unknown) => {
      if (signal.aborted) await stop(pbs, upid, context);
      throw thrown;
    });

  const after = (await pbs.snapshots(store, signal)).filter(({ size }) => size !== undefined);
  // What has arrived since could not be meant.
  const meant = after.filter(({ at }) => at < startedAt);
  const now = clock.now();
  const named = (...states: string[]) =>
    meant.filter((one) => states.includes(verificationOf(one, verifyDays, now).state)).map(snapshotName);
  const damaged = named('failed');
  const left = named('never', 'old');
  const { verified, skipped, bytes } = tally.now();
  const counts: Text = { key: 'pbs-check-counts', args: { read: verified, skipped, days: verifyDays } };
  const said: Text[] =
    result.outcome === 'ok'
      ? []
      : result.outcome === 'unknown'
        ? [{ key: 'pbs-check-unknown' }]
        : [{ key: 'pbs-check-failed', args: { problem: result.exitstatus } }];
  const lines = [
    ...(damaged.length > 0 ? [{ key: 'pbs-check-damaged', args: { names: some(damaged) } }] : []),
    ...said,
    ...(left.length > 0 ? [{ key: 'pbs-check-left', args: { names: some(left) } }] : []),
    ...verdictOf(meant, damaged, left, datastore),
    counts,
  ];
  const isFailed = damaged.length > 0 || result.outcome === 'error';
  const isDoubtful = left.length > 0 || meant.length === 0 || result.outcome !== 'ok';
  return { state: isFailed ? 'failed' : isDoubtful ? 'warning' : 'ok', lines, readBytes: bytes };
}

function verdictOf(
  meant: readonly Snapshot[],
  damaged: readonly string[],
  left: readonly string[],
  { name, verifyDays }: Datastore,
): Text[] {
  if (meant.length === 0) return [{ key: 'pbs-check-empty', args: { store: name } }];
  if (damaged.length > 0 || left.length > 0) return [];
  return [{ key: 'pbs-check-all', args: { count: meant.length, store: name, days: verifyDays } }];
}

/** Starts it; when the answer was lost, what has begun since is found in the list of our own tasks. */
async function start(pbs: Pbs, { name, verifyDays }: Datastore, since: Date, context: WorkContext): Promise<Upid> {
  const { signal } = context;
  try {
    return await pbs.verify(name, { outdatedAfterDays: verifyDays }, signal);
  } catch (thrown) {
    const isLost = thrown instanceof VakhtaError && thrown.code === 'pbs-unanswered';
    if (!isLost && !signal.aborted) throw thrown;
    const begun = await inTime(context, (left) => begunSince(pbs, name, since, left));
    if (begun === undefined) throw thrown;
    if (!signal.aborted) return begun;
    await stop(pbs, begun, context);
    throw thrown;
  }
}

async function begunSince(pbs: Pbs, store: string, since: Date, signal: AbortSignal): Promise<Upid | undefined> {
  const rows = await pbs.ownTasks(since, 'verify', signal);
  return rows
    .filter(({ running }) => running)
    .map(({ upid }) => parseUpid(upid))
    .find((one) => one?.id === store || one?.id.startsWith(`${store}:`));
}

/** Cancelled: the server must not go on reading for hours. What it has read until then stays verified. */
const stop = async (pbs: Pbs, upid: Upid, context: WorkContext): Promise<void> => {
  await inTime(context, (left) => pbs.stopTask(upid.node, upid.upid, left));
};

/** Work that has to be done although the run is over; nothing when it could not be done in time. */
async function inTime<T>(
  { clock, log }: WorkContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const limit = new AbortController();
  const done = clock.after(STOP_MS, () => limit.abort(new DOMException('not stopped in time', 'TimeoutError')));
  try {
    return await work(limit.signal);
  } catch (error) {
    log.warn({ err: error }, 'a verification may still be running on the backup server');
    return undefined;
  } finally {
    done();
  }
}

interface Tally {
  /** Takes a line of the task's log. */
  read(line: string): void;
  now(): {
    /** Snapshots that were read, and that were left out because they had been read lately. */
    readonly verified: number;
    readonly skipped: number;
    /** As stored. */
    readonly bytes: number;
    readonly percent: number | undefined;
    readonly current: string | undefined;
  };
}

/** Counts along in the log of a verification. Source: `src/backup/verify.rs` of proxmox-backup. */
export function createVerifyTally(): Tally {
  let verified = 0;
  let skipped = 0;
  let bytes = 0;
  let percent: number | undefined;
  let current: string | undefined;
  return {
    read: (line) => {
      const text = line.replace(/^\d{4}-\d\d-\d\dT\S+: /, '').trim();
      const snapshot = /^verify \S+?:(\S+\/\d{4}-\d\d-\d\dT\S+)$/.exec(text)?.[1];
      if (snapshot !== undefined) {
        verified += 1;
        current = snapshot;
      }
      if (/^SKIPPED: verify \S+ \(recently verified\)$/.test(text)) skipped += 1;
      const amount = /^verified (\d+(?:\.\d+)?)\/\d+(?:\.\d+)? MiB in /.exec(text)?.[1];
      if (amount !== undefined) bytes += Math.round(Number(amount) * 1024 * 1024);
      const part = /^percentage done: (\d+(?:\.\d+)?)%/.exec(text)?.[1];
      if (part !== undefined) percent = Math.min(100, Math.round(Number(part)));
    },
    now: () => ({ verified, skipped, bytes, percent, current }),
  };
}

const some = (names: readonly string[]): string =>
  names.length <= NAMES ? names.join(', ') : `${names.slice(0, NAMES).join(', ')} … +${names.length - NAMES}`;
