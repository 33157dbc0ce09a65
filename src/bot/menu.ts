import { createHash } from 'node:crypto';
import type { BotCommand, BotCommandScope } from '@grammyjs/types';
import type { Api } from 'grammy';
import type { Config } from '../config/schema.ts';
import type { Catalogue, Translate } from '../core/i18n.ts';
import { holds, type Language, type Role } from '../core/people.ts';
import type { Log } from '../core/log.ts';
import { firstCodePoints } from './render/text.ts';
import type { Command, Scope } from '../handlers/commands/define.ts';
import type { Clock } from '../core/clock.ts';
import { block, chatStates } from '../store/chats.ts';
import { get, set } from '../store/conversations.ts';
import type { Database } from '../store/db.ts';
import type { Operation } from '../tasks/define.ts';
import { classify, loggable } from './outbox/classify.ts';

export interface Menu {
  readonly scope: BotCommandScope;
  readonly language_code?: Language;
  readonly commands: readonly BotCommand[];
}

const MAX_COMMANDS = 100;
const MAX_DESCRIPTION = 256;

/** What a person of this role may type there; operations by the first word of their command. */
export function menuFor(
  role: Role,
  scope: Scope,
  t: Translate,
  operations: Iterable<Operation>,
  commands: readonly Command[],
): BotCommand[] {
  const entries = new Map<string, string>();
  for (const one of commands) {
    if (one.scopes.includes(scope) && (one.role === 'anyone' || holds(role, one.role)))
      entries.set(one.name, t(`cmd-${one.name}`));
  }
  const words = new Map<string, string[]>();
  for (const one of operations) {
    const [word = ''] = one.command;
    if (one.unlisted || entries.has(word) || !holds(role, one.role) || !/^[a-z0-9_]{1,32}$/.test(word)) continue;
    words.set(word, [...(words.get(word) ?? []), t(one.key)]);
  }
  for (const [word, summaries] of words) entries.set(word, summaries.join(' · '));
  return [...entries]
    .slice(0, MAX_COMMANDS)
    .map(([command, description]) => ({ command, description: firstCodePoints(description, MAX_DESCRIPTION) }));
}

/**
 * Strangers see an empty menu, each operator in private what the role allows, a group what its members may look at; in
 * private the person's own language decides, in a group that of each reader.
 */
export function menus(
  config: Config,
  languageOf: (operator: string) => Language | undefined,
  catalogue: Catalogue,
  operations: Iterable<Operation>,
  commands: readonly Command[],
): Menu[] {
  const all = [...operations];
  const make = (role: Role, scope: Scope, language: Language) =>
    menuFor(role, scope, catalogue.for(language), all, commands);
  const result: Menu[] = [{ scope: { type: 'default' }, commands: [] }];
  for (const operator of config.operators) {
    const language = languageOf(operator.id) ?? operator.language;
    result.push({
      scope: { type: 'chat', chat_id: operator.telegramId },
      commands: make(operator.role, 'private', language),
    });
  }
  for (const chat of config.chats) {
    if (chat.chatId > 0) continue;
    result.push({ scope: { type: 'chat', chat_id: chat.chatId }, commands: make('viewer', 'group', chat.language) });
    for (const operator of config.operators) {
      const language = languageOf(operator.id) ?? operator.language;
      result.push({
        scope: { type: 'chat_member', chat_id: chat.chatId, user_id: operator.telegramId },
        commands: make(operator.role, 'group', language),
      });
    }
  }
  return result;
}

const STATE_KEY = 'menu';

/**
 * Tells Telegram the menus that changed since the last time. Never throws: without menus everything still works. A chat that
 * Telegram asked to wait for is left alone until then: it is told `signal` permitting, else the next time.
 */
export async function publishMenus(
  options: {
    readonly api: Api;
    readonly db: Database;
    readonly clock: Clock;
    readonly log: Log;
    readonly signal?: AbortSignal;
  },
  wanted: readonly Menu[],
): Promise<void> {
  for (let pending = wanted; pending.length > 0; ) {
    const { later, at } = await publishOnce(options, wanted, pending);
    pending = later;
    const { signal, clock } = options;
    if (pending.length === 0 || signal === undefined || signal.aborted) return;
    await clock.sleep(Math.max(1000, at - clock.now().getTime()), signal).catch(() => {});
  }
}

/** One pass; which menus have to wait, and until when (ms). */
async function publishOnce(
  options: { readonly api: Api; readonly db: Database; readonly clock: Clock; readonly log: Log },
  wanted: readonly Menu[],
  pending: readonly Menu[],
): Promise<{ readonly later: readonly Menu[]; readonly at: number }> {
  const { api, db, clock, log } = options;
  try {
    const before = asRecord(await get(db, STATE_KEY));
    const after: Record<string, string> = {};
    const later: Menu[] = [];
    let at = Infinity;
    const wait = (menu: Menu, name: string, until: number): void => {
      delete after[name];
      later.push(menu);
      at = Math.min(at, until);
    };
    for (const menu of wanted) {
      const name = JSON.stringify(menu.scope);
      const hash = createHash('sha256').update(JSON.stringify(menu.commands)).digest('base64url');
      if (!pending.includes(menu)) {
        const known = before[name];
        if (typeof known === 'string') after[name] = known;
        continue;
      }
      after[name] = hash;
      if (before[name] === hash) continue;
      const chat = 'chat_id' in menu.scope ? Number(menu.scope.chat_id) : undefined;
      const blocked = chat === undefined ? 0 : await blockedUntil(db, chat);
      if (blocked > clock.now().getTime()) {
        wait(menu, name, blocked);
        continue;
      }
      try {
        const scope = { scope: menu.scope };
        if (menu.commands.length === 0) await api.deleteMyCommands(scope);
        else await api.setMyCommands([...menu.commands], scope);
      } catch (error) {
        const failure = classify(error);
        if (failure.kind === 'flood' && chat !== undefined) {
          const until = clock.now().getTime() + failure.retryAfterMs + 250;
          await block(db, chat, new Date(until));
          wait(menu, name, until);
          continue;
        }
        // A person who never started the bot, a group it is not in: tried again at the next start.
        delete after[name];
        log.debug({ ...loggable(error), scope: name }, 'a command menu was not set');
      }
    }
    await set(db, STATE_KEY, after, clock.now());
    return { later, at };
  } catch (error) {
    log.warn(loggable(error), 'the command menus were not set');
    return { later: [], at: 0 };
  }
}

const blockedUntil = async (db: Database, chat: number): Promise<number> =>
  (await chatStates(db, [chat])).get(chat)?.blockedUntil?.getTime() ?? 0;

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
