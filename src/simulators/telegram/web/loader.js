import * as api from './api.js';
import { setNow } from './format.js';
import { t } from './i18n.js';
import { toast } from './overlays.js';
import * as model from './state.js';

/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').CastEvent} CastEvent */

/** @param {unknown} error */
export const words = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Reads from the simulator into the state.
 * @param {model.State} state @param {() => void} changed
 */
export function createLoader(state, changed) {
  let round = 0;
  /** @type {Promise<boolean> | undefined} */
  let loadingOlder;
  /** What was heard while a page was being read is newer than the page. @type {CastEvent[]} */
  let heard = [];

  /** Reads the world and all that this person can see, afresh. */
  const reload = async () => {
    round += 1;
    const mine = round;
    const me = state.me;
    heard = [];
    try {
      const world = await api.getWorld();
      const places = model.chatsOf(world, me).flatMap(model.placesOf);
      const pages = await Promise.all(places.map((place) => api.getMessages(me, place)));
      if (mine !== round) return;
      state.world = world;
      setNow(world.now);
      const before = new Map(state.messages);
      state.messages.clear();
      places.forEach((place, i) => {
        const key = model.placeKey(place);
        state.messages.set(key, model.joinPages(before.get(key) ?? [], only(place, pages[i] ?? [])));
      });
      for (const event of heard) apply(event);
      if (state.place && !places.some((place) => model.samePlace(place, state.place))) state.place = undefined;
      await readPinned();
      changed();
    } catch (error) {
      toast(t('loadFailed', { why: words(error) }), 'error');
    }
  };

  /** A server may answer with the whole chat: keeps what belongs to the topic. @param {Place} place @param {Message[]} messages */
  const only = (place, messages) => {
    const chat = model.chatById(state.world, place.chat);
    return chat ? messages.filter((message) => model.samePlace(model.placeOfMessage(chat, message), place)) : messages;
  };

  /** Brings a new, edited or deleted message into the lists that are loaded. @param {CastEvent} event */
  const apply = (event) => {
    if (event.type === 'delete') {
      for (const [key, messages] of state.messages) {
        if (!key.startsWith(`${event.chat}:`)) continue;
        state.messages.set(
          key,
          messages.filter(({ message_id }) => message_id !== event.message_id),
        );
      }
    } else if (event.message) {
      const { message } = event;
      const chat = model.chatById(state.world, message.chat.id);
      const key = chat && model.placeKey(model.placeOfMessage(chat, message));
      const known = key ? state.messages.get(key) : undefined;
      // An edit of what lies before the pages that were read will be seen when they are.
      const inside = event.type === 'message' || message.message_id >= (known?.[0]?.message_id ?? 0);
      if (key && known && inside) state.messages.set(key, model.upsert(known, message));
      if (state.pinned?.message_id === message.message_id && state.place?.chat === message.chat.id)
        state.pinned = message;
    }
  };

  /** Who asks while a page is on its way waits for that one. @returns {Promise<boolean>} whether there were older messages */
  const loadOlder = () =>
    (loadingOlder ??= readOlder().finally(() => {
      loadingOlder = undefined;
    }));

  /** @returns {Promise<boolean>} */
  const readOlder = async () => {
    const place = state.place;
    if (!place || state.complete.has(model.placeKey(place))) return false;
    const key = model.placeKey(place);
    const oldest = state.messages.get(key)?.[0]?.message_id;
    if (oldest === undefined) return false;
    const me = state.me;
    try {
      const older = (await api.getMessages(me, place, oldest)).filter((one) => one.message_id < oldest);
      const list = state.messages.get(key) ?? [];
      if (me !== state.me || list[0]?.message_id !== oldest) return false;
      if (older.length === 0) state.complete.add(key);
      state.messages.set(key, [...only(place, older), ...list]);
      if (older.length > 0) changed();
      return older.length > 0;
    } catch (error) {
      toast(t('loadFailed', { why: words(error) }), 'error');
      return false;
    }
  };

  const readPinned = async () => {
    const place = state.place;
    const id = place && model.chatById(state.world, place.chat)?.pinned;
    if (!place || !id) {
      state.pinned = undefined;
      return;
    }
    const found = model.findMessage(state, place.chat, id) ?? (await fetchOne(place, id));
    if (model.samePlace(place, state.place)) state.pinned = found && only(place, [found])[0];
  };

  /** @param {Place} place @param {number} id @returns {Promise<Message | undefined>} */
  const fetchOne = async (place, id) => {
    const page = await api.getMessages(state.me, place, id + 1).catch(() => []);
    return page.find((message) => message.message_id === id);
  };

  return {
    reload,
    loadOlder,
    readPinned,
    /** @param {CastEvent} event */
    hear: (event) => {
      heard.push(event);
      apply(event);
    },
  };
}
