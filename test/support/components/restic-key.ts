import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface KeyFile {
  readonly kdf: string;
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly data: string;
}

/** Restic refuses less than two; a password that everybody may read needs no more. */
const CHEAP = { N: 2, r: 1, p: 1 };
const IV = 16;
const MAC = 16;

/**
 * Locks the keys of a repository with the same password anew, so that it takes no time to open it: `restic init` makes that as dear
 * as half a second of the machine's time, which each of its commands pays. Format: restic, doc/design.rst, "Keys, Encryption and MAC".
 */
export async function cheapenRestic(repository: string, password: string): Promise<void> {
  const folder = join(repository, 'keys');
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const file = JSON.parse(await readFile(path, 'utf8')) as KeyFile;
    if (file.N === CHEAP.N) continue;
    if (file.kdf !== 'scrypt') throw new Error(`a key of restic by ${file.kdf}`);
    const master = open(Buffer.from(file.data, 'base64'), derived(password, file));
    const cheap = { ...file, ...CHEAP };
    const text = JSON.stringify({ ...cheap, data: seal(master, derived(password, cheap)).toString('base64') });
    // A key's name is the sum of what it holds.
    const other = join(folder, createHash('sha256').update(text).digest('hex'));
    await writeFile(other, text, { mode: 0o600 });
    await rm(path);
  }
}

interface Derived {
  readonly encryption: Buffer;
  readonly k: Buffer;
  readonly r: Buffer;
}

function derived(password: string, { N, r, p, salt }: KeyFile): Derived {
  const bytes = scryptSync(password, Buffer.from(salt, 'base64'), 64, { N, r, p, maxmem: 512 * 1024 * 1024 });
  return { encryption: bytes.subarray(0, 32), k: bytes.subarray(32, 48), r: bytes.subarray(48, 64) };
}

function open(sealed: Buffer, keys: Derived): Buffer {
  const [iv, text, tag] = [sealed.subarray(0, IV), sealed.subarray(IV, -MAC), sealed.subarray(-MAC)];
  if (!poly1305(text, iv, keys).equals(tag)) throw new Error('the password does not open the key of this repository');
  const cipher = createDecipheriv('aes-256-ctr', keys.encryption, iv);
  return Buffer.concat([cipher.update(text), cipher.final()]);
}

function seal(plain: Buffer, keys: Derived): Buffer {
  const iv = randomBytes(IV);
  const cipher = createCipheriv('aes-256-ctr', keys.encryption, iv);
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, text, poly1305(text, iv, keys)]);
}

/** Poly1305-AES of D. J. Bernstein, which node:crypto has only inside of an AEAD. */
function poly1305(text: Buffer, iv: Buffer, { k, r }: Derived): Buffer {
  const number = (bytes: Buffer): bigint => BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);
  const cipher = createCipheriv('aes-128-ecb', k, null).setAutoPadding(false);
  const pad = number(Buffer.concat([cipher.update(iv), cipher.final()]));
  const factor = number(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const prime = (1n << 130n) - 5n;
  let sum = 0n;
  for (let at = 0; at < text.length; at += 16) {
    const block = text.subarray(at, at + 16);
    sum = ((sum + number(block) + (1n << BigInt(8 * block.length))) * factor) % prime;
  }
  const tag = (sum + pad) % (1n << 128n);
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}
