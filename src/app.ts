import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ServerType } from '@hono/node-server';
import { type Clock, days, minutes, seconds } from './core/clock.ts';
import { type Catalogue, catalogue } from './core/i18n.ts';
import type { Log } from './core/log.ts';
import type { Operator } from './core/people.ts';
import { newId, type Random } from './core/random.ts';
import type { Redactor } from './core/redact.ts';
import type { Config } from './config/schema.ts';
import type { Secrets } from './config/secrets.ts';
import { type Bot, createBot } from './bot/bot.ts';
import { createHttp } from './handlers/http.ts';
import { deploymentsRoute } from './handlers/webhooks/deployments.ts';
import { createScheduler, type Schedule, type Scheduler } from './handlers/schedules.ts';
import { type Database, openDatabase } from './store/db.ts';
import { type EmbeddedPostgres, startEmbedded } from './store/embedded.ts';
import { firing } from './store/incidents.ts';
import { migrate } from './store/migrate.ts';
import { stats } from './store/outbox.ts';
import { heartbeat, leave } from './store/processes.ts';
import { createPostgresQueue, createRedisQueue, type JobQueue } from './store/queue.ts';
import { countRuns } from './store/run-upkeep.ts';
import { webhookBacklog } from './store/webhook-log.ts';
import { createAlertWatch } from './tasks/alert-watch.ts';
import type { Facts, Operation } from './tasks/define.ts';
import { createExecutor, type Executor } from './tasks/lifecycle/executor.ts';
import { createQuieter } from './tasks/lifecycle/quieting.ts';
import { createReconciler } from './tasks/lifecycle/reconciler.ts';
import { createRequests, type Requests } from './tasks/lifecycle/requests.ts';
import { createStepUp } from './tasks/lifecycle/step-up.ts';
import { createSweeper } from './tasks/scratch/sweeper.ts';
import { createTargetNames } from './tasks/silences/names.ts';
import { createIncidentWriter } from './tasks/watch/writer.ts';
import { loadRunbooks } from './tasks/runbooks.ts';
import { allMessages } from './messages.gen.ts';
import { backlogLine, createWayIn, isStuck } from './app/intake.ts';
import { createMetrics, type Metrics } from './app/metrics.ts';
import { backupSnapshot } from './app/metrics-backups.ts';
import { factsOf, portsOf } from './app/ports.ts';
import { recoveryRounds, scratchRemovers } from './app/recovery.ts';
import { createEvery, ledTogether, roundsOfAll, roundsOfBot, roundsOfWorker, type Standing } from './app/rounds.ts';
import { schedulesOf } from './app/schedules.ts';
import { addressOf, closeServer, listen } from './app/server.ts';
import type { Systems } from './app/systems.ts';
import { watcherOfBot, watcherOfWorker } from './app/watcher.ts';

/** `bot`: Telegram and webhooks; `worker`: the queue and everything with credentials; `start`: both in one process. */
export type ProcessRole = 'bot' | 'worker' | 'start';

/** `command`: one command of the command line, which works on its own run and then ends. */
export type Composition = ProcessRole | 'command';

/** Everything of the outside, handed in once. */
export interface Edges {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly secrets: Secrets;
  readonly version: string;
  readonly operations: readonly Operation[];
  /** Where the configuration was read from. */
  readonly configFile?: string;
  /** The clients of the outside systems; called in a process with the worker's half only. */
  readonly systems: () => Promise<Systems>;
}

export interface App {
  readonly db: Database;
  readonly requests: Requests;
  readonly executor: Executor;
  readonly catalogue: Catalogue;
  readonly facts: Facts;
  readonly metrics: Metrics;
  readonly queue: JobQueue;
  /** The regular work; once started it looks at the clock by itself every minute. */
  readonly scheduler: Scheduler;
  /** How many migrations the database needed. */
  readonly migrations: number;
  /** Where the HTTP side listens, once started. */
  readonly address: () => string | undefined;
  start(): Promise<void>;
  /** Takes nothing new, finishes or hands back what runs, then closes everything in reverse order. */
  stop(): Promise<void>;
}

