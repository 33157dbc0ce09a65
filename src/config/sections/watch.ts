import { z } from 'zod';
import { SEVERITIES } from '../../core/incident.ts';
import { auth, count, id, readAs, secretRef, section, text, timeOfDay, url, zone } from './common.ts';
import { labelTests, WEEKDAYS } from './people.ts';

const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const DATE_TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[ T]([01]\d|2[0-3]):[0-5]\d$/;

const matching = (pattern: RegExp, finding: string, example: string) =>
  readAs((value) => (pattern.test(value) ? { ok: value } : { text: finding })).meta({
    pattern: pattern.source,
    examples: [example],
  });

/** A day of the calendar, `YYYY-MM-DD`. */
const day = () => matching(DATE, 'cfg-bad-date', '2026-01-05');

/** A wall-clock time in the zone of its section, `YYYY-MM-DD HH:MM`. */
const wallTime = () => matching(DATE_TIME, 'cfg-bad-date-time', '2026-12-30 18:00');

export const watch = section({
  zone: zone().describe('Zone of the times below. Default: site.zone.').exactOptional(),
  rotation: section({
    people: z.array(z.string()).min(1).describe('Ids of operators, in the order in which they take the watch.'),
    starts: day().describe('Day on which the first of them takes the watch.'),
    at: timeOfDay().default('09:00').describe('Time of day of the change.'),
    days: count(1, 90).default(7).describe('How many days each of them stands the watch.'),
  })
    .describe('The regular turn.')
    .exactOptional(),
  overrides: z
    .array(
      section({
        person: z.string().describe('Id of an operator.'),
        from: wallTime().describe('When it begins.'),
        to: wallTime().describe('When it ends.'),
      }),
    )
    .default([])
    .describe('Exceptions that are known beforehand; a later one wins. Others are made with /watch.'),
}).describe('Who is on watch.');

const ESCALATION_TARGETS = ['watch', 'second', 'admins', 'everybody'] as const;

export const escalation = section({
  severity: z
    .array(z.enum(SEVERITIES))
    .min(1)
    .default(['critical'])
    .describe('Incidents of these severities escalate until somebody takes them on.'),
  steps: z
    .array(
      section({
        after_minutes: z.number().min(0).max(1440).describe('Minutes after the incident began without an owner.'),
        to: z
          .enum(ESCALATION_TARGETS)
          .describe('watch: who is on watch; second: who comes next; admins; everybody who may act.'),
      }),
    )
    .default([
      { afterMinutes: 2, to: 'watch' },
      { afterMinutes: 10, to: 'second' },
      { afterMinutes: 20, to: 'admins' },
    ])
    .describe('Who is called in private, and when.'),
  repeat_minutes: count(0, 1440)
    .default(30)
    .describe('After the last step it is called again this often; 0: not again.'),
  ack_minutes: count(0, 1440)
    .default(60)
    .describe('An acknowledgement without any action wears off after this time; 0: never.'),
}).describe('Who is called when nobody takes an incident on.');

export const loudness = section({
  critical: z.enum(['sound', 'silent']).default('sound').describe('How a critical message arrives.'),
  warning: z.enum(['sound', 'silent']).default('sound').describe('How a warning arrives.'),
  info: z.enum(['sound', 'silent']).default('silent').describe('How information arrives.'),
}).describe('With or without sound, by severity.');

export const storm = section({
  cards: count(2, 100)
    .default(8)
    .describe(
      'New incidents of one chat within a minute, or not shown yet, from which a storm card collects the rest.',
    ),
  critical_cards: count(0, 100)
    .default(5)
    .describe('During a storm this many critical ones a minute still get a card.'),
  calm_minutes: z.number().min(0.1).max(120).default(3).describe('Without a new incident for this long it is over.'),
}).describe('Many incidents at once.');

export const topology = section({
  down: z
    .array(labelTests())
    .default([
      { alertname: { pattern: /^(?:.*(Host|Node|Instance|Guest|Server|Hypervisor).*(Down|Unreachable|Offline))$/u } },
    ])
    .describe('Alerts that say that a node or a guest is down: what runs on it is folded into their incident.'),
}).describe('What runs where is read from Proxmox VE.');

