import { type AlertGroup, fingerprint, type Labels } from './alertmanager.ts';

/** Something that this program found out itself, in the form in which everything else about incidents arrives. */
export interface OwnAlert {
  /** Identity within its source: the id of a probe, `watchdog`, … */
  readonly key: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Date;
  /** With `resolved`. */
  readonly endsAt?: Date;
}

/** An alert of our own as a group of one: incidents know one way in. */
export function ownGroup({ key, status, labels, annotations, startsAt, endsAt }: OwnAlert): AlertGroup {
  return {
    groupKey: key,
    receiver: 'vakhta',
    status,
    truncated: 0,
    groupLabels: labels['alertname'] === undefined ? {} : { alertname: labels['alertname'] },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalUrl: '',
    alerts: [
      {
        fingerprint: fingerprint(labels),
        status,
        labels,
        annotations,
        startsAt: startsAt.toISOString(),
        endsAt: status === 'resolved' ? (endsAt ?? startsAt).toISOString() : null,
        generatorUrl: '',
        extra: {},
      },
    ],
  };
}
