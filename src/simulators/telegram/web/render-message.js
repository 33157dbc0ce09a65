import { fileUrl } from './api.js';
import { h, icon } from './dom.js';
import { clock, fileSize, fullDate, hue, userName } from './format.js';
import { t } from './i18n.js';
import { renderKeyboard } from './render-keyboard.js';
import { plainText, renderText } from './render-text.js';
import { repliedTo } from './state.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').PhotoSize} PhotoSize */
/** @typedef {import('./types.js').DocumentFile} DocumentFile */

/**
 * @typedef {import('./render-text.js').TextContext & {
 *   mine: boolean, named: boolean, pending: Set<string>,
 *   jump: (id: number) => void, reply: (message: Message) => void, viewPhoto: (url: string, alt: string) => void,
 *   press: (message: Message, row: number, col: number) => void,
 * }} MessageContext
 */

/** The bubble of a message and its buttons. @param {Message} message @param {MessageContext} context @returns {HTMLElement} */
export function renderMessage(message, context) {
  const body = message.text ?? message.caption ?? '';
  const entities = message.text === undefined ? message.caption_entities : message.entities;
  const bubble = h('div', { class: 'bubble' });
  const sender = message.sender_chat?.title ?? userName(message.from);
  if (context.named) {
    const id = message.sender_chat?.id ?? message.from?.id ?? 0;
    bubble.append(h('div', { class: 'sender', data: { hue: message.from?.is_bot ? 'bot' : hue(id) } }, sender));
  }
  const target = repliedTo(message);
  if (target) bubble.append(replyQuote(target, message.quote?.text, context));
  const photo = message.photo?.at(-1);
  if (photo) bubble.append(renderPhoto(photo, body, context));
  if (message.document) bubble.append(renderDocument(message.document));
  const known = body !== '' || photo || message.document;
  const text = h('div', { class: 'text', dir: 'auto' });
  if (body !== '') text.append(renderText(body, entities, context));
  if (!known) text.append(h('em', { class: 'unsupported' }, t('unsupported')));
  text.append(meta(message, context.mine));
  if (onlyEmoji(body, entities)) text.classList.add('jumbo');
  bubble.append(text);
  bubble.classList.toggle('media', Boolean(photo));
  bubble.classList.toggle('bare', Boolean(photo) && body === '');

  const column = h('div', { class: 'column' }, bubble);
  const rows = message.reply_markup?.inline_keyboard;
  if (rows?.length) column.append(renderKeyboard(message, rows, context));
  return column;
}

/** @param {Message} message @param {boolean} mine */
function meta(message, mine) {
  const edited = message.edit_date !== undefined;
  return h(
    'span',
    { class: 'meta', title: fullDate(message.date) },
    edited && h('span', { class: 'edited', title: fullDate(message.edit_date ?? 0) }, t('edited')),
    h('time', { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)),
    mine && icon('ticks'),
  );
}

/** One line that stands for a message: in the chat list, quotes and the pinned bar. @param {Message} message @returns {string} */
export function excerpt(message) {
  const text =
    message.text === undefined
      ? plainText(message.caption ?? '', message.caption_entities)
      : plainText(message.text, message.entities);
  if (message.photo) return text || t('photo');
  if (message.document) return text || message.document.file_name || t('document');
  return text || serviceText(message) || t('unsupported');
}

/** @param {Message} target @param {string | undefined} quoted @param {MessageContext} context */
function replyQuote(target, quoted, context) {
  const name = target.sender_chat?.title ?? userName(target.from);
  return h(
    'button',
    {
      type: 'button',
      class: 'reply-quote',
      data: { hue: target.from?.is_bot ? 'bot' : hue(target.from?.id ?? 0) },
      on: { click: () => context.jump(target.message_id) },
    },
    h('span', { class: 'reply-name' }, name),
    h('span', { class: 'reply-text' }, quoted ?? excerpt(target)),
  );
}

/** @param {PhotoSize} photo @param {string} caption @param {MessageContext} context */
function renderPhoto(photo, caption, context) {
  const alt = caption.split('\n')[0] || t('photo');
  const url = fileUrl(photo.file_id);
  const image = h('img', {
    src: url,
    alt,
    width: photo.width || null,
    height: photo.height || null,
    decoding: 'async',
  });
  return h(
    'button',
    {
      type: 'button',
      class: 'photo',
      'aria-label': `${t('openPhoto')}: ${alt}`,
      on: { click: () => context.viewPhoto(url, alt) },
    },
    image,
  );
}

/** @param {DocumentFile} file */
function renderDocument(file) {
  const name = file.file_name ?? t('document');
  const size = file.file_size === undefined ? '' : fileSize(file.file_size);
  const extension = /\.([a-z0-9]{1,4})$/i.exec(name)?.[1];
  return h(
    'a',
    {
      class: 'document',
      href: fileUrl(file.file_id),
      download: name,
      'aria-label': `${t('download')}: ${name}, ${size}`,
    },
    h('span', { class: 'document-icon' }, extension ? h('span', null, extension.toUpperCase()) : icon('file')),
    h('span', { class: 'document-name' }, name),
    h('span', { class: 'document-size' }, [size, t('download')].filter(Boolean).join(' · ')),
  );
}

/** Up to three emoji alone are drawn large. @param {string} text @param {readonly object[]} [entities] */
function onlyEmoji(text, entities) {
  if (entities?.length || text.length === 0 || text.length > 24) return false;
  return /^(\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]*(\u200D\p{Extended_Pictographic}\uFE0F?)*){1,3}$/u.test(
    text,
  );
}

/** The sentence of a service message; undefined for ordinary ones. @param {Message} message @returns {string | undefined} */
export function serviceText(message) {
  const name = message.sender_chat?.title ?? userName(message.from);
  if (message.pinned_message) return t('pinnedBy', { name, what: shorten(excerpt(message.pinned_message)) });
  if (message.forum_topic_created) return t('topicCreated', { what: message.forum_topic_created.name });
  if (message.forum_topic_edited) return t('topicEdited', { what: message.forum_topic_edited.name ?? '' });
  if (message.forum_topic_closed) return t('topicWasClosed', { name });
  if (message.forum_topic_reopened) return t('topicReopened', { name });
  if (message.new_chat_members) return t('joined', { name, what: message.new_chat_members.map(userName).join(', ') });
  if (message.left_chat_member) return t('left', { what: userName(message.left_chat_member) });
  if (message.new_chat_title) return t('renamed', { name, what: message.new_chat_title });
  if (message.migrate_to_chat_id || message.migrate_from_chat_id) return t('migrated');
  return undefined;
}

/** @param {string} text */
const shorten = (text) => (text.length > 40 ? `${[...text].slice(0, 38).join('')}…` : text);
