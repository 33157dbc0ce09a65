import { defineMessages, type Translate } from './i18n.ts';

export const messages = defineMessages({
  en: `
    unit-b = { $n } B
    unit-kb = { $n } kB
    unit-mb = { $n } MB
    unit-gb = { $n } GB
    unit-tb = { $n } TB
    unit-ms = { $n } ms
    unit-s = { $n } s
    unit-min = { $n } min
    unit-h = { $n } h
    unit-d = { $n } d
  `,
  ru: `
    unit-b = { $n } Б
    unit-kb = { $n } кБ
    unit-mb = { $n } МБ
    unit-gb = { $n } ГБ
    unit-tb = { $n } ТБ
    unit-ms = { $n } мс
    unit-s = { $n } с
    unit-min = { $n } мин
    unit-h = { $n } ч
    unit-d = { $n } д
  `,
});

const UNITS = ['unit-b', 'unit-kb', 'unit-mb', 'unit-gb', 'unit-tb'] as const;

/** Decimal units, three digits at the most: 512 B, 1.2 GB, 34 MB. */
export function formatBytes(bytes: number, t: Translate): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 || value >= 10 ? String(Math.round(value)) : value.toFixed(1);
  return t(UNITS[unit] ?? 'unit-b', { n: text });
}

/** The two largest units: 850 ms, 4.3 s, 2 min 5 s, 3 h 10 min, 12 d 4 h. */
export function formatDuration(ms: number, t: Translate): string {
  if (ms < 1000) return t('unit-ms', { n: Math.round(ms) });
  if (ms < 10_000) return t('unit-s', { n: (ms / 1000).toFixed(1) });
  const parts: readonly (readonly [string, number])[] = [
    ['unit-d', 86_400],
    ['unit-h', 3600],
    ['unit-min', 60],
    ['unit-s', 1],
  ];
  let rest = Math.round(ms / 1000);
  const words: string[] = [];
  for (const [unit, size] of parts) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) words.push(t(unit, { n }));
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.join(' ');
}
