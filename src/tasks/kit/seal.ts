import { armor, Decrypter, Encrypter } from 'age-encryption';
import { VakhtaError } from '../../core/error.ts';
import { Secret } from '../../core/secret.ts';
import { kitDamaged } from './archive.ts';

/** Encrypts for these public keys of age, as its text form: it survives mail and paper. Throws `kit-bad-recipient`. */
export async function seal(plain: Buffer, recipients: readonly string[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      const args = { recipient };
      throw new VakhtaError('usage', 'kit-bad-recipient', `${recipient} is no key of age`, { args, cause });
    }
  }
  return armor.encode(await encrypter.encrypt(plain));
}

/** Secret keys of age, as its key files have them, one a line; comments do not count. Throws `kit-bad-identity`. */
export function readIdentities(text: string): Secret[] {
  const lines = text.split(/\r?\n/u).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (keys.length > 0 && keys.every((key) => /^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+$/iu.test(key))) {
    return keys.map((key) => new Secret(key));
  }
  throw new VakhtaError('usage', 'kit-bad-identity', 'this is no key file of age');
}

/** Decrypts with whichever of these keys fits. Throws `kit-wrong-key`, `kit-damaged`, `kit-bad-identity`. */
export async function unseal(sealed: Buffer, identities: readonly Secret[]): Promise<Buffer> {
  const decrypter = new Decrypter();
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity.reveal());
    } catch {
      // Not as the cause: it might quote the key.
      throw new VakhtaError('usage', 'kit-bad-identity', 'this is no key of age');
    }
  }
  try {
    const text = sealed.toString('latin1');
    const binary = text.trimStart().startsWith('-----BEGIN AGE') ? armor.decode(text) : sealed;
    return Buffer.from(await decrypter.decrypt(binary));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown';
    if (why.includes('no identity matched')) {
      throw new VakhtaError('usage', 'kit-wrong-key', 'no identity matched', { cause });
    }
    throw kitDamaged(why, cause);
  }
}
