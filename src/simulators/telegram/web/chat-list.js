import { avatar } from './avatar.js';
import { byId, h, icon } from './dom.js';
import { listTime, userName } from './format.js';
import { roleName, t } from './i18n.js';
import { closeMenu, openMenu } from './overlays.js';
import { excerpt } from './render-message.js';
import { chatTitle, chatsOf, personById, placeKey, samePlace, topicsOf, unreadOf } from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('./types.js').Chat} Chat */
/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').Person} Person */

/** @typedef {{ open: (place: Place) => void, become: (person: number) => void }} ListActions */

/** Draws the left pane: who you are, and what you can read. @param {State} state @param {ListActions} actions */
export function drawSidebar(state, actions) {
  drawHead(state, actions);
  const nav = byId('chat-list');
  const focused = nav.contains(document.activeElement)
    ? /** @type {HTMLElement} */ (document.activeElement).dataset.place
    : undefined;
  nav.setAttribute('aria-label', t('chats'));
  const chats = chatsOf(state.world, state.me);
  nav.replaceChildren(...chats.flatMap((chat) => chatRows(state, chat, actions)));
  if (chats.length === 0) nav.append(h('p', { class: 'no-chats' }, t('noChats')));
  if (focused) /** @type {HTMLElement | null} */ (nav.querySelector(`[data-place="${focused}"]`))?.focus();
}

/** @param {State} state @param {ListActions} actions */
function drawHead(state, actions) {
  const head = byId('sidebar-head');
  const person = personById(state.world, state.me);
  const key = JSON.stringify([person, document.documentElement.lang, document.documentElement.dataset.theme]);
  if (head.dataset.key === key) {
    setBadge(head, othersUnread(state));
    return;
  }
  head.dataset.key = key;
  const me = h(
    'button',
    { type: 'button', id: 'person', 'aria-haspopup': 'menu', 'aria-expanded': 'false', title: t('switchPerson') },
    ...personParts(person, `${t('youAre')}:`),
    icon('down'),
  );
  me.addEventListener('click', () => personMenu(state, me, actions));
  head.replaceChildren(me, themeButton());
  setBadge(head, othersUnread(state));
}

/** @param {State} state */
const othersUnread = (state) =>
  state.world.people.reduce((sum, { id }) => (id === state.me ? sum : sum + unreadOf(state, id)), 0);

/** @param {Element} head @param {number} count */
function setBadge(head, count) {
  head.querySelector('.avatar')?.classList.toggle('has-news', count > 0);
}

function themeButton() {
  const dark = document.documentElement.dataset.theme === 'dark';
  const label = t(dark ? 'themeLight' : 'themeDark');
  return h(
    'button',
    {
      type: 'button',
      id: 'theme',
      class: 'icon-button',
      'aria-label': label,
      title: label,
      on: { click: () => document.dispatchEvent(new Event('themetoggle')) },
    },
    icon(dark ? 'sun' : 'moon'),
  );
}

/** @param {Person | undefined} person @param {string} [before] */
function personParts(person, before) {
  const name = userName(person);
  const role = person?.role ?? 'outsider';
  return [
    avatar({ id: person?.id ?? 0, name, color: person?.color }),
    h(
      'span',
      { class: 'person-text' },
      h('span', { class: 'person-name' }, before && h('span', { class: 'you-are' }, `${before} `), name),
      h('span', { class: `role role-${role}` }, roleName(role)),
    ),
  ];
}

/** @param {State} state @param {HTMLElement} anchor @param {ListActions} actions */
export function personMenu(state, anchor, actions) {
  if (closeMenu(anchor)) return;
  openMenu({
    label: t('switchPerson'),
    anchor,
    items: state.world.people.map((person) => {
      const news = person.id === state.me ? 0 : unreadOf(state, person.id);
      const content = [...personParts(person), ...(news > 0 ? [badge(news)] : [])];
      return {
        label: userName(person),
        content,
        checked: person.id === state.me,
        run: () => actions.become(person.id),
      };
    }),
  });
}

/** @param {State} state @param {Chat} chat @param {ListActions} actions @returns {HTMLElement[]} */
function chatRows(state, chat, actions) {
  const title = chatTitle(state.world, chat);
  const face = avatar({ id: chat.id, name: title, bot: chat.type === 'private' }, 'l');
  if (!chat.forum) return [row(state, { chat: chat.id, thread: 0 }, title, face, actions)];
  const head = h('div', { class: 'forum' }, face, h('span', { class: 'forum-title' }, title));
  const topics = topicsOf(chat, t('general')).map((topic) => {
    const mark = h(
      'span',
      { class: 'topic-mark', 'aria-hidden': 'true', data: { hue: topic.thread_id % 7 } },
      icon(topic.closed ? 'lock' : topic.thread_id ? 'chat' : 'hash'),
    );
    return row(state, { chat: chat.id, thread: topic.thread_id }, topic.name, mark, actions);
  });
  return [h('section', { class: 'forum-group', 'aria-label': title }, head, ...topics)];
}

/** @param {State} state @param {Place} place @param {string} title @param {HTMLElement} face @param {ListActions} actions */
function row(state, place, title, face, actions) {
  const last = state.messages.get(placeKey(place))?.at(-1);
  const news = unreadOf(state, state.me, place);
  const action = state.actions.get(placeKey(place));
  const own = last?.from?.id === state.me;
  const sender = !last || last.from?.is_bot ? '' : own ? `${t('you')}: ` : `${last.from?.first_name ?? ''}: `;
  const preview = action
    ? h('span', { class: 'typing' }, `${action}…`)
    : last
      ? `${sender}${excerpt(last)}`
      : t('emptyTopic');
  return h(
    'button',
    {
      type: 'button',
      class: 'chat-row',
      data: { place: placeKey(place) },
      'aria-current': samePlace(state.place, place) ? 'true' : null,
      on: { click: () => actions.open(place) },
    },
    face,
    h(
      'span',
      { class: 'row-text' },
      h('span', { class: 'row-title' }, title),
      h('span', { class: 'row-time' }, last ? listTime(last.date) : ''),
      h('span', { class: news > 0 ? 'row-last' : 'row-last alone' }, preview),
      news > 0 && badge(news),
    ),
  );
}

/** @param {number} count */
function badge(count) {
  const label = t('unread', { n: count });
  return h('span', { class: 'badge', 'aria-label': label, role: 'img' }, count > 99 ? '99+' : String(count));
}
