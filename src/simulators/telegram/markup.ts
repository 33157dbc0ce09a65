import { codePoints } from './code-points.ts';
import { badRequest } from './api-error.ts';
import { isRecord, type Params } from './params.ts';
import type { ChatType, InlineButton, InlineMarkup } from './types.ts';

const MAX_BUTTONS = 100;
const STYLES = ['danger', 'success', 'primary'];
/** Exactly one of these says what a button does; `disabled` makes it inert. */
const ACTIONS = [
  'callback_data',
  'url',
  'web_app',
  'login_url',
  'switch_inline_query',
  'switch_inline_query_current_chat',
  'switch_inline_query_chosen_chat',
  'copy_text',
  'callback_game',
  'pay',
  'disabled',
];

export interface ReplyMarkup {
  readonly inline?: InlineMarkup;
  /** A reply keyboard, its removal or a forced reply: such a message cannot be edited later. */
  readonly reply?: true;
}

/** Reads `reply_markup`. Throws the server's own words; an empty inline keyboard is none. */
export function parseMarkup(params: Params): ReplyMarkup {
  const markup = params.object('reply_markup', 'reply markup');
  if (markup === undefined) return {};
  if ('inline_keyboard' in markup) return inlineMarkup(markup['inline_keyboard']);
  if ('keyboard' in markup) {
    if (!isGrid(markup['keyboard'])) throw badRequest('field "keyboard" must be an Array of Arrays');
    return { reply: true };
  }
  return markup['remove_keyboard'] === true || markup['force_reply'] === true ? { reply: true } : {};
}

/** The checks that Telegram itself makes, after the Bot API server has understood the markup. */
export function checkMarkup(markup: ReplyMarkup, chat: ChatType): void {
  const buttons = markup.inline?.inline_keyboard.flat() ?? [];
  if (buttons.length > MAX_BUTTONS) throw badRequest('reply markup is too long');
  for (const button of buttons) {
    if (button.callback_data !== undefined) {
      const bytes = Buffer.byteLength(button.callback_data);
      if (bytes < 1 || bytes > 64) throw badRequest('BUTTON_DATA_INVALID');
    }
    if (button['web_app'] !== undefined && chat !== 'private') throw badRequest('BUTTON_TYPE_INVALID');
    if (isRecord(button['copy_text'])) {
      const text = button['copy_text']['text'];
      if (typeof text !== 'string' || text === '' || codePoints(text) > 256)
        throw badRequest('BUTTON_COPY_TEXT_INVALID');
    }
    if (button.text.trim() === '') throw badRequest('BUTTON_TEXT_INVALID');
  }
}

function inlineMarkup(rows: unknown): ReplyMarkup {
  if (!isGrid(rows)) throw badRequest('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays');
  const keyboard = rows.map((row) => row.map(parseButton)).filter((row) => row.length > 0);
  return keyboard.length === 0 ? {} : { inline: { inline_keyboard: keyboard } };
}

const isGrid = (rows: unknown): rows is unknown[][] => Array.isArray(rows) && rows.every((row) => Array.isArray(row));

function parseButton(button: unknown): InlineButton {
  const fail = (text: string) => badRequest(`can't parse inline keyboard button: ${text}`);
  if (!isRecord(button)) throw fail('InlineKeyboardButton must be an Object');
  const { text, style, url } = button;
  if (typeof text !== 'string') throw fail(`Can't find field "text"`);
  if (style !== undefined && (typeof style !== 'string' || !STYLES.includes(style)))
    throw fail('invalid button style specified');
  if (!ACTIONS.some((action) => button[action] !== undefined && button[action] !== null)) {
    throw fail('Text buttons are unallowed in the inline keyboard');
  }
  const data = button['callback_data'];
  if (data !== undefined && typeof data !== 'string') throw fail('Field "callback_data" must be of type String');
  if (url !== undefined && (typeof url !== 'string' || !isLink(url))) {
    throw badRequest(`inline keyboard button URL '${typeof url === 'string' ? url : ''}' is invalid: Wrong HTTP URL`);
  }
  return button as InlineButton;
}

function isLink(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'tg:') return true;
  // Telegram refuses names without a dot ("localhost") as links, addresses are fine.
  return (protocol === 'http:' || protocol === 'https:') && (hostname.includes('.') || hostname.startsWith('['));
}
