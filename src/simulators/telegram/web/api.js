/** @typedef {import('./types.js').World} World */
/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Command} Command */
/** @typedef {import('./types.js').CastEvent} CastEvent */
/** @typedef {import('./types.js').Place} Place */

/** @param {string} path @param {RequestInit} [init] */
async function request(path, init) {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error((await failure(response)) || `HTTP ${response.status}`);
  return response.status === 204 ? undefined : response.json();
}

/** The server's own sentence, whichever of the usual forms it comes in. @param {Response} response @returns {Promise<string>} */
async function failure(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    const said = body.description ?? body.message ?? body.error;
    return typeof said === 'string' ? said : '';
  } catch {
    return text.length < 200 ? text : '';
  }
}

/** @param {string} path @param {object} body */
const post = (path, body) =>
  request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** @param {Record<string, number | undefined>} fields */
function query(fields) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) params.set(name, String(value));
  return params.toString();
}

/** Nobody writes "to thread 0": General has no thread id. @param {number} thread */
const threadId = (thread) => (thread === 0 ? undefined : thread);

/** @returns {Promise<World>} */
export const getWorld = () => request('/cast/world');

/** @param {number} as @param {number} chat @returns {Promise<Command[]>} */
export const getCommands = (as, chat) => request(`/cast/commands?${query({ as, chat })}`);

/**
 * The newest messages, or those before one, ascending.
 * @param {number} as @param {Place} place @param {number} [before] @returns {Promise<Message[]>}
 */
export async function getMessages(as, { chat, thread }, before) {
  const { messages } = await request(`/cast/messages?${query({ as, chat, thread, before })}`);
  return [...messages].sort((a, b) => a.message_id - b.message_id);
}

/** @param {number} as @param {Place} place @param {string} text @param {number} [replyTo] */
export const say = (as, { chat, thread }, text, replyTo) =>
  post('/cast/say', { as, chat, thread: threadId(thread), text, reply_to: replyTo });

/** @param {number} as @param {number} chat @param {number} messageId @param {number} row @param {number} col */
export const press = (as, chat, messageId, row, col) =>
  post('/cast/press', { as, chat, message_id: messageId, row, col });

/** @param {string} fileId */
export const fileUrl = (fileId) => `/cast/file/${encodeURIComponent(fileId)}`;

const FIRST_DELAY = 500;
const LAST_DELAY = 8000;

/**
 * Listens to the simulator for as long as the page lives. The browser's own reconnection gives up on an HTTP error, so
 * this one connects again itself: 0.5, 1, 2, 4, 8, 8… seconds.
 *
 * @param {{ event: (event: CastEvent) => void, up: () => void, down: () => void }} on
 *   At every `up`, events may have been missed before.
 * @returns {{ retryNow: () => void }}
 */
export function connect(on) {
  let delay = FIRST_DELAY;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {EventSource | undefined} */
  let source;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    const mine = new EventSource('/cast/events');
    source = mine;
    mine.addEventListener('open', () => {
      delay = FIRST_DELAY;
      on.up();
    });
    mine.addEventListener('message', ({ data }) => on.event(JSON.parse(data)));
    mine.addEventListener('error', () => {
      mine.close();
      if (source !== mine) return;
      on.down();
      timer = setTimeout(open, delay);
      delay = Math.min(delay * 2, LAST_DELAY);
    });
  };
  open();
  return {
    retryNow: () => {
      delay = FIRST_DELAY;
      open();
    },
  };
}
