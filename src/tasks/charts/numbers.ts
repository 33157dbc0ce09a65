import { formatBytes, formatDuration } from '../../core/format.ts';
import type { Translate } from '../../core/i18n.ts';
import type { Unit } from '../../core/promql.ts';

const LARGE = [
  ['T', 1e12],
  ['G', 1e9],
  ['M', 1e6],
] as const;

/** A measured value for people, three digits where that is enough: 0, 3.14, 97.1, 12345, 1.23 M, 4.2e-7, 34 MB, 3 h 10 min. */
export function formatValue(value: number, unit: Unit, t: Translate): string {
  if (Number.isNaN(value)) return '—';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const sign = value < 0 ? '−' : '';
  const size = Math.abs(value);
  if (unit === 'bytes') return sign + formatBytes(size, t);
  if (unit === 'seconds') return sign + duration(size, t);
  if (size === 0) return '0';
  if (size < 1e-4 || size >= 1e15) return sign + size.toExponential(size < 1e15 ? 1 : 2).replace('e+', 'e');
  for (const [letter, of] of LARGE) if (size >= of) return `${sign}${short(size / of)} ${letter}`;
  return sign + short(size);
}

const duration = (seconds: number, t: Translate): string =>
  seconds > 0 && seconds < 0.001
    ? t('unit-ms', { n: short(seconds * 1000) })
    : seconds === 0
      ? t('unit-s', { n: 0 })
      : formatDuration(seconds * 1000, t);

/** At least three digits that count, and every digit before the point. */
const short = (value: number): string =>
  Number.isInteger(value) || value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
