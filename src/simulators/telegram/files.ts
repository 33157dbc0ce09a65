import type { Random } from '../../core/random.ts';
import { ApiError, badRequest } from './api-error.ts';
import type { Upload } from './params.ts';
import type { Document, PhotoSize } from './types.ts';

const MAX_PHOTO = 10 * 1024 * 1024;
const MAX_FILE = 50 * 1024 * 1024;

export interface StoredFile extends Upload {
  readonly id: string;
  readonly path: string;
  readonly photo?: PhotoSize;
}

/** What bots have uploaded, by file id. */
export class Files {
  readonly #random: Random;
  readonly #files = new Map<string, StoredFile>();
  #photos = 0;
  #documents = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get(id: string): StoredFile | undefined {
    return this.#files.get(id);
  }

  byPath(path: string): StoredFile | undefined {
    for (const file of this.#files.values()) if (file.path === path) return file;
    return undefined;
  }

  /** A photo to send: an upload, or the id of one sent before. */
  photo(source: Upload | string): readonly PhotoSize[] {
    const upload = this.#resolve(source);
    if (upload === undefined) throw badRequest('there is no photo in the request');
    if ('id' in upload) {
      if (upload.photo === undefined) throw badRequest("can't use file of type Document as Photo");
      return [upload.photo];
    }
    if (upload.bytes.length > MAX_PHOTO) {
      throw badRequest(
        `file of size ${upload.bytes.length} bytes is too big for a photo; the maximum size is ${MAX_PHOTO} bytes`,
      );
    }
    const size = imageSize(upload.bytes);
    if (size === undefined) throw badRequest('IMAGE_PROCESS_FAILED');
    const { width, height } = size;
    if (width + height > 10_000 || Math.max(width, height) > 20 * Math.min(width, height))
      throw badRequest('PHOTO_INVALID_DIMENSIONS');
    const file = this.#store(upload, `photos/file_${this.#photos++}.jpg`, size);
    return file.photo === undefined ? [] : [file.photo];
  }

  /** A document to send: an upload, or the id of one sent before. */
  document(source: Upload | string): Document {
    const upload = this.#resolve(source);
    if (upload === undefined) throw badRequest('there is no document in the request');
    const extension = /\.[A-Za-z0-9]{1,8}$/.exec(upload.name)?.[0] ?? '';
    const file = 'id' in upload ? upload : this.#store(upload, `documents/file_${this.#documents++}${extension}`);
    return {
      file_id: file.id,
      file_unique_id: uniqueId(file.id),
      file_name: file.name,
      mime_type: file.type,
      file_size: file.bytes.length,
    };
  }

  #resolve(source: Upload | string): Upload | StoredFile | undefined {
    if (typeof source !== 'string') {
      if (source.bytes.length === 0) throw badRequest('file must be non-empty');
      if (source.bytes.length > MAX_FILE) throw new ApiError(413, 'Request Entity Too Large');
      return source;
    }
    const reference = source;
    if (reference === '') return undefined;
    const known = this.#files.get(reference);
    if (known !== undefined) return known;
    // The simulator reaches nothing outside, as Telegram's servers cannot reach a private address.
    if (/^https?:\/\//.test(reference)) throw badRequest('failed to get HTTP URL content');
    throw badRequest('wrong file identifier/HTTP URL specified');
  }

  #store(upload: Upload, path: string, size?: { width: number; height: number }): StoredFile {
    const id = `${size === undefined ? 'BQAC' : 'AgAC'}${this.#random.bytes(24).toString('base64url')}`;
    const photo = size && { file_id: id, file_unique_id: uniqueId(id), ...size, file_size: upload.bytes.length };
    const file: StoredFile = { ...upload, id, path, ...(photo ? { photo } : {}) };
    this.#files.set(id, file);
    return file;
  }
}

const uniqueId = (id: string): string => `AQAD${id.slice(-12)}`;

/** Width and height of a PNG or JPEG; undefined for anything else. */
function imageSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (data.length >= 24 && data.readUInt32BE(0) === 0x89504e47)
    return { width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
  if (data.length < 4 || data.readUInt16BE(0) !== 0xffd8) return undefined;
  // JPEG: walk the segments to the frame header (SOF0–SOF15 except DHT, JPG and DAC).
  for (let at = 2; at + 9 < data.length; ) {
    const marker = data.readUInt16BE(at);
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      return { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) };
    }
    at += 2 + data.readUInt16BE(at + 2);
  }
  return undefined;
}
