import { allowed } from './access.ts';
import { type Call, forbidden, SimError, storeOf } from './host.ts';
import { isTrue } from './parameters.ts';
import type { SimSnapshot } from './state.ts';
import type { Step } from './tasks.ts';

const MIB = 1024 * 1024;
const STEP_MS = 300;

const nameOf = ({ ns, type, id, time }: SimSnapshot): string =>
  `${ns === '' ? '' : `ns/${ns}/`}${type}/${id}/${new Date(time * 1000).toISOString().slice(0, 19)}Z`;

/** Reads what was not read lately; its log is that of `src/backup/verify.rs`, and so is its silence about what was in use. */
export function verify({ host, token, p }: Call): string {
  const path = `/datastore/${p['store']}${p['ns'] ? `/${p['ns']}` : ''}`;
  const mayAll = allowed(token, path, 'Datastore.Verify');
  if (!mayAll && !allowed(token, path, 'Datastore.Backup')) throw forbidden();
  const store = storeOf(host, p['store']);
  const ns = p['ns'] ?? '';
  if (ns !== '' && !store.namespaces.includes(ns)) throw new SimError(400, `namespace '${ns}' not found`);
  const ignoreVerified = isTrue(p['ignore-verified'], true);
  const outdated = p['outdated-after'] === undefined ? undefined : Number(p['outdated-after']);
  const isFresh = ({ verification }: SimSnapshot): boolean => {
    if (!ignoreVerified || verification === undefined) return false;
    if (outdated === undefined) return true;
    const start = Number.parseInt(verification.upid.split(':')[5] ?? '0', 16);
    return host.now() - start <= outdated * 86_400;
  };

  const meant = store.snapshots
    .filter((one) => (ns === '' || one.ns === ns) && one.size !== undefined && (mayAll || one.owner === token.id))
    .toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)) || b.time - a.time);
  const groups = [...new Set(meant.map(({ ns: space, type, id }) => `${space}/${type}/${id}`))];
  const failed: string[] = [];
  // Steps are made before the task has its name; its own name goes into what it verifies.
  const own = { upid: '' };
  const steps: Step[] = [
    { line: `verify datastore ${store.name}` },
    { line: `found ${groups.length} groups` },
    ...meant.flatMap((one, i): Step[] => {
      const name = nameOf(one);
      const percent = (((i + 1) / meant.length) * 100).toFixed(2);
      const progress = { line: `percentage done: ${percent}% (${i + 1}/${meant.length} snapshots)` };
      if (one.inUse === true) {
        return [
          { line: `SKIPPED: verify ${store.name}:${name} - could not acquire snapshot lock: unable to acquire lock` },
        ];
      }
      if (isFresh(one)) return [{ line: `SKIPPED: verify ${store.name}:${name} (recently verified)` }, progress];
      const size = (one.size ?? 0) / MIB;
      return [
        { line: `verify ${store.name}:${name}` },
        ...(one.damaged === true
          ? [{ line: `can't verify chunk, load failed - store '${store.name}', unable to load chunk` }]
          : []),
        {
          line: `  verified ${(size * 0.45).toFixed(2)}/${size.toFixed(2)} MiB in 1.00 seconds, speed ${(size * 0.45).toFixed(2)}/${size.toFixed(2)} MiB/s (${one.damaged === true ? 1 : 0} errors)`,
          apply: () => {
            one.verification = { state: one.damaged === true ? 'failed' : 'ok', upid: own.upid };
            if (one.damaged === true) failed.push(name);
          },
        },
        progress,
      ];
    }),
    ...(meant.some(({ damaged }) => damaged) ? [{ line: 'Failed to verify the following snapshots/groups:' }] : []),
    ...meant.filter(({ damaged }) => damaged).map((one) => ({ line: `\t${nameOf(one)}` })),
  ];
  own.upid = host.tasks.start({
    type: 'verify',
    id: ns === '' ? store.name : `${store.name}:${ns}`,
    user: token.id,
    durationMs: Math.max(1000, meant.filter((one) => !isFresh(one)).length * STEP_MS),
    steps,
    exit: () => (failed.length > 0 ? 'verification failed - please check the log for details' : 'OK'),
  }).upid;
  return own.upid;
}
