/** A step of a checklist, as the runbook has it. */
export interface ChecklistStep {
  readonly title: string;
  /** How long it takes, as the runbook estimates. */
  readonly minutes: number;
  /** What to do, in Markdown. */
  readonly text: string;
  /** The operation that does it, as it is typed: `/restore pg`. */
  readonly operation?: string;
}

/** A runbook that is worked through step by step. */
export interface Checklist {
  readonly title: string;
  /** When it is for. */
  readonly when: string;
  /** What has to be at hand before the first step. */
  readonly needs: readonly string[];
  readonly steps: readonly ChecklistStep[];
}

export type ParsedChecklist =
  | { readonly ok: true; readonly checklist: Checklist }
  | { readonly ok: false; readonly problem: string };

const STEP = /^(\d+)\.\s+(.+?)\s+\((\d+)\s*(?:min|мин)\)$/u;
const OPERATION = /^(?:Operation|Операция):\s+`\/([^`]+)`$/u;

/**
 * Reads a runbook of this shape, in either language: `# title`; `## …` when it is for; `## …` a list of what is needed; `## …` the
 * steps, each as `### 1. What to do (5 min)` with its text below, and `Operation: …` with a command in backquotes as a line of its own where one
 * does it. The words of the three headings are free, their order is not.
 */
export function parseChecklist(markdown: string): ParsedChecklist {
  const [head = '', ...parts] = markdown.replaceAll('\r\n', '\n').split(/^## /mu);
  const [, title] = /^# (.+)\n/u.exec(head) ?? [];
  if (title === undefined) return bad('it has no title');
  const [when, needs, steps] = parts.map((part) => part.slice(part.indexOf('\n') + 1).trim());
  if (parts.length !== 3 || when === undefined || needs === undefined || steps === undefined) {
    return bad(`it has ${parts.length} sections, not three`);
  }
  const items = needs.split('\n').filter((one) => one.trim() !== '');
  const stray = items.find((one) => !one.startsWith('- '));
  if (items.length === 0 || stray !== undefined) return bad(`what is needed is no list: ${stray ?? 'nothing'}`);
  const [before = '', ...texts] = steps.split(/^### /mu);
  if (before.trim() !== '') return bad('the section of steps begins with something else');
  const read: ChecklistStep[] = [];
  for (const [n, text] of texts.entries()) {
    const step = readStep(text, n + 1);
    if (typeof step === 'string') return bad(step);
    read.push(step);
  }
  if (read.length === 0) return bad('it has no steps');
  return { ok: true, checklist: { title, when, needs: items.map((one) => one.slice(2).trim()), steps: read } };
}

function readStep(text: string, n: number): ChecklistStep | string {
  const [heading = '', ...lines] = text.split('\n');
  const [, number, title, minutes] = STEP.exec(heading.trim()) ?? [];
  if (title === undefined || Number(number) !== n) return `step ${n} is headed “${heading}”`;
  const operations = lines.flatMap((line) => OPERATION.exec(line.trim())?.[1] ?? []);
  const rest = lines
    .filter((line) => !OPERATION.test(line.trim()))
    .join('\n')
    .trim();
  if (rest === '') return `step ${n} says nothing`;
  if (operations.length > 1) return `step ${n} has more than one operation`;
  const [operation] = operations;
  return { title, minutes: Number(minutes), text: rest, ...(operation === undefined ? {} : { operation }) };
}

const bad = (problem: string): ParsedChecklist => ({ ok: false, problem });
