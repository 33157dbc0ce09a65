import { type Block, bold, code, type Doc, doc, facts, gap, line, list, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { holds, type Operator } from '../../core/people.ts';
import type { Operation } from '../../tasks/define.ts';
import { askable, matchOperation, splitWords, usage } from '../command-line.ts';
import { type CommandContext, defineCommand } from './define.ts';

export const messages = defineMessages({
  en: `
    cmd-help = What you can do here
    help-title = What you can do, as { $role }
    help-look = Look
    help-act = Act
    help-marks = ✋ asks before it starts · 👥 needs a second person
    help-more = Details of one: /help backup
    help-none = I know no “{ $what }”. /help shows everything.
    help-role = Role
    help-before = Before it starts
    role-viewer = viewer
    role-operator = operator
    role-admin = administrator
    approval-none = nothing is asked
    approval-confirm = you see the plan and confirm
    approval-second = a second person approves the plan
    approval-destroy = you type the name and a code, then a second person approves
  `,
  ru: `
    cmd-help = Что здесь можно сделать
    help-title = Что вам доступно; роль — { $role }
    help-look = Посмотреть
    help-act = Сделать
    help-marks = ✋ спросит перед запуском · 👥 нужен второй человек
    help-more = Подробнее об одной: /help backup
    help-none = Не знаю «{ $what }». Всё, что есть, покажет /help.
    help-role = Роль
    help-before = Перед запуском
    role-viewer = наблюдатель
    role-operator = оператор
    role-admin = администратор
    approval-none = ничего не спрашивается
    approval-confirm = вы видите план и подтверждаете
    approval-second = план одобряет второй человек
    approval-destroy = вы вводите имя и код, затем одобряет второй человек
  `,
});

const MARKS = { none: '', confirm: ' ✋', second: ' 👥', destroy: ' ✋👥' } as const;

function overview({ t, commands, operations, operator, chat }: CommandContext & { operator: Operator }): Doc {
  const mine = commands.filter(
    (one) => one.scopes.includes(chat.scope) && (one.role === 'anyone' || holds(operator.role, one.role)),
  );
  const allowed = [...operations.values()].filter((one) => !one.unlisted && holds(operator.role, one.role));
  const commandLine = (name: string): string => `/${name} — ${t(`cmd-${name}`)}`;
  const operationLine = (one: Operation): string => `${usage(one)} — ${t(one.key)}${MARKS[one.approval]}`;
  const look = allowed.filter((one) => one.risk === 'read');
  const act = allowed.filter((one) => one.risk !== 'read');
  const blocks: Block[] = [
    line(bold(t('help-title', { role: t(`role-${operator.role}`) }))),
    gap,
    line(bold(t('help-look'))),
    list([...mine.map((one) => commandLine(one.name)), ...look.map(operationLine)]),
  ];
  if (act.length > 0) blocks.push(gap, line(bold(t('help-act'))), list(act.map(operationLine)), line(t('help-marks')));
  if (act.length > 0) blocks.push(line(t('help-more')));
  return doc(...blocks);
}

function details({ t }: CommandContext, operation: Operation): Doc {
  return doc(
    line(bold(t(operation.key))),
    line(code(usage(operation))),
    list(
      askable(operation).map((argument) => [code(argument.name), ` — ${t(`${operation.key}-arg-${argument.name}`)}`]),
    ),
    facts([t('help-role'), t(`role-${operation.role}`)], [t('help-before'), t(`approval-${operation.approval}`)]),
  );
}

export default defineCommand({
  name: 'help',
  role: 'viewer',
  scopes: ['private', 'group'],
  messages,
  run: (context) => {
    const { operator, args, t, operations } = context;
    if (!operator) return undefined;
    if (args === '') return overview({ ...context, operator });
    const words = splitWords(args.replace(/^\//, ''));
    const matched = matchOperation(operations.values(), words);
    if (matched.kind === 'operation') return details(context, matched.operation);
    if (matched.kind === 'family') {
      return doc(list(matched.operations.map((one) => `${usage(one)} — ${t(one.key)}${MARKS[one.approval]}`)));
    }
    return doc(title('question', t('help-none', { what: args })));
  },
});
