import { z } from 'zod';
import { hours, minutes } from '../../core/clock.ts';
import { bold, code, doc, type Doc, type Inlines, line, quote, time, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { missingSchema } from '../evidence/graph.ts';
import { LINES, type LogLine, logLinesSchema, MOMENTS } from '../evidence/logs.ts';

export const messages = defineMessages({
  en: `
    op-logs = Last log lines of an incident's target
    op-logs-arg-incident = Which incident? Its number stands on the card.
    op-logs-arg-until = The newest lines, or those around its beginning?
    logs-head = Log of { $where }
    logs-start = up to its beginning
    logs-in-file = Shortened; everything is in the file { $file }.
    logs-now = ↻ Newest lines
    logs-at-start = ⏮ Around the beginning
    logs-none = No log lines for #{ $id }
    evidence-logs-not-configured = No logs are configured: section logs says where the lines of an alert are found.
    evidence-logs-no-source = No entry of section logs matches the labels of this alert.
    evidence-logs-no-loki = The entry of section logs asks Loki, but section loki is missing.
    evidence-logs-no-host = Host “{ $host }” is not declared in section hosts.
    evidence-logs-no-lines = { $where } has logged nothing. It may also be that the user who logs in may not read it (group systemd-journal or adm).
    err-logs-refused = The log of { $where } could not be read: { $why }
    err-logs-label = Label { $label } has the value “{ $value }”, which is no name. Nothing was run.
  `,
  ru: `
    op-logs = Последние строки журнала по инциденту
    op-logs-arg-incident = Какой инцидент? Номер есть на карточке.
    op-logs-arg-until = Самые новые строки или те, что у начала?
    logs-head = Журнал { $where }
    logs-start = к началу инцидента
    logs-in-file = Сокращено; целиком — в файле { $file }.
    logs-now = ↻ Самые новые
    logs-at-start = ⏮ У начала
    logs-none = Строк журнала для #{ $id } нет
    evidence-logs-not-configured = Журналы не настроены: раздел logs говорит, где искать строки алерта.
    evidence-logs-no-source = Ни одна запись раздела logs не подходит к меткам этого алерта.
    evidence-logs-no-loki = Запись раздела logs обращается к Loki, но раздела loki нет.
    evidence-logs-no-host = Хост «{ $host }» не объявлен в разделе hosts.
    evidence-logs-no-lines = В журнале { $where } ничего нет. Возможно, учётной записи бота нельзя его читать (группа systemd-journal или adm).
    err-logs-refused = Журнал { $where } прочитать не удалось: { $why }
    err-logs-label = В метке { $label } стоит «{ $value }», это не имя. Ничего не запущено.
  `,
});

/** Code points of one line, and of all lines in the message; the file has the rest. */
const LINE_MAX = 300;
const TOTAL_MAX = 3000;
/** An older line says of which day it is. */
const DATED_MS = hours(12);

export default defineOperation({
  name: 'logs',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ incident: z.coerce.number().int().positive(), until: z.enum(MOMENTS).default('now') }),
  result: z.discriminatedUnion('kind', [logLinesSchema, missingSchema]),
  ports: ['evidence'],
  timeoutMs: minutes(1),
  plan: (_context, { incident }) => Promise.resolve({ target: `#${incident}`, lines: [] }),
  run: async ({ ports, signal }, { incident, until }) => {
    const result = await ports.evidence.logs(incident, until, signal);
    return { state: result.kind === 'lines' ? 'succeeded' : 'warning', result };
  },
  report: (result, { incident, until }, { t, now }): Doc => {
    if (result.kind === 'missing') {
      return doc(
        title('unknown', t('logs-none', { id: incident })),
        line(t(`evidence-logs-${result.why}`, result.args)),
      );
    }
    const press = (label: string, moment: typeof until) => ({
      kind: 'press' as const,
      label,
      press: { kind: 'operation' as const, operation: 'logs', args: { incident, until: moment } },
    });
    const { shown, isCut } = shorten(result.lines, now);
    const name = `log-${incident}.txt`;
    return {
      blocks: [
        line(
          bold(t('logs-head', { where: result.where })),
          ' · ',
          code(`#${incident}`),
          ...(until === 'start' ? [` · ${t('logs-start')}`] : []),
        ),
        quote(shown, shown.length > 8),
        ...(isCut ? [line(t('logs-in-file', { file: name }))] : []),
      ],
      buttons: [[press(t('logs-now'), 'now'), press(t('logs-at-start'), 'start')]],
      ...(isCut ? { file: { name, text: wholeText(result.lines) } } : {}),
    };
  },
});

/** The newest lines that fit, in their order. */
function shorten(lines: readonly LogLine[], now: Date): { shown: Inlines[]; isCut: boolean } {
  let left = TOTAL_MAX;
  let isCut = lines.length > LINES;
  const shown: Inlines[] = [];
  for (const { at, text } of lines.toReversed()) {
    const points = Array.from(text);
    const short = points.slice(0, Math.min(LINE_MAX, left)).join('');
    if (left < 40) {
      isCut = true;
      break;
    }
    left -= Array.from(short).length + 10;
    isCut ||= short !== text;
    const words = short === text ? text : `${short}…`;
    shown.unshift(at ? [time(at, now.getTime() - at.getTime() > DATED_MS ? 'date' : 'seconds'), ` ${words}`] : words);
  }
  return { shown, isCut };
}

const wholeText = (lines: readonly LogLine[]): string =>
  `${lines.map(({ at, text }) => (at ? `${at.toISOString()} ${text}` : text)).join('\n')}\n`;
