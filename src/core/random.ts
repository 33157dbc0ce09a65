import { randomBytes } from 'node:crypto';

/** Randomness as the program sees it: `bytes(n)` gives n bytes. Handed in, so that tests can repeat themselves. */
export interface Random {
  bytes(n: number): Buffer;
}

export const systemRandom: Random = { bytes: (n) => randomBytes(n) };

/** 22 characters of base64url holding 128 random bits. */
export const newToken = (random: Random): string => random.bytes(16).toString('base64url');

/** A UUID version 7 (RFC 9562): sorts by time of creation, so that indexes stay compact. */
export function newId(random: Random, now: Date): string {
  const bytes = random.bytes(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Five characters of Crockford's base32 for an error that an operator quotes ("#K7Q2M"); no I, L, O or U. */
export function newErrorId(random: Random): string {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  return Array.from(random.bytes(5), (byte) => alphabet[byte % 32]).join('');
}
