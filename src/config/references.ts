import { ANONYMOUS_ADMIN } from '../core/people.ts';
import { hostAndPort, isHost } from '../core/probe.ts';
import type { Path, SourceDocument } from './document.ts';
import { formatPath, type Problem } from './problem.ts';
import { recoveryReferences } from './recovery-references.ts';
import { Check, isMapping, type Item, unknown } from './reference-check.ts';
import { parseSecretRef } from './secret-ref.ts';
import { LOCAL_HOST } from './sections/common.ts';

/**
 * What one place of the file says of another. It reads the plain data and not the parsed configuration, so that a
 * mistake elsewhere does not hide these; of what has the wrong type it says nothing, for the schema does.
 */
export function referenceProblems(document: SourceDocument): Problem[] {
  const check = new Check(document);
  duplicates(check);
  operators(check);
  chatsAndRoutes(check);
  hosts(check);
  watch(check);
  probes(check);
  telegram(check);
  credentials(check);
  vault(check);
  approvals(check);
  recoveryReferences(check);
  return check.problems;
}

function duplicates(check: Check): void {
  const unique: readonly (readonly [path: readonly string[], key: string])[] = [
    [['operators'], 'id'],
    [['operators'], 'telegram_id'],
    [['chats'], 'id'],
    [['chats'], 'chat_id'],
    [['proxmox'], 'id'],
    [['hosts'], 'id'],
    [['postgres'], 'id'],
    [['digest'], 'id'],
    [['certificates', 'endpoints'], 'id'],
    [['probes'], 'id'],
    [['docker'], 'id'],
    [['restic'], 'id'],
    [['pbs'], 'id'],
  ];
  for (const [path, key] of unique) {
    const first = new Map<unknown, Path>();
    for (const item of check.items(...path)) {
      const value = item.of[key];
      if (typeof value !== 'string' && typeof value !== 'number') continue;
      const at = [...item.path, key];
      const before = first.get(value);
      if (before === undefined) first.set(value, at);
      else check.report(at, 'cfg-duplicate', { value: String(value), line: check.document.placeOf(before).line });
    }
  }
}

/** User ids that Telegram itself uses: for anonymous administrators, and for its service notices. */
const NOBODY = new Set([ANONYMOUS_ADMIN, 777_000, 136_817_688]);

function operators(check: Check): void {
  for (const { of, path } of check.items('operators')) {
    if (typeof of.telegram_id === 'number' && NOBODY.has(of.telegram_id)) {
      check.report([...path, 'telegram_id'], 'cfg-nobody');
    }
  }
}

function chatsAndRoutes(check: Check): void {
  const chats = check.items('chats');
  const routes = check.items('routes');
  const byId = new Map(chats.flatMap((one) => (typeof one.of.id === 'string' ? [[one.of.id, one] as const] : [])));
  const aimed = new Set<unknown>();

  const drill = check.mapping('drill');
  const drills: Item[] = drill === undefined ? [] : [{ of: drill, path: ['drill'] }];
  for (const aim of [...routes, ...check.items('digest'), ...drills]) {
    aimed.add(aim.of.chat);
    if (typeof aim.of.chat !== 'string') continue;
    const chat = byId.get(aim.of.chat);
    if (chat === undefined) unknown(check, [...aim.path, 'chat'], 'chat', aim.of.chat, [...byId.keys()]);
    else if (typeof aim.of.topic === 'string') {
      const topics = isMapping(chat.of.topics) ? Object.keys(chat.of.topics) : [];
      if (!topics.includes(aim.of.topic)) unknown(check, [...aim.path, 'topic'], 'topic', aim.of.topic, topics);
    }
  }

  const people = new Set(check.items('operators').map(({ of }) => of.telegram_id));
  for (const { of, path } of chats) {
    if (of.purpose !== 'commands' && typeof of.id === 'string' && !aimed.has(of.id)) {
      check.report(path, 'cfg-chat-no-route', { chat: of.id });
    }
    if (typeof of.chat_id === 'number' && of.chat_id > 0 && !people.has(of.chat_id)) {
      check.report([...path, 'chat_id'], 'cfg-private-stranger');
    }
  }

  const open = routes.filter(({ of }) => of.match === undefined && of.severity === undefined);
  const last = routes.at(-1);
  for (const route of open) if (route !== last) check.report(route.path, 'cfg-route-hides');
  if (last !== undefined && open.at(-1) !== last) check.report(last.path, 'cfg-no-default-route');
}

