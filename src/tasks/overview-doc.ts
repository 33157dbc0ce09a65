import {
  bold,
  type Block,
  type Button,
  code,
  facts,
  type Inlines,
  line,
  list,
  quote,
  time,
  title,
} from '../core/doc.ts';
import { formatBytes, formatDuration } from '../core/format.ts';
import { defineMessages, type Translate } from '../core/i18n.ts';
import { titleIn } from '../core/own-alert.ts';
import type { View } from './define.ts';
import type { OverviewData } from './overview.ts';
import { judgeRecovery, recoveryBlocks } from './recovery/overview.ts';
import { judgePeople } from './watch/people-doc.ts';
import { judgeWatcher } from './watcher/state-doc.ts';

export const messages = defineMessages({
  en: `
    ov-verdict-critical = { $n ->
        [one] { $n } critical incident
       *[other] { $n } critical incidents
    }
    ov-verdict-warning = { $n ->
        [one] { $n } thing needs attention
       *[other] { $n } things need attention
    }
    ov-verdict-unknown = { $n ->
        [one] { $n } source is silent
       *[other] { $n } sources are silent
    }
    ov-verdict-ok = All is well
    ov-nodes = Nodes
    ov-node = { $node }: CPU { $cpu } %, RAM { $mem } %, up { $uptime }
    ov-node-down = { $node }: { $status ->
        [offline] offline
       *[other] { $status }
    }
    ov-guests = Guests
    ov-guests-line = { $running } running, { $stopped } stopped

    ov-storage = Storage
    ov-storage-unseen = { $storage }: not available
    ov-limited = Token
    ov-limited-line = sees only a part of the host: the lists may be incomplete
    ov-backups = Backups
    ov-backup-late = { $id }: { $age } old, the limit is { $max } h
    ov-firing = Active incidents
    ov-none = none
    ov-counts = critical { $critical }, warnings { $warning }, notes { $info }
    ov-silenced = { $n } silenced

    ov-certs = Certificates

    ov-certs-ok = { $n } in order
    ov-cert = { $endpoint }: { $days ->
        [one] { $days } day
       *[other] { $days } days
    } left
    ov-cert-broken = { $endpoint }: { $problem }
    ov-cert-unknown = { $endpoint }: no answer
    ov-waiting = Waiting for a decision
    ov-waiting-run = #{ $number } { $operation }, asked by { $by }
    ov-self = Vakhta
    ov-self-line = { $queued } jobs, { $outbox } messages waiting
    ov-self-late = the oldest message has waited { $age }
    ov-unknown = unknown: { $why }
    ov-button-certs = Certificates
    ov-button-backup = Back up { $id }
    ov-button-again = #{ $number } again
    ov-button-ack = ✋ #{ $id }
    ov-button-refresh = ↻ Refresh
  `,
  ru: `
    ov-verdict-critical = { $n ->
        [one] { $n } критичный инцидент
        [few] { $n } критичных инцидента
       *[many] { $n } критичных инцидентов
    }
    ov-verdict-warning = { $n ->
        [one] { $n } пункт требует внимания
        [few] { $n } пункта требуют внимания
       *[many] { $n } пунктов требуют внимания
    }
    ov-verdict-unknown = { $n ->
        [one] молчит { $n } источник
        [few] молчат { $n } источника
       *[many] молчат { $n } источников
    }
    ov-verdict-ok = Всё в порядке
    ov-nodes = Узлы
    ov-node = { $node }: CPU { $cpu } %, RAM { $mem } %, работает { $uptime }
    ov-node-down = { $node }: { $status ->
        [offline] не в сети
       *[other] { $status }
    }
    ov-guests = Гости
    ov-guests-line = работают { $running }, выключены { $stopped }

    ov-storage = Хранилища
    ov-storage-unseen = { $storage }: недоступно
    ov-limited = Токен
    ov-limited-line = видит лишь часть хоста: списки могут быть неполны
    ov-backups = Резервные копии
    ov-backup-late = { $id }: возраст { $age }, предел { $max } ч
    ov-firing = Активные инциденты
    ov-none = нет
    ov-counts = критичных { $critical }, предупреждений { $warning }, заметок { $info }
    ov-silenced = заглушено { $n }

    ov-certs = Сертификаты

    ov-certs-ok = в порядке { $n }
    ov-cert = { $endpoint }: { $days ->
        [one] остался { $days } день
        [few] осталось { $days } дня
       *[many] осталось { $days } дней
    }
    ov-cert-broken = { $endpoint }: { $problem }
    ov-cert-unknown = { $endpoint }: нет ответа
    ov-waiting = Ждут решения
    ov-waiting-run = #{ $number } { $operation }, просит { $by }
    ov-self = Вахта
    ov-self-line = заданий { $queued }, сообщений ждёт { $outbox }
    ov-self-late = самое старое сообщение ждёт { $age }
    ov-unknown = неизвестно: { $why }
    ov-button-certs = Сертификаты
    ov-button-backup = Копия { $id }
    ov-button-again = #{ $number } ещё раз
    ov-button-ack = ✋ #{ $id }
    ov-button-refresh = ↻ Обновить
  `,
});

