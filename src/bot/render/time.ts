import { DateTime } from 'luxon';
import type { TimeAs } from '../../core/doc.ts';
import type { Translate } from '../../core/i18n.ts';

export interface Reader {
  readonly t: Translate;
  /** IANA zone. */
  readonly zone: string;
  readonly now: Date;
}

/** `14:05`, `14:05:09`, `23 Nov 14:05` (with the year when it is another one), `5 min ago` / `in 5 min`. */
export function formatTime(at: Date, as: TimeAs, { t, zone, now }: Reader): string {
  if (Number.isNaN(at.getTime())) return t('render-no-time');
  if (as === 'ago') return relative(at.getTime() - now.getTime(), t);
  const local = DateTime.fromJSDate(at, { zone });
  const clock = local.toFormat('HH:mm');
  if (as === 'clock') return clock;
  if (as === 'seconds') return local.toFormat('HH:mm:ss');
  const month = t('render-months').split(' ')[local.month - 1] ?? String(local.month);
  const year = local.year === DateTime.fromJSDate(now, { zone }).year ? '' : ` ${local.year}`;
  return `${local.day} ${month}${year} ${clock}`;
}

const UNITS = [
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
] as const;

function relative(difference: number, t: Translate): string {
  const key = difference > 0 ? 'render-in' : 'render-ago';
  return t(key, { time: formatLargest(Math.abs(difference), t) });
}

/** The largest unit that fills itself, rounded down: `under a minute`, `5 min`, `3 h`, `2 d`. */
function formatLargest(ms: number, t: Translate): string {
  for (const [unit, size] of UNITS) {
    if (ms >= size) return t(`render-${unit}`, { n: Math.floor(ms / size) });
  }
  return t('render-seconds', { n: Math.max(1, Math.round(ms / 1000)) });
}
