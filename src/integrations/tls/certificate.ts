import type { X509Certificate } from 'node:crypto';

export interface CertificateFacts {
  /** `CN=grafana.example, O=Example` */
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names without their type: `grafana.example`, `*.example`, `192.0.2.1`. */
  readonly names: readonly string[];
  /** Hexadecimal, upper case. */
  readonly serial: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** `EC prime256v1`, `RSA 2048`, `Ed25519` */
  readonly keyType: string;
  /** SHA-256, upper-case hexadecimal with colons. */
  readonly fingerprint: string;
}

/** What is worth showing of one certificate. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: alternativeNames(certificate.subjectAltName ?? ''),
    serial: certificate.serialNumber,
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    keyType: keyType(certificate),
    fingerprint: certificate.fingerprint256,
  };
}

/** Leaf first, as the server sent them. */
export function presentedChain(leaf: X509Certificate | undefined): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let next = leaf; next !== undefined && chain.length < 20; next = next.issuerCertificate) chain.push(next);
  return chain;
}

const oneLine = (name: string): string => name.split('\n').filter(Boolean).join(', ');

/**
 * `DNS:a.example, IP Address:192.0.2.1, DNS:"odd, name"` → names. Node quotes as JSON what holds a comma or a quote
 * (CVE-2021-44532), so that a name cannot smuggle in another.
 */
export function alternativeNames(text: string): string[] {
  const found = text.matchAll(/(?:^|, )(?:DNS|IP Address|URI|email):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...found].map(([, name = '']) => (name.startsWith('"') ? String(JSON.parse(name)) : name));
}

const KEY_NAMES: Readonly<Record<string, string>> = {
  'rsa-pss': 'RSA',
  rsa: 'RSA',
  ec: 'EC',
  ed25519: 'Ed25519',
  ed448: 'Ed448',
};

function keyType({ publicKey }: X509Certificate): string {
  const type = publicKey.asymmetricKeyType ?? '?';
  const size = publicKey.asymmetricKeyDetails?.modulusLength ?? publicKey.asymmetricKeyDetails?.namedCurve;
  const name = KEY_NAMES[type] ?? type;
  return size === undefined ? name : `${name} ${size}`;
}
