import { copyText, h, icon } from './dom.js';
import { t } from './i18n.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').InlineButton} InlineButton */
/** @typedef {import('./render-message.js').MessageContext} MessageContext */

const STYLES = new Set(['primary', 'success', 'danger']);
const SAFE_URL = /^(https?|tg):/i;

/** @param {Message} message @param {number} row @param {number} col */
export const pressKey = (message, row, col) => `${message.chat.id}:${message.message_id}:${row}:${col}`;

/** @param {Message} message @param {InlineButton[][]} rows @param {MessageContext} context */
export function renderKeyboard(message, rows, context) {
  return h(
    'div',
    { class: 'keyboard', role: 'group' },
    ...rows.map((buttons, row) =>
      h(
        'div',
        { class: 'keyboard-row' },
        ...buttons.map((button, col) => renderButton(message, button, row, col, context)),
      ),
    ),
  );
}

/** @param {Message} message @param {InlineButton} button @param {number} row @param {number} col @param {MessageContext} context */
function renderButton(message, button, row, col, context) {
  const style = button.style && STYLES.has(button.style) ? ` ${button.style}` : '';
  const label = h('span', { class: 'key-label' }, button.text);
  const common = { class: `key${style}`, title: button.text, data: { row, col } };
  if (button.disabled) return h('button', { ...common, type: 'button', disabled: true }, label);

  const url = button.url ?? button.login_url?.url ?? button.web_app?.url;
  if (url !== undefined) {
    const link = { href: SAFE_URL.test(url) ? url : null, target: '_blank', rel: 'noopener noreferrer' };
    return h(
      'a',
      { ...common, ...link, 'aria-label': `${button.text}, ${t('opensLink')}` },
      label,
      h('span', { class: 'key-mark', 'aria-hidden': 'true' }, '↗'),
    );
  }
  const copy = button.copy_text?.text;
  if (copy !== undefined) {
    const run = async () => (await copyText(copy)) && context.toast(t('copied'));
    const copyProps = { type: 'button', 'aria-label': `${button.text}, ${t('copies')}`, on: { click: run } };
    return h('button', { ...common, ...copyProps }, label, h('span', { class: 'key-mark' }, icon('copy')));
  }
  const pressed = h(
    'button',
    { ...common, type: 'button', on: { click: () => context.press(message, row, col) } },
    label,
  );
  markPending(pressed, context.pending.has(pressKey(message, row, col)));
  return pressed;
}

/** A pressed button waits for the bot's answer. @param {Element} button @param {boolean} waiting */
export function markPending(button, waiting) {
  button.classList.toggle('waiting', waiting);
  button.setAttribute('aria-busy', String(waiting));
}
