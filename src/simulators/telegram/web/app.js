import * as api from './api.js';
import { avatar } from './avatar.js';
import { drawHead } from './chat-head.js';
import { drawSidebar, personMenu } from './chat-list.js';
import { composer } from './composer.js';
import { byId, copyText, h, icon } from './dom.js';
import { setNow, userName } from './format.js';
import { currentLanguage, setLanguage, t } from './i18n.js';
import { createLoader, words } from './loader.js';
import { drawEmpty, messageList } from './message-list.js';
import { alertWindow, closeMenu, openMenu, photoWindow, toast } from './overlays.js';
import { markPending, pressKey } from './render-keyboard.js';
import { refreshTimes } from './render-text.js';
import * as model from './state.js';
import { readUrl, writeUrl } from './url.js';

/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').CastEvent} CastEvent */

const PRESS_TIMEOUT_MS = 20_000;
const ACTION_MS = 5000;
const MAX_PAGES_BACK = 40;
const wide = matchMedia('(min-width: 720px)');

const firstWorld = await untilAnswered(api.getWorld);
setNow(firstWorld.now);
const wanted = readUrl(firstWorld);
const state = model.initialState(firstWorld, wanted.me ?? firstWorld.people[0]?.id ?? 0);

/** The simulator may start after the page: asks again until it answers. @template T @param {() => Promise<T>} ask @returns {Promise<T>} */
async function untilAnswered(ask) {
  for (;;) {
    try {
      return await ask();
    } catch {
      setLanguage(navigator.language);
      showOffline(true);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

const loader = createLoader(state, draw);

// ── drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const list = messageList({
  context: {
    pending: state.pending,
    toast,
    command: (text) => void send(text, undefined),
    jump: (id) => void jumpTo(id),
    reply: (message) => writer.setReply(message),
    viewPhoto: photoWindow,
    press: (message, row, col) => void press(message, row, col),
  },
  older: () => void loader.loadOlder(),
  scrolled: () => drawToBottom(),
  menu: messageMenu,
});
const writer = composer({
  send,
  commands: () => (state.place ? api.getCommands(state.me, state.place.chat).catch(() => []) : Promise.resolve([])),
});

let below = 0;

function draw() {
  document.body.dataset.screen = state.place ? 'chat' : 'list';
  drawSidebar(state, { open, become });
  drawHead(state, {
    back: () => open(undefined),
    people: (anchor) => personMenu(state, anchor, { open, become }),
    jump: (id) => void jumpTo(id),
  });
  drawMessages();
  drawToBottom();
  const news = model.unreadOf(state, state.me);
  const chat = state.place && model.chatById(state.world, state.place.chat);
  document.title = `${news > 0 ? `(${news}) ` : ''}${chat ? model.chatTitle(state.world, chat) : t('appTitle')}`;
}

function drawMessages() {
  const place = state.place;
  const chat = place && model.chatById(state.world, place.chat);
  const messages = place ? (state.messages.get(model.placeKey(place)) ?? []) : [];
  const key = place ? `${state.me}|${model.placeKey(place)}` : '';
  byId('messages').setAttribute('aria-label', chat ? model.chatTitle(state.world, chat) : '');
  list.draw({
    key,
    messages,
    me: state.me,
    group: chat?.type !== 'private',
    unreadFrom: state.unreadFrom,
    language: currentLanguage(),
  });
  const topic = chat?.topics?.find(({ thread_id }) => thread_id === (place?.thread || 1));
  const silent = messages.length === 0 && chat?.type === 'private';
  writer.draw({ key, label: t('message'), closed: topic?.closed === true, hidden: !chat || silent });
  if (messages.length > 0) drawEmpty(undefined);
  else drawEmpty(emptyContent(chat));
}

/** @param {import('./types.js').Chat | undefined} chat */
function emptyContent(chat) {
  if (!chat)
    return { title: t('noChat'), hint: t('noChatHint'), face: h('span', { class: 'empty-mark' }, icon('chat')) };
  if (chat.type !== 'private')
    return {
      title: t('emptyGroup'),
      hint: t('emptyGroupHint'),
      face: h('span', { class: 'empty-mark' }, icon('chat')),
    };
  const bot = state.world.bot.first_name;
  return {
    title: t('emptyPrivate'),
    hint: t('emptyPrivateHint', { bot }),
    face: avatar({ id: chat.id, name: bot, bot: true }, 'l'),
    button: { label: t('start'), run: () => void send('/start', undefined).then(() => writer.focus()) },
  };
}

function drawToBottom() {
  const button = byId('to-bottom');
  const end = list.atBottom();
  if (end) below = 0;
  button.hidden = end || !state.place;
  button.setAttribute('aria-label', t('scrollDown'));
  button.title = t('scrollDown');
  button.replaceChildren(icon('down'), ...(below > 0 ? [h('span', { class: 'badge' }, String(below))] : []));
}

/** @param {boolean} down */
function showOffline(down) {
  const banner = byId('offline');
  banner.hidden = !down;
  const retry = h('button', { type: 'button', on: { click: () => connection?.retryNow() } }, t('retry'));
  banner.replaceChildren(
    ...(down ? [h('span', { class: 'spinner', 'aria-hidden': 'true' }), h('span', null, t('offline')), retry] : []),
  );
}

// ── what a person does ───────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Place | undefined} place @param {{ replace?: boolean, silent?: boolean }} [how] */
function open(place, how = {}) {
  if (!model.samePlace(place, state.place)) {
    state.unreadFrom = undefined;
    below = 0;
  }
  state.place = place;
  if (place) markRead(place);
  state.pinned = undefined;
  if (!how.silent) writeUrl(state.me, place, how.replace ?? false);
  draw();
  void loader.readPinned().then(draw);
  if (place && wide.matches) writer.focus();
}

/** @param {Place} place */
function markRead(place) {
  const key = model.unreadKey(state.me, place);
  const count = state.unread.get(key) ?? 0;
  if (count === 0) return;
  state.unread.delete(key);
  const incoming = (state.messages.get(model.placeKey(place)) ?? []).filter(({ from }) => from?.id !== state.me);
  state.unreadFrom = incoming.at(-count)?.message_id;
}

/** Switches the person: the same group topic stays open when they are in it, else their own private chat. @param {number} person */
function become(person, place = state.place, replace = false) {
  closeMenu();
  const visible = model.chatsOf(state.world, person);
  const chat = visible.find(({ id }) => id === place?.chat);
  const own = visible[0];
  const target = chat ? place : place && own ? { chat: own.id, thread: 0 } : undefined;
  if (person !== state.me) {
    state.pending.clear();
    state.messages.clear();
    state.complete.clear();
    state.actions.clear();
  }
  state.me = person;
  setLanguage(model.personById(state.world, person)?.language_code);
  state.place = undefined;
  writeUrl(person, target, replace);
  return loader.reload().then(() => {
    // Somebody may have switched again meanwhile.
    if (state.me === person) open(target, { silent: true });
  });
}

/** @param {string} text @param {number | undefined} replyTo @returns {Promise<boolean>} */
async function send(text, replyTo) {
  if (!state.place) return false;
  try {
    await api.say(state.me, state.place, text, replyTo);
    list.toBottom();
    return true;
  } catch (error) {
    toast(t('sendFailed', { why: words(error) }), 'error');
    return false;
  }
}

/** @param {Message} message @param {number} row @param {number} col */
async function press(message, row, col) {
  const key = pressKey(message, row, col);
  if (state.pending.has(key)) return;
  state.pending.add(key);
  drawPending(message.message_id);
  // Telegram's clients, too, stop waiting some time.
  setTimeout(() => state.pending.delete(key) && drawPending(message.message_id), PRESS_TIMEOUT_MS);
  try {
    await api.press(state.me, message.chat.id, message.message_id, row, col);
  } catch (error) {
    state.pending.delete(key);
    drawPending(message.message_id);
    toast(t('pressFailed', { why: words(error) }), 'error');
  }
}

/** @param {number} id */
function drawPending(id) {
  for (const button of list.node(id)?.querySelectorAll('button.key') ?? []) {
    const { row, col } = /** @type {HTMLElement} */ (button).dataset;
    markPending(button, state.pending.has(`${state.place?.chat}:${id}:${row}:${col}`));
  }
}

/** @param {number} id */
async function jumpTo(id) {
  for (let page = 0; page < MAX_PAGES_BACK; page += 1) {
    if (list.jump(id)) return;
    if (!(await loader.loadOlder())) break;
  }
  if (!list.jump(id)) toast(t('messageNotFound'));
}

/** @param {Message} message @param {MouseEvent} event */
function messageMenu(message, event) {
  const target = /** @type {Element} */ (event.target);
  if (target.closest('a') || !document.getSelection()?.isCollapsed) return;
  event.preventDefault();
  const text = message.text ?? message.caption ?? '';
  const copy = { label: t('copyText'), run: async () => (await copyText(text)) && toast(t('copied')) };
  const reply = { label: t('reply'), run: () => writer.setReply(message) };
  openMenu({ label: t('message'), items: text ? [reply, copy] : [reply], at: { x: event.clientX, y: event.clientY } });
}

// ── what the simulator tells ─────────────────────────────────────────────────────────────────────────────────────────

/** @param {CastEvent} event */
function onEvent(event) {
  switch (event.type) {
    case 'message':
    case 'edit':
      if (event.message) onMessage(event.message, event);
      break;
    case 'delete':
      loader.hear(event);
      draw();
      break;
    case 'callback_answer':
      onAnswer(event);
      break;
    case 'chat_action':
      onAction(event);
      break;
    default:
      void loader.reload();
  }
}

/** @param {Message} message @param {CastEvent} event */
function onMessage(message, event) {
  loader.hear(event);
  const chat = model.chatById(state.world, message.chat.id);
  if (!chat) return void loader.reload();
  const isNew = event.type === 'message';
  const place = model.placeOfMessage(chat, message);
  const here = model.samePlace(place, state.place);
  const mine = message.from?.id === state.me;
  if (isNew) {
    countUnread(chat, place, message, here && !document.hidden);
    state.actions.delete(model.placeKey(place));
    if (here && !mine && !list.atBottom()) below += 1;
  }
  draw();
  if (isNew && here && mine) list.toBottom();
  const asksReply = isNew && here && !mine && message.reply_markup?.force_reply === true;
  if (asksReply && chat.type === 'private') writer.setReply(message);
}

/** @param {import('./types.js').Chat} chat @param {Place} place @param {Message} message @param {boolean} seen */
function countUnread(chat, place, message, seen) {
  const readers = chat.type === 'private' ? [chat.person ?? 0] : chat.members;
  for (const reader of readers) {
    if (reader === message.from?.id || (reader === state.me && seen)) continue;
    const key = model.unreadKey(reader, place);
    state.unread.set(key, (state.unread.get(key) ?? 0) + 1);
  }
}

/** @param {CastEvent} event */
function onAnswer(event) {
  if (event.to !== undefined && event.to !== state.me) return;
  for (const key of [...state.pending]) {
    const [chat, id] = key.split(':');
    if (Number(chat) !== event.chat) continue;
    if (event.message_id !== undefined && Number(id) !== event.message_id) continue;
    state.pending.delete(key);
    drawPending(Number(id));
  }
  if (event.url && /^(https?|tg):/i.test(event.url)) window.open(event.url, '_blank', 'noopener');
  if (!event.text) return;
  if (event.show_alert) alertWindow(state.world.bot.first_name, event.text);
  else toast(event.text);
}

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const actionTimers = new Map();

/** @param {CastEvent} event */
function onAction(event) {
  const chat = event.chat === undefined ? undefined : model.chatById(state.world, event.chat);
  if (!chat) return;
  const fake = { message_id: 0, date: 0, chat, ...(event.thread ? { message_thread_id: event.thread } : {}) };
  const key = model.placeKey(model.placeOfMessage(chat, fake));
  const action = event.action ?? event.text ?? 'typing';
  const word = action.includes('photo')
    ? t('sendingPhoto')
    : action.includes('upload')
      ? t('sendingFile')
      : t('typing');
  state.actions.set(key, word);
  clearTimeout(actionTimers.get(key));
  actionTimers.set(
    key,
    setTimeout(() => state.actions.delete(key) && draw(), ACTION_MS),
  );
  draw();
}

// ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────────

byId('to-bottom').addEventListener('click', () => list.toBottom(true));
addEventListener('popstate', () => {
  const { me, place } = readUrl(state.world);
  if (me !== undefined && me !== state.me) void become(me, place, true);
  else open(place, { silent: true });
});
document.addEventListener('themechange', draw);
document.addEventListener('visibilitychange', () => {
  if (document.hidden || !state.place) return;
  markRead(state.place);
  draw();
});
setInterval(() => refreshTimes(byId('messages')), 30_000);

/** @type {ReturnType<typeof api.connect> | undefined} */
let connection;
setLanguage(model.personById(state.world, state.me)?.language_code);
showOffline(false);
const firstPlace =
  wanted.place ?? (wide.matches ? model.chatsOf(state.world, state.me).flatMap(model.placesOf)[0] : undefined);
await become(state.me, firstPlace, true);
connection = api.connect({
  event: onEvent,
  up: () => {
    state.online = true;
    showOffline(false);
    // Nothing was heard before: what happened meanwhile is read. From then on nothing is missed.
    void loader.reload().then(() => {
      document.documentElement.dataset.ready = userName(model.personById(state.world, state.me));
    });
  },
  down: () => {
    state.online = false;
    showOffline(true);
  },
});
