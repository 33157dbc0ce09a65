import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import { seconds } from '../core/clock.ts';
import { VakhtaError } from '../core/error.ts';
import { catalogue } from '../core/i18n.ts';
import { silentLog } from '../core/log.ts';
import type { Language } from '../core/people.ts';
import { systemCode, systemReadFile } from '../config/files.ts';
import { doctor, doctorExitCode, type DoctorProbe, formatDoctor, formatSummary } from '../config/doctor.ts';
import { clockProbe, dataDirProbe, fileProbe, secretsProbe } from '../config/doctor-probes.ts';
import type { Loaded } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { tlsLine } from '../integrations/tls/prober.ts';
import { allMessages } from '../messages.gen.ts';
import { operations } from '../tasks/operations/registry.gen.ts';
import { fixProbes } from '../tasks/fixes/doctor.ts';
import { kitProbes } from '../tasks/kit/doctor.ts';
import { openDatabase, type Queryable } from '../store/db.ts';
import { peopleProbes } from './doctor-people.ts';
import { scratchProbe } from './doctor-scratch.ts';
import { watcherProbes } from './doctor-watcher.ts';
import { createSystems, type Systems } from './systems.ts';
import { vaultOf } from './vault.ts';

const LIMIT_MS = seconds(10);

export interface DoctorRun {
  readonly loaded: Loaded;
  readonly secrets: Secrets;
  readonly warnings: readonly { readonly text: string; readonly args?: Record<string, string | number> }[];
  readonly language: Language;
  readonly print: (text: string) => void;
  readonly env: { readonly clock: Clock };
}

/** `vakhta doctor`: the file, the secrets, and every configured system, one line each. Gives the exit code. */
export async function runDoctor(run: DoctorRun): Promise<number> {
  const { loaded, secrets, print } = run;
  const t = catalogue(allMessages).for(run.language);
  for (const problem of loaded.problems) print(formatProblem(loaded.file, problem, t));
  if (!loaded.ok) return 2;
  const { config, missing } = await withoutMissingFiles(loaded.config);
  const { clock } = run.env;
  const systems = await createSystems(config, {
    clock,
    log: silentLog,
    secrets,
    vault: vaultOf(config, { clock, log: silentLog, secrets }),
    readText: async (path) => (await systemReadFile(path)).text,
  });
  try {
    const probes = [
      fileProbe(loaded),
      secretsProbe(loaded, secrets, () => run.warnings),
      dataDirProbe(config.dataDir, () => writable(config.dataDir)),
      ...missing.map(
        (args): DoctorProbe => ({ name: 'ca', probe: async () => ({ state: 'fail', text: 'doctor-ca-file', args }) }),
      ),
      ...fixProbes(config.fixes, new Map(operations.map((one) => [one.name, one]))),
      ...systemProbes(config, secrets, systems, clock),
    ];
    const lines = await doctor(config, probes, { timeoutMs: LIMIT_MS, clock });
    for (const line of formatDoctor(lines, t)) print(line);
    print(formatSummary(lines, t));
    return doctorExitCode(lines);
  } finally {
    await systems.close();
  }
}

/** A certificate file that is missing must not keep doctor from looking at everything else. */
async function withoutMissingFiles(config: Config) {
  const paths = new Set([
    ...config.proxmox.flatMap(({ ca }) => ca ?? []),
    ...(config.certificates.ca ? [config.certificates.ca] : []),
  ]);
  const missing: { path: string; why: string }[] = [];
  for (const path of paths) {
    await systemReadFile(path).catch((error: unknown) => missing.push({ path, why: systemCode(error) }));
  }
  const isThere = (path: string | undefined): boolean => !missing.some((one) => one.path === path);
  const { ca, ...certificates } = config.certificates;
  return {
    missing,
    config: {
      ...config,
      proxmox: config.proxmox.map(({ ca: own, ...host }) =>
        own !== undefined && isThere(own) ? { ...host, ca: own } : host,
      ),
      certificates: ca !== undefined && isThere(ca) ? { ...certificates, ca } : certificates,
    } satisfies Config,
  };
}

async function writable(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const file = join(dir, `.doctor-${process.pid}`);
  await writeFile(file, '');
  await rm(file);
}

