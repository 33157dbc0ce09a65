import { extname } from 'node:path';
import { badRequest } from './api-error.ts';
import type { Upload } from './params.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gz': 'application/gzip',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.log': 'text/plain',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.yaml': 'text/yaml',
  '.yml': 'text/yaml',
  '.zip': 'application/zip',
};

/**
 * A multipart/form-data body (RFC 7578). Written here because the platform's parser refuses file names without quotation
 * marks, which the Bot API takes and clients send.
 */
export function parseMultipart(
  body: Buffer,
  contentType: string,
): { values: Record<string, string>; files: Map<string, Upload> } {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const mark = Buffer.from(`--${boundary?.[1] ?? boundary?.[2] ?? ''}`);
  const values: Record<string, string> = {};
  const files = new Map<string, Upload>();
  let start = body.indexOf(mark);
  if (boundary === null || start < 0) throw badRequest("can't parse multipart request body");
  for (;;) {
    start += mark.length;
    if (body.subarray(start, start + 2).toString() === '--') return { values, files };
    const head = body.indexOf('\r\n\r\n', start);
    const end = head < 0 ? -1 : body.indexOf(Buffer.concat([Buffer.from('\r\n'), mark]), head);
    if (end < 0) throw badRequest("can't parse multipart request body");
    readPart(body.subarray(start, head).toString(), body.subarray(head + 4, end), values, files);
    start = end + 2;
  }
}

function readPart(head: string, content: Buffer, values: Record<string, string>, files: Map<string, Upload>): void {
  const disposition = /^content-disposition:.*$/im.exec(head)?.[0] ?? '';
  const name = parameter(disposition, 'name');
  if (name === undefined) throw badRequest("can't parse multipart request body");
  const fileName = parameter(disposition, 'filename');
  if (fileName === undefined) {
    values[name] = content.toString();
    return;
  }
  const declared = /^content-type:\s*([^\s;]+)/im.exec(head)?.[1] ?? 'application/octet-stream';
  // Telegram looks at the name when the client says nothing useful.
  const type =
    declared === 'application/octet-stream' ? (TYPES[extname(fileName).toLowerCase()] ?? declared) : declared;
  files.set(name, { name: fileName, type, bytes: new Uint8Array(content) });
}

/** Browsers and Node percent-encode line breaks and quotation marks in quoted names (HTML standard), and nothing else. */
function parameter(header: string, name: string): string | undefined {
  const match = new RegExp(`[;\\s]${name}=(?:"([^"]*)"|([^;\\r\\n]*))`, 'i').exec(header);
  if (match === null) return undefined;
  return (match[1] ?? match[2] ?? '').trim().replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}
