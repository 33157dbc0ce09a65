import type { TextArgs, Translate } from '../core/i18n.ts';
import { redactShapes } from '../core/redact.ts';
import type { Path, Place } from './document.ts';

/** One thing that is wrong in the file: where, and as a catalogue text what, and how to mend it. */
export interface Problem extends Place {
  /** An error keeps the program from starting; a warning does not. */
  readonly severity: 'error' | 'warning';
  /** `proxmox[0].token`; empty when the problem belongs to the file as a whole. */
  readonly path: string;
  readonly text: string;
  readonly args: TextArgs;
}

/** `proxmox[0].token`, as people write it. */
export const formatPath = (path: Path): string =>
  path.reduce<string>(
    (done, step) => (typeof step === 'number' ? `${done}[${step}]` : done === '' ? step : `${done}.${step}`),
    '',
  );

/** `config/vakhta.yaml:12:10 telegram.token: what is wrong and how to mend it`. */
export function formatProblem(file: string, problem: Problem, t: Translate): string {
  const place = `${file}:${problem.line}:${problem.column}`;
  const sentence = t(problem.text, problem.args);
  const marked = problem.severity === 'warning' ? t('cfg-warning', { sentence }) : sentence;
  // A credential pasted where a name belongs (an unknown key, an id) would otherwise be quoted.
  return redactShapes(problem.path === '' ? `${place} ${marked}` : `${place} ${problem.path}: ${marked}`);
}

/** From top to bottom of the file; what stands at the same place keeps its order. */
export const inFileOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