function hosts(check: Check): void {
  const ids = check.items('hosts').flatMap(({ of, path }) => {
    if (of.id === LOCAL_HOST) check.report([...path, 'id'], 'cfg-host-local');
    return typeof of.id === 'string' ? [of.id] : [];
  });
  for (const { of, path } of check.items('postgres')) {
    if (typeof of.host === 'string' && of.host !== LOCAL_HOST && !ids.includes(of.host)) {
      unknown(check, [...path, 'host'], 'host', of.host, [LOCAL_HOST, ...ids]);
    }
  }
  for (const { of, path } of check.items('docker')) {
    if (typeof of.host === 'string' && of.host !== LOCAL_HOST && !ids.includes(of.host)) {
      unknown(check, [...path, 'host'], 'host', of.host, [LOCAL_HOST, ...ids]);
    }
  }
  for (const { of, path } of check.items('logs')) {
    const isByLabel = typeof of.host === 'string' && of.host.includes('{{');
    if (typeof of.host === 'string' && !isByLabel && !ids.includes(of.host)) {
      unknown(check, [...path, 'host'], 'host', of.host, ids);
    }
    if ((of.host === undefined) === (of.loki === undefined)) check.report(path, 'cfg-log-source');
    if (of.loki !== undefined && check.mapping('loki') === undefined)
      check.report([...path, 'loki'], 'cfg-loki-missing');
  }
  const people = check.items('operators').flatMap(({ of }) => (typeof of.id === 'string' ? [of.id] : []));
  for (const { of, path } of check.items('certificates', 'endpoints')) {
    if (typeof of.owner === 'string' && !people.includes(of.owner)) {
      unknown(check, [...path, 'owner'], 'operator', of.owner, people);
    }
  }
}

/** What a target looks like depends on the kind of the probe. */
function probes(check: Check): void {
  const fits: Readonly<Record<string, readonly [example: string, fits: (target: string) => boolean]>> = {
    http: ['https://gitlab.example.net/', (target) => /^https?:/u.test(target) && URL.canParse(target)],
    tcp: ['dns.example.net:53', (target) => hostAndPort(target) !== undefined],
    tls: ['mail.example.net:993', (target) => hostAndPort(target) !== undefined],
    icmp: ['192.0.2.1', (target) => isHost(target.trim())],
  };
  for (const { of, path } of check.items('probes')) {
    if (typeof of.kind !== 'string' || typeof of.target !== 'string') continue;
    const [example, fit] = fits[of.kind] ?? [];
    if (example !== undefined && fit?.(of.target) === false) {
      check.report([...path, 'target'], 'cfg-probe-target', { kind: of.kind, example });
    }
  }
}

/** Who stands the watch must be somebody who may act. */
function watch(check: Check): void {
  const operators = check.items('operators');
  const able = operators.filter(({ of }) => of.role === 'operator' || of.role === 'admin');
  const ids = able.flatMap(({ of }) => (typeof of.id === 'string' ? [of.id] : []));
  const rotation = check.mapping('watch', 'rotation');
  const turn = Array.isArray(rotation?.people) ? rotation.people : [];
  for (const [n, person] of turn.entries()) {
    if (typeof person === 'string' && !ids.includes(person)) {
      unknown(check, ['watch', 'rotation', 'people', n], 'operator', person, ids);
    }
  }
  for (const { of, path } of check.items('watch', 'overrides')) {
    if (typeof of.person === 'string' && !ids.includes(of.person)) {
      unknown(check, [...path, 'person'], 'operator', of.person, ids);
    }
    if (
      typeof of.from === 'string' &&
      typeof of.to === 'string' &&
      of.to.replace('T', ' ') <= of.from.replace('T', ' ')
    ) {
      check.report([...path, 'to'], 'cfg-time-order');
    }
  }
}

function telegram(check: Check): void {
  const section = check.mapping('telegram');
  if (section?.mode === 'webhook' && section.webhook === undefined)
    check.report(['telegram', 'mode'], 'cfg-webhook-missing');
}

function credentials(check: Check): void {
  for (const name of ['alertmanager', 'prometheus', 'loki']) {
    const auth = check.mapping(name, 'auth');
    if (auth !== undefined && (auth.bearer === undefined) === (auth.basic === undefined)) {
      check.report([name, 'auth'], 'cfg-auth-one');
    }
  }
}

function vault(check: Check): void {
  const configured = check.mapping('vault');
  for (const { path, value } of strings(check.document.value)) {
    const scheme = parseSecretRef(value)?.scheme;
    if (scheme !== 'vault') continue;
    if (configured === undefined) check.report(path, 'cfg-vault-missing');
    else if (formatPath(path) === 'vault.secret_id') check.report(path, 'cfg-vault-self');
  }
}

/** What the schema allows, and yet means that something destructive can never be approved. */
function approvals(check: Check): void {
  const people = check.items('operators').map(({ of }) => of);
  if (people.length === 0) return;
  if (!people.some(({ role }) => role === 'admin')) check.report(['operators'], 'cfg-no-admin', {}, 'warning');
  const solo = check.mapping('policy')?.solo === true;
  if (solo && !people.some(({ role, totp }) => role === 'admin' && totp !== undefined)) {
    check.report(['policy', 'solo'], 'cfg-solo-no-totp', {}, 'warning');
  }
  if (!solo && people.filter(({ role }) => role === 'operator' || role === 'admin').length < 2) {
    check.report(['operators'], 'cfg-no-second', {}, 'warning');
  }
}

/** Every string of the data with its path. */
export function* strings(value: unknown, path: Path = []): Generator<{ path: Path; value: string }> {
  if (typeof value === 'string') yield { path, value };
  else if (Array.isArray(value)) for (const [index, of] of value.entries()) yield* strings(of, [...path, index]);
  else if (isMapping(value)) for (const [key, of] of Object.entries(value)) yield* strings(of, [...path, key]);
}
