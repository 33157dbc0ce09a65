import { copyText, h, icon } from './dom.js';
import { entityTree, isBlock } from './entities.js';
import { dateTime, fullDate } from './format.js';
import { t } from './i18n.js';

/** @typedef {import('./types.js').Entity} Entity */
/** @typedef {import('./entities.js').EntityNode} EntityNode */

/**
 * What survives when a message is edited: revealed spoilers and opened quotes, by their order in the message.
 * @typedef {{ opened: Set<string>, command: (text: string) => void, toast: (text: string) => void }} TextContext
 */

const TAGS = /** @type {const} */ ({ bold: 'strong', italic: 'em', underline: 'u', strikethrough: 's', code: 'code' });
const SAFE_URL = /^(https?|tg|mailto|tel):/i;

/**
 * Draws text with entities as Telegram does.
 * @param {string} text @param {readonly Entity[] | undefined} entities @param {TextContext} context @returns {DocumentFragment}
 */
export function renderText(text, entities, context) {
  const fragment = document.createDocumentFragment();
  const counter = { spoilers: 0, quotes: 0 };
  renderNodes(fragment, entityTree(text, entities), context, counter);
  return fragment;
}

/**
 * @param {Node} parent @param {EntityNode[]} nodes @param {TextContext} context
 * @param {{ spoilers: number, quotes: number }} counter
 */
function renderNodes(parent, nodes, context, counter) {
  let afterBlock = false;
  for (const node of nodes) {
    if (typeof node === 'string') {
      // The line break after a block is the block's own: drawing it again would leave an empty line.
      const swallowed = afterBlock && node.startsWith('\n');
      if (swallowed) parent.appendChild(h('span', { hidden: true }, '\n'));
      parent.appendChild(document.createTextNode(swallowed ? node.slice(1) : node));
      afterBlock = false;
      continue;
    }
    const { outer, inner } = element(node.entity, plain(node.children), context, counter);
    renderNodes(inner, node.children, context, counter);
    if (node.entity.type === 'date_time') inner.replaceChildren(relativeWords(node.entity, inner.textContent ?? ''));
    parent.appendChild(outer);
    afterBlock = isBlock(node.entity);
  }
}

/** @param {EntityNode[]} nodes @returns {string} */
const plain = (nodes) => nodes.map((node) => (typeof node === 'string' ? node : plain(node.children))).join('');

/**
 * The text in one line of plain words, for previews: dates in the reader's zone, spoilers covered.
 * @param {string} text @param {readonly Entity[]} [entities]
 */
export function plainText(text, entities = []) {
  const words = (/** @type {EntityNode} */ node) => {
    if (typeof node === 'string') return node;
    /** @type {string} */
    const inner = node.children.map(words).join('');
    if (node.entity.type === 'spoiler') return '▒'.repeat([...inner].length);
    return node.entity.type === 'date_time' ? relativeWords(node.entity, inner) : inner;
  };
  return entityTree(text, entities).map(words).join('').replace(/\s+/g, ' ').trim();
}

/** @param {Entity} entity @param {string} words */
const relativeWords = (entity, words) => dateTime(entity.unix_time ?? 0, entity.date_time_format) ?? words;

/**
 * @param {Entity} entity @param {string} text @param {TextContext} context @param {{ spoilers: number, quotes: number }} counter
 * @returns {{ outer: HTMLElement, inner: HTMLElement }}
 */
function element(entity, text, context, counter) {
  const same = (/** @type {HTMLElement} */ one) => ({ outer: one, inner: one });
  switch (entity.type) {
    case 'bold':
    case 'italic':
    case 'underline':
    case 'strikethrough':
      return same(h(TAGS[entity.type]));
    case 'code':
      return same(h('code', { class: 'copyable', title: t('copyText'), on: { click: () => copied(text, context) } }));
    case 'pre':
      return pre(entity, text, context);
    case 'spoiler':
      return same(spoiler(`s${counter.spoilers++}`, context));
    case 'blockquote':
      return same(h('blockquote', { class: 'quote' }));
    case 'expandable_blockquote':
      return expandable(`q${counter.quotes++}`, context);
    case 'text_link':
      return same(link(entity.url ?? ''));
    case 'url':
      return same(link(SAFE_URL.test(text) ? text : `https://${text}`));
    case 'email':
      return same(link(`mailto:${text}`));
    case 'phone_number':
      return same(link(`tel:${text.replace(/[^+\d]/g, '')}`));
    case 'bot_command':
      return same(h('button', { type: 'button', class: 'command', on: { click: () => context.command(text) } }));
    case 'mention':
    case 'text_mention':
    case 'hashtag':
    case 'cashtag':
      return same(h('span', { class: 'mention', title: entity.user?.first_name }));
    case 'date_time':
      return same(dateElement(entity, text));
    default:
      return same(h('span'));
  }
}

