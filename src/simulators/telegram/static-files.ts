import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** The file below `root` that the URL path names; undefined when there is none. */
export async function staticFile(root: string, path: string): Promise<Response | undefined> {
  const wanted = normalize(join(root, decodeURIComponent(path === '/' ? '/index.html' : path)));
  if (!wanted.startsWith(normalize(root + sep))) return undefined;
  const type = TYPES[extname(wanted)];
  if (type === undefined) return undefined;
  try {
    return new Response(new Uint8Array(await readFile(wanted)), {
      headers: { 'content-type': type, 'cache-control': 'no-cache' },
    });
  } catch {
    return undefined;
  }
}
