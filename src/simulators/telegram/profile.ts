import { codePoints } from './code-points.ts';
import { badRequest } from './api-error.ts';
import type { ChatState } from './chats.ts';
import { isRecord, type Params } from './params.ts';

export interface BotCommand {
  readonly command: string;
  readonly description: string;
}

const SCOPES = [
  'default',
  'all_private_chats',
  'all_group_chats',
  'all_chat_administrators',
  'chat',
  'chat_administrators',
  'chat_member',
];

/** What the bot says of itself: commands by scope and language, name, descriptions, menu button. */
export class Profile {
  readonly #commands = new Map<string, readonly BotCommand[]>();
  /** `name`, `description`, `short_description` by language ('' for all). */
  readonly texts = new Map<string, string>();
  readonly menuButtons = new Map<number, object>();

  setCommands(params: Params): void {
    this.#commands.set(key(scopeOf(params), language(params)), parseCommands(params));
  }

  deleteCommands(params: Params): void {
    this.#commands.delete(key(scopeOf(params), language(params)));
  }

  commands(params: Params): readonly BotCommand[] {
    return this.#commands.get(key(scopeOf(params), language(params))) ?? [];
  }

  /** The menu that one person sees in one chat: the narrowest scope wins, their language before all languages. */
  commandsFor(chat: ChatState, personId: number, languageCode: string): readonly BotCommand[] {
    const admin = chat.admins.has(personId);
    const scopes =
      chat.type === 'private'
        ? [`chat:${chat.id}`, 'all_private_chats', 'default']
        : [
            `chat_member:${chat.id}:${personId}`,
            ...(admin ? [`chat_administrators:${chat.id}`] : []),
            `chat:${chat.id}`,
            ...(admin ? ['all_chat_administrators'] : []),
            'all_group_chats',
            'default',
          ];
    for (const scope of scopes) {
      const found = this.#commands.get(key(scope, languageCode)) ?? this.#commands.get(key(scope, ''));
      if (found !== undefined) return found;
    }
    return [];
  }
}

const key = (scope: string, language: string): string => `${scope}/${language}`;

/** A two-letter ISO 639-1 code; empty for all languages. */
export function language(params: Params): string {
  const code = params.text('language_code');
  if (code !== '' && !/^[a-z]{2}$/.test(code)) throw badRequest('invalid language code specified');
  return code;
}

function scopeOf(params: Params): string {
  const scope = params.json('scope', 'BotCommandScope');
  if (scope === undefined) return 'default';
  const fail = (text: string) => badRequest(`can't parse BotCommandScope: ${text}`);
  if (!isRecord(scope)) throw fail('BotCommandScope must be an Object');
  const type = scope['type'];
  if (typeof type !== 'string' || !SCOPES.includes(type)) throw fail('unsupported type specified');
  if (!type.startsWith('chat')) return type;
  const chat = Number(scope['chat_id']);
  if (!Number.isSafeInteger(chat) || chat === 0) throw fail('chat_id is empty');
  if (type !== 'chat_member') return `${type}:${chat}`;
  const user = Number(scope['user_id']);
  if (!Number.isSafeInteger(user) || user === 0) throw fail('invalid user_id specified');
  return `${type}:${chat}:${user}`;
}

function parseCommands(params: Params): readonly BotCommand[] {
  const commands = params.json('commands', 'commands');
  if (commands === undefined) return [];
  if (!Array.isArray(commands)) throw badRequest('expected an Array of BotCommand');
  if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
  const fail = (text: string) => badRequest(`can't parse BotCommand: ${text}`);
  return commands.map((entry: unknown) => {
    if (!isRecord(entry)) throw fail('expected an Object');
    const { command, description } = entry;
    if (typeof command !== 'string') throw fail(`Can't find field "command"`);
    if (typeof description !== 'string') throw fail(`Can't find field "description"`);
    const name = command.replace(/^\//, '');
    if (!/^[a-z0-9_]{1,32}$/.test(name)) throw badRequest('BOT_COMMAND_INVALID');
    const length = codePoints(description.trim());
    if (length < 1 || length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
    return { command: name, description: description.trim() };
  });
}
