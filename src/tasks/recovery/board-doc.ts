import {
  type Block,
  bold,
  type Button,
  code,
  type Doc,
  facts,
  type Inlines,
  line,
  list,
  quote,
  time,
  title,
} from '../../core/doc.ts';
import { formatBytes, formatDuration } from '../../core/format.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import { parseTarget } from '../../core/recovery.ts';
import type { View } from '../define.ts';
import { type BackupsResult, type BoardLine, type BoardSummary, kindName, sortLines, summaryOf } from './lines.ts';
import { againstGoal, kindOf, say, VERDICT_ICON, VERDICT_MARK, worst } from './words.ts';

export const messages = defineMessages({
  en: `
    backups-head = Backups
    backups-none = No backups are configured yet
    backups-none-how = Sections postgres, restic, or backup of a proxmox in the configuration. Then this lists what exists, how old it is, and when it was last restored.
    backups-unknown-target = Nothing is known of { $target }
    backups-all-ok = all { $n } in order
    backups-down = { $n } bad
    backups-warn = { $n } to look at
    backups-unknown = { $n } unknown
    backups-of = of { $n }
    backups-never = { $n ->
        [one] { $n } target was never restored
       *[other] { $n } targets were never restored
    }
    backups-stale = { $n ->
        [one] { $n } was restored too long ago
       *[other] { $n } were restored too long ago
    }
    backups-silent = { $name } does not answer: { $why }
    backups-silent-since = last answer
    backups-page = ◀ ▶ { $page } of { $pages }
    backups-next = Next ▶
    backups-previous = ◀ Back
    backups-no-backup = no backup
    backups-old = { $age } old
    recovery-damaged = Damage was found in it
    backups-integrity-ok = ✔ verified
    backups-integrity-warning = verified, with remarks
    backups-integrity-failed = ✘ damaged
    backups-integrity-unproven = check not proven
    backups-integrity-old = verified too long ago
    backups-integrity-never = not verified
    backups-integrity-drills = verified
    backups-drill-fresh = restored { $age } ago
    backups-drill-stale = restored { $age } ago, too long
    backups-drill-never = never restored
    backups-drill-failed = last drill failed
    backups-newest = Newest
    backups-size = Size
    backups-stored = { $size }, all { $count } stored: { $stored }
    backups-integrity = Integrity
    backups-rpo = Would be lost now
    backups-window = Restorable
    backups-drill = Last restored
    backups-drill-took = { $age } ago, took { $rto }
    backups-too-long = too long ago
    backups-list = The newest
    backups-error = with errors
    backups-button-backup = 💾 Back up now
    backups-button-drill = 🧯 Try a restore
    backups-button-restore = ⏪ Restore…
    backups-button-verify = 🔎 Verify
    backups-button-copy = ⇪ Copy elsewhere
    backups-button-kit = 📦 Make a new one
    backups-button-all = 🗂 All backups
    backups-button-slo = 📈 RTO and RPO
  `,
  ru: `
    backups-head = Резервные копии
    backups-none = Резервное копирование пока не настроено
    backups-none-how = Разделы postgres, restic или backup у proxmox в конфигурации. После этого здесь будет видно, что есть, какого возраста и когда это последний раз восстанавливали.
    backups-unknown-target = О { $target } ничего не известно
    backups-all-ok = все { $n } в порядке
    backups-down = плохо: { $n }
    backups-warn = требуют внимания: { $n }
    backups-unknown = неизвестно: { $n }
    backups-of = из { $n }
    backups-never = { $n ->
        [one] { $n } цель ни разу не восстанавливали
        [few] { $n } цели ни разу не восстанавливали
       *[many] { $n } целей ни разу не восстанавливали
    }
    backups-stale = слишком давно восстанавливали: { $n }
    backups-silent = { $name } не отвечает: { $why }
    backups-silent-since = последний ответ
    backups-page = ◀ ▶ { $page } из { $pages }
    backups-next = Дальше ▶
    backups-previous = ◀ Назад
    backups-no-backup = копий нет
    backups-old = возраст { $age }
    recovery-damaged = В ней найдено повреждение
    backups-integrity-ok = ✔ проверена
    backups-integrity-warning = проверена, есть замечания
    backups-integrity-failed = ✘ повреждена
    backups-integrity-unproven = проверка не доказана
    backups-integrity-old = проверена слишком давно
    backups-integrity-never = не проверена
    backups-integrity-drills = проверена
    backups-drill-fresh = восстановлена { $age } назад
    backups-drill-stale = восстановлена { $age } назад, слишком давно
    backups-drill-never = ни разу не восстанавливали
    backups-drill-failed = последнее учение провалено
    backups-newest = Последняя
    backups-size = Размер
    backups-stored = { $size }, всего хранится { $count }: { $stored }
    backups-integrity = Целостность
    backups-rpo = Пропало бы сейчас
    backups-window = Можно вернуть
    backups-drill = Восстановлена
    backups-drill-took = { $age } назад, за { $rto }
    backups-too-long = слишком давно
    backups-list = Последние
    backups-error = с ошибками
    backups-button-backup = 💾 Копировать
    backups-button-drill = 🧯 Учение
    backups-button-restore = ⏪ Вернуть…
    backups-button-verify = 🔎 Проверить
    backups-button-copy = ⇪ На площадку
    backups-button-kit = 📦 Создать новый
    backups-button-all = 🗂 Все копии
    backups-button-slo = 📈 RTO и RPO
  `,
});

