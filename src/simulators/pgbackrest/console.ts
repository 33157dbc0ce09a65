const LEVELS = ['off', 'error', 'warn', 'info', 'detail', 'debug', 'trace'];
export type Level = 'ERROR' | 'WARN' | 'INFO' | 'DETAIL';

export interface Console {
  log(level: Level, text: string, process?: number): void;
}

/** pgBackRest's two log outputs: what goes to stderr has no time stamp, and does not appear on stdout again. */
export function createConsole(
  options: ReadonlyMap<string, string>,
  out: (text: string) => void,
  err: (text: string) => void,
  now: () => Date,
): Console {
  const rank = (option: string) => LEVELS.indexOf(options.get(option) ?? 'warn');
  const stdout = rank('log-level-console');
  const stderr = rank('log-level-stderr');
  return {
    log(level, text, process = 0) {
      const own = LEVELS.indexOf(level.toLowerCase());
      const lines = text.replaceAll('\n', '\n       ');
      if (own <= stderr) err(`${level}: ${lines}\n`);
      else if (own <= stdout) out(`${stamp(now())} P0${process} ${level.padStart(6)}: ${lines}\n`);
    },
  };
}

/** Local time with milliseconds, as pgBackRest prints it. */
function stamp(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().replace('T', ' ').replace('Z', '');
}
