import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export const PROBLEMS = [
  'unreachable',
  'handshake-failed',
  'expired',
  'not-yet-valid',
  'wrong-host',
  'self-signed',
  'incomplete-chain',
  'untrusted',
] as const;
export type TlsProblemCode = (typeof PROBLEMS)[number];
export type TlsVerdict = 'ok' | TlsProblemCode;

export interface TlsProblem {
  readonly code: TlsProblemCode;
  /** What the code alone does not say: an error code, the subject of the certificate meant, the names that it holds. */
  readonly detail?: string;
}

export interface Evidence {
  /** As presented, leaf first. */
  readonly chain: readonly X509Certificate[];
  /** The name or address that the certificate must hold. */
  readonly name: string;
  readonly now: Date;
  /** Trusted roots, PEM. */
  readonly roots: readonly string[];
  /** OpenSSL's verdict (openssl-verification-options(1)); it names one problem only, and a date hides all others. */
  readonly authorization: string | undefined;
}

const DATES = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];
const TRUST: Readonly<Record<string, TlsProblemCode>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'incomplete-chain',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
};

/** Everything that is wrong with what a server showed, worst first. */
export function judge(evidence: Evidence): TlsProblem[] {
  const { chain, name, now, authorization } = evidence;
  const [leaf] = chain;
  if (leaf === undefined) return [{ code: 'handshake-failed', detail: 'no certificate' }];
  const problems: TlsProblem[] = [];

  const expired = chain.find((each) => new Date(each.validTo).getTime() < now.getTime());
  if (expired) problems.push({ code: 'expired', ...culprit(expired, leaf) });
  const early = chain.find((each) => new Date(each.validFrom).getTime() > now.getTime());
  if (early) problems.push({ code: 'not-yet-valid', ...culprit(early, leaf) });

  if (!holdsName(leaf, name)) problems.push({ code: 'wrong-host', detail: leaf.subjectAltName ?? 'no names' });

  if (authorization !== undefined && DATES.includes(authorization)) {
    const code = trustProblem(chain, evidence.roots, now);
    if (code !== undefined) problems.push({ code });
  } else if (authorization !== undefined && authorization !== 'ERR_TLS_CERT_ALTNAME_INVALID') {
    problems.push({ code: TRUST[authorization] ?? 'untrusted', detail: authorization });
  }
  return problems.toSorted((a, b) => PROBLEMS.indexOf(a.code) - PROBLEMS.indexOf(b.code));
}

export const verdictOf = (problems: readonly TlsProblem[]): TlsVerdict => problems[0]?.code ?? 'ok';

/** The leaf needs no naming; an intermediate does, or nobody looks for it. */
const culprit = (certificate: X509Certificate, leaf: X509Certificate): { detail?: string } =>
  certificate === leaf ? {} : { detail: certificate.subject.split('\n').join(', ') };

/** The subject's common name does not count (RFC 9525, 2). */
function holdsName(leaf: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? leaf.checkHost(name, { subject: 'never' }) : leaf.checkIP(name)) !== undefined;
}

/** Walks from the leaf to a trusted root, without regard to the dates of what was presented. */
function trustProblem(
  chain: readonly X509Certificate[],
  roots: readonly string[],
  now: Date,
): TlsProblemCode | undefined {
  const anchors = roots.map((pem) => new X509Certificate(pem));
  const signed = (issuer: X509Certificate, certificate: X509Certificate) =>
    certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  let current = chain[0];
  for (let depth = 0; current !== undefined && depth < 20; depth++) {
    const certificate: X509Certificate = current;
    const anchor = anchors.find(
      (each) => each.fingerprint256 === certificate.fingerprint256 || signed(each, certificate),
    );
    if (anchor !== undefined) return new Date(anchor.validTo).getTime() < now.getTime() ? 'untrusted' : undefined;
    // Not `signed`: a self-signed leaf need not be allowed to sign certificates.
    const own = certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
    if (own) return depth === 0 ? 'self-signed' : 'untrusted';
    current = chain.find((each) => each.ca && each !== certificate && signed(each, certificate));
    if (current === undefined) return depth === 0 ? 'incomplete-chain' : 'untrusted';
  }
  return 'untrusted';
}
