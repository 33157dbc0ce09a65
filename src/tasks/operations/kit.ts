import { z } from 'zod';
import { minutes } from '../../core/clock.ts';
import { bold, code, doc, facts, type Inlines, line, time } from '../../core/doc.ts';
import { formatBytes } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { kitMade } from '../kit/desk.ts';

export const messages = defineMessages({
  en: `
    op-kit = Make the emergency kit: all that is needed when everything is gone
    kit-plan = a new emergency kit is made and encrypted for { $n ->
        [one] { $n } key
       *[other] { $n } keys
    }
    kit-plan-offsite = a copy goes to { $host }
    kit-plan-here = it stays on this machine only: kit.offsite is not set
    kit-name = Name
    kit-size = Size
    kit-size-files = { $size }, { $n } files
    kit-made = Made
    kit-offsite = Elsewhere
    kit-offsite-ok = { $host }, as sent
    kit-here-only = Only here. With this machine the kit is lost too: set kit.offsite.
    kit-missing = Not in it
    kit-missing-config = the configuration
    kit-missing-database = anything of the database, which did not answer
    kit-missing-board = the backups, nobody has looked yet
    kit-missing-inventory = the guests, nobody has looked yet
    kit-open = Opened by:
  `,
  ru: `
    op-kit = Создать аварийный набор: всё, что нужно, когда не осталось ничего
    kit-plan = создаётся новый аварийный набор, шифруется для { $n ->
        [one] { $n } ключа
       *[other] { $n } ключей
    }
    kit-plan-offsite = копия уходит на { $host }
    kit-plan-here = он останется только на этой машине: kit.offsite не задан
    kit-name = Имя
    kit-size = Размер
    kit-size-files = { $size }, файлов: { $n }
    kit-made = Создан
    kit-offsite = Вне площадки
    kit-offsite-ok = { $host }, сверено
    kit-here-only = Только здесь. С этой машиной пропадёт и набор: задайте kit.offsite.
    kit-missing = Чего в нём нет
    kit-missing-config = конфигурации
    kit-missing-database = ничего из базы: она не отвечает
    kit-missing-board = копий: на них ещё не смотрели
    kit-missing-inventory = гостей: на них ещё не смотрели
    kit-open = Открыть:
  `,
});

export default defineOperation({
  name: 'kit',
  messages,
  role: 'admin',
  risk: 'change',
  args: z.object({}),
  result: kitMade,
  ports: ['kit'],
  timeoutMs: minutes(10),
  locks: () => ['kit'],
  plan: async ({ ports }) => {
    const { recipients, offsite } = ports.kit.settings();
    const where = offsite ? { key: 'kit-plan-offsite', args: { host: offsite.host } } : { key: 'kit-plan-here' };
    return { target: 'kit', lines: [{ key: 'kit-plan', args: { n: recipients.length } }, where] };
  },
  run: async ({ ports, clock, signal, progress, remember }) => {
    const name = ports.kit.nameOf(clock.now());
    await remember({ name });
    const result = await ports.kit.make(signal, { name, progress });
    return { state: result.offsite?.error || result.missing.length > 0 ? 'warning' : 'succeeded', result };
  },
  verify: ({ ports, signal }, _args, result) => ports.kit.seen(result, signal),
  reconcile: async ({ ports, signal }, _args, external) => {
    const name = z.string().optional().parse(external?.['name']);
    if (name === undefined) return { state: 'again' };
    const made = await ports.kit.noted(name);
    // Making one again harms nothing: it is another file, or the same one under the same name.
    if (!made || !(await ports.kit.seen(made, signal)).ok) return { state: 'again' };
    return { state: made.offsite?.error || made.missing.length > 0 ? 'warning' : 'succeeded', result: made };
  },
  report: ({ name, bytes, files, at, offsite, missing }, _args, { t }) => {
    const error = offsite?.error;
    const elsewhere: Inlines = !offsite
      ? t('kit-here-only')
      : error
        ? bold(t(error.key, error.args))
        : t('kit-offsite-ok', { host: offsite.host });
    return doc(
      facts(
        [t('kit-name'), code(name)],
        [t('kit-size'), t('kit-size-files', { size: formatBytes(bytes, t), n: files })],
        [t('kit-made'), time(at)],
        [t('kit-offsite'), elsewhere],
        ...(missing.length > 0
          ? [[t('kit-missing'), missing.map((one) => t(`kit-missing-${one}`)).join('; ')] as const]
          : []),
      ),
      line(`${t('kit-open')} `, code(`age -d -i key.txt ${name} | tar x`)),
    );
  },
});
