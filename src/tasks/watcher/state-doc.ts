import { type Block, bold, facts, type Inlines, time } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import type { View } from '../define.ts';
import type { WatcherData } from './state.ts';

export const messages = defineMessages({
  en: `
    watcher-probes = Probes
    watcher-probes-up = { $n ->
        [one] { $n } answers
       *[other] { $n } answer
    }
    watcher-probes-down = failing: { $names }
    watcher-probes-unknown = unknown: { $names }
    watcher-watchdog = Watchdog
    watcher-watchdog-seen = came
    watcher-watchdog-waiting = has not come yet
    watcher-watchdog-missing = does not arrive
    watcher-watchdog-since = , last
    watcher-heartbeat = Outside switch
    watcher-heartbeat-ok = signal
    watcher-heartbeat-unknown = no signal is sent
    watcher-heartbeat-unreachable = cannot be reached ({ $why })
    watcher-heartbeat-failing = alarmed: { $why }
    watcher-fault-outbox = nobody delivers messages
    watcher-fault-critical-late = a critical message waits
    watcher-fault-updates = Telegram does not answer
    watcher-fault-intake = alerts are not applied
    watcher-fault-worker = no worker lives
    watcher-fault-database = the database is away
    watcher-aside = Webhooks
    watcher-aside-kept = { $n ->
        [one] one could not be applied and is kept
       *[other] { $n } could not be applied and are kept
    }, last
    watcher-drill = Last drill
    watcher-drill-passed = passed, in the chat after { $way }
    watcher-drill-running = under way
  `,
  ru: `
    watcher-probes = Проверки
    watcher-probes-up = { $n ->
        [one] отвечает { $n }
       *[other] отвечают { $n }
    }
    watcher-probes-down = не проходят: { $names }
    watcher-probes-unknown = неизвестно: { $names }
    watcher-watchdog = Watchdog
    watcher-watchdog-seen = приходил
    watcher-watchdog-waiting = ещё не приходил
    watcher-watchdog-missing = не приходит
    watcher-watchdog-since = , последний раз
    watcher-heartbeat = Внешний контроль
    watcher-heartbeat-ok = сигнал
    watcher-heartbeat-unknown = сигналы не уходят
    watcher-heartbeat-unreachable = недоступен ({ $why })
    watcher-heartbeat-failing = поднята тревога: { $why }
    watcher-fault-outbox = никто не доставляет сообщения
    watcher-fault-critical-late = критичное сообщение ждёт
    watcher-fault-updates = Telegram не отвечает
    watcher-fault-intake = алерты не обрабатываются
    watcher-fault-worker = нет живого воркера
    watcher-fault-database = база недоступна
    watcher-aside = Вебхуки
    watcher-aside-kept = { $n ->
        [one] { $n } не обработан и сохранён
        [few] { $n } не обработаны и сохранены
       *[many] { $n } не обработаны и сохранены
    }, последний —
    watcher-drill = Последнее учение
    watcher-drill-passed = пройдено, в чате через { $way }
    watcher-drill-running = идёт
  `,
});

/** What of it wants a look, beside the incidents that it made: those are counted as incidents. */
export function judgeWatcher(data: WatcherData | undefined): { readonly warning: number; readonly unknown: number } {
  const state = data?.heartbeat?.state;
  const isAlarmed = state === 'failing' || state === 'unreachable';
  const isAwaited = data?.watchdog !== undefined && !data.watchdog.missing && !data.watchdog.seenAt;
  return {
    warning: (isAlarmed ? 1 : 0) + (data?.drill?.failedLeg === 'pressed' ? 1 : 0),
    unknown: (data?.probes?.unknown.length ?? 0) + (state === 'unknown' ? 1 : 0) + (isAwaited ? 1 : 0),
  };
}

type Row = readonly [label: string, value: Inlines];

