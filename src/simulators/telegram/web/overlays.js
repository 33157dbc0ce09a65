import { byId, h, icon } from './dom.js';
import { t } from './i18n.js';

const TOAST_MS = 4000;

/** A short notice over the chat, read out by screen readers. @param {string} text @param {'info' | 'error'} [kind] */
export function toast(text, kind = 'info') {
  const area = byId('toasts');
  while (area.childElementCount >= 3) area.firstElementChild?.remove();
  const note = h('div', { class: `toast ${kind}` }, text);
  area.append(note);
  const life = Math.max(TOAST_MS, text.length * 60);
  setTimeout(() => {
    note.classList.add('leaving');
    setTimeout(() => note.remove(), 250);
  }, life);
}

/** A window that waits for "OK": a callback answer with `show_alert`. @param {string} title @param {string} text */
export function alertWindow(title, text) {
  const dialog = h('dialog', { class: 'alert', 'aria-labelledby': 'alert-title', 'aria-describedby': 'alert-text' });
  const ok = h('button', { type: 'button', class: 'primary-button', on: { click: () => dialog.close() } }, t('ok'));
  dialog.append(
    h('h2', { id: 'alert-title' }, title),
    h('p', { id: 'alert-text' }, text),
    h('div', { class: 'alert-actions' }, ok),
  );
  open(dialog);
  ok.focus();
}

/** @param {string} url @param {string} alt */
export function photoWindow(url, alt) {
  const dialog = h('dialog', { class: 'viewer', 'aria-label': alt });
  const close = h(
    'button',
    {
      type: 'button',
      class: 'viewer-close icon-button',
      'aria-label': t('close'),
      on: { click: () => dialog.close() },
    },
    icon('close'),
  );
  dialog.append(h('img', { src: url, alt }), close);
  dialog.addEventListener('click', () => dialog.close());
  open(dialog);
}

/** @param {HTMLDialogElement} dialog */
function open(dialog) {
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @typedef {{ label: string, content?: Node[], checked?: boolean, run: () => void }} MenuItem
 */

/**
 * A menu under (or over) a control. Arrow keys move, Escape and a press elsewhere close, the focus goes back.
 * @param {{ label: string, items: MenuItem[], anchor?: HTMLElement, at?: { x: number, y: number } }} options
 */
export function openMenu({ label, items, anchor, at }) {
  closeMenu();
  const before = anchor ?? /** @type {HTMLElement | null} */ (document.activeElement);
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': label, tabindex: '-1' });
  const close = (/** @type {boolean} */ refocus) => {
    menu.remove();
    document.removeEventListener('pointerdown', outside, true);
    anchor?.setAttribute('aria-expanded', 'false');
    current = undefined;
    if (refocus) before?.focus();
  };
  const outside = (/** @type {Event} */ event) => {
    if (menu.contains(/** @type {Node} */ (event.target))) return;
    // The control itself closes its menu: without this it would be opened again by the same press.
    if (anchor?.contains(/** @type {Node} */ (event.target))) return;
    close(false);
  };
  const buttons = items.map((item) =>
    h(
      'button',
      {
        type: 'button',
        class: 'menu-item',
        tabindex: '-1',
        role: item.checked === undefined ? 'menuitem' : 'menuitemradio',
        'aria-checked': item.checked === undefined ? null : String(item.checked),
        on: {
          click: () => {
            close(true);
            item.run();
          },
        },
      },
      ...(item.content ?? [item.label]),
    ),
  );
  menu.append(...buttons);
  menu.addEventListener('keydown', (event) => {
    const index = buttons.findIndex((button) => button === document.activeElement);
    const moves = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: buttons.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      const next = moves[/** @type {keyof typeof moves} */ (event.key)];
      buttons.at(next % buttons.length)?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      close(true);
    }
  });
  document.body.append(menu);
  position(menu, anchor?.getBoundingClientRect(), at);
  anchor?.setAttribute('aria-expanded', 'true');
  document.addEventListener('pointerdown', outside, true);
  current = { anchor, close };
  (buttons.find((button) => button.getAttribute('aria-checked') === 'true') ?? buttons[0])?.focus();
}

/** @type {{ anchor: HTMLElement | undefined, close: (refocus: boolean) => void } | undefined} */
let current;

/** Whether a menu of this control was open. @param {HTMLElement} [anchor] */
export function closeMenu(anchor) {
  const was = current !== undefined && (anchor === undefined || current.anchor === anchor);
  current?.close(false);
  return was;
}

/** @param {HTMLElement} menu @param {DOMRect | undefined} box @param {{ x: number, y: number } | undefined} at */
function position(menu, box, at) {
  const gap = 6;
  const { width, height } = menu.getBoundingClientRect();
  const x = at?.x ?? (box ? (box.left + width > innerWidth - gap ? box.right - width : box.left) : 0);
  const below = at?.y ?? (box ? box.bottom + gap : 0);
  const y = below + height > innerHeight - gap ? Math.max(gap, (at?.y ?? box?.top ?? 0) - height - gap) : below;
  menu.style.left = `${Math.max(gap, Math.min(x, innerWidth - width - gap))}px`;
  menu.style.top = `${y}px`;
}
