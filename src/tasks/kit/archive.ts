import { createHash } from 'node:crypto';
import { Header, Parser } from 'tar';
import { VakhtaError } from '../../core/error.ts';

/** A file of the kit. Paths are relative, of ASCII letters only. */
export interface KitFile {
  readonly path: string;
  readonly content: Buffer;
}

const BLOCK = 512;

export const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/** The files as a tar archive (ustar), in this order; the same files at the same time are the same bytes. */
export function packTar(files: readonly KitFile[], at: Date): Buffer {
  const blocks = files.flatMap(({ path, content }) => {
    const block = Buffer.alloc(BLOCK);
    const { length: size } = content;
    const needsMore = new Header({ path, mode: 0o600, uid: 0, gid: 0, size, mtime: at, type: 'File' }).encode(block, 0);
    if (needsMore) throw new VakhtaError('bug', 'internal', `${path} does not fit into a tar header`);
    return [block, content, Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** The files of a tar archive. Throws `kit-damaged`. */
export function unpackTar(archive: Buffer): Promise<KitFile[]> {
  return new Promise((resolve, reject) => {
    const files: KitFile[] = [];
    const damaged = (cause: unknown): void => reject(kitDamaged(cause instanceof Error ? cause.message : 'tar', cause));
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        const parts: Buffer[] = [];
        entry.on('data', (part: Buffer) => void parts.push(part));
        entry.on('end', () => void files.push({ path: entry.path, content: Buffer.concat(parts) }));
        entry.on('error', damaged);
      },
    });
    parser.on('error', damaged);
    parser.on('end', () => resolve(files));
    parser.end(archive);
  });
}

/** Something about the kit is not as it was made. `why` for people who know archives. */
export const kitDamaged = (why: string, cause?: unknown): VakhtaError =>
  new VakhtaError('permanent', 'kit-damaged', `the kit is damaged: ${why}`, { args: { why }, cause });
