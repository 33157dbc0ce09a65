import { z } from 'zod';
import { hours } from '../../core/clock.ts';
import { type Block, bold, code, facts, type Inlines, line, list, time } from '../../core/doc.ts';
import { toVakhtaError, VakhtaError } from '../../core/error.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages, type Text } from '../../core/i18n.ts';
import { defineOperation, type View } from '../define.ts';
import type { Verifiable, WorkContext } from '../recovery/define.ts';
import type { RecoveryDesk } from '../recovery/desk.ts';
import type { Integrity } from '../recovery/integrity.ts';
import { say, textSchema } from '../recovery/words.ts';

export const messages = defineMessages({
  en: `
    op-verify = Check the integrity of backups, and whether the check itself sees damage
    op-verify-arg-target = Which repository?
    verify-plan = the data of { $target } is read and checked
    verify-plan-decoy = a copy of { $target } is damaged on purpose: the same check has to find it
    verify-plan-recent = planted damage was caught in { $target } today already
    verify-seen = no damage was found
    verify-damaged = damage found in { $targets }
    verify-left = something temporary is left: { $what }
    verify-tidying = What the check has made is being removed
    verify-head-ok = No damage found, and planted damage was caught
    verify-head-drills = No damage found; whether the check would see any, only drills can tell
    verify-head-warning = No damage found, but look at this
    verify-head-unproven = Unknown: planted damage was not caught
    verify-head-broken = Unknown: the check could not be done
    verify-head-failed = Damage found
    verify-read = Read
    verify-read-of = { $read } of { $all }
    verify-decoy = Planted damage
    verify-decoy-caught = ✔ caught
    verify-decoy-recent = ✔ caught { $age } ago
    verify-decoy-missed = ✘ overlooked
    verify-decoy-broken = could not be planted
    verify-decoy-none = not possible here
    err-verify-none = Nothing can be verified: no repository is configured.
  `,
  ru: `
    op-verify = Проверить целостность копий и то, видит ли повреждение сама проверка
    op-verify-arg-target = Какое хранилище?
    verify-plan = данные { $target } читаются и проверяются
    verify-plan-decoy = копия { $target } портится нарочно: та же проверка должна это найти
    verify-plan-recent = подложенное повреждение в { $target } сегодня уже находили
    verify-seen = повреждений не найдено
    verify-damaged = найдены повреждения: { $targets }
    verify-left = осталось временное: { $what }
    verify-tidying = Убирается то, что создала проверка
    verify-head-ok = Повреждений нет, подложенное найдено
    verify-head-drills = Повреждений нет; увидела бы их проверка, скажут только учения
    verify-head-warning = Повреждений нет, но обратите внимание
    verify-head-unproven = Неизвестно: подложенное повреждение не найдено
    verify-head-broken = Неизвестно: проверка не состоялась
    verify-head-failed = Найдены повреждения
    verify-read = Прочитано
    verify-read-of = { $read } из { $all }
    verify-decoy = Подложенное повреждение
    verify-decoy-caught = ✔ найдено
    verify-decoy-recent = ✔ найдено { $age } назад
    verify-decoy-missed = ✘ не замечено
    verify-decoy-broken = не удалось подложить
    verify-decoy-none = здесь невозможно
    err-verify-none = Проверять нечего: не настроено ни одного хранилища.
  `,
});

const rowSchema = z.object({
  target: z.string(),
  state: z.enum(['ok', 'drills', 'warning', 'unproven', 'broken', 'failed']),
  lines: z.array(textSchema),
  readBytes: z.number().exactOptional(),
  ofBytes: z.number().exactOptional(),
  decoy: z.enum(['caught', 'recent', 'missed', 'broken', 'none']),
  decoyLine: textSchema.exactOptional(),
  caughtAt: z.coerce.date().exactOptional(),
});
type Row = z.output<typeof rowSchema>;

/** Worst first. */
const ORDER = ['failed', 'unproven', 'broken', 'warning', 'drills', 'ok'] as const satisfies readonly Row['state'][];
const DECOY_EVERY_MS = hours(20);
const lockPaths = z.array(z.string());