export const silences = section({
  warn_minutes: count(0, 1440)
    .default(15)
    .describe('Warning before a silence ends while something still fires; 0: none.'),
}).describe('Silences of Alertmanager.');

export const watchdog = section({
  match: labelTests().describe('The alert that always fires.'),
  missing_minutes: count(1, 1440).default(5).describe('An incident when it was not seen for this long.'),
}).describe('An alert that always fires shows that alerts arrive; it makes no incident, its absence does.');

export const heartbeat = section({
  url: secretRef().describe('Ping address of an outside dead-man switch (healthchecks.io and compatible).'),
  every_seconds: count(10, 3600).default(60).describe('How often, while deliveries go on.'),
}).describe('An outside service that notices when this program stops.');

export const drill = section({
  chat: z.string().describe('Id of a chat.'),
  topic: text().describe("Name of one of that chat's topics.").exactOptional(),
  at: timeOfDay().describe("Time of day, in the chat's zone."),
  weekdays: z.array(z.enum(WEEKDAYS)).min(1).default(['mon']).describe('Default: Mondays.'),
  answer_minutes: count(1, 1440).default(30).describe('How long a person has to press the button.'),
}).describe('A synthetic alert on its whole way, to a person who presses the button.');

export const probe = section({
  id: id().describe('Name of this probe.'),
  name: text().describe('Name for people. Default: id.').exactOptional(),
  kind: z.enum(['http', 'tcp', 'tls', 'icmp']).describe('How it is tried.'),
  target: text().describe('URL for http, host:port for tcp and tls, host for icmp.'),
  every_seconds: count(5, 86_400).default(30).describe('How often.'),
  timeout_seconds: count(1, 60).default(5).describe('No answer in this time is a failure.'),
  failures: count(1, 100).default(3).describe('This many failures in a row are an incident.'),
  severity: z.enum(SEVERITIES).default('critical').describe('Severity of that incident.'),
  expect_status: z.array(count(100, 599)).min(1).describe('Statuses that are fine; default: 200–399.').exactOptional(),
  labels: z
    .record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string())
    .default({})
    .describe('Further labels of the incident, for routes.'),
});

export const loki = section({
  url: url().describe('Address of Loki.'),
  auth: auth().exactOptional(),
}).describe('Loki: log lines on cards.');

export const logSource = section({
  match: labelTests().describe('Alerts that these log lines belong to.'),
  host: text().describe('Id of a host: journalctl over SSH. May hold {{label}}.').exactOptional(),
  unit: text().describe('systemd unit. May hold {{label}}.').exactOptional(),
  container: text().describe('Container of Docker on that host. May hold {{label}}.').exactOptional(),
  loki: text().describe('LogQL selector. May hold {{label}}.').exactOptional(),
});

export const docker = section({
  id: id().describe('Name of this Docker engine.'),
  host: z.string().describe('Id of the host where it is reached over SSH, or local.'),
  binary: z
    .array(text())
    .min(1)
    .default(['docker'])
    .describe('The command as a list of arguments; nothing goes through a shell.'),
  run_as: text().describe('User that runs it, by sudo -n -u.').exactOptional(),
});

export const fix = section({
  match: labelTests().describe('Alerts that it is offered for.'),
  operation: text().describe('Name of an operation, as in container.restart.'),
  args: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Its arguments; {{label}} stands for a label of the alert.'),
  label: section({ ru: text().describe('Russian.'), en: text().describe('English.') })
    .describe('Text of the button. Default: the summary of the operation.')
    .exactOptional(),
  clears_minutes: count(1, 1440).default(10).describe('If the alert still fires after this long, it pages again.'),
});

export const deployments = section({
  token: secretRef().describe('Bearer token that a pipeline must send to /webhooks/deployments.'),
}).describe('Pipelines tell what they have deployed, for "what changed" on cards.');
