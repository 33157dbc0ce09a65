import { type Block, bold, type Button, type Inlines, line } from '../../../core/doc.ts';
import { defineMessages } from '../../../core/i18n.ts';
import { holds } from '../../../core/people.ts';
import { type Comments, comments } from '../../../store/comments.ts';
import type { Incident } from '../../../store/incidents.ts';
import { calledPeople, lastPage, ledBy } from '../../../store/pages.ts';
import type { CardContext } from '../define.ts';
import { clip, type DrawingContext } from './alerts.ts';
import { clock, operationButton } from './common.ts';
import type { Drawing, Fact, View } from './part.ts';

export const messages = defineMessages({
  en: `
    incident-called = Called
    incident-comment = Comment
    incident-comments-n = { $n } in all
    incident-page-rest = { $n ->
        [one] Another incident has nobody either: see the chat.
       *[other] { $n } more incidents have nobody either: see the chat.
    }
    incident-handover = 👥 Hand over…
    incident-handover-who = Who takes incident #{ $id } over? They are told in private.
    incident-handover-hint = To leave a comment, reply to this message.
  `,
  ru: `
    incident-called = Отправлен вызов
    incident-comment = Комментарий
    incident-comments-n = всего { $n }
    incident-page-rest = { $n ->
        [one] Ещё { $n } инцидентом никто не занимается: смотрите чат.
       *[other] Ещё { $n } инцидентами никто не занимается: смотрите чат.
    }
    incident-handover = 👥 Передать…
    incident-handover-who = Кому передать инцидент #{ $id }? Бот напишет человеку лично.
    incident-handover-hint = Чтобы оставить комментарий, ответьте на это сообщение.
  `,
});

/** What people said, and who was called. */
export interface PeopleExtras {
  readonly comments?: Comments | undefined;
  /** Newest first; only while nobody has it. */
  readonly called: readonly { readonly person: string; readonly at: Date }[];
  /** In the private chat of somebody who was called: why, and for how many other incidents the same message speaks. */
  readonly page?: { readonly why: string; readonly rest: number } | undefined;
  /** Who may take it over. */
  readonly takers: readonly { readonly id: string; readonly name: string }[];
}

const COMMENT_MAX = 160;
const CALLED_MAX = 4;
const PEOPLE_MAX = 12;
const ROW = 3;

export async function loadPeople(context: CardContext, row: Incident): Promise<PeopleExtras> {
  const { q, reader, config } = context;
  const isOpen = row.state === 'firing' && row.owner === undefined;
  const [said, called, page] = await Promise.all([
    comments(q, row.id),
    isOpen ? calledPeople(q, row.id, row.startedAt) : [],
    isOpen && reader ? lastPage(q, row.id, reader.id) : undefined,
  ]);
  const takers = config.operators.filter(({ id, role }) => holds(role, 'operator') && id !== row.owner);
  if (!page) return { comments: said, called, takers };
  const rest = await ledBy(q, page.id);
  return { comments: said, called, takers, page: { why: whyText(context, page.why), rest } };
}

/** The sentence that says why somebody is called; ids of people become names. */
export function whyText(
  { t, people }: Pick<DrawingContext, 't' | 'people'>,
  { key, args = {} }: { readonly key: string; readonly args?: Readonly<Record<string, string | number>> | undefined },
): string {
  const { who } = args;
  return t(key, typeof who === 'string' ? { ...args, who: people(who)?.name ?? who } : args);
}

export function peopleFacts({ context, row, extras }: Drawing): readonly Fact[] {
  const { t, people } = context;
  const { called = [], comments: said } = extras.people ?? {};
  const nameOf = (id: string): string => people(id)?.name ?? id;
  const facts: Fact[] = [];
  if (called.length > 0 && row.owner === undefined) {
    const names = called.slice(0, CALLED_MAX).map(({ person, at }) => `${nameOf(person)} ${clock(context, at)}`);
    facts.push([t('incident-called'), names.toReversed().join(' · ')]);
  }
  if (said) {
    const { last, count } = said;
    const words = clip(last.text.replace(/\s+/gu, ' '), COMMENT_MAX);
    const all = count > 1 ? ` (${t('incident-comments-n', { n: count })})` : '';
    const value: Inlines = [bold(nameOf(last.who)), ` ${clock(context, last.at)}: ${words}${all}`];
    facts.push([t('incident-comment'), value]);
  }
  return facts;
}

/** Why this person was called, in their private chat. */
export function pageBlocks({ context: { t }, extras }: Drawing): readonly Block[] {
  const page = extras.people?.page;
  if (!page) return [];
  const rest = page.rest > 0 ? ` ${t('incident-page-rest', { n: page.rest })}` : '';
  return [line(bold(`🔔 ${page.why}${rest}`))];
}

/** A choice of the people who may take it. */
export function handOverView({ context: { t }, row, extras }: Drawing): View | undefined {
  if (row.state === 'resolved') return undefined;
  const buttons = (extras.people?.takers ?? [])
    .slice(0, PEOPLE_MAX)
    .map(({ id, name }): Button => operationButton(row, name, 'handover', { person: id }));
  const rows = Array.from({ length: Math.ceil(buttons.length / ROW) }, (_, n) => buttons.slice(n * ROW, (n + 1) * ROW));
  return {
    blocks: [line(t('incident-handover-who', { id: String(row.id) })), line(t('incident-handover-hint'))],
    rows,
  };
}
