import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messages as cli } from '../../src/cli/messages.ts';
import { catalogue, defineMessages, type Messages, type Translate } from '../../src/core/i18n.ts';
import type { Language } from '../../src/core/people.ts';
import { approvalFor, RISKS } from '../../src/core/policy.ts';
import { askable, usage } from '../../src/handlers/command-line.ts';
import type { Command } from '../../src/handlers/commands/define.ts';
import type { Argument, Facts, Operation } from '../../src/tasks/define.ts';
import type { Generated } from '../generate.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const texts = defineMessages({
  en: `
    ref-title = Commands
    ref-other = По-русски: [commands.ru.md](commands.ru.md).
    ref-made = Made by \`npm run generate\` from the declarations in \`src/tasks/operations\` and \`src/handlers/commands\`. Do not edit.
    ref-intro = An operation is the same thing wherever it is asked for: a command in the chat, a button, a schedule, or \`vakhta run\`. What is left out of a command is asked for in the chat, with buttons where the possible answers are known. In a clone of the repository, \`npm run vakhta -- run …\` stands for \`vakhta run …\`.
    ref-overview = At a glance
    ref-command = Command
    ref-summary = What it does
    ref-role = Who may
    ref-role-viewer = viewer
    ref-role-operator = operator
    ref-role-admin = administrator
    ref-role-anyone = anybody
    ref-before = Before it starts
    ref-cli = Command line
    ref-risk = Risk
    ref-risk-read = read — it only looks
    ref-risk-change = change — it can be taken back or does no harm
    ref-risk-disrupt = disrupt — somebody’s work is interrupted
    ref-risk-destroy = destroy — something is lost
    ref-approval-none = nothing is asked
    ref-approval-confirm = the requester sees the plan and confirms it
    ref-approval-second = a second person approves the plan
    ref-approval-destroy = the requester types the target’s name and a step-up code, and a second person with the role administrator approves
    ref-time = Time limit
    ref-hours = { $n } h
    ref-minutes = { $n } min
    ref-seconds = { $n } s
    ref-afterwards = Afterwards
    ref-verifies = the result is checked by another way than the one that acted
    ref-unverified = nothing was changed, so nothing is checked
    ref-crash = If the worker dies
    ref-reconciles = what really happened is found out; it is not simply repeated
    ref-repeats = it is asked again
    ref-arguments = Arguments
    ref-argument = Argument
    ref-question = Question
    ref-values = Values
    ref-required = required
    ref-default = without it { $value }
    ref-optional = may be left out
    ref-any = free text
    ref-number = a number
    ref-from-stanzas = the ids under \`postgres\` in the configuration
    ref-from-endpoints = the ids under \`certificates.endpoints\` in the configuration
    ref-from-guests = the guests last seen in Proxmox VE
    ref-from-engines = the ids under \`docker\` in the configuration
    ref-from-containers = the containers last seen on the Docker engines
    ref-from-backup-targets = a target of backups: \`pg:main\`, \`guest:gitlab\`, \`volume:grafana\`, \`offsite-pg:main\`, \`offsite-volume:grafana\`
    ref-from-drill-targets = a target whose restore can be tried out, as \`pg:main\`
    ref-from-check-targets = a repository: \`pg:main\`, \`restic:files\`, \`pbs:pbs1/main\`
    ref-from-volumes = the ids under \`restic[].volumes\` in the configuration
    ref-from-restic-sets = the ids under \`restic\` in the configuration
    ref-from-offsite-sets = the ids under \`restic\` that have \`offsite\` in the configuration
    ref-from-operators = the ids under \`operators\` in the configuration
    ref-no-arguments = No arguments.
    ref-operations = Operations
    ref-commands = Other commands
    ref-commands-intro = These are not operations: they leave no run, and exist in the chat only.
    ref-where = Where
    ref-private = private chat
    ref-group = group
    ref-shared = Options of every operation on the command line
    ref-option = Option
    ref-see-cli = The rest of the command line is described in the [README](../../README.md#the-command-line).
  `,
  ru: `
    ref-title = Команды
    ref-other = In English: [commands.md](commands.md).
    ref-made = Собрано командой \`npm run generate\` из объявлений в \`src/tasks/operations\` и \`src/handlers/commands\`. Руками не править.
    ref-intro = Операция одна и та же, откуда бы её ни попросили: командой в чате, кнопкой, по расписанию или через \`vakhta run\`. Чего в команде не хватает, бот спросит в чате; где варианты известны, предложит кнопки. Из клона репозитория вместо \`vakhta run …\` пишут \`npm run vakhta -- run …\`.
    ref-overview = Коротко
    ref-command = Команда
    ref-summary = Что делает
    ref-role = Кому можно
    ref-role-viewer = наблюдателю
    ref-role-operator = оператору
    ref-role-admin = администратору
    ref-role-anyone = всем
    ref-before = Перед запуском
    ref-cli = Командная строка
    ref-risk = Риск
    ref-risk-read = read — только смотрит
    ref-risk-change = change — можно отменить, или вреда нет
    ref-risk-disrupt = disrupt — прерывает чью-то работу
    ref-risk-destroy = destroy — что-то пропадёт безвозвратно
    ref-approval-none = ничего не спрашивается
    ref-approval-confirm = запросивший видит план и подтверждает его
    ref-approval-second = план одобряет второй человек
    ref-approval-destroy = запросивший вводит имя цели и одноразовый код, затем одобряет второй человек — администратор
    ref-time = Предел времени
    ref-hours = { $n } ч
    ref-minutes = { $n } мин
    ref-seconds = { $n } с
    ref-afterwards = После
    ref-verifies = результат проверяется другим путём, не тем, которым действовали
    ref-unverified = ничего не менялось, проверять нечего
    ref-crash = Если исполнитель погиб
    ref-reconciles = выясняется, что произошло на самом деле; вслепую не повторяется
    ref-repeats = спрашивается заново
    ref-arguments = Аргументы
    ref-argument = Аргумент
    ref-question = Вопрос
    ref-values = Значения
    ref-required = обязателен
    ref-default = без него { $value }
    ref-optional = можно не указывать
    ref-any = любой текст
    ref-number = число
    ref-from-stanzas = id из раздела \`postgres\` конфигурации
    ref-from-endpoints = id из раздела \`certificates.endpoints\` конфигурации
    ref-from-guests = гости, какими их последний раз видели в Proxmox VE
    ref-from-engines = id из раздела \`docker\` конфигурации
    ref-from-containers = контейнеры, какими их последний раз видели в Docker
    ref-from-backup-targets = цель резервного копирования: \`pg:main\`, \`guest:gitlab\`, \`volume:grafana\`, \`offsite-pg:main\`, \`offsite-volume:grafana\`
    ref-from-drill-targets = цель, которую можно пробно восстановить, например \`pg:main\`
    ref-from-check-targets = хранилище: \`pg:main\`, \`restic:files\`, \`pbs:pbs1/main\`
    ref-from-volumes = id из \`restic[].volumes\` конфигурации
    ref-from-restic-sets = id из раздела \`restic\` конфигурации
    ref-from-offsite-sets = те id из раздела \`restic\` конфигурации, у которых есть \`offsite\`
    ref-from-operators = id из раздела \`operators\` конфигурации
    ref-no-arguments = Аргументов нет.
    ref-operations = Операции
    ref-commands = Остальные команды
    ref-commands-intro = Это не операции: запуска после них не остаётся, и живут они только в чате.
    ref-where = Где
    ref-private = личный чат
    ref-group = группа
    ref-shared = Ключи командной строки, общие для всех операций
    ref-option = Ключ
    ref-see-cli = Остальное о командной строке — в [README](../../README.ru.md#командная-строка).
  `,
});