/** One line for each thing that is configured; nothing when nothing is. */
export function watcherBlocks(data: WatcherData | undefined, { t }: View): Block[] {
  const rows: Row[] = [
    ...(data?.probes ? [probesRow(data.probes, t)] : []),
    ...(data?.watchdog ? [watchdogRow(data.watchdog, t)] : []),
    ...(data?.heartbeat ? [heartbeatRow(data.heartbeat, t)] : []),
    ...(data?.drill ? [drillRow(data.drill, t)] : []),
    ...(data?.setAside ? [setAsideRow(data.setAside, t)] : []),
    ...(data?.leftovers && data.leftovers.length > 0 ? [leftoversRow(data.leftovers, t)] : []),
  ];
  return rows.length > 0 ? [facts(...rows)] : [];
}

const NAMES_MAX = 3;

function probesRow({ up, down, unknown }: NonNullable<WatcherData['probes']>, t: Translate): Row {
  const names = (all: readonly { readonly name: string; readonly reason?: string | undefined }[]): string => {
    const shown = all.slice(0, NAMES_MAX).map(({ name, reason }) => (reason ? `${name} (${reason})` : name));
    return shown.join(', ') + (all.length > NAMES_MAX ? ` +${all.length - NAMES_MAX}` : '');
  };
  const parts = [
    ...(down.length > 0 ? [bold(t('watcher-probes-down', { names: names(down) }))] : []),
    ...(unknown.length > 0 ? [bold(t('watcher-probes-unknown', { names: names(unknown) }))] : []),
    ...(up > 0 ? [t('watcher-probes-up', { n: up })] : []),
  ];
  return [t('watcher-probes'), parts.flatMap((part, n) => (n === 0 ? [part] : [' · ', part]))];
}

function leftoversRow(leftovers: NonNullable<WatcherData['leftovers']>, t: Translate): Row {
  const shown = leftovers
    .slice(0, NAMES_MAX)
    .map(({ kind, place }) => t('scratch-left-one', { what: t('scratch-kind', { kind }), place }));
  const more = leftovers.length > NAMES_MAX ? ` +${leftovers.length - NAMES_MAX}` : '';
  return [t('scratch-left-row'), bold(shown.join(', ') + more)];
}

/** Its incident ends by itself once Alertmanager has told its alerts again; what is kept stays to be looked into. */
function setAsideRow({ n, lastAt }: NonNullable<WatcherData['setAside']>, t: Translate): Row {
  return [t('watcher-aside'), [bold(t('watcher-aside-kept', { n })), ' ', time(lastAt)]];
}

function watchdogRow({ seenAt, missing }: NonNullable<WatcherData['watchdog']>, t: Translate): Row {
  const label = t('watcher-watchdog');
  if (!missing && seenAt) return [label, [`${t('watcher-watchdog-seen')} `, time(seenAt, 'ago')]];
  if (!missing) return [label, bold(t('watcher-watchdog-waiting'))];
  const last = seenAt ? [`${t('watcher-watchdog-since')} `, time(seenAt)] : [];
  return [label, [bold(t('watcher-watchdog-missing')), ...last]];
}

function heartbeatRow({ state, why, faults, reachedAt }: NonNullable<WatcherData['heartbeat']>, t: Translate): Row {
  const label = t('watcher-heartbeat');
  if (state === 'ok') {
    return [label, reachedAt ? [`${t('watcher-heartbeat-ok')} `, time(reachedAt, 'ago')] : t('watcher-heartbeat-ok')];
  }
  const said = state === 'failing' ? faults.map((one) => t(`watcher-fault-${one}`)).join(', ') : (why ?? '');
  return [label, bold(t(`watcher-heartbeat-${state}`, { why: said }))];
}

function drillRow(drill: NonNullable<WatcherData['drill']>, t: Translate): Row {
  const { state, failedLeg, startedAt, wayMs } = drill;
  const words: Inlines =
    state === 'failed'
      ? bold(t(`drill-lost-${failedLeg ?? 'pressed'}`))
      : t(`watcher-drill-${state}`, { way: wayMs === undefined ? '—' : formatDuration(wayMs, t) });
  return [t('watcher-drill'), [...[words].flat(), ' · ', time(startedAt)]];
}
