#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { toVakhtaError, VakhtaError } from './core/error.ts';
import { seconds, systemClock } from './core/clock.ts';
import { catalogue } from './core/i18n.ts';
import type { Language } from './core/people.ts';
import { systemRandom } from './core/random.ts';
import { createRedactor } from './core/redact.ts';
import { systemReadFile } from './config/files.ts';
import { loadConfig, type Loaded } from './config/load.ts';
import { formatProblem } from './config/problem.ts';
import type { Config } from './config/schema.ts';
import { createSecrets, type Secrets } from './config/secrets.ts';
import { type App, compose, type ProcessRole, RUNBOOKS } from './app.ts';
import { runDoctor } from './app/doctor.ts';
import { createLog } from './app/log.ts';
import { createSystems } from './app/systems.ts';
import { vaultOf } from './app/vault.ts';
import { checkKit, makeKit } from './cli/kit.ts';
import { answerRun, runOperation, type RunOptions, type Terminal } from './cli/run.ts';
import { allMessages } from './messages.gen.ts';
import { verifyAudit } from './store/audit.ts';
import { recentRuns, runByNumber } from './store/runs.ts';
import type { Operation } from './tasks/define.ts';
import { operations } from './tasks/operations/registry.gen.ts';
import type { Verb } from './tasks/lifecycle/requests.ts';

/** How long a program that could not start may take to put everything away. */
const GIVE_UP_MS = seconds(10);

const { env, argv } = process;
const language: Language = /^ru/iu.test(env['VAKHTA_LANG'] ?? env['LC_ALL'] ?? env['LC_MESSAGES'] ?? env['LANG'] ?? '')
  ? 'ru'
  : 'en';
const t = catalogue(allMessages).for(language);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

let configFile: string | undefined;
let sharedRedactor: ReturnType<typeof createRedactor> | undefined;

const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string };

const program = new Command('vakhta')
  .description(t('cli-about'))
  .version(version)
  .addOption(new Option('-c, --config <file>', t('cli-config')).env('VAKHTA_CONFIG'))
  .showHelpAfterError();

for (const role of ['start', 'bot', 'worker'] as const) {
  program
    .command(role)
    .description(t(`cli-${role}`))
    .action(() => serve(role));
}

program
  .command('demo')
  .description(t('cli-demo'))
  .action(async () => {
    const { runDemo } = await import('./demo/demo.ts');
    await runDemo({ print, language });
  });

program
  .command('migrate')
  .description(t('cli-migrate'))
  .action(() =>
    withApp(async (_app, _terminal, applied) => {
      print(t('cli-migrated', { n: applied }));
      return 0;
    }),
  );

const run = program.command('run').description(t('cli-run'));
const families = new Map<string, Command>();
for (const operation of operations) {
  if (operation.unlisted) continue;
  const command = commandFor(operation).description(t(operation.key));
  const words = operation.arguments.filter((argument) => !argument.hidden);
  for (const argument of words) {
    const option = new Option(`--${argument.name} <value>`, t(`${operation.key}-arg-${argument.name}`));
    if (argument.options) option.choices([...argument.options]);
    command.addOption(option);
  }
  // The words may also stand by themselves, in the order of the slash command.
  command.argument('[words...]', words.map(({ name }) => name).join(' '));
  for (const option of sharedOptions()) command.addOption(option);
  command.action((given: string[], options: Record<string, string> & RunOptions) =>
    withApp((app, terminal) => {
      const named = words.flatMap(({ name }) => (options[name] === undefined ? [] : [[name, options[name]] as const]));
      const free = words.filter(({ name }) => options[name] === undefined);
      const placed = given.map((word, n) => [free[n]?.name ?? `argument ${n + 1}`, word] as const);
      return runOperation(app, operation, Object.fromEntries([...placed, ...named]), options, terminal, systemClock);
    }),
  );
}

for (const verb of ['confirm', 'approve', 'reject', 'cancel'] as const) {
  const command = program.command(`${verb} <run>`).description(t('cli-answer', { verb }));
  for (const option of sharedOptions()) command.addOption(option);
  command.action((number: string, options: RunOptions) =>
    withApp((app, terminal) => answer(app, terminal, verb, number, options)),
  );
}

program
  .command('runs')
  .description(t('cli-runs'))
  .action(() =>
    withApp(async (app) => {
      const found = await recentRuns(app.db, { limit: 20 });
      if (found.length === 0) print(t('cli-no-runs'));
      for (const one of found) {
        print(
          `#${one.number}  ${one.createdAt.toISOString().slice(0, 16)}  ${one.state.padEnd(10)}  ${one.operation}  ${one.actor.kind}:${one.actor.id}`,
        );
      }
      return 0;
    }),
  );

program
  .command('doctor')
  .description(t('cli-doctor'))
  .action(async () => {
    const loaded = await load();
    const { secrets, warnings } = secretsOf(loaded.ok ? loaded.config : undefined);
    process.exitCode = await runDoctor({ loaded, secrets, warnings, language, print, env: processEdges(secrets) });
  });

const kit = program.command('kit').description(t('cli-kit'));
kit
  .command('make')
  .description(t('cli-kit-make'))
  .action(async () => {
    const config = await configuration();
    const { secrets } = secretsOf(config);
    const log = logOf(config, true);
    const vault = vaultOf(config, { clock: systemClock, log, secrets });
    const readText = async (path: string) => (await systemReadFile(path)).text;
    const edges = { ...processEdges(secrets), log, config, configFile, runbooks: RUNBOOKS };
    const systems = await createSystems(config, { clock: systemClock, log, secrets, vault, readText });
    try {
      process.exitCode = await makeKit({ ...edges, systems }, { t, language, zone: config.site.zone, print });
    } finally {
      await systems.close();
    }
  });