const PAGE = 15;
const SHOWN_BACKUPS = 8;

/** All targets, worst first, in pages. */
export function backupList(result: BackupsResult, view: View): Doc {
  const { t } = view;
  const { lines, silent } = result;
  if (lines.length === 0 && silent.length === 0) {
    return { blocks: [title('info', bold(t('backups-none'))), line(t('backups-none-how'))] };
  }
  const sorted = sortLines(lines);
  const pages = Math.max(1, Math.ceil(sorted.length / PAGE));
  const page = Math.min(pages - 1, Math.max(0, Math.trunc(Number(view.view ?? '')) || 0));
  const shown = sorted.slice(page * PAGE, (page + 1) * PAGE);
  const summary = summaryOf(lines);
  const verdict = worst([...lines.map(({ state }) => state), ...(silent.length > 0 ? (['unknown'] as const) : [])]);
  const proven = provenWords(summary, t);
  const turn = (label: string, to: number): Button => ({
    kind: 'press',
    label,
    press: { kind: 'view', view: String(to) },
  });
  const turns = [
    ...(page > 0 ? [turn(t('backups-previous'), page - 1)] : []),
    ...(page < pages - 1 ? [turn(t('backups-next'), page + 1)] : []),
  ];
  return {
    blocks: [
      title(VERDICT_ICON[verdict], [bold(t('backups-head')), ` · ${stateWords(summary, t)}`]),
      ...(proven === '' ? [] : [line(proven)]),
      ...silent.map((one) => silentLine(one, t)),
      ...byKind(shown, view),
      line(...(pages > 1 ? [`${t('backups-page', { page: page + 1, pages })} · `] : []), time(result.at, 'seconds')),
    ],
    buttons: [
      ...(turns.length > 0 ? [turns] : []),
      ...chunked(
        sorted
          .filter(({ state }) => state !== 'ok')
          .slice(0, 3)
          .map(({ target }) => openButton(target)),
      ),
      [press(t('backups-button-slo'), 'slo', {})],
    ],
  };
}

/** `2 bad, 1 unknown of 12`; every state in icon and word. */
export function stateWords({ down, unknown, warn, ok }: BoardSummary, t: Translate): string {
  const n = down + unknown + warn + ok;
  if (ok === n) return t('backups-all-ok', { n });
  const words = [
    ...(down > 0 ? [t('backups-down', { n: down })] : []),
    ...(unknown > 0 ? [t('backups-unknown', { n: unknown })] : []),
    ...(warn > 0 ? [t('backups-warn', { n: warn })] : []),
  ];
  return `${words.join(', ')} ${t('backups-of', { n })}`;
}

