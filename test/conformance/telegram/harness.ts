import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Random } from '../../../src/core/random.ts';
import { createStage, type Stage } from '../../../src/simulators/telegram/cast.ts';
import {
  createTelegramSimulator,
  type GroupSpec,
  type Person,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from '../../../src/simulators/telegram/index.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { requestProblems, resultProblems } from './api-description.ts';

export const TOKEN = '4242:test-token_A';
export const ALICE = 11;
export const BOB = 12;
export const GROUP = -1001;
export const FORUM = -1002;
export const BASIC = -33;

export const people: readonly Person[] = [
  { id: ALICE, first_name: 'Alice', username: 'alice', language_code: 'ru', role: 'admin' },
  { id: BOB, first_name: 'Bob', username: 'bob', language_code: 'en', role: 'operator' },
];

export const groups: readonly GroupSpec[] = [
  { id: GROUP, title: 'Ops', members: [ALICE, BOB], admins: [ALICE] },
  { id: FORUM, title: 'Forum', forum: true, topics: [{ name: 'Backups' }, { name: 'Alerts' }], members: [ALICE, BOB] },
  { id: BASIC, title: 'Small', type: 'group', members: [ALICE, BOB] },
];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error_code?: number;
  readonly description?: string;
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

export interface SentMessage {
  readonly message_id: number;
  readonly message_thread_id?: number;
  readonly text?: string;
  readonly [field: string]: unknown;
}

export interface Harness {
  readonly sim: TelegramSimulator;
  readonly clock: ManualClock;
  readonly stage: Stage;
  readonly url: string;
  /** Any call as it is. */
  call(method: string, parameters?: Record<string, unknown>, options?: CallOptions): Promise<Answer>;
  /** A call that must succeed; parameters and result are checked against the Bot API description. Gives the result. */
  ok<T = SentMessage>(method: string, parameters?: Record<string, unknown>, options?: CallOptions): Promise<T>;
  /** `sendMessage` with a text. */
  send(chat: number, text: string, more?: Record<string, unknown>): Promise<SentMessage>;
}

export interface CallOptions {
  readonly encoding?: 'json' | 'form' | 'multipart' | 'query';
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** The same bytes in every run. */
export function seededRandom(seed = 'vakhta'): Random {
  let count = 0;
  return {
    bytes: (n) => {
      const parts: Buffer[] = [];
      for (let size = 0; size < n; size += 32) parts.push(createHash('sha256').update(`${seed}:${count++}`).digest());
      return Buffer.concat(parts).subarray(0, n);
    },
  };
}

/** Runs `body` with a fresh simulator that has no limits unless asked for, on a clock that stands still. */
export async function withSimulator(
  body: (harness: Harness) => Promise<void>,
  options: Partial<TelegramSimulatorOptions> = {},
): Promise<void> {
  const clock = createManualClock('2026-03-02T09:00:00Z');
  const sim = createTelegramSimulator({
    clock,
    random: seededRandom(),
    token: TOKEN,
    botUser: { username: 'vakhta_bot' },
    cast: people,
    chats: groups,
    limits: 'off',
    ...options,
  });
  const { url } = await sim.listen();
  const call: Harness['call'] = (method, parameters = {}, how = {}) => request(url, method, parameters, how);
  const ok = async <T>(method: string, parameters: Record<string, unknown> = {}, how: CallOptions = {}): Promise<T> => {
    expect(requestProblems(method, parameters)).toEqual([]);
    const answer = await call(method, parameters, how);
    expect(answer, `${method}: ${answer.description ?? ''}`).toMatchObject({ ok: true, status: 200 });
    expect(resultProblems(method, answer.result)).toEqual([]);
    return answer.result as T;
  };
  try {
    await body({
      sim,
      clock,
      url,
      call,
      ok,
      stage: createStage(sim.cast),
      send: (chat_id, text, more = {}) => ok('sendMessage', { chat_id, text, ...more }),
    });
  } finally {
    await sim.close();
  }
}

async function request(
  url: string,
  method: string,
  parameters: Record<string, unknown>,
  options: CallOptions,
): Promise<Answer> {
  const { encoding = 'json', token = TOKEN, signal } = options;
  const address = `${url}/bot${token}/${method}`;
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const pairs = Object.entries(parameters).filter(([, value]) => !(value instanceof Blob));
  const encoded = () => new URLSearchParams(Object.fromEntries(pairs.map(([name, value]) => [name, text(value)])));
  const init: RequestInit = { method: 'POST', ...(signal ? { signal } : {}) };
  if (encoding === 'query') {
    return answer(await fetch(`${address}?${encoded().toString()}`, { ...init, method: 'GET' }));
  }
  if (encoding === 'form') return answer(await fetch(address, { ...init, body: encoded() }));
  if (encoding === 'multipart') {
    const form = new FormData();
    for (const [name, value] of Object.entries(parameters)) {
      if (value instanceof File) form.append(name, value, value.name);
      else form.append(name, text(value));
    }
    return answer(await fetch(address, { ...init, body: form }));
  }
  const headers = { 'content-type': 'application/json' };
  return answer(await fetch(address, { ...init, headers, body: JSON.stringify(parameters) }));
}

async function answer(response: Response): Promise<Answer> {
  const body = (await response.json()) as Omit<Answer, 'status' | 'headers'>;
  return { ...body, status: response.status, headers: response.headers };
}

/** A PNG as far as anybody looks: signature and size. */
export function png(width: number, height: number, bytes = 64): File {
  const data = Buffer.alloc(bytes);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(data);
  data.writeUInt32BE(width, 16);
  data.writeUInt32BE(height, 20);
  return new File([data], 'chart.png', { type: 'image/png' });
}

export const keyboard = (...rows: object[][]): { inline_keyboard: object[][] } => ({ inline_keyboard: rows });
export const button = (text: string, callback_data: string): object => ({ text, callback_data });
