import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { bold, type Button, code, type Doc, type Inline, line, list, time, title } from '../../core/doc.ts';
import { scenarioOfRunbook } from '../../core/dr.ts';
import { VakhtaError } from '../../core/error.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { markdownBlocks, markdownPages } from '../../core/markdown.ts';
import { defineOperation, type View } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-runbook = Runbooks: all of them by name, or one to read
    op-runbook-arg-name = Which one? Left out: the list.
    runbook-list = Runbooks · { $n }
    runbook-none = There are no runbooks
    runbook-how = Read one: /runbook NAME, also by the name of an alert.
    runbook-page = { $page } of { $pages }
    runbook-next = Next ▶
    runbook-previous = ◀ Back
    runbook-all = 📖 All runbooks
    runbook-start = 🧯 Walk through it…
    runbook-never = Nobody has walked through it yet
    runbook-last = Last walked through
    runbook-took = took { $took }
    err-runbook-unknown = There is no runbook “{ $name }”. /runbook lists them.
  `,
  ru: `
    op-runbook = Инструкции: список или текст одной
    op-runbook-arg-name = Какую показать? Не указано — список.
    runbook-list = Инструкции · { $n }
    runbook-none = Инструкций нет
    runbook-how = Прочесть: /runbook ИМЯ, годится и имя алерта.
    runbook-page = { $page } из { $pages }
    runbook-next = Дальше ▶
    runbook-previous = ◀ Назад
    runbook-all = 📖 Все инструкции
    runbook-start = 🧯 Пройти по шагам…
    runbook-never = По ней ещё никто не проходил
    runbook-last = Последний раз пройдена
    runbook-took = за { $took }
    err-runbook-unknown = Инструкции «{ $name }» нет. Список: /runbook.
  `,
});

const LISTED = 25;
/** With the title and the buttons this fits into one message, and is read without scrolling back. */
const PAGE_CHARACTERS = 2500;

const result_ = z.object({
  names: z.array(z.string()),
  read: z
    .object({
      name: z.string(),
      text: z.object({ en: z.string(), ru: z.string() }),
      scenario: z.string().exactOptional(),
      last: z.object({ at: z.coerce.date(), ms: z.number() }).exactOptional(),
    })
    .exactOptional(),
});
type Result = z.output<typeof result_>;

export default defineOperation({
  name: 'runbook',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ name: z.string().trim().min(1).max(80).optional() }),
  result: result_,
  ports: ['runbooks', 'dr'],
  inline: true,
  timeoutMs: seconds(10),
  plan: async (_context, { name }) => ({ target: name ?? 'runbook', lines: [] }),
  run: async ({ ports: { runbooks, dr } }, { name }) => {
    const names = [...(runbooks.names ?? [])];
    if (name === undefined) return { state: 'succeeded', result: { names } };
    const [en, ru] = [runbooks(name, 'en'), runbooks(name, 'ru')];
    if (en === undefined || ru === undefined) {
      throw new VakhtaError('usage', 'runbook-unknown', `no runbook ${name}`, { args: { name } });
    }
    const scenario = scenarioOfRunbook(name);
    const last = scenario && (await dr.last(scenario));
    const read = {
      name,
      text: { en, ru },
      ...(scenario ? { scenario } : {}),
      ...(last ? { last: { at: last.at, ms: last.ms } } : {}),
    };
    return { state: 'succeeded', result: { names: [], read } };
  },
  report: ({ names, read }, _args, view) => (read ? textDoc(read, view) : listDoc(names, view)),
});

function listDoc(names: readonly string[], view: View): Doc {
  const { t } = view;
  if (names.length === 0) return { blocks: [title('info', bold(t('runbook-none')))] };
  // What one looks for when everything burns comes first.
  const isDisaster = (name: string): boolean => scenarioOfRunbook(name) !== undefined;
  const sorted = [...names.filter(isDisaster), ...names.filter((name) => !isDisaster(name))];
  const { page, pages } = pageOf(view, Math.ceil(sorted.length / LISTED));
  return {
    blocks: [
      title('info', [bold(t('runbook-list', { n: names.length })), ...pageWords(page, pages, view)]),
      list(sorted.slice(page * LISTED, (page + 1) * LISTED).map((name) => code(name))),
      line(t('runbook-how')),
    ],
    buttons: turns(page, pages, view),
  };
}

function textDoc({ text, scenario, last }: NonNullable<Result['read']>, view: View): Doc {
  const { t, language } = view;
  const [, head = '', body = ''] = /^# (.+)\n([^]*)$/u.exec(text[language]) ?? ['', '', text[language]];
  const texts = markdownPages(body, PAGE_CHARACTERS);
  const { page, pages } = pageOf(view, texts.length);
  const walked: Inline[] = last
    ? [`${t('runbook-last')}: `, time(last.at), ` · ${t('runbook-took', { took: formatDuration(last.ms, t) })}`]
    : [t('runbook-never')];
  return {
    blocks: [
      title('info', [bold(head), ...pageWords(page, pages, view)]),
      ...(scenario === undefined ? [] : [line(...walked)]),
      ...markdownBlocks(texts[page] ?? ''),
    ],
    buttons: [
      ...turns(page, pages, view),
      [
        ...(scenario === undefined ? [] : [press(t('runbook-start'), 'dr.start', { scenario })]),
        press(t('runbook-all'), 'runbook', {}),
      ],
    ],
  };
}

function pageOf({ view = '' }: View, of: number): { readonly page: number; readonly pages: number } {
  const pages = Math.max(1, of);
  return { pages, page: Math.min(pages - 1, Math.max(0, Math.trunc(Number(view)) || 0)) };
}

const pageWords = (page: number, pages: number, { t }: View): string[] =>
  pages > 1 ? [` · ${t('runbook-page', { page: page + 1, pages })}`] : [];

function turns(page: number, pages: number, { t }: View): Button[][] {
  const turn = (label: string, to: number): Button => ({
    kind: 'press',
    label,
    press: { kind: 'view', view: String(to) },
  });
  const row = [
    ...(page > 0 ? [turn(t('runbook-previous'), page - 1)] : []),
    ...(page < pages - 1 ? [turn(t('runbook-next'), page + 1)] : []),
  ];
  return row.length > 0 ? [row] : [];
}

const press = (label: string, operation: string, args: Record<string, unknown>): Button => ({
  kind: 'press',
  label,
  press: { kind: 'operation', operation, args },
});
