import { codePoints } from '../code-points.ts';
import { ApiError, badRequest } from '../api-error.ts';
import { isRecord, type Params } from '../params.ts';
import { language } from '../profile.ts';
import type { Context, Method, Methods } from './define.ts';

/** What concerns the bot itself, its files and its callback queries. */
export const ownMethods: Methods = {
  getMe: ({ world }) => ({
    ...world.bot,
    can_join_groups: true,
    can_read_all_group_messages: world.privacy === 'off',
    supports_guest_queries: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
  }),

  answerCallbackQuery: ({ world }, params) => {
    const text = params.text('text');
    if (codePoints(text) > 200) throw badRequest('MESSAGE_TOO_LONG');
    const open = world.closeQuery(params.text('callback_query_id'));
    if (open === undefined) throw badRequest('query is too old and response timeout expired or query ID is invalid');
    const url = params.text('url');
    world.emit({
      type: 'callback_answer',
      chat: open.chat,
      message_id: open.query.message.message_id,
      to: open.query.from.id,
      text,
      show_alert: params.bool('show_alert'),
      callback_query_id: open.query.id,
      ...(url === '' ? {} : { url }),
    });
    return true;
  },

  getFile: ({ files }, params) => {
    const id = params.text('file_id');
    if (id === '') throw badRequest('file_id not specified');
    const file = files.get(id);
    if (file === undefined) throw badRequest('wrong file_id or the file is temporarily unavailable');
    // A bot downloads 20 MB at most, although it may send 50.
    if (file.bytes.length > 20 * 1024 * 1024) throw badRequest('file is too big');
    return { file_id: id, file_unique_id: `AQAD${id.slice(-12)}`, file_size: file.bytes.length, file_path: file.path };
  },

  setMyCommands: ({ profile, world }, params) => {
    profile.setCommands(params);
    world.emit({ type: 'world', chat: 0 });
    return true;
  },
  deleteMyCommands: ({ profile, world }, params) => {
    profile.deleteCommands(params);
    world.emit({ type: 'world', chat: 0 });
    return true;
  },
  getMyCommands: ({ profile }, params) => profile.commands(params),

  setMyName: setText('name', 64),
  getMyName: getText('name'),
  setMyDescription: setText('description', 512),
  getMyDescription: getText('description'),
  setMyShortDescription: setText('short_description', 120),
  getMyShortDescription: getText('short_description'),

  setChatMenuButton: ({ profile, world }, params) => {
    const button = params.json('menu_button', 'menu button') ?? { type: 'default' };
    if (!isRecord(button)) throw badRequest("can't parse menu button: MenuButton must be an Object");
    if (!['default', 'commands', 'web_app'].includes(String(button['type']))) {
      throw badRequest("can't parse menu button: MenuButton has unsupported type");
    }
    profile.menuButtons.set(menuChat(world, params), button);
    return true;
  },
  getChatMenuButton: ({ profile, world }, params) =>
    profile.menuButtons.get(menuChat(world, params)) ?? profile.menuButtons.get(0) ?? { type: 'commands' },

  logOut: () => true,
  // The real server refuses `close` during the first ten minutes after its start.
  close: () => {
    throw new ApiError(429, 'Too Many Requests: retry after 600', { retry_after: 600 });
  },
};

function setText(name: string, longest: number): Method {
  return ({ profile, world }, params) => {
    const text = params.text(name).trim();
    if (codePoints(text) > longest) throw badRequest(`BOT_${name.toUpperCase()}_TOO_LONG`);
    profile.texts.set(`${name}/${language(params)}`, text);
    world.emit({ type: 'world', chat: 0 });
    return true;
  };
}

function getText(name: string): Method {
  return ({ profile, world }, params) => {
    const text = profile.texts.get(`${name}/${language(params)}`) ?? profile.texts.get(`${name}/`);
    return { [name]: text ?? (name === 'name' ? world.bot.first_name : '') };
  };
}

/** The private chat that a menu button is for; 0 for all. */
function menuChat(world: Context['world'], params: Params): number {
  if (!params.has('chat_id')) return 0;
  const chat = world.target(params);
  if (chat.type !== 'private') throw badRequest('private chat not found');
  return chat.id;
}
