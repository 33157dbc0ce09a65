import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';

/** Several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One line of the report: the program against its baseline, round by round. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly program: Spread;
  readonly baseline: Spread;
  /** Program divided by baseline within each round. */
  readonly ratio: Spread;
  /** What the ratio should be; absent where there is no aim. */
  readonly aim?: { readonly at: 'least' | 'most'; readonly ratio: number };
  readonly rounds: readonly { readonly program: number; readonly baseline: number }[];
}

export interface Bench {
  readonly name: string;
  readonly about: string;
  readonly run: (report: (progress: string) => void) => Promise<readonly Figure[]>;
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** Linear between the two nearest values, so that few values do not jump. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function figure(
  name: string,
  unit: string,
  rounds: readonly { readonly program: number; readonly baseline: number }[],
  aim?: Figure['aim'],
): Figure {
  return {
    name,
    unit,
    program: spread(rounds.map((round) => round.program)),
    baseline: spread(rounds.map((round) => round.baseline)),
    ratio: spread(rounds.map((round) => round.program / round.baseline)),
    rounds,
    ...(aim ? { aim } : {}),
  };
}

/** Both sides once each round, in turns who begins, so that a machine that gets slower or faster favours neither. */
export async function interleaved<T>(
  rounds: number,
  sides: { readonly program: () => Promise<T>; readonly baseline: () => Promise<T> },
  report: (progress: string) => void,
): Promise<{ readonly program: T; readonly baseline: T }[]> {
  const measured: { program: T; baseline: T }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    report(`round ${round + 1} of ${rounds}`);
    if (round % 2 === 0) {
      const baseline = await sides.baseline();
      measured.push({ baseline, program: await sides.program() });
    } else {
      const program = await sides.program();
      measured.push({ program, baseline: await sides.baseline() });
    }
  }
  return measured;
}

export function isMet({ aim, ratio }: Figure): boolean | undefined {
  if (!aim) return undefined;
  return aim.at === 'least' ? ratio.median >= aim.ratio : ratio.median <= aim.ratio;
}

/** A table for people: medians, and in brackets the least and the greatest of all rounds. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((one) => [
    one.name,
    one.unit,
    show(one.program),
    show(one.baseline),
    show(one.ratio),
    one.aim ? `${one.aim.at === 'least' ? '≥' : '≤'} ${one.aim.ratio}  ${isMet(one) ? 'met' : 'NOT MET'}` : '',
  ]);
  const lines = [['figure', 'unit', 'Vakhta', 'baseline', 'ratio', 'aim'], ...rows];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, n) => cell.padEnd(widths[n] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const show = ({ median, min, max }: Spread): string =>
  min === max || Number.isNaN(median) ? digits(median) : `${digits(median)} (${digits(min)}–${digits(max)})`;

function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Writes `bench/results/<name>.json`; answers the path. */
export async function save(name: string, figures: readonly Figure[], at: Date): Promise<string> {
  const folder = new URL('results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = new URL(`${name}.json`, folder);
  const machine = { cpus: cpus().length, cpu: cpus()[0]?.model, node: process.version, platform: process.platform };
  await writeFile(file, `${JSON.stringify({ name, at, machine, figures }, null, 2)}\n`);
  return file.pathname;
}