/** Beside the program, in the sources as in the image. */
export const RUNBOOKS = fileURLToPath(new URL('../docs/runbooks', import.meta.url));
const CONCURRENCY = 4;
const DRAIN_MS = seconds(20);
const HEARTBEAT_EVERY_MS = seconds(20);

/** Puts the program together. Nothing runs yet but the database, brought up to date; `start` does the rest, in order. */
export async function compose(config: Config, role: Composition, edges: Edges): Promise<App> {
  const { clock, log } = edges;
  const { url, embedded } = await databaseOf(config, role, edges);
  const closers: (() => Promise<void>)[] = [async () => embedded?.stop()];
  const close = async (): Promise<void> => {
    for (const one of closers.toReversed()) {
      await one().catch((error: unknown) => log.warn({ err: error }, 'something was not closed in order'));
    }
  };
  try {
    const migrations = await migrate(url, log);
    const db = openDatabase({ url, log, clock });
    closers.push(() => db.close());
    const queue = await queueOf(config, url, edges);
    closers.push(() => queue.close());
    return await assemble(config, role, edges, { db, queue, migrations: migrations.length, close });
  } catch (error) {
    await close();
    throw error;
  }
}

/** What everything else stands on. */
interface Foundation {
  readonly db: Database;
  readonly queue: JobQueue;
  readonly migrations: number;
  readonly close: () => Promise<void>;
}

