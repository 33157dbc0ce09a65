import { byId, h, icon } from './dom.js';
import { userName } from './format.js';
import { t } from './i18n.js';
import { excerpt } from './render-message.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Command} Command */

const MAX_HEIGHT = 180;

/**
 * Where a person writes: Enter sends, Shift+Enter breaks the line, "/" shows the commands, Escape drops the reply.
 * @param {{ send: (text: string, replyTo: number | undefined) => Promise<boolean>, commands: () => Promise<Command[]> }} actions
 */
export function composer({ send, commands }) {
  const form = /** @type {HTMLFormElement} */ (byId('composer'));
  const input = h('textarea', {
    id: 'input',
    rows: 1,
    maxlength: 4096,
    'aria-autocomplete': 'list',
    'aria-controls': 'commands',
    enterkeyhint: 'send',
  });
  const popup = h('div', { id: 'commands', role: 'listbox', hidden: true });
  const quote = h('div', { id: 'replying', hidden: true });
  const slash = h('button', { type: 'button', class: 'icon-button', id: 'slash' }, icon('slash'));
  const submit = h('button', { type: 'submit', class: 'icon-button', id: 'send' }, icon('send'));
  const bar = h('div', { class: 'composer-bar' }, slash, input, submit);
  const closed = h('p', { class: 'composer-closed', hidden: true });
  form.replaceChildren(popup, quote, bar, closed);

  /** @type {Map<string, string>} */
  const drafts = new Map();
  let place = '';
  /** @type {Message | undefined} */
  let replyTo;
  /** @type {Command[]} */
  let shown = [];
  let active = 0;
  let asked = 0;
  let sending = false;

  const grow = () => {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, MAX_HEIGHT)}px`;
    input.style.overflowY = input.scrollHeight > MAX_HEIGHT ? 'auto' : 'hidden';
    submit.disabled = input.value.trim() === '';
  };
  const write = (/** @type {string} */ text) => {
    input.value = text;
    grow();
    void suggest();
  };

  /** @param {Message | undefined} message */
  const setReply = (message) => {
    replyTo = message;
    quote.hidden = !message;
    quote.replaceChildren();
    if (!message) return;
    const cancel = h(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        'aria-label': t('cancelReply'),
        on: { click: () => setReply(undefined) },
      },
      icon('close'),
    );
    const name = t('replyTo', { name: message.sender_chat?.title ?? userName(message.from) });
    quote.append(
      icon('reply'),
      h('div', { class: 'replying-text' }, h('strong', null, name), h('span', null, excerpt(message))),
      cancel,
    );
    input.focus();
  };

  const closeCommands = () => {
    asked += 1;
    shown = [];
    popup.hidden = true;
    input.removeAttribute('aria-activedescendant');
  };
  const suggest = async () => {
    const typed = /^\/([a-z0-9_]*)$/i.exec(input.value)?.[1]?.toLowerCase();
    if (typed === undefined) return closeCommands();
    asked += 1;
    const question = asked;
    const all = await commands();
    if (question !== asked) return;
    shown = all.filter(({ command }) => command.startsWith(typed));
    active = Math.max(
      0,
      shown.findIndex(({ command }) => command === typed),
    );
    drawCommands(all.length === 0);
  };
  /** @param {boolean} none */
  const drawCommands = (none) => {
    popup.hidden = shown.length === 0 && !none;
    popup.setAttribute('aria-label', t('commands'));
    popup.replaceChildren(
      ...shown.map(({ command, description }, index) =>
        h(
          'div',
          {
            id: `command-${index}`,
            role: 'option',
            class: 'command-row',
            'aria-selected': String(index === active),
            on: {
              pointerdown: (/** @type {Event} */ event) => event.preventDefault(),
              click: () => void sendText(`/${command}`),
            },
          },
          h('span', { class: 'command-name' }, `/${command}`),
          h('span', { class: 'command-about' }, description),
        ),
      ),
      ...(none ? [h('p', { class: 'command-none' }, t('noCommands'))] : []),
    );
    mark();
  };
  const mark = () => {
    [...popup.children].forEach((row, index) => row.setAttribute('aria-selected', String(index === active)));
    popup.children[active]?.scrollIntoView({ block: 'nearest' });
    if (shown.length > 0) input.setAttribute('aria-activedescendant', `command-${active}`);
  };

  /** @param {string} text */
  const sendText = async (text) => {
    if (text.trim() === '' || sending) return;
    sending = true;
    closeCommands();
    const answered = replyTo;
    const written = input.value;
    const from = place;
    const sent = await send(text, answered?.message_id).finally(() => {
      sending = false;
    });
    if (!sent) return;
    drafts.delete(from);
    if (from !== place) return;
    // What was typed while it was on its way is the next message.
    if (input.value.startsWith(written)) write(input.value.slice(written.length));
    if (replyTo === answered) setReply(undefined);
  };

  /** @param {KeyboardEvent} event @returns {boolean} whether the list of commands took the key */
  const commandKey = (event) => {
    if (shown.length === 0) return false;
    const chosen = shown[active]?.command ?? '';
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      active = (active + (event.key === 'ArrowDown' ? 1 : shown.length - 1)) % shown.length;
      mark();
    } else if (event.key === 'Tab' && !event.shiftKey) write(`/${chosen} `);
    else if (event.key === 'Enter' && !event.shiftKey) void sendText(`/${chosen}`);
    else if (event.key === 'Escape') closeCommands();
    else return false;
    return true;
  };
  input.addEventListener('keydown', (event) => {
    // While an input method composes a word, Enter belongs to it.
    if (event.isComposing) return;
    if (commandKey(event)) event.preventDefault();
    else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void sendText(input.value);
    } else if (event.key === 'Escape') setReply(undefined);
  });
  input.addEventListener('input', () => {
    grow();
    void suggest();
  });
  input.addEventListener('blur', closeCommands);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void sendText(input.value);
    input.focus();
  });
  slash.addEventListener('pointerdown', (event) => event.preventDefault());
  slash.addEventListener('click', () => {
    input.focus();
    if (!popup.hidden) return closeCommands();
    if (input.value === '' || input.value.startsWith('/')) write('/');
  });

  return {
    setReply,
    replyingTo: () => replyTo,
    focus: () => input.focus(),
    /** @param {{ key: string, label: string, closed: boolean, hidden: boolean }} view */
    draw: (/** @type {{ key: string, label: string, closed: boolean, hidden: boolean }} */ view) => {
      form.hidden = view.hidden;
      bar.hidden = view.closed;
      closed.hidden = !view.closed;
      closed.textContent = t('topicClosed');
      input.placeholder = t('message');
      input.setAttribute('aria-label', view.label);
      for (const [button, name] of /** @type {const} */ ([
        [slash, t('commands')],
        [submit, t('send')],
      ])) {
        button.setAttribute('aria-label', name);
        button.title = name;
      }
      if (view.key === place) return;
      drafts.set(place, input.value);
      place = view.key;
      setReply(undefined);
      closeCommands();
      input.value = drafts.get(place) ?? '';
      grow();
    },
  };
}