function systemProbes(config: Config, secrets: Secrets, systems: Systems, clock: Clock): DoctorProbe[] {
  const getMe = async (signal: AbortSignal) => {
    const token = (await secrets.source(config.telegram.token)()).reveal();
    // The address holds the token, so no error of fetch may come through as it is.
    const answer = await fetch(`${config.telegram.apiRoot}/bot${token}/getMe`, { signal }).catch((error: unknown) => {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      throw new VakhtaError('transient', 'unreachable', 'Telegram does not answer', {
        args: { what: systemCode(cause) },
      });
    });
    return answer;
  };
  const telegram: DoctorProbe = {
    name: 'telegram',
    probe: async (signal) => {
      const answer = await getMe(signal);
      if (answer.status === 401 || answer.status === 404) return { state: 'fail', text: 'doctor-telegram-token' };
      const { result } = (await answer.json()) as {
        result?: { username?: string; can_read_all_group_messages?: boolean };
      };
      const args = { name: result?.username ?? '?' };
      return {
        state: 'ok',
        text: result?.can_read_all_group_messages ? 'doctor-telegram' : 'doctor-telegram-privacy',
        args,
      };
    },
  };
  const clockAgainstTelegram = clockProbe(async (signal) => {
    const asked = clock.now();
    const date = (await getMe(signal)).headers.get('date');
    const answered = clock.now();
    if (date === null) return { here: answered, there: answered };
    const there = new Date(date);
    // It was read somewhere between: an answer that took long does not make the clock wrong.
    return { here: there < asked ? asked : there > answered ? answered : there, there };
  });
  const { url } = config.database;
  const withDatabase = async <T>(work: (q: Queryable) => Promise<T>): Promise<T> => {
    const source = url ? await secrets.source(url)() : undefined;
    const db = openDatabase({ url: source?.reveal() ?? '', log: silentLog, max: 1 });
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  };
  const database: DoctorProbe = {
    name: 'database',
    probe: async () => {
      if (!url) return { state: 'ok', text: 'doctor-database-embedded', args: { dir: config.dataDir } };
      const { rows } = await withDatabase((q) => q.query('show server_version'));
      const [row] = rows as { server_version: string }[];
      return { state: 'ok', text: 'doctor-database', args: { version: row?.server_version ?? '?' } };
    },
  };
  const redis: DoctorProbe = {
    name: 'redis',
    probe: async () => {
      if (!config.queue.redisUrl) return { state: 'ok', text: 'doctor-redis' };
      const client = new Redis((await secrets.source(config.queue.redisUrl)()).reveal(), {
        maxRetriesPerRequest: 0,
        lazyConnect: true,
        retryStrategy: () => null,
      });
      // `connect` rejects with "Connection is closed" only; why it was closed is told by the event.
      let why = 'closed';
      client.on('error', (error: Error & { code?: string }) => {
        why = error.code ?? error.message.split(' ')[0] ?? error.name;
      });
      try {
        await client.connect();
        const answer = await client.ping();
        return answer === 'PONG'
          ? { state: 'ok', text: 'doctor-redis' }
          : { state: 'fail', text: 'doctor-redis-answer', args: { answer } };
      } catch (error) {
        // Redis begins an error of its own with one word in capitals: WRONGPASS, NOAUTH, LOADING.
        const own = error instanceof Error ? /^[A-Z]{4,}/u.exec(error.message)?.[0] : undefined;
        return { state: 'fail', text: 'doctor-redis-failed', args: { why: own ?? why } };
      } finally {
        client.disconnect();
      }
    },
  };
  return [
    telegram,
    clockAgainstTelegram,
    database,
    ...(url ? [scratchProbe(withDatabase)] : []),
    ...(config.queue.redisUrl ? [redis] : []),
    ...kitProbes(config),
    ...systems.probes.map(([name, of]): DoctorProbe => ({ name, probe: (signal) => of.probe(signal) })),
    ...config.certificates.endpoints.map(
      (endpoint): DoctorProbe => ({
        name: `certificate ${endpoint.id}`,
        probe: async (signal) => tlsLine(await systems.tls.probe(endpoint, signal)),
      }),
    ),
    ...watcherProbes(config, secrets, clock),
    ...peopleProbes(config, secrets),
  ];
}
