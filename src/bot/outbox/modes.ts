/** How the next attempt of a row differs from the first. Kept in the row, so that it survives a restart. */
export const MODES = ['plain', 'no-reply', 'general', 'remade', 'repeat', 'document', 'no-picture'] as const;
export type Mode = (typeof MODES)[number];

const PREFIX = 'next: ';

/** `next: plain,repeat; 400 Bad Request…` */
export const writeModes = (modes: ReadonlySet<Mode>, reason: string): string =>
  modes.size === 0 && !reason.startsWith(PREFIX) ? reason : `${PREFIX}${[...modes].join(',')}; ${reason}`;

export function readModes(error: string | undefined): Set<Mode> {
  if (error === undefined || !error.startsWith(PREFIX)) return new Set();
  const words = error.slice(PREFIX.length).split(';')[0]?.split(',') ?? [];
  return new Set(MODES.filter((mode) => words.includes(mode)));
}
