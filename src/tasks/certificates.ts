import { type CertificateSeen, type CertificateVerdict, judgeCertificate } from '../core/certificate.ts';
import type { Clock } from '../core/clock.ts';
import type { Config, Endpoint } from '../config/schema.ts';
import type { TlsProber, TlsReport } from '../integrations/tls/prober.ts';
import { cardsOf, forgetMessage, touchCards, wantCard } from '../store/cards.ts';
import { announce, keepOnly, upsert } from '../store/certificates.ts';
import type { Database } from '../store/db.ts';
import { PRIORITY } from './lifecycle/shared.ts';
import { several, type Several } from './several.ts';

export interface CheckedEndpoint {
  readonly endpoint: Endpoint;
  readonly seen: CertificateSeen;
  readonly verdict: CertificateVerdict;
}

/** The declared endpoints, looked at by a handshake each. What was seen is kept, and warned of once a threshold. */
export interface CertificateWatch {
  readonly endpoints: Several<Endpoint>;
  /** Handshakes with these endpoints in parallel. Never throws for an endpoint: what went wrong is its answer. */
  check(
    endpoints: readonly Endpoint[],
    options?: { readonly signal?: AbortSignal; readonly onResult?: (done: number, total: number) => void },
  ): Promise<readonly CheckedEndpoint[]>;
}

const CONCURRENCY = 16;

/** Each warning is a message of its own, because an edited one rings no bell; all of them follow the endpoint's state. */
const cardRef = (endpoint: string, threshold: number): string => `${endpoint}@${threshold}`;

/** The endpoint that a card of kind `certificate` is about. */
export const endpointOfCard = (ref: string): string => ref.slice(0, ref.lastIndexOf('@'));

export function createCertificateWatch(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly prober: TlsProber;
  readonly config: Pick<Config, 'certificates'>;
  /** Chats that hear of certificates. */
  readonly place: (endpoint: Endpoint) => { readonly chat: number; readonly thread?: number };
}): CertificateWatch {
  const { db, clock, prober, config } = options;
  const { endpoints, warnDays } = config.certificates;

  const keep = async ({ endpoint, seen, verdict }: CheckedEndpoint): Promise<void> => {
    const now = clock.now();
    await db.tx(async (tx) => {
      await upsert(tx, endpoint.id, seen, seen.serial, now);
      for (const threshold of [0, ...warnDays])
        await touchCards(tx, 'certificate', cardRef(endpoint.id, threshold), now);
      if (verdict.threshold === undefined || seen.serial === undefined) return;
      if (!(await announce(tx, endpoint.id, seen.serial, verdict.threshold, now))) return;
      const priority = verdict.threshold <= 3 ? PRIORITY.critical : PRIORITY.warning;
      const ref = cardRef(endpoint.id, verdict.threshold);
      // The certificate before this one may have had the same warning; an edit of last year's message rings no bell.
      for (const old of await cardsOf(tx, 'certificate', ref)) await forgetMessage(tx, old.id);
      await wantCard(tx, { kind: 'certificate', ref, priority, ...options.place(endpoint) }, now);
    });
  };

  return {
    endpoints: several(endpoints.map((endpoint) => [endpoint.id, endpoint] as const)),
    check: async (asked, { signal, onResult } = {}) => {
      let done = 0;
      const reports = await prober.probeAll(asked, {
        concurrency: CONCURRENCY,
        ...(signal ? { signal } : {}),
        onResult: () => onResult?.(++done, asked.length),
      });
      signal?.throwIfAborted();
      const checked = asked.flatMap((endpoint, n): CheckedEndpoint[] => {
        const report = reports[n];
        if (!report) return [];
        const seen = seenOf(report);
        return [{ endpoint, seen, verdict: judgeCertificate(seen, clock.now(), warnDays) }];
      });
      for (const one of checked) await keep(one);
      await keepOnly(
        db,
        endpoints.map(({ id }) => id),
      );
      return checked;
    },
  };
}

/** What of a handshake is kept: the leaf's names, the chain's earliest end, all problems. */
export function seenOf(report: TlsReport): CertificateSeen {
  const [leaf] = report.chain;
  const detail = report.problems.find((problem) => problem.detail !== undefined)?.detail;
  return {
    problems: report.problems.map(({ code }) => code),
    ...(detail === undefined ? {} : { detail }),
    ...(leaf
      ? {
          subject: leaf.subject,
          issuer: leaf.issuer,
          names: [...leaf.names],
          serial: leaf.serial,
          notBefore: leaf.validFrom,
          notAfter: new Date(Math.min(...report.chain.map(({ validTo }) => validTo.getTime()))),
        }
      : {}),
  };
}
