import { z } from 'zod';
import { judgeCertificate, certificateSeen } from '../core/certificate.ts';
import { hours, seconds, type Clock } from '../core/clock.ts';
import { toVakhtaError } from '../core/error.ts';
import type { Config } from '../config/schema.ts';
import type { Alertmanager } from '../integrations/alertmanager/alertmanager.ts';
import { type PgBackRest, stanzaLine } from '../integrations/pgbackrest/pgbackrest.ts';
import type { Proxmox } from '../integrations/proxmox/port.ts';
import { list as certificates } from '../store/certificates.ts';
import type { Database } from '../store/db.ts';
import { between, firing } from '../store/incidents.ts';
import { observe } from '../store/observations.ts';
import { stats } from '../store/outbox.ts';
import { processes } from '../store/processes.ts';
import { openRuns, recentRuns } from '../store/runs.ts';
import { saysOf } from './incidents.ts';
import type { RecoveryDesk } from './recovery/desk.ts';
import { backupsResult } from './recovery/lines.ts';
import { drillLine, drillLines, lastResult } from './recovery/overview.ts';
import type { Several } from './several.ts';
import { peopleSchema, peopleState } from './watch/people-doc.ts';
import { type WatcherConfig, watcherSchema, watcherState } from './watcher/state.ts';

const text = z.object({ key: z.string(), args: z.record(z.string(), z.union([z.string(), z.number()])).optional() });

/** What a source said, or why it said nothing: a source that is silent is shown as unknown, never left out. */
const section = <T extends z.ZodType>(data: T) =>
  z.union([z.object({ ok: z.literal(true), data }), z.object({ ok: z.literal(false), source: z.string(), why: text })]);

const nodeSchema = z.object({
  host: z.string(),
  node: z.string(),
  status: z.string(),
  cpu: z.number().optional(),
  mem: z.number().optional(),
  maxmem: z.number().optional(),
  uptime: z.number().optional(),
});
const storageSchema = z.object({
  storage: z.string(),
  node: z.string(),
  status: z.string(),
  used: z.number().optional(),
  total: z.number().optional(),
});
const proxmoxSchema = z.object({
  nodes: z.array(nodeSchema),
  storage: z.array(storageSchema),
  running: z.number(),
  stopped: z.array(z.string()),
  /** Kinds of which the token sees a part only: the list is true, but nobody knows whether it is complete. */
  limited: z.array(z.string()).default([]),
});
const backupSchema = z.object({
  id: z.string(),
  state: z.enum(['ok', 'warn', 'down']),
  line: text,
  ageHours: z.number().optional(),
  maxAgeHours: z.number(),
});
const incidentSchema = z.object({
  id: z.number(),
  severity: z.enum(['critical', 'warning', 'info']),
  title: z.string(),
  /** Of an incident of our own, for each reader's language. */
  says: z.string().optional(),
  startedAt: z.coerce.date(),
  resolvedAt: z.coerce.date().optional(),
  owner: z.string().optional(),
  silencedUntil: z.coerce.date().optional(),
});
const certificateSchema = z.object({
  endpoint: z.string(),
  state: z.enum(['ok', 'expiring', 'broken', 'unknown']),
  daysLeft: z.number().optional(),
  problem: z.string().optional(),
});

export const overviewSchema = z.object({
  at: z.coerce.date(),
  proxmox: z.array(section(proxmoxSchema)),
  backups: z.array(section(backupSchema)),
  /** All backups as last looked at. */
  recovery: backupsResult.optional(),
  alertmanager: section(z.object({ silences: z.number() })).optional(),
  firing: z.array(incidentSchema),
  certificates: z.array(certificateSchema),
  watcher: watcherSchema.optional(),
  people: peopleSchema.optional(),
  waiting: z.array(z.object({ number: z.number(), operation: z.string(), state: z.string(), by: z.string() })),
  self: z.object({
    queued: z.number(),
    outbox: z.object({ queued: z.number(), oldestMs: z.number(), unknown: z.number() }),
    processes: z.array(z.object({ role: z.string(), version: z.string(), startedAt: z.coerce.date() })),
  }),
});
export type OverviewData = z.output<typeof overviewSchema>;

export const nightSchema = z.object({
  from: z.coerce.date(),
  incidents: z.array(incidentSchema),
  failedRuns: z.array(
    z.object({
      number: z.number(),
      operation: z.string(),
      args: z.record(z.string(), z.unknown()),
      state: z.string(),
      finishedAt: z.coerce.date().optional(),
    }),
  ),
  runs: z.number(),
  drills: z.array(drillLine).default([]),
  /** Informational messages of which it is unknown whether they arrived. */
  unconfirmed: z.number(),
});
export type NightData = z.output<typeof nightSchema>;

/** Everything on one look, for /status and the digest. Sources are asked in parallel, each with a short time limit. */
export interface Overview {
  collect(signal: AbortSignal): Promise<OverviewData>;
  /** What happened since `from`, out of the own records. */
  night(from: Date): Promise<NightData>;
}

export interface OverviewOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly config: Pick<Config, 'postgres' | 'certificates' | 'operators' | 'watch'> & WatcherConfig;
  readonly proxmox: Several<Proxmox>;
  readonly pgbackrest: Several<PgBackRest>;
  readonly alertmanager: Alertmanager | undefined;
  readonly queued: () => Promise<number>;
  readonly recovery?: RecoveryDesk;
}

const LIMIT_MS = seconds(8);

