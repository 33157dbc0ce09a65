/** How a silence of ours is recognised after a crash: its comment ends with the run that made it. */
const mark = (runId: string): string => `run ${runId})`;

/** What stands in Alertmanager: what people said, then who made it. */
export const commentOf = (words: string, runId: string): string => `${words} (Vakhta, ${mark(runId)}`;

export const isMadeBy = (comment: string, runId: string): boolean => comment.endsWith(mark(runId));

/** Whether this program has made it. */
export const isOurs = (comment: string): boolean => /\(Vakhta, run [0-9a-f-]+\)$/u.test(comment);

/** The words without what the program needs to know its own, and without the number that stands beside them anyway. */
export const wordsOf = (comment: string): string =>
  /^(?:#\d+: )?(.*) \(Vakhta, run [0-9a-f-]+\)$/su.exec(comment)?.[1] ?? comment;