const targetsOf = (recovery: RecoveryDesk, target: string | undefined): readonly string[] =>
  target === undefined ? recovery.verifiables() : [recovery.verifiable(target).target];

const isRecent = (integrity: Integrity | undefined, now: Date): boolean =>
  integrity?.caughtAt !== undefined && now.getTime() - integrity.caughtAt.getTime() < DECOY_EVERY_MS;

export default defineOperation({
  name: 'verify',
  messages,
  role: 'operator',
  risk: 'change',
  args: z.object({ target: z.string().min(1).max(120).optional() }),
  fields: { target: { choices: (known) => known.checkTargets } },
  result: z.object({ rows: z.array(rowSchema) }),
  ports: ['recovery', 'scratch'],
  reportsFailure: true,
  timeoutMs: hours(24),
  locks: (_args, { bound }) => lockPaths.catch([]).parse(bound?.['locks']),

  plan: async ({ ports, clock }, { target }) => {
    const { recovery } = ports;
    const all = targetsOf(recovery, target).map((one) => recovery.verifiable(one));
    if (all.length === 0) throw new VakhtaError('usage', 'verify-none', 'no repository is configured');
    const integrity = await recovery.integrity();
    const lines = all.flatMap((one): Text[] => {
      const args = { target: one.target };
      const key = isRecent(integrity.get(one.target), clock.now()) ? 'verify-plan-recent' : 'verify-plan-decoy';
      return [{ key: 'verify-plan', args }, ...(one.decoy ? [{ key, args }] : [])];
    });
    const locks = [...new Set(all.flatMap((one) => one.locks))];
    return {
      target: target ?? (all.length > 3 ? '*' : all.map((one) => one.target).join(', ')),
      lines,
      bound: { locks },
    };
  },

  run: async ({ ports, runId, clock, log, signal, progress, remember }, { target }) => {
    const { recovery } = ports;
    await remember({ begun: clock.now().toISOString() });
    const work = { runId, clock, log, signal, progress, remember };
    const rows: Row[] = [];
    for (const one of targetsOf(recovery, target)) rows.push(await check(recovery.verifiable(one), recovery, work));
    const isGood = rows.every(({ state }) => state === 'ok' || state === 'drills');
    return { state: isGood ? 'succeeded' : 'warning', result: { rows } };
  },

  verify: async ({ ports, runId }, _args, { rows }) => {
    const [last, things] = await Promise.all([ports.recovery.lastChecks(), ports.scratch.open()]);
    const damaged = last.filter(
      ({ target, kind, state }) => kind === 'verify' && state === 'failed' && rows.some((row) => row.target === target),
    );
    if (damaged.length > 0) {
      const targets = damaged.map(({ target }) => target).join(', ');
      return { ok: false, text: { key: 'verify-damaged', args: { targets } } };
    }
    const left = things.filter((thing) => thing.runId === runId);
    if (left.length === 0) return { ok: true, text: { key: 'verify-seen' } };
    const what = left.map(({ kind, place }) => `${kind} (${place})`).join(', ');
    return { ok: false, text: { key: 'verify-left', args: { what } } };
  },

  reconcile: async ({ ports, runId }, _args, external) => {
    if (external === undefined) return { state: 'again' };
    const isLeft = (await ports.scratch.open()).some((thing) => thing.runId === runId);
    if (isLeft) return { state: 'busy', text: { key: 'verify-tidying' } };
    return { state: 'failed', text: { key: 'recovery-lost' } };
  },

  report: ({ rows }, _args, view) => {
    const sorted = rows.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    const [worst] = sorted;
    const { t } = view;
    if (!worst) return { blocks: [line(t('err-verify-none'))] };
    const [only] = rows;
    if (rows.length === 1 && only)
      return { blocks: [line(bold(t(`verify-head-${only.state}`))), ...rowBlocks(only, view)] };
    const items = sorted.map((row): Inlines => [code(row.target), ` · ${t(`verify-head-${row.state}`)}`]);
    const trouble = sorted.filter(({ state }) => state !== 'ok' && state !== 'drills').slice(0, 3);
    return {
      blocks: [
        line(bold(t(`verify-head-${worst.state}`))),
        list(items),
        ...trouble.flatMap((row): Block[] => [line(code(row.target)), ...rowBlocks(row, view)]),
      ],
    };
  },
});

