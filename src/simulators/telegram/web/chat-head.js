import { avatar } from './avatar.js';
import { byId, h, icon } from './dom.js';
import { userName } from './format.js';
import { t } from './i18n.js';
import { excerpt } from './render-message.js';
import { chatById, chatTitle, personById, placeKey, topicsOf } from './state.js';

/** @typedef {import('./state.js').State} State */

/**
 * The line over the messages: where one is, what the bot does right now, and the pinned message below it.
 * @param {State} state @param {{ back: () => void, people: (anchor: HTMLElement) => void, jump: (id: number) => void }} actions
 */
export function drawHead(state, actions) {
  const head = byId('chat-head');
  const chat = state.place && chatById(state.world, state.place.chat);
  head.hidden = !chat;
  drawPinned(state, actions.jump);
  if (!chat || !state.place) {
    head.replaceChildren();
    delete head.dataset.key;
    return;
  }
  const place = state.place;
  const topic = topicsOf(chat, t('general')).find(({ thread_id }) => thread_id === place.thread);
  const title = topic?.name ?? chatTitle(state.world, chat);
  const members = t('members', { n: chat.members.length });
  const about = chat.type === 'private' ? t('bot') : topic ? `${chat.title} · ${members}` : members;
  const key = JSON.stringify([placeKey(place), title, about, state.me, document.documentElement.lang]);
  if (head.dataset.key !== key) {
    head.dataset.key = key;
    const me = personById(state.world, state.me);
    const back = h(
      'button',
      {
        type: 'button',
        id: 'back',
        class: 'icon-button',
        'aria-label': t('back'),
        title: t('back'),
        on: { click: actions.back },
      },
      icon('back'),
    );
    const label = `${t('switchPerson')}: ${userName(me)}`;
    const person = h(
      'button',
      {
        type: 'button',
        id: 'head-person',
        class: 'icon-button',
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        'aria-label': label,
        title: label,
      },
      avatar({ id: state.me, name: userName(me), color: me?.color }, 's'),
    );
    person.addEventListener('click', () => actions.people(person));
    const face = avatar({ id: chat.id, name: chatTitle(state.world, chat), bot: chat.type === 'private' });
    face.classList.toggle('avatar-forum', chat.forum === true);
    head.replaceChildren(
      back,
      face,
      h('div', { class: 'head-text' }, h('h1', null, title), h('p', { id: 'head-about' })),
      person,
    );
  }
  const action = state.actions.get(placeKey(place));
  const line = byId('head-about');
  if (line.dataset.text === (action ?? about)) return;
  line.dataset.text = action ?? about;
  line.classList.toggle('typing', action !== undefined);
  if (action === undefined) line.textContent = about;
  else line.replaceChildren(action, h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')));
}

/** @param {State} state @param {(id: number) => void} jump */
function drawPinned(state, jump) {
  const bar = byId('pinned');
  const message = state.pinned;
  bar.hidden = !message;
  bar.replaceChildren();
  if (!message) return;
  bar.append(
    h('span', { class: 'pinned-text' }, h('strong', null, t('pinned')), h('span', null, excerpt(message))),
    icon('pin'),
  );
  bar.onclick = () => jump(message.message_id);
}
