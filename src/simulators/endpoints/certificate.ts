import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Random } from '../../core/random.ts';
import { bits, bool, context, instant, integer, octets, oid, pem, sequence, set, utf8 } from './der.ts';

/** A certificate with its key, and the means to issue others when it is a CA. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly subject: string;
  readonly privateKey: KeyObject;
  readonly publicKey: Buffer;
}

export interface CertificateRequest {
  readonly subject: string;
  /** DNS names and IPv4 addresses. */
  readonly names?: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
  readonly ca?: boolean;
  /** Signs it; itself when absent. */
  readonly issuer?: Identity;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
};

/** An X.509 v3 certificate (RFC 5280) with a fresh P-256 key, signed with ECDSA and SHA-256. */
export function issue(request: CertificateRequest, random: Random): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const issuer = request.issuer ?? { subject: request.subject, privateKey, publicKey: spki };
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const serial = random.bytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const tbs = sequence(
    context(0, true, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    nameOf(issuer.subject),
    sequence(instant(request.validFrom), instant(request.validTo)),
    nameOf(request.subject),
    spki,
    context(3, true, sequence(...extensions(request, spki, issuer.publicKey))),
  );
  const signature = sign('sha256', tbs, issuer.privateKey);
  return {
    certificate: pem('CERTIFICATE', sequence(tbs, algorithm, bits(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject: request.subject,
    privateKey,
    publicKey: spki,
  };
}

const nameOf = (commonName: string): Buffer => sequence(set(sequence(oid(OID.commonName), utf8(commonName))));

function extensions(request: CertificateRequest, own: Buffer, issuer: Buffer): Buffer[] {
  const extension = (id: string, critical: boolean, body: Buffer) =>
    sequence(oid(id), ...(critical ? [bool(true)] : []), octets(body));
  const keyId = (spki: Buffer) => createHash('sha1').update(spki).digest();
  const common = [
    extension(OID.subjectKeyIdentifier, false, octets(keyId(own))),
    extension(OID.authorityKeyIdentifier, false, sequence(context(0, false, keyId(issuer)))),
  ];
  if (request.ca) {
    return [
      extension(OID.basicConstraints, true, sequence(bool(true))),
      // keyCertSign and cRLSign are bits 5 and 6.
      extension(OID.keyUsage, true, bits(Buffer.from([0b0000_0110]), 1)),
      ...common,
    ];
  }
  const names = (request.names ?? [request.subject]).map((name) =>
    isIPv4(name)
      ? context(7, false, Buffer.from(name.split('.').map(Number)))
      : context(2, false, Buffer.from(name, 'ascii')),
  );
  return [
    extension(OID.basicConstraints, true, sequence()),
    // digitalSignature is bit 0.
    extension(OID.keyUsage, true, bits(Buffer.from([0b1000_0000]), 7)),
    extension(OID.extKeyUsage, false, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, false, sequence(...names)),
    ...common,
  ];
}
