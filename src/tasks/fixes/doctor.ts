import type { DoctorProbe } from '../../config/doctor.ts';
import type { Operation } from '../define.ts';
import { type FixRule, ruleProblem } from './offers.ts';

/** One line that counts them when all is well, else one for each rule that can never be offered. */
export function fixProbes(
  rules: readonly FixRule[],
  operations: ReadonlyMap<string, Operation>,
): readonly DoctorProbe[] {
  const problems = rules.flatMap((rule, n) => {
    const problem = ruleProblem(rule, operations);
    return problem ? [{ n, problem }] : [];
  });
  if (rules.length === 0) return [];
  if (problems.length === 0) {
    const args = { n: rules.length };
    return [{ name: 'fixes', probe: async () => ({ state: 'ok', text: 'doctor-fixes', args }) }];
  }
  return problems.map(({ n, problem: { code, operation, detail } }) => ({
    name: `fixes[${n}]`,
    probe: async () => ({ state: 'fail', text: `doctor-fixes-${code}`, args: { operation, detail } }),
  }));
}