export function createOverview(options: OverviewOptions): Overview {
  const { db, clock, config } = options;
  const nameOf = (id: string): string => config.operators.find((operator) => operator.id === id)?.name ?? id;

  const ask = async <T>(source: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>) => {
    const controller = new AbortController();
    const stop = clock.after(LIMIT_MS, () =>
      controller.abort(new DOMException(`${source} did not answer`, 'TimeoutError')),
    );
    try {
      return { ok: true as const, data: await work(AbortSignal.any([signal, controller.signal])) };
    } catch (thrown) {
      const error = toVakhtaError(thrown);
      return { ok: false as const, source, why: { key: error.text, args: { ...error.args } } };
    } finally {
      stop();
    }
  };

  const proxmoxOf = async (host: Proxmox, signal: AbortSignal): Promise<z.output<typeof proxmoxSchema>> => {
    const { nodes, guests, storage, limited } = await host.resources(undefined, signal);
    const real = guests.filter((guest) => !guest.template);
    await observe(db, `proxmox.${host.id}.guests`, true, { names: real.map((guest) => guest.name) }, clock.now());
    return {
      nodes: nodes.map(({ node, status, cpu, mem, maxmem, uptime }) => ({
        host: host.id,
        node,
        status,
        cpu,
        mem,
        maxmem,
        uptime,
      })),
      storage: storage.map(({ storage: name, node, status, used, total }) => ({
        storage: name,
        node,
        status,
        used,
        total,
      })),
      running: real.filter((guest) => guest.status === 'running').length,
      stopped: real.filter((guest) => guest.status !== 'running').map((guest) => guest.name),
      limited: [...limited],
    };
  };

  const backupOf = async (stanza: PgBackRest, signal: AbortSignal): Promise<z.output<typeof backupSchema>> => {
    const now = clock.now();
    const info = await stanza.info(signal);
    const { state, text: key, args } = stanzaLine(info, now);
    const maxAgeHours = config.postgres.find((one) => one.id === stanza.id)?.maxAgeHours ?? 26;
    const last = info.backups.at(-1);
    const ageHours = last ? (now.getTime() - last.stoppedAt.getTime()) / hours(1) : undefined;
    const late = state === 'ok' && ageHours !== undefined && ageHours > maxAgeHours;
    return {
      id: stanza.id,
      state: late ? 'warn' : state,
      line: { key, ...(args ? { args: { ...args } } : {}) },
      maxAgeHours,
      ...(ageHours === undefined ? {} : { ageHours }),
    };
  };

  return {
    collect: async (signal) => {
      const now = clock.now();
      const { alertmanager } = options;
      const [proxmox, backups, am, incidents, seen, open, outbox, alive, queued, watcher, people, recovery] =
        await Promise.all([
          Promise.all(options.proxmox.all.map((host) => ask(host.id, signal, (s) => proxmoxOf(host, s)))),
          Promise.all(options.pgbackrest.all.map((stanza) => ask(stanza.id, signal, (s) => backupOf(stanza, s)))),
          alertmanager
            ? ask('Alertmanager', signal, async (s) => ({
                silences: (await alertmanager.silences(s)).filter(({ state }) => state === 'active').length,
              }))
            : undefined,
          firing(db),
          certificates(db),
          openRuns(db, ['confirming', 'approving', 'reconciling']),
          stats(db, now),
          processes(db, new Date(now.getTime() - seconds(60))),
          options.queued(),
          watcherState(db, clock, config),
          peopleState(db, config, now),
          options.recovery && lastResult(options.recovery, now),
        ]);
      const stale = now.getTime() - hours(2 * config.certificates.everyHours) - hours(1);
      const certificateStates = config.certificates.endpoints.map(({ id }) => {
        const row = seen.find(({ endpoint }) => endpoint === id);
        // Never looked at, or not for a long while: what it said then says nothing about now.
        if (!row || row.checkedAt.getTime() < stale) return { endpoint: id, state: 'unknown' as const };
        const known = certificateSeen.parse(row.seen);
        const { state, daysLeft } = judgeCertificate(known, now, config.certificates.warnDays);
        return { endpoint: id, state, daysLeft, problem: known.problems[0] };
      });
      return overviewSchema.parse({
        at: now,
        proxmox,
        backups,
        ...(recovery ? { recovery } : {}),
        ...(am ? { alertmanager: am } : {}),
        firing: incidents.map((row) => briefly(row, nameOf)),
        certificates: certificateStates,
        watcher,
        people,
        waiting: open.map(({ number, operation, state, actor }) => ({
          number,
          operation,
          state,
          by: nameOf(actor.id),
        })),
        self: {
          queued,
          outbox: {
            queued: outbox.queued,
            oldestMs: Math.max(0, ...Object.values(outbox.oldestAgeMs)),
            unknown: outbox.unknown,
          },
          processes: alive.map(({ role, version, startedAt }) => ({ role, version, startedAt })),
        },
      });
    },
    night: async (from) => {
      const now = clock.now();
      const [incidents, runs, outbox, drills] = await Promise.all([
        between(db, from, now),
        recentRuns(db, { since: from, limit: 500 }),
        stats(db, now),
        options.recovery ? drillLines(options.recovery, { since: from, limit: 8 }) : [],
      ]);
      return nightSchema.parse({
        drills,
        from,
        incidents: incidents.map((row) => briefly(row, nameOf)),
        failedRuns: runs.filter(({ state }) => state === 'failed').slice(0, 20),
        runs: runs.length,
        unconfirmed: outbox.unknown,
      });
    },
  };
}

function briefly(row: Awaited<ReturnType<typeof firing>>[number], nameOf: (id: string) => string) {
  const until = row.silence?.['until'];
  return {
    id: row.id,
    severity: row.severity,
    title: row.title,
    says: saysOf(row),
    startedAt: row.startedAt,
    resolvedAt: row.resolvedAt,
    owner: row.owner === undefined ? undefined : nameOf(row.owner),
    silencedUntil: typeof until === 'string' ? new Date(until) : undefined,
  };
}
