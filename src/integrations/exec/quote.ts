/**
 * One POSIX shell command line that runs exactly `argv` (IEEE 1003.1, 2.2.2 Single-Quotes). This is the only place in
 * the program where words become shell text. A word may hold anything but NUL.
 */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  // The first word of a line may not look like an assignment, so `=` is quoted too.
  if (/^[A-Za-z0-9_@%+:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