kit
  .command('check <file>')
  .description(t('cli-kit-check'))
  .requiredOption('-i, --identity <file>', t('cli-kit-identity'), (one, before: string[] | undefined) => [
    ...(before ?? []),
    one,
  ])
  .action((file: string, { identity }: { identity: string[] }) => checkKit(file, identity, { t, print }));

program
  .command('audit')
  .description(t('cli-audit'))
  .command('verify')
  .description(t('cli-audit-verify'))
  .action(() =>
    withApp(async (app) => {
      const verdict = await verifyAudit(app.db, () => {});
      print(
        verdict.ok
          ? t('cli-audit-ok', { n: verdict.count, head: verdict.head.hash })
          : t('cli-audit-bad', { seq: verdict.seq, why: verdict.why }),
      );
      return verdict.ok ? 0 : 5;
    }),
  );

try {
  await program.parseAsync(argv);
} catch (thrown) {
  const error = toVakhtaError(thrown);
  if (error.code !== 'config-invalid') complain(t.has(error.text) ? t(error.text, error.args) : error.message);
  if (error.kind === 'bug' && thrown instanceof Error) complain(redactor().redact(thrown.stack ?? thrown.message));
  // At once: what was opened before the failure would keep a program alive that does nothing, and nobody would start it again.
  process.exit(error.exitCode);
}

/** The command `backup pg` lives below a command `backup`, which may be an operation itself or only groups. */
function commandFor(operation: Operation): Command {
  const [first = '', ...rest] = operation.command;
  const family = families.get(first) ?? run.command(first).description(first);
  families.set(first, family);
  return rest.length === 0 ? family : family.command(rest.join('-'));
}

function sharedOptions(): Option[] {
  return [
    new Option('--as <operator>', t('cli-as')),
    new Option('-y, --yes', t('cli-yes')),
    new Option('--typed <name>', t('cli-typed')),
    new Option('--code <digits>', t('cli-code')),
    new Option('--json', t('cli-json')),
  ];
}

async function load(): Promise<Loaded> {
  const path = program.opts<{ config?: string }>().config;
  const loaded = await loadConfig({ env, readFile: systemReadFile, ...(path === undefined ? {} : { path }) });
  configFile = loaded.file;
  return loaded;
}

async function configuration(): Promise<Config> {
  const loaded = await load();
  for (const problem of loaded.problems) complain(formatProblem(loaded.file, problem, t));
  if (loaded.ok) return loaded.config;
  throw new VakhtaError('usage', 'config-invalid', `${loaded.file} is not valid`);
}

function redactor() {
  return (sharedRedactor ??= createRedactor());
}

function secretsOf(config: Config | undefined): { secrets: Secrets; warnings: { text: string }[] } {
  const warnings: { text: string }[] = [];
  const learn = (secret: Parameters<ReturnType<typeof createRedactor>['learn']>[0]): void => redactor().learn(secret);
  const base = {
    env,
    readFile: systemReadFile,
    learn,
    onWarning: (warning: { text: string }) => void warnings.push(warning),
  };
  const plain = createSecrets(base);
  const vault = config && vaultOf(config, { clock: systemClock, log: logOf(config), secrets: plain });
  return { secrets: vault ? createSecrets({ ...base, vault }) : plain, warnings };
}

function logOf(config: Config | undefined, quiet = false) {
  return createLog({ level: quiet ? 'silent' : (config?.log.level ?? 'info'), redactor: redactor() });
}

function processEdges(secrets: Secrets) {
  return { clock: systemClock, random: systemRandom, redactor: redactor(), secrets, version };
}

async function build(config: Config, role: ProcessRole | 'command', quiet: boolean): Promise<App> {
  const { secrets } = secretsOf(config);
  const log = logOf(config, quiet);
  const vault = vaultOf(config, { clock: systemClock, log, secrets });
  const readText = async (path: string) => (await systemReadFile(path)).text;
  return compose(config, role, {
    ...processEdges(secrets),
    log,
    operations,
    ...(configFile === undefined ? {} : { configFile }),
    systems: () => createSystems(config, { clock: systemClock, log, secrets, vault, readText }),
  });
}

/** Runs until a signal asks for the end; a second signal ends at once. */
async function serve(role: ProcessRole): Promise<void> {
  const app = await build(await configuration(), role, false);
  await app.start().catch(async (error: unknown) => {
    await Promise.race([app.stop(), systemClock.sleep(GIVE_UP_MS)]);
    throw error;
  });
  await new Promise<void>((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(1);
        asked = true;
        complain(t('cli-stopping'));
        app.stop().then(resolve, resolve);
      });
    }
  });
}

/** For commands that do their work and end: the same composition, without bot, schedules and HTTP. */
async function withApp(work: (app: App, terminal: Terminal, applied: number) => Promise<number>): Promise<void> {
  const config = await configuration();
  const app = await build(config, 'command', true);
  try {
    process.exitCode = await work(app, { t, language, zone: config.site.zone, print }, app.migrations);
  } finally {
    await app.stop();
  }
}

async function answer(app: App, terminal: Terminal, verb: Verb, number: string, options: RunOptions): Promise<number> {
  const found = await runByNumber(app.db, Number(number.replace(/^#/u, '')));
  const operation = found && operations.find(({ name }) => name === found.operation);
  if (!found || !operation) throw new VakhtaError('usage', 'no-run', `no run ${number}`);
  return answerRun(app, found, verb, options, terminal, operation, systemClock);
}