/** How many sources said nothing, and how many things want a look: the first line of status and digest. */
export function judge(data: OverviewData): { critical: number; warning: number; unknown: number } {
  const silent =
    data.proxmox.filter((part) => !part.ok).length +
    data.backups.filter((part) => !part.ok).length +
    (data.alertmanager && !data.alertmanager.ok ? 1 : 0) +
    data.proxmox.filter((part) => part.ok && part.data.limited.length > 0).length +
    data.certificates.filter(({ state }) => state === 'unknown').length;
  const own = judgeWatcher(data.watcher);
  const told = data.backups.flatMap((part) =>
    part.ok ? (part.data.state === 'ok' ? [] : [`pg:${part.data.id}`]) : [`pg:${part.source}`],
  );
  const recovery = judgeRecovery(data.recovery, told);
  const loud = data.firing.filter((incident) => !incident.silencedUntil);
  const warning =
    own.warning +
    recovery.warning +
    judgePeople(data.people) +
    loud.filter(({ severity }) => severity === 'warning').length +
    data.backups.filter((part) => part.ok && part.data.state !== 'ok').length +
    data.certificates.filter(({ state }) => state === 'expiring' || state === 'broken').length +
    data.proxmox.flatMap((part) => (part.ok ? part.data.nodes : [])).filter(({ status }) => status !== 'online')
      .length +
    data.proxmox.flatMap((part) => (part.ok ? part.data.storage : [])).filter((one) => isFull(one) || !isSeen(one))
      .length;
  return {
    critical: loud.filter(({ severity }) => severity === 'critical').length,
    warning,
    unknown: silent + own.unknown + recovery.unknown,
  };
}

/** The worst of it, in icon and word. Green only when everything was seen and is well. */
export function verdictBlock(data: OverviewData, head: string, t: Translate): Block {
  const { critical, warning, unknown } = judge(data);
  const words = [
    ...(critical > 0 ? [t('ov-verdict-critical', { n: critical })] : []),
    ...(warning > 0 ? [t('ov-verdict-warning', { n: warning })] : []),
    ...(unknown > 0 ? [t('ov-verdict-unknown', { n: unknown })] : []),
  ];
  const icon = critical > 0 ? 'critical' : warning > 0 ? 'warning' : unknown > 0 ? 'unknown' : 'ok';
  return title(icon, [bold(head), ` · ${words.length > 0 ? words.join(', ') : t('ov-verdict-ok')}`]);
}

const percent = (part: number | undefined, whole: number | undefined): number | undefined =>
  part === undefined || !whole ? undefined : Math.round((part / whole) * 100);

const FULL_PERCENT = 85;
const isFull = ({ used, total }: { used?: number | undefined; total?: number | undefined }): boolean =>
  (percent(used, total) ?? 0) >= FULL_PERCENT;