async function check(verifiable: Verifiable, recovery: RecoveryDesk, work: WorkContext): Promise<Row> {
  const { target } = verifiable;
  const { clock, runId, signal } = work;
  const report = await verifiable.verify(work).catch((thrown: unknown) => {
    if (signal.aborted) throw thrown;
    const error = toVakhtaError(thrown);
    work.log.warn({ err: thrown, target }, 'a repository could not be verified');
    return { state: 'broken' as const, lines: [{ key: error.text, args: error.args }] };
  });
  await recovery.checked(
    { ...emptyCheck, ...report, target, kind: 'verify', at: clock.now(), lines: [...report.lines] },
    runId,
  );
  const decoy = await plant(verifiable, recovery, work);
  const integrity = (await recovery.integrity()).get(target);
  const read = 'readBytes' in report && report.readBytes !== undefined ? { readBytes: report.readBytes } : {};
  const of = 'ofBytes' in report && report.ofBytes !== undefined ? { ofBytes: report.ofBytes } : {};
  return {
    target,
    state: stateOf(report.state, integrity),
    lines: [...report.lines],
    ...read,
    ...of,
    ...decoy,
    ...(integrity?.caughtAt ? { caughtAt: integrity.caughtAt } : {}),
  };
}

const emptyCheck = { readBytes: undefined, ofBytes: undefined };

const stateOf = (state: 'ok' | 'warning' | 'failed' | 'broken', integrity: Integrity | undefined): Row['state'] => {
  if (state === 'failed' || state === 'broken') return state;
  if (integrity?.state === 'unproven') return 'unproven';
  if (state === 'warning') return 'warning';
  return integrity?.state === 'drills' ? 'drills' : 'ok';
};

/** Damages a copy and looks whether the check sees it; once a day is enough. */
async function plant(
  { target, decoy }: Verifiable,
  recovery: RecoveryDesk,
  work: WorkContext,
): Promise<Pick<Row, 'decoy' | 'decoyLine'>> {
  if (!decoy) return { decoy: 'none' };
  const { clock, runId, signal } = work;
  if (isRecent((await recovery.integrity()).get(target), clock.now())) return { decoy: 'recent' };
  try {
    const { caught, text } = await decoy(work);
    const state = caught ? 'ok' : 'failed';
    await recovery.checked({ ...emptyCheck, target, kind: 'decoy', at: clock.now(), state, lines: [text] }, runId);
    return { decoy: caught ? 'caught' : 'missed', decoyLine: text };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const error = toVakhtaError(thrown);
    work.log.warn({ err: thrown, target }, 'damage could not be planted');
    const text = { key: error.text, args: error.args };
    await recovery.checked(
      { ...emptyCheck, target, kind: 'decoy', at: clock.now(), state: 'broken', lines: [text] },
      runId,
    );
    return { decoy: 'broken', decoyLine: text };
  }
}

function rowBlocks(row: Row, { t, now }: View): Block[] {
  const { lines, readBytes, ofBytes, decoy, decoyLine, caughtAt } = row;
  const age = caughtAt ? formatDuration(Math.max(0, now.getTime() - caughtAt.getTime()), t) : '';
  const read = readBytes === undefined ? undefined : formatBytes(readBytes, t);
  const rows: (readonly [string, Inlines])[] = [];
  if (read !== undefined) {
    const all = ofBytes === undefined ? read : t('verify-read-of', { read, all: formatBytes(ofBytes, t) });
    rows.push([t('verify-read'), all]);
  }
  const since: Inlines = decoy !== 'caught' && decoy !== 'recent' && caughtAt ? [' · ', time(caughtAt)] : [];
  rows.push([t('verify-decoy'), [t(`verify-decoy-${decoy}`, { age }), ...since]]);
  const shown = [...lines, ...(decoyLine && decoy !== 'caught' ? [decoyLine] : [])].slice(0, 6);
  return [facts(...rows), ...(shown.length > 0 ? [list(shown.map((one) => say(t, one)))] : [])];
}
