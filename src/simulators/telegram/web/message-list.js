import { avatar } from './avatar.js';
import { append, byId, h, icon } from './dom.js';
import { dayKey, dayName, userName } from './format.js';
import { t } from './i18n.js';
import { measureQuotes } from './render-text.js';
import { renderMessage, serviceText } from './render-message.js';
import { isService } from './state.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {Omit<import('./render-message.js').MessageContext, 'mine' | 'named' | 'opened'>} ListContext */
/** @typedef {{ key: string, signature: string, build: () => Node[], apply: (node: HTMLElement) => void, message?: Message }} Item */

const GROUP_SECONDS = 300;
const NEAR_BOTTOM = 80;
const FLASH_MS = 1600;

/**
 * The messages of one place. Nodes are kept by message id: what did not change is not touched, what changed is redrawn in
 * its own node, and the reader's place on the screen stays where it is.
 *
 * @param {{ context: ListContext, older: () => void, scrolled: () => void, menu: (message: Message, event: MouseEvent) => void }} options
 */
export function messageList({ context, older, scrolled, menu }) {
  const scroller = byId('scroller');
  const list = byId('messages');
  /** @type {Map<string, { node: HTMLElement, signature: string, opened: Set<string> }>} */
  let drawn = new Map();
  let place = '';
  let stick = true;

  const atBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM;
  const toBottom = (/** @type {boolean} */ smooth = false) => {
    stick = true;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth ? motion() : 'instant' });
  };

  scroller.addEventListener('scroll', () => {
    stick = atBottom();
    if (scroller.scrollTop < 200) older();
    scrolled();
  });
  // A window that is resized, or a composer that grows, must not hide the newest message.
  new ResizeObserver(() => {
    if (stick) toBottom();
    measureQuotes(list);
    scrolled();
  }).observe(scroller);

  /** @param {{ key: string, messages: readonly Message[], me: number, group: boolean, unreadFrom: number | undefined, language: string }} view */
  const draw = (view) => {
    const fresh = place !== view.key;
    if (fresh) {
      drawn = new Map();
      list.replaceChildren();
      place = view.key;
    }
    const wasStuck = fresh || stick;
    const anchor = wasStuck ? undefined : firstVisible(scroller, list);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    const items = itemsOf(view);
    /** @type {typeof drawn} */
    const next = new Map();
    let cursor = list.firstElementChild;
    for (const item of items) {
      const kept = drawn.get(item.key);
      const entry = kept ?? { node: h('div'), signature: '', opened: new Set() };
      item.apply(entry.node);
      if (entry.signature !== item.signature) {
        const edited =
          kept !== undefined && item.message !== undefined && versionOf(kept.signature) !== versionOf(item.signature);
        fill(entry, item);
        if (edited) flash(entry.node);
      }
      next.set(item.key, entry);
      if (entry.node === cursor) cursor = cursor.nextElementSibling;
      else list.insertBefore(entry.node, cursor);
    }
    while (cursor) {
      const rest = cursor.nextElementSibling;
      cursor.remove();
      cursor = rest;
    }
    drawn = next;
    measureQuotes(list);
    if (wasStuck) settle(fresh, view.unreadFrom);
    else if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    scrolled();
  };

  /** @param {boolean} fresh @param {number | undefined} unreadFrom */
  const settle = (fresh, unreadFrom) => {
    const mark = fresh && unreadFrom !== undefined ? list.querySelector('.unread-mark') : null;
    if (mark) {
      mark.scrollIntoView({ block: 'start' });
      stick = atBottom();
    } else toBottom(!fresh);
  };

  /** @param {{ node: HTMLElement, signature: string, opened: Set<string> }} entry @param {Item} item */
  const fill = (entry, item) => {
    const focus = focusWithin(entry.node);
    opened = entry.opened;
    entry.node.replaceChildren(...item.build());
    entry.signature = item.signature;
    if (focus) /** @type {HTMLElement | null} */ (entry.node.querySelector(focus))?.focus({ preventScroll: true });
  };
  /** What is unfolded in the message that is being drawn. @type {Set<string>} */
  let opened = new Set();

  /** @param {Parameters<typeof draw>[0]} view @returns {Item[]} */
  const itemsOf = ({ messages, me, group, unreadFrom, language }) => {
    /** @type {Item[]} */
    const items = [];
    messages.forEach((message, index) => {
      const previous = messages[index - 1];
      const next = messages[index + 1];
      if (!previous || dayKey(previous.date * 1000) !== dayKey(message.date * 1000)) {
        const name = dayName(message.date);
        items.push(line(`day-${dayKey(message.date * 1000)}`, name, 'day'));
      }
      if (message.message_id === unreadFrom) items.push(line('unread', t('newMessages'), 'unread-mark'));
      if (isService(message))
        items.push(line(`m${message.message_id}`, serviceText(message) ?? '', 'service', message.message_id));
      else {
        const first = !together(previous, message) || message.message_id === unreadFrom;
        const last = !together(message, next) || next?.message_id === unreadFrom;
        items.push(bubble(message, { me, group, first, last, language }));
      }
    });
    return items;
  };

  /** @param {string} key @param {string} text @param {string} kind @param {number} [id] @returns {Item} */
  const line = (key, text, kind, id) => ({
    key,
    signature: text,
    build: () => [h('span', { class: 'pill' }, text)],
    apply: (node) => {
      node.className = `line ${kind}`;
      if (id !== undefined) node.dataset.id = String(id);
    },
  });

  /** @param {Message} message @param {{ me: number, group: boolean, first: boolean, last: boolean, language: string }} how @returns {Item} */
  const bubble = (message, { me, group, first, last, language }) => {
    const mine = message.from?.id === me;
    const named = group && !mine && first;
    return {
      key: `m${message.message_id}`,
      message,
      signature: `${JSON.stringify(message)}\u0000${named}${language}${last && group}${mine}`,
      build: () => {
        const name = message.sender_chat?.title ?? userName(message.from);
        const face = avatar({ id: message.from?.id ?? 0, name, bot: message.from?.is_bot ?? false }, 's');
        const reply = h(
          'button',
          {
            type: 'button',
            class: 'reply-button icon-button',
            'aria-label': t('reply'),
            title: t('reply'),
            on: { click: () => context.reply(message) },
          },
          icon('reply'),
        );
        const column = renderMessage(message, { ...context, opened, mine, named });
        column.querySelector('.bubble')?.append(reply);
        const bubbleOf = column.querySelector('.bubble');
        bubbleOf?.addEventListener('contextmenu', (event) => menu(message, /** @type {MouseEvent} */ (event)));
        bubbleOf?.addEventListener('dblclick', (event) => {
          const target = /** @type {Element} */ (event.target);
          if (!target.closest('a, button, code, pre, .spoiler')) context.reply(message);
        });
        return group && !mine ? [last ? face : h('span', { class: 'avatar-space' }), column] : [column];
      },
      apply: (node) => {
        const bot = message.from?.is_bot ? ' from-bot' : '';
        const flashing = node.classList.contains('flash') ? ' flash' : '';
        node.className = `message ${mine ? 'out' : 'in'}${first ? ' first' : ''}${last ? ' last' : ''}${bot}${flashing}`;
        node.dataset.id = String(message.message_id);
        node.setAttribute('role', 'article');
        node.setAttribute('aria-label', userName(message.from));
      },
    };
  };

  return {
    draw,
    toBottom,
    atBottom,
    /** Scrolls to a message and marks it. @param {number} id @returns {boolean} whether it is drawn */
    jump: (/** @type {number} */ id) => {
      const node = drawn.get(`m${id}`)?.node;
      if (!node) return false;
      stick = false;
      node.scrollIntoView({ block: 'center', behavior: motion() });
      flash(node);
      return true;
    },
    /** @param {number} id */
    node: (/** @type {number} */ id) => drawn.get(`m${id}`)?.node,
  };
}

