import { VakhtaError } from '../../core/error.ts';
import { type IncidentData, shared } from '../../core/incident.ts';
import {
  matcherFor,
  matchesEach,
  type Matcher,
  narrows,
  quoteRegex,
} from '../../integrations/alertmanager/matchers.ts';
import { silenceMatchers } from '../incidents.ts';
import { type SeenAlert, under } from './alerts.ts';

/** Labels that say which alert or which place: one of them makes a silence that hits everything an intended one. */
const SPECIFIC = new Set(['alertname', 'instance', 'host', 'guest', 'node', 'pod', 'container']);
/** More values of one label than this are chosen together. */
const VALUES_MAX = 4;
const LABELS_MAX = 8;

/** A label with a value that can be chosen for a silence; a label may come several times with different values. */
export interface Candidate {
  readonly name: string;
  readonly values: readonly string[];
  /** Chosen at first. */
  readonly isUsual: boolean;
}

/** What a silence of this incident can be narrowed by; the name of the alert and the place first. */
export function candidatesOf(data: IncidentData): Candidate[] {
  const usual = new Map(silenceMatchers(data).map((matcher) => [matcher.name, matcher]));
  const alerts = Object.values(data.alerts).map(({ labels }) => labels);
  const alike = data.truncated > 0 ? data.groupLabels : { ...shared(alerts), ...data.groupLabels };
  const found: Candidate[] = Object.entries(alike)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ({ name, values: [value], isUsual: usual.get(name)?.isRegex === false }));
  for (const name of ['alertname', 'instance']) {
    if (name in alike) continue;
    const values = [...new Set(alerts.map((labels) => labels[name] ?? ''))].filter((value) => value !== '').toSorted();
    const isUsual = usual.has(name);
    if (values.length === 0) continue;
    if (values.length <= VALUES_MAX) found.push(...values.map((value) => ({ name, values: [value], isUsual })));
    else if (isUsual) found.push({ name, values, isUsual });
  }
  const rank = ({ name }: Candidate): number => (name === 'alertname' ? 0 : name === 'instance' ? 1 : 2);
  const sorted = found.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  // All that is usual stays, however many labels there are.
  return sorted.filter(({ isUsual }, n) => isUsual || n < LABELS_MAX);
}

/** One matcher a label; several values of one label are alternatives. */
export function matchersOfChoice(chosen: readonly Candidate[]): Matcher[] {
  const names = [...new Set(chosen.map(({ name }) => name))];
  return names.map((name) =>
    matcherFor(
      name,
      chosen.filter((one) => one.name === name).flatMap(({ values }) => values),
    ),
  );
}

/** What a silence would mute now. */
export interface Preview {
  readonly muted: readonly SeenAlert[];
  /** Of these, how many are the incident's own; the rest are others'. */
  readonly own: number;
  /** How many alerts of the incident Alertmanager holds. */
  readonly of: number;
}

export function previewOf(matchers: readonly Matcher[], data: IncidentData, alerts: readonly SeenAlert[]): Preview {
  const muted = under(matchers, alerts);
  const isOwn = ({ fingerprint }: SeenAlert): boolean => fingerprint in data.alerts;
  return { muted, own: muted.filter(isOwn).length, of: alerts.filter(isOwn).length };
}

/** Why a silence with these matchers is refused; undefined when it is fine. */
export function refusalOf(
  matchers: readonly Matcher[],
  data: IncidentData,
  alerts: readonly SeenAlert[],
): 'silence-match-all' | 'silence-everything' | 'silence-not-incident' | undefined {
  if (!matchers.some(narrows)) return 'silence-match-all';
  const own = Object.values(data.alerts);
  if (own.length > 0 && !own.some(({ labels }) => matchesEach(matchers, labels))) return 'silence-not-incident';
  const { muted, own: ours } = previewOf(matchers, data, alerts);
  const isSpecific = matchers.some((matcher) => narrows(matcher) && SPECIFIC.has(matcher.name));
  if (!isSpecific && muted.length === alerts.length && muted.length > ours) return 'silence-everything';
  return undefined;
}

/** Throws `usage` where `refusalOf` finds something. */
export function checkSelection(
  id: number,
  matchers: readonly Matcher[],
  data: IncidentData,
  alerts: readonly SeenAlert[],
): void {
  const code = refusalOf(matchers, data, alerts);
  if (code) throw new VakhtaError('usage', code, `silence of incident ${id} is refused`, { args: { id: String(id) } });
}

/** Matchers for everything that is known of a target by one of these names: one list for each label that may hold it. */
export function scopesOfNames(names: readonly string[], labels: readonly string[]): Matcher[][] {
  const some = [...new Set(names)].filter((name) => name !== '').toSorted();
  if (some.length === 0) return [];
  const quoted = some.map(quoteRegex).join('|');
  const alternatives = some.length > 1 ? `(?:${quoted})` : quoted;
  return labels.map((name) =>
    name === 'instance'
      ? // With a domain, with a port.
        [{ name, value: `${alternatives}(?:\\.[^:]+)?(?::\\d+)?`, isRegex: true, isEqual: true }]
      : [matcherFor(name, some)],
  );
}
