import { z } from 'zod';
import type { Secret } from '../../core/secret.ts';
import type { Transport } from '../proxmox/transport.ts';

export type Call = (
  method: 'GET' | 'POST',
  path: string,
  options?: { readonly token?: Secret; readonly body?: object; readonly signal?: AbortSignal | undefined },
) => Promise<unknown>;

/** What `node-vault` hands to its `request-promise`: our own options ride along. Source: its `src/index.js`. */
const options = z.object({
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  uri: z.string(),
  headers: z.record(z.string(), z.string()),
  json: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
  signal: z.instanceof(AbortSignal),
});

/** The library's way out to the network, through our transport. */
export function requestFor(transport: Transport) {
  return async (given: unknown): Promise<{ statusCode: number; body: unknown; request: { path: string } }> => {
    const { method, uri, headers, json, signal } = options.parse(given);
    const url = new URL(uri);
    const body = typeof json === 'object' ? JSON.stringify(json) : undefined;
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const answer = await transport({ method, url, headers: { ...headers, ...type }, body, signal });
    return { statusCode: answer.status, body: parse(answer.body), request: { path: url.pathname } };
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
