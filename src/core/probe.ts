/** What one attempt found. */
export type ProbeResult =
  | { readonly ok: true; readonly latencyMs: number }
  /** `reason`: in the words of the protocol, the same for every language: `HTTP 503`, `ECONNREFUSED`, `timeout`. */
  | { readonly ok: false; readonly reason: string }
  /** It could not even be tried here: that says nothing about the target. */
  | { readonly ok: 'unavailable'; readonly reason: string };

export interface ProbeState {
  readonly state: 'unknown' | 'up' | 'down';
  /** Since when it is in this state; of `down` since the first of the failures that led there. */
  readonly since: Date;
  readonly checkedAt: Date;
  /** Of the last success, in milliseconds. */
  readonly latencyMs?: number | undefined;
  /** In a row. */
  readonly failures: number;
  readonly successes: number;
  readonly failingSince?: Date | undefined;
  /** Of the last failure; absent after a success. */
  readonly reason?: string | undefined;
}

/** One good answer of a service that is going up and down is not yet its recovery. */
const RECOVERS_AFTER = 2;

/**
 * One result applied to what is known: `failures` in a row are an outage, two successes in a row are its end. `turned` says that
 * people have to be told.
 */
export function nextProbeState(
  before: ProbeState | undefined,
  result: ProbeResult,
  now: Date,
  policy: { readonly failures: number },
): { readonly after: ProbeState; readonly turned?: 'down' | 'up' } {
  const state = before?.state ?? 'unknown';
  const kept = { since: before?.since ?? now, latencyMs: before?.latencyMs };
  if (result.ok === 'unavailable') {
    // An outage that is under way is not over because nobody can look any more.
    const still = state === 'down' ? before : undefined;
    const after: ProbeState = {
      ...kept,
      state: still ? 'down' : 'unknown',
      since: still || state === 'unknown' ? kept.since : now,
      checkedAt: now,
      failures: still?.failures ?? 0,
      successes: 0,
      failingSince: still?.failingSince,
      reason: result.reason,
    };
    return { after };
  }
  if (result.ok) {
    const successes = (before?.successes ?? 0) + 1;
    const recovers = state === 'down' && successes >= RECOVERS_AFTER;
    const up = state === 'up' || state === 'unknown' || recovers;
    const after: ProbeState = {
      state: up ? 'up' : 'down',
      since: state === 'up' || !up ? kept.since : now,
      checkedAt: now,
      latencyMs: result.latencyMs,
      failures: 0,
      successes,
      failingSince: up ? undefined : before?.failingSince,
    };
    return recovers ? { after, turned: 'up' } : { after };
  }
  const failures = (before?.failures ?? 0) + 1;
  const failingSince = before && before.failures > 0 ? (before.failingSince ?? now) : now;
  const falls = state !== 'down' && failures >= policy.failures;
  const after: ProbeState = {
    ...kept,
    state: falls ? 'down' : state,
    since: falls ? failingSince : kept.since,
    checkedAt: now,
    failures,
    successes: 0,
    failingSince: state === 'down' ? before?.failingSince : failingSince,
    reason: result.reason,
  };
  return falls ? { after, turned: 'down' } : { after };
}

/** `host:port`, with an IPv6 address in brackets; undefined when it is something else. */
export function hostAndPort(target: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/u.exec(target.trim());
  const host = found?.[1] ?? found?.[2];
  const port = Number(found?.[3]);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** A host name or an address, and nothing that a program could take for an option. */
export const isHost = (text: string): boolean => /^[0-9A-Za-z_][0-9A-Za-z_.:-]{0,252}$/u.test(text);

/** Where a probe looks, for labels and cards: without scheme, path, user and password. */
export function instanceOf(kind: 'http' | 'tcp' | 'tls' | 'icmp', target: string): string {
  if (kind !== 'http') return target.trim();
  return URL.canParse(target) ? new URL(target).host : target.trim();
}