/** A storage that its node cannot reach has no figures; a disabled one would look the same. */
const isSeen = ({
  status,
  used,
  total,
}: {
  status: string;
  used?: number | undefined;
  total?: number | undefined;
}): boolean => status === 'available' && percent(used, total) !== undefined;

/** The systems: nodes, guests, storage, backups, certificates. */
export function systemBlocks(data: OverviewData, view: View): Block[] {
  const { t } = view;
  const rows: (readonly [string, Inlines])[] = [];
  for (const part of data.proxmox) {
    if (!part.ok) {
      rows.push([part.source, bold(t('ov-unknown', { why: t(part.why.key, part.why.args) }))]);
      continue;
    }
    for (const node of part.data.nodes) {
      const args = {
        node: node.node,
        status: node.status,
        cpu: Math.round((node.cpu ?? 0) * 100),
        mem: percent(node.mem, node.maxmem) ?? 0,
      };
      const up =
        node.status === 'online'
          ? t('ov-node', { ...args, uptime: formatDuration((node.uptime ?? 0) * 1000, t) })
          : undefined;
      rows.push([t('ov-nodes'), up ?? bold(t('ov-node-down', args))]);
    }
    const { running, stopped } = part.data;
    const counted = t('ov-guests-line', { running, stopped: stopped.length });
    rows.push([t('ov-guests'), stopped.length > 0 ? `${counted} (${shorten(stopped, 4)})` : counted]);
    rows.push([t('ov-storage'), storageLine(part.data.storage, t)]);
    if (part.data.limited.length > 0) rows.push([t('ov-limited'), bold(t('ov-limited-line'))]);
  }
  if (data.alertmanager && !data.alertmanager.ok) {
    const { source, why } = data.alertmanager;
    rows.push([source, bold(t('ov-unknown', { why: t(why.key, why.args) }))]);
  }
  const backups = data.backups.map((part): Inlines => {
    if (!part.ok) return bold(`${part.source}: ${t('ov-unknown', { why: t(part.why.key, part.why.args) })}`);
    const { id, state, line: said, ageHours, maxAgeHours } = part.data;
    if (state === 'warn' && ageHours !== undefined) {
      return bold(t('ov-backup-late', { id, age: formatDuration(ageHours * 3_600_000, t), max: maxAgeHours }));
    }
    return state === 'ok' ? t(said.key, said.args) : bold(t(said.key, said.args));
  });
  const blocks: Block[] = [facts(...rows)];
  if (backups.length > 0) blocks.push(line(bold(t('ov-backups'))), list(backups));
  return [...blocks, ...recoveryBlocks(data.recovery, view), ...certificateBlocks(data, t)];
}

function storageLine(
  storage: readonly { storage: string; status: string; used?: number | undefined; total?: number | undefined }[],
  t: Translate,
): Inlines {
  const parts = storage.map((one): Inlines => {
    const filled = percent(one.used, one.total);
    if (!isSeen(one) || filled === undefined) return bold(t('ov-storage-unseen', { storage: one.storage }));
    const words = `${one.storage} ${filled} %`;
    return filled >= FULL_PERCENT ? bold(`${words} (${formatBytes((one.total ?? 0) - (one.used ?? 0), t)})`) : words;
  });
  return parts.length === 0
    ? t('ov-none')
    : parts.flatMap((part, n) => (n === 0 ? [part].flat() : [' · ', ...[part].flat()]));
}

function certificateBlocks(data: OverviewData, t: Translate): Block[] {
  if (data.certificates.length === 0) return [];
  const fine = data.certificates.filter(({ state }) => state === 'ok').length;
  const rest = data.certificates.filter(({ state }) => state !== 'ok');
  const items = rest.map(({ endpoint, state, daysLeft, problem }): Inlines => {
    if (state === 'expiring') return bold(t('ov-cert', { endpoint, days: daysLeft ?? 0 }));
    if (state === 'unknown') return bold(t('ov-cert-unknown', { endpoint }));
    return bold(
      t('ov-cert-broken', {
        endpoint,
        problem: problem && t.has(`cert-problem-${problem}`) ? t(`cert-problem-${problem}`) : (problem ?? state),
      }),
    );
  });
  const head = line(bold(t('ov-certs')), `: ${t('ov-certs-ok', { n: fine })}`);
  return items.length > 0 ? [head, list(items)] : [head];
}

