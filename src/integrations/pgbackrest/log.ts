import type { BackupType } from './info.ts';

/** One line of the console log as far as it tells something (pgBackRest 2.45 with `--log-level-console=detail`). */
export type LogEvent =
  | { readonly kind: 'copied'; readonly percent: number; readonly bytes: number }
  | { readonly kind: 'stage'; readonly stage: Stage }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'done'; readonly durationMs: number }
  /** `pages` are counted, a range `3-5` as three. */
  | { readonly kind: 'bad-pages'; readonly file: string; readonly pages: number }
  /** What was asked for is not what is made: "no prior backup exists, incr backup has been changed to full". */
  | { readonly kind: 'type-changed'; readonly type: BackupType }
  | { readonly kind: 'error'; readonly code: number; readonly detail: string };

export type Stage = 'checkpoint' | 'copying' | 'wal' | 'expire';

const PREFIX = /^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? )?(?:P\d+ +)?(ERROR|WARN|INFO|DETAIL|DEBUG|TRACE): +(.*)$/;
const STAGES: readonly (readonly [RegExp, Stage])[] = [
  [/^execute (?:non-)?exclusive backup start|^execute .*backup start/, 'checkpoint'],
  [/^backup start archive = /, 'copying'],
  [/^execute (?:non-)?exclusive backup stop|^execute .*backup stop/, 'wal'],
  [/^expire command begin /, 'expire'],
];

/** What a line of stdout or stderr says, or undefined. Lines with and without time stamp are understood. */
export function parseLogLine(line: string): LogEvent | undefined {
  const [, level, text = ''] = PREFIX.exec(line) ?? [];
  if (level === undefined) return undefined;
  if (level === 'ERROR') {
    const [, code, detail = ''] = /^\[(\d{3})\]: (.*)$/.exec(text) ?? [];
    return code === undefined ? undefined : { kind: 'error', code: Number(code), detail };
  }
  if (level === 'WARN') return parseWarning(text);
  const copied =
    /^(?:backup|match) file .* \((?:bundle \d+\/\d+, )?([\d.]+)(B|KB|MB|GB|TB|PB)(?:, |\) ).*?([\d.]+)%\)/.exec(text);
  if (copied) return { kind: 'copied', percent: Number(copied[3]), bytes: size(copied[1], copied[2]) };
  if (level !== 'INFO') return undefined;
  const label = /^new backup label = (\S+)$/.exec(text)?.[1];
  if (label !== undefined) return { kind: 'label', label };
  const done = /^backup command end: completed successfully \((\d+)ms\)$/.exec(text)?.[1];
  if (done !== undefined) return { kind: 'done', durationMs: Number(done) };
  const stage = STAGES.find(([pattern]) => pattern.test(text))?.[1];
  return stage === undefined ? undefined : { kind: 'stage', stage };
}

function parseWarning(text: string): LogEvent | undefined {
  const [, file, pages] = /^invalid page checksums? found in file (.+) at pages? ([\d, -]+)$/.exec(text) ?? [];
  if (file !== undefined && pages !== undefined) return { kind: 'bad-pages', file, pages: countPages(pages) };
  const type = /backup has been changed to (full|diff|incr)\b/.exec(text)?.[1];
  if (type === 'full' || type === 'diff' || type === 'incr') return { kind: 'type-changed', type };
  return undefined;
}

/** `1, 3-5` → 4 */
function countPages(list: string): number {
  return list.split(',').reduce((sum, part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
const size = (number = '0', unit = 'B'): number => Math.round(Number(number) * 1024 ** UNITS.indexOf(unit));

/** The first error that stderr or stdout tells, with its hints, on one line. */
export function firstError(output: string): string {
  const lines = output.split('\n');
  const at = lines.findIndex((line) => /\bERROR: /.test(line));
  if (at === -1) return '';
  const hints = lines.slice(at + 1).findIndex((line) => !/^\s+\S/.test(line));
  return lines
    .slice(at, hints === -1 ? undefined : at + 1 + hints)
    .map((line) => line.replace(/^.*\bERROR: /, '').trim())
    .join(' ');
}
