import type { LogLine } from './logs.ts';

/** `2026-11-23T03:05:09+0300 pg sshd[12]: text`; the host is left out, because it stands in the heading. */
const JOURNAL = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d):?(\d\d)\s+\S+\s+(.*)$/u;

/** The output of `journalctl -o short-iso`: a line without a time goes on from the one before. */
export function parseJournal(stdout: string): LogLine[] {
  const lines: { at?: Date; text: string }[] = [];
  for (const line of stdout.split('\n')) {
    // Of journalctl itself: "-- No entries --", "-- Boot … --".
    if (line.trim() === '' || /^-- .* --$/u.test(line)) continue;
    const [, time, hours, minutes, text] = JOURNAL.exec(line) ?? [];
    const at = new Date(`${time}${hours}:${minutes}`);
    const last = lines.at(-1);
    if (text !== undefined && !Number.isNaN(at.getTime())) lines.push({ at, text });
    else if (last && /^\s/u.test(line)) last.text += ` ${line.trim()}`;
    else lines.push({ text: line });
  }
  return lines;
}

/** The output of `docker logs --timestamps`: two streams, put in order by time. */
export function parseDocker(stdout: string, stderr: string): LogLine[] {
  return [...stdout.split('\n'), ...stderr.split('\n')]
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, time = '', text = ''] = /^(\d{4}-\d\d-\d\dT\S+)\s?(.*)$/u.exec(line) ?? [];
      const at = new Date(time);
      return Number.isNaN(at.getTime()) ? { text: plain(line) } : { at, text: plain(text) };
    })
    .toSorted((a, b) => (a.at?.getTime() ?? 0) - (b.at?.getTime() ?? 0));
}

const ESCAPE = String.fromCharCode(27);
/** Colours are for terminals. */
const COLOURS = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]`, 'gu');
const plain = (text: string): string => text.replaceAll(COLOURS, '');