async function assemble(
  config: Config,
  role: Composition,
  edges: Edges,
  { db, queue, migrations, close }: Foundation,
): Promise<App> {
  const { clock, random, log, secrets, version } = edges;
  const processId = `${hostname()}-${newId(random, clock.now()).slice(-12)}`;
  const hasBot = role === 'bot' || role === 'start';
  const hasWorker = role !== 'bot';

  const texts = catalogue(allMessages);
  const operations = new Map(edges.operations.map((operation) => [operation.name, operation]));
  const operators = new Map<string, Operator>(config.operators.map((operator) => [operator.id, operator]));
  const people = (id: string): Operator | undefined => operators.get(id);
  const facts = factsOf(config, db);

  const metrics = createMetrics(version, async () => ({
    outbox: await stats(db, clock.now()),
    queue: { ...(await queue.counts()) },
    openRuns: await countRuns(db),
    firing: countBy(await firing(db), ({ severity }) => severity),
    webhooks: await webhookBacklog(db, clock.now()),
    backups: await backupSnapshot(db, config),
  }));

  let turn = 0;
  const enqueue = async (run: { readonly id: string; readonly rev: number }, delayMs?: number): Promise<void> => {
    // A command works on its run itself; what it leaves behind, the reconciler of a worker finds.
    if (role === 'command') return;
    // A finished job's id stays known for a day, so each handing over has an id of its own.
    const jobId = `${run.id}-${run.rev}-${processId.slice(-6)}${(turn += 1)}`;
    await queue.add(run.id, { jobId, ...(delayMs === undefined ? {} : { delayMs }) });
  };

  const systems = hasWorker ? await edges.systems() : undefined;
  const siteText = texts.for(config.site.language);
  const runbooks = await loadRunbooks(RUNBOOKS);
  const ports = portsOf({
    config,
    db,
    clock,
    log,
    random,
    secrets,
    systems,
    queue,
    t: siteText,
    catalogue: texts,
    runbooks,
    version,
    configFile: edges.configFile,
    redact: (text) => edges.redactor.redact(text),
  });
  const alertmanager = systems?.alertmanager;
  const names = createTargetNames(db, config);
  const quieter = alertmanager && createQuieter({ db, clock, log, alertmanager, names });
  const executor = createExecutor({
    db,
    operations,
    ports,
    quieter,
    people,
    policy: config.policy,
    clock,
    random,
    log,
    redactor: edges.redactor,
    worker: processId,
    stepUp: createStepUp({
      secrets: (id) => {
        const totp = config.operators.find((operator) => operator.id === id)?.totp;
        return totp && secrets.source(totp);
      },
    }),
    enqueue,
    onEnd: (operation, state, ms) => metrics.runEnded(operation, state, ms),
  });
  const requests = createRequests({
    db,
    operations,
    people,
    policy: config.policy,
    clock,
    random,
    log,
    enqueue,
    processInline: (runId) => executor.process(runId),
  });
  // A job that only got stuck in the queue is not doubled every few seconds: one id a minute.
  const requeue = (run: { readonly id: string; readonly rev: number }): Promise<void> =>
    queue.add(run.id, { jobId: `${run.id}-${run.rev}-m${Math.floor(clock.now().getTime() / minutes(1))}` });
  const reconciler = createReconciler({ db, clock, log, executor, requeue });

  const writer = createIncidentWriter(config);
  const wayIn =
    hasBot && config.alertmanager ? createWayIn(config, { db, writer, clock, log, catalogue: texts }) : undefined;
  const alertWatch =
    alertmanager &&
    createAlertWatch({
      db,
      clock,
      log,
      writer,
      alertmanager,
      config,
      also: async (_mirrored, signal) => quieter?.round(signal),
    });

  const sweeper =
    systems &&
    createSweeper({
      db,
      clock,
      log,
      writer,
      removers: scratchRemovers(config, systems, { db, clock }),
      t: siteText,
      redact: (text) => edges.redactor.redact(text),
    });

  const bot: Bot | undefined = hasBot
    ? createBot({
        config,
        db,
        requests,
        operations,
        catalogue: texts,
        clock,
        random,
        log,
        metrics: metrics.bot,
        facts,
        runbooks,
        telegram: await telegramOf(config, secrets),
      })
    : undefined;
  const schedules: readonly Schedule[] = schedulesOf(config, requests, clock);
  const scheduler = createScheduler({ db, clock, schedules, log });

  const stopping = new AbortController();
  const background: Promise<unknown>[] = [];
  const starters: (() => Promise<void>)[] = [];
  const stoppers: (() => Promise<void> | void)[] = [];
  let server: ServerType | undefined;

  const http = createHttp({
    clock,
    log,
    ...(wayIn && config.alertmanager
      ? { alerts: { intake: wayIn.intake, token: secrets.source(config.alertmanager.webhookToken) } }
      : {}),
    live: () => !stopping.signal.aborted,
    ready: async () => {
      const checks: [string, Promise<unknown>][] = [
        ['database', db.query('select 1')],
        ['queue', queue.ready()],
      ];
      const results = await Promise.allSettled(checks.map(([, check]) => check));
      const missing = checks.filter((_, n) => results[n]?.status === 'rejected').map(([name]) => name);
      const stuck = wayIn && missing.length === 0 && isStuck(await webhookBacklog(db, clock.now()));
      return [...missing, ...(bot && !bot.ready() ? ['telegram'] : []), ...(stuck ? ['webhooks'] : [])];
    },
    notes: async () => (wayIn ? [backlogLine(await webhookBacklog(db, clock.now()))] : []),
    metrics: metrics.scrape,
    onWebhook: metrics.webhook,
  });
  if (bot?.webhookRoute) http.route('/', bot.webhookRoute);
  if (hasBot && config.deployments) {
    http.route('/', deploymentsRoute({ db, clock, log, token: secrets.source(config.deployments.token) }));
  }

  const every = createEvery({ clock, log });
  const inBackground = (work: (signal: AbortSignal) => Promise<void>): void => {
    background.push(
      work(stopping.signal).catch((error: unknown) => log.error({ err: error }, 'a background task ended')),
    );
  };

  const stand = (name: string, standing: readonly Standing[]): void => {
    for (const { everywhere, run } of standing) if (everywhere) inBackground(run);
    inBackground((signal) => db.leader(name, signal, ledTogether(standing, log)));
  };
  const roundsEdges = { db, clock, log, every };
  const watcherEdges = { ...roundsEdges, writer, t: siteText, version, secrets };

  /** What menus and cards show is looked at when a worker starts, at most once an hour however often it restarts. */
  const lookAround = async (): Promise<void> => {
    const hour = clock.now().toISOString().slice(0, 13);
    const actor = { kind: 'system', id: 'vakhta' } as const;
    for (const operation of ['status', ...(config.certificates.endpoints.length > 0 ? ['certs'] : [])]) {
      await requests.request(actor, operation, {}, { idempotencyKey: `start:${operation}:${hour}` });
    }
  };

  starters.push(async () => {
    await queue.ready();
    server = await listen(http.fetch, config.http);
    log.info({ role, version, address: addressOf(server) }, 'listening');
    stoppers.push(() => closeServer(server));
  });
  if (wayIn) {
    starters.push(async () => {
      inBackground((signal) => db.leader('reducer', signal, wayIn.reducer.run));
    });
  }
  if (hasWorker) {
    starters.push(async () => {
      const ended = await db.listen('vakhta_cancel', (runId) => {
        if (runId) return executor.cancel(runId);
        // The connection was away: what was cancelled meanwhile must not wait for the next heartbeat.
        void executor.cancelAsked().catch((error: unknown) => log.warn({ err: error }, 'cancels were not looked for'));
      });
      await queue.start(({ runId }, signal) => executor.process(runId, signal), { concurrency: CONCURRENCY });
      await lookAround();
      stand('rounds-worker', [
        ...roundsOfWorker({ systems, alertWatch, reconcile: reconciler.round, sweep: sweeper?.round }, roundsEdges),
        ...recoveryRounds({ recovery: ports.recovery, writer, t: siteText }, roundsEdges),
        ...(systems ? await watcherOfWorker(config, systems, watcherEdges) : []),
      ]);
      stoppers.push(async () => {
        await queue.pauseAndDrain(DRAIN_MS);
        await ended();
      });
    });
  }
  starters.push(async () => {
    scheduler.start();
    inBackground(
      every(HEARTBEAT_EVERY_MS, 'the heartbeat of this process', () =>
        heartbeat(db, { id: processId, role, version }, clock.now()),
      ),
    );
    stand('rounds', roundsOfAll(days(config.retention.days), roundsEdges));
    stoppers.push(() => scheduler.stop());
  });

  if (bot) {
    starters.push(async () => {
      // Not waited for: while Telegram is away, alerts are kept, schedules fire and operations run all the same.
      inBackground((signal) => bot.start(signal));
      stand('rounds-bot', [...roundsOfBot(config, operations, roundsEdges), ...watcherOfBot(config, watcherEdges)]);
      stoppers.push(() => bot.stop());
    });
  }

  return {
    db,
    requests,
    executor,
    catalogue: texts,
    facts,
    metrics,
    queue,
    scheduler,
    migrations,
    address: () => addressOf(server),
    start: async () => {
      for (const start of starters) await start();
    },
    stop: async () => {
      stopping.abort();
      for (const stop of stoppers.toReversed()) {
        await Promise.resolve(stop()).catch((error: unknown) =>
          log.warn({ err: error }, 'a part did not stop in order'),
        );
      }
      await Promise.allSettled(background);
      await leave(db, processId).catch(() => {});
      await systems?.close();
      await close();
    },
  };
}

async function telegramOf({ telegram }: Config, secrets: Secrets) {
  const token = await secrets.source(telegram.token)();
  if (telegram.mode !== 'webhook' || !telegram.webhook) return { token, apiRoot: telegram.apiRoot };
  const { url, secret } = telegram.webhook;
  return { token, apiRoot: telegram.apiRoot, webhook: { url, secret: await secrets.source(secret)() } };
}

async function databaseOf(
  config: Config,
  role: Composition,
  { secrets, log, clock }: Edges,
): Promise<{ url: string; embedded?: EmbeddedPostgres }> {
  if (config.database.url) return { url: (await secrets.source(config.database.url)()).reveal() };
  const embedded = await startEmbedded({ dataDir: config.dataDir, log, clock, join: role === 'command' });
  return { url: embedded.url, embedded };
}

async function queueOf(config: Config, databaseUrl: string, { secrets, log, clock }: Edges): Promise<JobQueue> {
  const common = { name: `vakhta-${config.site.id}`, log, clock };
  if (!config.queue.redisUrl) return createPostgresQueue({ ...common, url: databaseUrl });
  return createRedisQueue({ ...common, url: (await secrets.source(config.queue.redisUrl)()).reveal() });
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
