import { h } from './dom.js';
import { hue, initials } from './format.js';

/**
 * A round picture made of initials. Decorative: the name stands beside it.
 * @param {{ id: number, name: string, color?: string | undefined, bot?: boolean }} of @param {'s' | 'm' | 'l'} [size]
 */
export function avatar(of, size = 'm') {
  const element = h('span', {
    class: `avatar avatar-${size}`,
    'aria-hidden': 'true',
    data: { hue: of.bot ? 'bot' : hue(of.id) },
  });
  element.textContent = initials(of.name);
  if (of.color && /^#[0-9a-f]{6}$/i.test(of.color)) {
    element.style.background = of.color;
    element.style.color = luminance(of.color) > 0.22 ? '#10202c' : '#ffffff';
  }
  return element;
}

/** Relative luminance as WCAG 2 defines it, 0…1. @param {string} hex */
function luminance(hex) {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