/** The reference of commands in both languages, out of what the operations and commands declare about themselves. */
export async function generate(): Promise<Generated[]> {
  // From the folders, not from the registries, which this very run may be writing anew.
  const operations = (await members<Operation>('src/tasks/operations')).filter((one) => !one.unlisted);
  const commands = await members<Command>('src/handlers/commands');
  const all = catalogue([
    ...new Set<Messages>([texts, cli, ...[...operations, ...commands].map((one) => one.messages)]),
  ]);
  const page = (language: Language, name: string) =>
    reference(operations, commands, all.for(language)).then((content) => ({ path: `docs/reference/${name}`, content }));
  return Promise.all([page('en', 'commands.md'), page('ru', 'commands.ru.md')]);
}

/** The default exports of a folder's files, by the names of the files. */
async function members<T extends { readonly name: string }>(folder: string): Promise<T[]> {
  const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.gen.ts'));
  const modules: unknown[] = await Promise.all(
    files.toSorted().map((file) => import(pathToFileURL(join(ROOT, folder, file)).href)),
  );
  return modules.flatMap((module) =>
    typeof module === 'object' && module !== null && 'default' in module ? [module.default as T] : [],
  );
}

async function reference(
  operations: readonly Operation[],
  commands: readonly Command[],
  t: Translate,
): Promise<string> {
  const sections = await Promise.all(operations.map((one) => operationSection(one, t)));
  const lines = [
    `# ${t('ref-title')}`,
    '',
    `<!-- ${t('ref-made')} -->`,
    '',
    t('ref-other'),
    '',
    t('ref-intro'),
    '',
    `## ${t('ref-overview')}`,
    '',
    ...table(
      [t('ref-command'), t('ref-summary'), t('ref-role'), t('ref-before')],
      operations.map((one) => [
        `[\`/${one.command.join(' ')}\`](#${one.command.join('-')})`,
        t(one.key),
        t(`ref-role-${one.role}`),
        t(`ref-approval-${one.approval}`),
      ]),
    ),
    '',
    ...table(
      [t('ref-risk'), t('ref-before')],
      RISKS.map((risk) => [t(`ref-risk-${risk}`), t(`ref-approval-${approvalFor(risk)}`)]),
    ),
    '',
    `## ${t('ref-operations')}`,
    '',
    ...sections.flat(),
    `## ${t('ref-commands')}`,
    '',
    t('ref-commands-intro'),
    '',
    ...table(
      [t('ref-command'), t('ref-summary'), t('ref-role'), t('ref-where')],
      commands.map((one) => [
        `\`/${one.name}\``,
        t(`cmd-${one.name}`),
        t(`ref-role-${one.role}`),
        one.scopes.map((scope) => t(`ref-${scope}`)).join(', '),
      ]),
    ),
    '',
    `## ${t('ref-shared')}`,
    '',
    ...table(
      [t('ref-option'), t('ref-summary')],
      SHARED.map(([option, key]) => [`\`${option}\``, t(key)]),
    ),
    '',
    t('ref-see-cli'),
  ];
  return `${lines.join('\n')}\n`;
}