/** A link that leaves the page; an address that could run a script stays plain text. @param {string} url */
function link(url) {
  if (!SAFE_URL.test(url)) return h('span', { title: url });
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', title: url });
}

/** @param {string} text @param {TextContext} context */
async function copied(text, context) {
  if (await copyText(text)) context.toast(t('copied'));
}

/** @param {Entity} entity @param {string} text @param {TextContext} context */
function pre(entity, text, context) {
  const inner = h('code');
  const copy = h(
    'button',
    {
      type: 'button',
      class: 'pre-copy',
      'aria-label': t('copyCode'),
      title: t('copyCode'),
      on: { click: () => copied(text, context) },
    },
    icon('copy'),
  );
  const scroll = h('pre', { tabindex: '0' }, inner);
  // The language is drawn by CSS from the attribute, so that it is not part of what is selected and copied.
  return { outer: h('div', { class: 'pre', data: { language: entity.language ?? '' } }, scroll, copy), inner };
}

/** @param {string} key @param {TextContext} context */
function spoiler(key, context) {
  const reveal = (/** @type {Event} */ event) => {
    event.stopPropagation();
    event.preventDefault();
    context.opened.add(key);
    show();
  };
  const box = h('span', {
    class: 'spoiler',
    on: {
      click: (/** @type {Event} */ event) => context.opened.has(key) || reveal(event),
      keydown: (/** @type {KeyboardEvent} */ event) =>
        !context.opened.has(key) && (event.key === 'Enter' || event.key === ' ') && reveal(event),
    },
  });
  const show = () => {
    const open = context.opened.has(key);
    box.classList.toggle('revealed', open);
    for (const [name, value] of [
      ['role', 'button'],
      ['tabindex', '0'],
      ['aria-label', t('spoiler')],
    ]) {
      if (open) box.removeAttribute(name ?? '');
      else box.setAttribute(name ?? '', value ?? '');
    }
  };
  show();
  return box;
}

/** @param {string} key @param {TextContext} context */
function expandable(key, context) {
  const inner = h('div', { class: 'quote-text' });
  const toggle = h('button', { type: 'button', class: 'quote-toggle' }, icon('down'));
  const outer = h('blockquote', { class: 'quote expandable' }, inner, toggle);
  const show = () => {
    const open = context.opened.has(key);
    outer.classList.toggle('open', open);
    toggle.setAttribute('aria-expanded', String(open));
    toggle.setAttribute('aria-label', t(open ? 'collapse' : 'expand'));
  };
  toggle.addEventListener('click', () => {
    if (!context.opened.delete(key)) context.opened.add(key);
    show();
  });
  show();
  return { outer, inner };
}

/** Shows the unfolding mark only on quotes that are longer than what is seen. Call when `root` is in the page. @param {Element} root */
export function measureQuotes(root) {
  for (const quote of root.querySelectorAll('.quote.expandable')) {
    const text = quote.querySelector('.quote-text');
    const folded = !quote.classList.contains('open');
    if (text && folded) quote.classList.toggle('long', text.scrollHeight > text.clientHeight + 1);
    if (!folded) quote.classList.add('long');
  }
}

/** @param {Entity} entity @param {string} words */
function dateElement(entity, words) {
  const unix = entity.unix_time ?? 0;
  return h('time', {
    datetime: new Date(unix * 1000).toISOString(),
    title: fullDate(unix),
    class: 'date-time',
    data: { unix, pattern: entity.date_time_format ?? '', words },
  });
}

/** "5 minutes ago" grows old: call from time to time. @param {Element} root */
export function refreshTimes(root) {
  for (const node of root.querySelectorAll('time.date-time[data-pattern="r"]')) {
    const time = /** @type {HTMLElement} */ (node);
    time.textContent = dateTime(Number(time.dataset.unix), 'r') ?? time.dataset.words ?? '';
  }
}
