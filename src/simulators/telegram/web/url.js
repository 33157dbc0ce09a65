/** @typedef {import('./types.js').World} World */
/** @typedef {import('./types.js').Place} Place */

/**
 * The address of the page says who looks at what: `/?as=ID&chat=ID&thread=N&theme=dark`. `as` may be a username too.
 * @param {World} world @returns {{ me: number | undefined, place: Place | undefined }}
 */
export function readUrl(world) {
  const params = new URLSearchParams(location.search);
  const as = params.get('as');
  const person = world.people.find(({ id, username }) => String(id) === as || (as !== null && username === as));
  const chat = Number(params.get('chat'));
  const thread = Number(params.get('thread'));
  return {
    me: person?.id,
    place: chat ? { chat, thread: Number.isInteger(thread) && thread > 1 ? thread : 0 } : undefined,
  };
}

/** @param {number} me @param {Place | undefined} place @param {boolean} replace  Without a new entry in the history. */
export function writeUrl(me, place, replace) {
  const params = new URLSearchParams(location.search);
  params.set('as', String(me));
  params.delete('chat');
  params.delete('thread');
  if (place) params.set('chat', String(place.chat));
  if (place?.thread) params.set('thread', String(place.thread));
  const address = `?${params}`;
  if (address === location.search) return;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
}