/** @param {Message | undefined} a @param {Message | undefined} b */
function together(a, b) {
  if (!a || !b || isService(a) || isService(b)) return false;
  const sameDay = dayKey(a.date * 1000) === dayKey(b.date * 1000);
  return (
    sameDay && a.from?.id === b.from?.id && a.sender_chat?.id === b.sender_chat?.id && b.date - a.date < GROUP_SECONDS
  );
}

/** The part of a signature that is the message itself. @param {string} signature */
const versionOf = (signature) => signature.split('\u0000')[0];

/** @param {HTMLElement} node */
function flash(node) {
  node.classList.remove('flash');
  void node.offsetWidth;
  node.classList.add('flash');
  setTimeout(() => node.classList.remove('flash'), FLASH_MS);
}

/** @param {HTMLElement} scroller @param {HTMLElement} list @returns {Element | undefined} */
function firstVisible(scroller, list) {
  const top = scroller.getBoundingClientRect().top;
  // What ends above the view may change its height; the first that is fully below the edge must stay where it is.
  return [...list.children].find((node) => node.getBoundingClientRect().top >= top) ?? undefined;
}

/** A selector of the focused button inside, so that a keyboard user does not lose their place when a card is redrawn. @param {HTMLElement} node */
function focusWithin(node) {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !node.contains(active)) return undefined;
  const { row, col } = active.dataset;
  return row === undefined ? `.${active.classList[0] ?? 'key'}` : `.key[data-row="${row}"][data-col="${col}"]`;
}

const motion = () => (matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth');

/**
 * What stands where there are no messages.
 * @param {{ title: string, hint: string, face?: Node, button?: { label: string, run: () => void } | undefined } | undefined} content
 */
export function drawEmpty(content) {
  const box = byId('empty');
  box.hidden = content === undefined;
  box.replaceChildren();
  if (!content) return;
  append(box, [
    content.face,
    h('h2', null, content.title),
    h('p', null, content.hint),
    content.button &&
      h('button', { type: 'button', class: 'primary-button', on: { click: content.button.run } }, content.button.label),
  ]);
}
