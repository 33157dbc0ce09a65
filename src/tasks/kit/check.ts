import { z } from 'zod';
import type { Secret } from '../../core/secret.ts';
import { type KitFile, kitDamaged, sha256, unpackTar } from './archive.ts';
import { MANIFEST } from './contents.ts';
import { unseal } from './seal.ts';

const manifest_ = z.object({
  kit: z.literal(1),
  site: z.string(),
  name: z.string(),
  madeAt: z.coerce.date(),
  version: z.string(),
  files: z.array(z.object({ path: z.string(), size: z.number(), sha256: z.string() })),
});

/** A kit that was opened and is whole. */
export interface OpenedKit {
  readonly manifest: z.output<typeof manifest_>;
  readonly files: readonly KitFile[];
}

/** Opens a kit and compares every file with the manifest. Throws `kit-wrong-key`, `kit-bad-identity`, `kit-damaged`. */
export async function openKit(sealed: Buffer, identities: readonly Secret[]): Promise<OpenedKit> {
  const files = await unpackTar(await unseal(sealed, identities));
  const manifest = manifestOf(files);
  const found = new Map(files.map((one) => [one.path, one.content]));
  for (const { path, size, sha256: wanted } of manifest.files) {
    const content = found.get(path);
    if (!content) throw kitDamaged(`${path} is missing`);
    if (content.length !== size || sha256(content) !== wanted) throw kitDamaged(`${path} was altered`);
  }
  const known = new Set([...manifest.files.map(({ path }) => path), MANIFEST, 'SHA256SUMS']);
  const stray = files.find(({ path }) => !known.has(path));
  if (stray) throw kitDamaged(`${stray.path} does not belong to it`);
  return { manifest, files };
}

function manifestOf(files: readonly KitFile[]): z.output<typeof manifest_> {
  const content = files.find(({ path }) => path === MANIFEST)?.content;
  if (!content) throw kitDamaged(`${MANIFEST} is missing`);
  try {
    return manifest_.parse(JSON.parse(content.toString('utf8')));
  } catch (cause) {
    throw kitDamaged(`${MANIFEST} cannot be read`, cause);
  }
}
