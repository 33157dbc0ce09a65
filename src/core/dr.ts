/** What can go so wrong that a checklist leads through it; each has the runbook `dr-<scenario>`. */
export const SCENARIOS = [
  'lost-container',
  'lost-database',
  'lost-host',
  'lost-vault',
  'lost-telegram',
  'ransomware',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** The name of its runbook. */
export const runbookOfScenario = (scenario: Scenario): string => `dr-${scenario}`;

export const scenarioOfRunbook = (name: string): Scenario | undefined =>
  SCENARIOS.find((one) => runbookOfScenario(one) === name);

/** How the ledger of recovery calls it. */
export const drTarget = (scenario: string): string => `dr:${scenario}`;
