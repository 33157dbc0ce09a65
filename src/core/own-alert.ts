import { z } from 'zod';
import { type AlertGroup, fingerprint, type Labels } from './alertmanager.ts';
import { type Incident, incidentTitle } from './incident.ts';
import type { Translate } from './i18n.ts';

/** Something that this program found out itself, in the form in which everything else about incidents arrives. */
export interface OwnAlert {
  /** Identity within its source: the id of a probe, `watchdog`, … */
  readonly key: string;
  readonly status: 'firing' | 'resolved';
  readonly labels: Labels;
  readonly annotations: Labels;
  /** The same sentences for readers of other languages; see `spoken`. */
  readonly extra?: Labels | undefined;
  readonly startsAt: Date;
  /** With `resolved`. */
  readonly endsAt?: Date;
}

/** An alert of our own as a group of one: incidents know one way in. */
export function ownGroup({ key, status, labels, annotations, extra, startsAt, endsAt }: OwnAlert): AlertGroup {
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
        extra: extra ?? {},
      },
    ],
  };
}

/** Sources of incidents that this program found out itself. Only their alerts are believed to speak by catalogue keys. */
export const OWN_SOURCES: readonly string[] = ['vakhta', 'probe'];

/** A sentence by catalogue key; an argument may be a sentence itself. */
export interface Said {
  readonly key: string;
  readonly args?: Readonly<Record<string, string | number | Said>> | undefined;
}
const said: z.ZodType<Said> = z.lazy(() =>
  z.object({ key: z.string(), args: z.record(z.string(), z.union([z.string(), z.number(), said])).optional() }),
);
const sentences = z.record(z.string(), said);

/** The field of an own alert that holds its sentences as JSON, by the annotation that they stand for. */
export const SAYS = 'vakhta_says';

/**
 * What an own alert says: annotations in the language of the site, for whoever reads alerts as they are, and beside them what
 * they are made of, so that a card says it in the language of its reader.
 */
export function spoken(
  t: Translate,
  says: Readonly<Record<string, Said>>,
): { readonly annotations: Labels; readonly extra: Labels } {
  const words = Object.entries(says).map(([name, sentence]) => [name, sayIn(t, sentence)]);
  return { annotations: Object.fromEntries(words) as Labels, extra: { [SAYS]: JSON.stringify(says) } };
}

export function sayIn(t: Translate, { key, args = {} }: Said): string {
  const words = Object.entries(args).map(([name, arg]) => [name, typeof arg === 'object' ? sayIn(t, arg) : arg]);
  return t.has(key) ? t(key, Object.fromEntries(words) as Readonly<Record<string, string | number>>) : key;
}

/** The annotations of an own alert in this language; those of which nothing is known, or no text is there any more, are left out. */
export function annotationsIn(t: Translate, says: string | undefined): Labels {
  if (says === undefined) return {};
  const read = sentences.safeParse(parsed(says));
  if (!read.success) return {};
  const known = Object.entries(read.data).filter(([, { key }]) => t.has(key));
  return Object.fromEntries(known.map(([name, sentence]) => [name, sayIn(t, sentence)]));
}

/** The title of an incident in this language; `says` of its own alert, absent for what came from elsewhere. */
export function titleIn(t: Translate, { title, says }: { readonly title: string; readonly says?: string | undefined }) {
  const { summary } = annotationsIn(t, says);
  return summary === undefined ? title : incidentTitle(summary);
}

/** An incident as the reader of this language sees it. That of an own source only: elsewhere anybody may write such a field. */
export function incidentIn<T extends Pick<Incident, 'title' | 'data'>>(t: Translate, source: string, incident: T): T {
  if (!OWN_SOURCES.includes(source)) return incident;
  const alerts = Object.entries(incident.data.alerts).map(([id, alert]) => {
    const { [SAYS]: says, ...extra } = alert.extra;
    return [id, { ...alert, extra, annotations: { ...alert.annotations, ...annotationsIn(t, says) } }] as const;
  });
  const [only] = Object.values(incident.data.alerts);
  return {
    ...incident,
    title: titleIn(t, { title: incident.title, says: only?.extra[SAYS] }),
    data: { ...incident.data, alerts: Object.fromEntries(alerts) },
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