/** What fires, worst first, with who has it. */
export function firingBlocks(data: OverviewData, { t }: View): Block[] {
  const count = (severity: string) =>
    data.firing.filter((one) => one.severity === severity && !one.silencedUntil).length;
  const silenced = data.firing.filter(({ silencedUntil }) => silencedUntil).length;
  if (data.firing.length === 0) return [line(bold(t('ov-firing')), `: ${t('ov-none')}`)];
  const counts = t('ov-counts', { critical: count('critical'), warning: count('warning'), info: count('info') });
  const head = line(bold(t('ov-firing')), `: ${counts}${silenced > 0 ? `, ${t('ov-silenced', { n: silenced })}` : ''}`);
  const items = data.firing
    .slice(0, 5)
    .map(
      (one): Inlines => [
        code(`#${one.id}`),
        one.severity === 'critical' ? ' ' : ' ',
        one.severity === 'critical' ? bold(titleIn(t, one)) : titleIn(t, one),
        ' · ',
        time(one.startedAt, 'ago'),
        ...(one.owner ? [` · ${one.owner}`] : []),
        ...(one.silencedUntil ? [' · 🔕 ', time(one.silencedUntil, 'clock')] : []),
      ],
    );
  const more = data.firing.length - items.length;
  return [head, more > 0 ? list(items, `… +${more}`) : list(items)];
}

/** Decisions that somebody has to take. */
export function waitingBlocks(data: OverviewData, { t }: View): Block[] {
  if (data.waiting.length === 0) return [];
  return [
    line(bold(t('ov-waiting'))),
    list(
      data.waiting
        .slice(0, 5)
        .map(({ number, operation, by }) =>
          t('ov-waiting-run', { number, operation: `/${operation.replaceAll('.', ' ')}`, by }),
        ),
    ),
  ];
}

/** Queue, outbox and processes: Vakhta says how it is itself. */
export function selfBlocks(data: OverviewData, { t }: View): Block[] {
  const { queued, outbox } = data.self;
  const roles = data.self.processes.map(({ role, version }) => `${role} ${version}`).join(', ');
  const late = outbox.oldestMs > 60_000 ? `; ${t('ov-self-late', { age: formatDuration(outbox.oldestMs, t) })}` : '';
  return [
    quote([
      `${t('ov-self')}: ${t('ov-self-line', { queued, outbox: outbox.queued })}${late}${roles ? ` · ${roles}` : ''}`,
    ]),
  ];
}

/** One button for each thing that can be acted on at once; three a row. */
export function overviewButtons(data: OverviewData, { t }: View): Button[][] {
  const buttons: Button[] = [];
  const press = (label: string, operation: string, args: Record<string, unknown>): Button => ({
    kind: 'press',
    label,
    press: { kind: 'operation', operation, args },
  });
  for (const { id } of data.firing.filter(({ owner, silencedUntil }) => !owner && !silencedUntil).slice(0, 3)) {
    buttons.push(press(t('ov-button-ack', { id: String(id) }), 'ack', { incident: id }));
  }
  for (const part of data.backups) {
    if (part.ok && part.data.state !== 'ok')
      buttons.push(press(t('ov-button-backup', { id: part.data.id }), 'backup.pg', { stanza: part.data.id }));
  }
  if (data.certificates.some(({ state }) => state !== 'ok')) buttons.push(press(t('ov-button-certs'), 'certs', {}));
  return chunk(buttons, 3);
}

export function chunk<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}

const shorten = (names: readonly string[], limit: number): string =>
  names.length <= limit ? names.join(', ') : `${names.slice(0, limit).join(', ')} +${names.length - limit}`;