/** What was never tried out, or too long ago; empty when everything is proven. */
export function provenWords({ never, stale }: BoardSummary, t: Translate): string {
  return [
    ...(never > 0 ? [t('backups-never', { n: never })] : []),
    ...(stale > 0 ? [t('backups-stale', { n: stale })] : []),
  ].join(', ');
}

const silentLine = ({ name, why, at }: BackupsResult['silent'][number], t: Translate): Block =>
  line(
    bold(`❔ ${t('backups-silent', { name, why: say(t, why) })}`),
    ...(at ? [` · ${t('backups-silent-since')} `, time(at)] : []),
  );

function byKind(lines: readonly BoardLine[], view: View): Block[] {
  const kinds = [...new Set(lines.map(({ target }) => kindName(target)))];
  return kinds.flatMap((kind): Block[] => {
    const of = lines.filter(({ target }) => kindName(target) === kind);
    const [first] = of;
    return first ? [line(bold(kindOf(first.target, view.t))), list(of.map((one) => shortLine(one, view)))] : [];
  });
}

/** `🟠 pg:main · 3 h old · 1.2 GB · ✔ verified · restored 12 d ago`, and a sentence when it is not in order. */
export function shortLine(one: BoardLine, { t, now }: View, isAlone = false): Inlines {
  const { target, state, newestAt, sizeBytes, integrity, drill } = one;
  const age = newestAt ? t('backups-old', { age: ago(newestAt, now, t) }) : t('backups-no-backup');
  const parts = [
    age,
    ...(sizeBytes === undefined ? [] : [formatBytes(sizeBytes, t)]),
    ...(integrity ? [t(`backups-integrity-${integrity.state}`)] : []),
    ...drillWords(drill, now, t),
  ];
  // A storage has no backup of its own: its line says how it stands.
  if (newestAt === undefined && parseTarget(target) === undefined) {
    const said = say(t, one.line);
    return [`${VERDICT_MARK[state]} `, code(nameOf(target)), ' · ', state === 'ok' ? said : bold(said)];
  }
  const told = state === 'ok' ? [] : [' — ', bold(say(t, one.line))];
  return [`${VERDICT_MARK[state]} `, code(isAlone ? target : nameOf(target)), ` · ${parts.join(' · ')}`, ...told];
}

function drillWords({ state, at, failed }: BoardLine['drill'], now: Date, t: Translate): string[] {
  if (failed) return [t('backups-drill-failed')];
  if (state === 'none') return [];
  return [t(`backups-drill-${state}`, { age: at ? ago(at, now, t) : '' })];
}

/** One target with all that is known of it. */
export function backupView(result: BackupsResult, target: string, view: View): Doc {
  const { t, now } = view;
  const [one] = result.lines;
  const { detail, goals } = result;
  if (!one || !detail) {
    return {
      blocks: [
        title('unknown', bold(t('backups-unknown-target', { target }))),
        ...result.silent.map((s) => silentLine(s, t)),
      ],
      buttons: [[press(t('backups-button-all'), 'backups', {})]],
    };
  }
  const { state, newestAt, sizeBytes, storedBytes, rpoMs, integrity, drill } = one;
  const rows: (readonly [string, Inlines])[] = [
    [
      t('backups-newest'),
      newestAt ? [time(newestAt), ` · ${t('backups-old', { age: ago(newestAt, now, t) })}`] : t('backups-no-backup'),
    ],
  ];
  if (rpoMs !== undefined && goals) {
    rows.push([t('backups-rpo'), againstGoal(rpoMs, goals.rpoMs, goals.rpoOf, t)]);
  }
  if (detail.window) rows.push([t('backups-window'), [time(detail.window.from), ' – ', time(detail.window.to)]]);
  const size = sizeBytes === undefined ? undefined : formatBytes(sizeBytes, t);
  if (size !== undefined) {
    const stored = storedBytes === undefined ? undefined : formatBytes(storedBytes, t);
    const count = detail.count ?? detail.backups.length;
    rows.push([t('backups-size'), stored === undefined ? size : t('backups-stored', { size, stored, count })]);
  }
  if (integrity) {
    rows.push([
      t('backups-integrity'),
      [t(`backups-integrity-${integrity.state}`), ...(integrity.at ? [' · ', time(integrity.at)] : [])],
    ]);
  }
  if (drill.state !== 'none') rows.push([t('backups-drill'), drillFact(drill, view)]);
  const notes = detail.notes.slice(0, 6).map((note) => say(t, note));
  const list_ = detail.backups
    .slice(0, SHOWN_BACKUPS)
    .map(
      ({ label, kind, at, sizeBytes: bytes, error }): Inlines => [
        code(label),
        ` ${kind} · `,
        time(at),
        ...(bytes === undefined ? [] : [` · ${formatBytes(bytes, t)}`]),
        ...(error ? [' · ', bold(t('backups-error'))] : []),
      ],
    );
  return {
    blocks: [
      title(VERDICT_ICON[state], [
        bold(kindOf(target, t)),
        ' ',
        code(nameOf(target)),
        ` · ${t(`recovery-state-${state}`)}`,
      ]),
      line(say(t, one.line)),
      ...result.silent.map((silent) => silentLine(silent, t)),
      facts(...rows),
      ...(notes.length > 0 ? [list(notes)] : []),
      ...(list_.length > 0 ? [quote([bold(t('backups-list')), ...list_], true)] : []),
    ],
    buttons: detailButtons(target, one, t),
  };
}

