import { currentLanguage, t } from './i18n.js';

/** The simulator's clock may run apart from the browser's: what is "today" is its word. */
let clockOffset = 0;

/** @param {string} iso  The simulator's present. */
export function setNow(iso) {
  const now = Date.parse(iso);
  if (Number.isFinite(now)) clockOffset = now - Date.now();
}

/** Milliseconds of the simulator's present. */
export const now = () => Date.now() + clockOffset;

const locale = () => (currentLanguage() === 'ru' ? 'ru-RU' : 'en-GB');

/** @param {number} unix @param {Intl.DateTimeFormatOptions} options */
const format = (unix, options) => new Intl.DateTimeFormat(locale(), options).format(unix * 1000);

/** "14:05" @param {number} unix seconds */
export const clock = (unix) => format(unix, { hour: '2-digit', minute: '2-digit' });

/** "23 November 2026, 14:05:09", for tooltips. @param {number} unix seconds */
export const fullDate = (unix) => format(unix, { dateStyle: 'long', timeStyle: 'medium' });

/** A number that is the same for all instants of one local day. @param {number} ms */
export const dayKey = (ms) => {
  const date = new Date(ms);
  return date.getFullYear() * 10_000 + date.getMonth() * 100 + date.getDate();
};

/** "Today", "23 November", "23 November 2025" @param {number} unix seconds */
export function dayName(unix) {
  const key = dayKey(unix * 1000);
  if (key === dayKey(now())) return t('today');
  if (key === dayKey(now() - 86_400_000)) return t('yesterday');
  const sameYear = new Date(unix * 1000).getFullYear() === new Date(now()).getFullYear();
  return format(unix, { day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) });
}

/** For the chat list: the time today, else a short date. @param {number} unix seconds */
export const listTime = (unix) =>
  dayKey(unix * 1000) === dayKey(now()) ? clock(unix) : format(unix, { day: 'numeric', month: 'short' });

/** "1.4 MB" @param {number} bytes */
export function fileSize(bytes) {
  const units = currentLanguage() === 'ru' ? ['Б', 'КБ', 'МБ', 'ГБ'] : ['B', 'KB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value)} ${units[unit]}`;
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const SPANS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "5 minutes ago", "in 2 hours" @param {number} unix seconds */
export function relative(unix) {
  const seconds = Math.round(unix - now() / 1000);
  const words = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  for (const [unit, length] of SPANS) {
    if (Math.abs(seconds) >= length) return words.format(Math.trunc(seconds / length), unit);
  }
  return words.format(seconds, 'second');
}

/**
 * A `date_time` entity in the reader's own zone: `r`, or a combination of `w` (weekday), `d`/`D` (date) and `t`/`T` (time).
 * Undefined when the format asks for nothing: then the message's own words stay.
 * @param {number} unix seconds @param {string | undefined} pattern @returns {string | undefined}
 */
export function dateTime(unix, pattern) {
  if (pattern === 'r') return relative(unix);
  /** @type {Intl.DateTimeFormatOptions} */
  const options = {};
  if (pattern?.includes('w')) options.weekday = 'long';
  if (pattern?.includes('d')) Object.assign(options, { day: '2-digit', month: '2-digit', year: '2-digit' });
  if (pattern?.includes('D')) Object.assign(options, { day: 'numeric', month: 'long', year: 'numeric' });
  if (pattern?.includes('t')) Object.assign(options, { hour: '2-digit', minute: '2-digit' });
  if (pattern?.includes('T')) Object.assign(options, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return Object.keys(options).length === 0 ? undefined : format(unix, options);
}

/** @param {import('./types.js').User | undefined} user */
export const userName = (user) => (user ? [user.first_name, user.last_name].filter(Boolean).join(' ') : '');

/** One or two letters for an avatar. @param {string} name */
export function initials(name) {
  const words = name.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  return words
    .slice(0, 2)
    .map((word) => [...word].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? '')
    .join('')
    .toUpperCase();
}

/** One of seven hues, always the same for the same id. @param {number} id */
export const hue = (id) => Math.abs(id) % 7;