/** As `sharedOptions` of main.ts declares them; test/unit/docs.test.ts compares the two. */
const SHARED = [
  ['--as <operator>', 'cli-as'],
  ['-y, --yes', 'cli-yes'],
  ['--typed <name>', 'cli-typed'],
  ['--code <digits>', 'cli-code'],
  ['--json', 'cli-json'],
] as const;

async function operationSection(operation: Operation, t: Translate): Promise<string[]> {
  const places = askable(operation);
  const rows = await Promise.all(
    places.map(async (argument) => [
      `\`${argument.name}\``,
      t(`${operation.key}-arg-${argument.name}`),
      await values(argument, t),
      necessity(argument, t),
    ]),
  );
  const facts = [
    [t('ref-role'), t(`ref-role-${operation.role}`)],
    [t('ref-risk'), t(`ref-risk-${operation.risk}`)],
    [t('ref-before'), t(`ref-approval-${operation.approval}`)],
    [t('ref-time'), limit(operation.timeoutMs, t)],
    [t('ref-afterwards'), t(operation.verifies ? 'ref-verifies' : 'ref-unverified')],
    [t('ref-crash'), t(operation.reconciles ? 'ref-reconciles' : 'ref-repeats')],
  ];
  return [
    `### ${operation.command.join(' ')}`,
    '',
    `${t(operation.key)}.`,
    '',
    '```text',
    usage(operation),
    commandLine(operation, places),
    '```',
    '',
    ...facts.map(([label = '', value = '']) => `- **${label}:** ${value}`),
    '',
    ...(rows.length === 0
      ? [t('ref-no-arguments')]
      : table([t('ref-argument'), t('ref-question'), t('ref-values'), ''], rows)),
    '',
  ];
}

/** `vakhta run backup pg --stanza STANZA [--type full|diff|incr]`, as main.ts builds it. */
function commandLine({ command }: Operation, places: readonly Argument[]): string {
  const [first = '', ...rest] = command;
  const options = places.map((argument) => {
    const option = `--${argument.name} ${argument.options?.join('|') ?? argument.name.toUpperCase()}`;
    return argument.required ? option : `[${option}]`;
  });
  return ['vakhta run', first, ...(rest.length > 0 ? [rest.join('-')] : []), ...options].join(' ');
}

function necessity(argument: Argument, t: Translate): string {
  if (argument.required) return t('ref-required');
  const { data } = argument.schema.safeParse(undefined);
  if (data === undefined) return t('ref-optional');
  return t('ref-default', { value: `\`${typeof data === 'string' ? data : JSON.stringify(data)}\`` });
}

/** Each list of the declared world under its own name, so that an argument's choices tell where they come from. */
const NAMES: Facts = {
  stanzas: ['stanzas'],
  endpoints: ['endpoints'],
  operators: [],
  guests: () => Promise.resolve(['guests']),
  engines: ['engines'],
  containers: () => Promise.resolve(['containers']),
  backupTargets: () => Promise.resolve(['backup-targets']),
  drillTargets: () => Promise.resolve(['drill-targets']),
  checkTargets: ['check-targets'],
  volumes: ['volumes'],
  resticSets: ['restic-sets'],
  offsiteSets: ['offsite-sets'],
  restorable: () => Promise.resolve({}),
};

async function values(argument: Argument, t: Translate): Promise<string> {
  if (argument.options) return argument.options.map((one) => `\`${one}\``).join(', ');
  const [source] = (await argument.choices?.(NAMES, {}, { zone: 'UTC', now: new Date(0) })) ?? [];
  if (typeof source === 'string' && t.has(`ref-from-${source}`)) return t(`ref-from-${source}`);
  const takesText = argument.schema.safeParse('text').success;
  return t(!takesText && argument.schema.safeParse('1').success ? 'ref-number' : 'ref-any');
}

function limit(ms: number, t: Translate): string {
  if (ms < 120_000) return t('ref-seconds', { n: ms / 1000 });
  return ms < 7_200_000 ? t('ref-minutes', { n: ms / 60_000 }) : t('ref-hours', { n: ms / 3_600_000 });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