function drillFact(drill: BoardLine['drill'], { t, now }: View): Inlines {
  const { state, at, rtoMs, failed } = drill;
  const words =
    at && rtoMs !== undefined
      ? t('backups-drill-took', { age: ago(at, now, t), rto: formatDuration(rtoMs, t) })
      : t(`backups-drill-${state}`, { age: at ? ago(at, now, t) : '' });
  const bad = failed ? t('backups-drill-failed') : state === 'stale' ? t('backups-too-long') : undefined;
  return bad === undefined ? words : [words, ' · ', bold(bad)];
}

/** What can be done about it: one thing first, the rest beside it. */
function detailButtons(target: string, { drill }: BoardLine, t: Translate): Button[][] {
  const parsed = parseTarget(target);
  if (!parsed) {
    const all = [press(t('backups-button-all'), 'backups', {}), press(t('backups-button-slo'), 'slo', {})];
    if (target.startsWith('kit:')) return [[press(t('backups-button-kit'), 'kit', {})], all];
    return target.startsWith('pbs:') ? [[press(t('backups-button-verify'), 'verify', { target })], all] : [];
  }
  const { kind, id } = parsed;
  const first: Button[] = [];
  if (kind === 'pg') first.push(press(t('backups-button-backup'), 'backup.pg', { stanza: id }));
  if (kind === 'guest') first.push(press(t('backups-button-backup'), 'backup.guest', { guest: id }));
  if (kind === 'volume') first.push(press(t('backups-button-backup'), 'backup.volume', { volume: id }));
  if (drill.state !== 'none') first.push(press(t('backups-button-drill'), 'drill.restore', { target }));
  if (kind === 'pg') first.push(press(t('backups-button-restore'), 'restore.pg', { stanza: id }));
  const second = [
    ...(kind === 'pg' ? [press(t('backups-button-verify'), 'verify', { target })] : []),
    press(t('backups-button-all'), 'backups', {}),
    press(t('backups-button-slo'), 'slo', {}),
  ];
  return [...(first.length > 0 ? [first] : []), second];
}

const press = (label: string, operation: string, args: Record<string, unknown>): Button => ({
  kind: 'press',
  label,
  press: { kind: 'operation', operation, args },
});

const openButton = (target: string): Button => press(`🔍 ${target}`, 'backups', { target });

const chunked = (buttons: Button[]): Button[][] => (buttons.length > 0 ? [buttons] : []);

/** Under the heading of its kind a target needs its name only. */
const nameOf = (target: string): string => target.slice(target.indexOf(':') + 1);

const ago = (at: Date, now: Date, t: Translate): string => formatDuration(Math.max(0, now.getTime() - at.getTime()), t);
