import type { Clock } from '../core/clock.ts';
import { toVakhtaError } from '../core/error.ts';
import type { TextArgs, Translate } from '../core/i18n.ts';
import type { Config } from './schema.ts';

/** What one look at one system gave. `down` and `fail` mean the same: it does not work as configured. */
export interface DoctorAnswer {
  readonly state: 'ok' | 'warn' | 'down' | 'fail';
  /** Catalogue key of what was seen. What to do stands under `<key>-todo`, when there is something to do. */
  readonly text: string;
  readonly args?: TextArgs;
}

/** One thing to look at. `name` is the system as the configuration calls it: `telegram`, `proxmox pve1`. */
export interface DoctorProbe {
  readonly name: string;
  /** Should give up when the signal aborts; whoever does not is left behind. May throw. */
  readonly probe: (signal: AbortSignal) => Promise<DoctorAnswer>;
}

export interface DoctorLine {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly text: string;
  readonly args: TextArgs;
}

/** The names that probes must have so that every configured system is looked at. */
export function configuredSystems(config: Config): string[] {
  return [
    'telegram',
    'database',
    ...(config.queue.redisUrl === undefined ? [] : ['redis']),
    ...(config.vault === undefined ? [] : ['vault']),
    ...(config.alertmanager === undefined ? [] : ['alertmanager']),
    ...(config.prometheus === undefined ? [] : ['prometheus']),
    ...config.proxmox.map(({ id }) => `proxmox ${id}`),
    ...config.hosts.map(({ id }) => `host ${id}`),
    ...config.docker.map(({ id }) => `docker ${id}`),
    ...config.postgres.map(({ id }) => `postgres ${id}`),
    ...config.certificates.endpoints.map(({ id }) => `certificate ${id}`),
    ...(config.heartbeat === undefined ? [] : ['heartbeat']),
    ...config.probes.map(({ id }) => `probe ${id}`),
  ];
}

export interface DoctorOptions {
  /** For each probe; all run at the same time, so it is the time of the whole, too. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * Looks at everything in parallel: one line for each probe, in the order given. A system of the configuration for which
 * there is no probe gets a warning: what was not looked at is not well. Never rejects.
 */
export async function doctor(
  config: Config,
  probes: readonly DoctorProbe[],
  options: DoctorOptions,
): Promise<DoctorLine[]> {
  const lines = await Promise.all(probes.map((probe) => look(probe, options)));
  const looked = new Set(probes.map(({ name }) => name));
  const missed = configuredSystems(config).filter((name) => !looked.has(name));
  return [
    ...lines,
    ...missed.map((name): DoctorLine => ({ name, state: 'warn', text: 'doctor-not-looked', args: {} })),
  ];
}

async function look({ name, probe }: DoctorProbe, { timeoutMs, clock }: DoctorOptions): Promise<DoctorLine> {
  const abort = new AbortController();
  let cancel = (): void => {};
  const late = new Promise<DoctorAnswer>((resolve) => {
    cancel = clock.after(timeoutMs, () => {
      resolve({ state: 'fail', text: 'doctor-timeout', args: { seconds: timeoutMs / 1000 } });
      abort.abort(new DOMException('the time is up', 'TimeoutError'));
    });
  });
  try {
    const { state, text, args = {} } = await Promise.race([attempt(probe, abort.signal), late]);
    return { name, state: state === 'down' ? 'fail' : state, text, args };
  } finally {
    cancel();
  }
}

/** A probe that throws has found something, too: the error's own sentence tells what to do. */
async function attempt(probe: DoctorProbe['probe'], signal: AbortSignal): Promise<DoctorAnswer> {
  try {
    return await probe(signal);
  } catch (thrown) {
    const { text, args, message, kind } = toVakhtaError(thrown);
    // A bug has no sentence for people: what the error says is all there is.
    return kind === 'bug' ? { state: 'fail', text: 'doctor-threw', args: { message } } : { state: 'fail', text, args };
  }
}

/** 0 when nothing failed (warnings do not count), otherwise 5: the operator mends a system. */
export const doctorExitCode = (lines: readonly DoctorLine[]): number =>
  lines.some(({ state }) => state === 'fail') ? 5 : 0;

/** `ok    telegram  @vakhta_bot answers`: aligned lines, each with what was seen and what to do. */
export function formatDoctor(lines: readonly DoctorLine[], t: Translate): string[] {
  const words = lines.map(({ state }) => t(`doctor-${state}`));
  const wide = Math.max(0, ...words.map((word) => word.length));
  const name = Math.max(0, ...lines.map((line) => line.name.length));
  return lines.map((line, index) => {
    const seen = t(line.text, line.args);
    const todo = `${line.text}-todo`;
    const said = line.state !== 'ok' && t.has(todo) ? `${seen} ${t(todo, line.args)}` : seen;
    return `${(words[index] ?? '').padEnd(wide)}  ${line.name.padEnd(name)}  ${said.replaceAll('\n', ' ')}`;
  });
}

/** The last line: how many of each. */
export function formatSummary(lines: readonly DoctorLine[], t: Translate): string {
  const count = (state: DoctorLine['state']) => lines.filter((line) => line.state === state).length;
  return t('doctor-summary', { ok: count('ok'), warn: count('warn'), fail: count('fail') });
}
