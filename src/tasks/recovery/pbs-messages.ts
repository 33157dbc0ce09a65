import { defineMessages } from '../../core/i18n.ts';

/** What `pbs-state.ts` finds. */
export const messages = defineMessages({
  en: `
    pbs-line-ok = { $groups ->
        [one] 1 group, its newest snapshot is verified
       *[other] { $groups } groups, the newest snapshot of each is verified
      }; { $percent } % full
    pbs-untold = The server tells nothing of this datastore
    pbs-broken = The server cannot open this datastore: { $problem }
    pbs-empty = There is not a single complete backup in it
    pbs-damaged = { $count ->
        [one] A damaged snapshot
       *[other] { $count } damaged snapshots
      }: { $names }
    pbs-stale = The newest snapshot is { $hours } h old; allowed are { $max } h
    pbs-stale-offsite = The newest copy is { $hours } h old; allowed are { $max } h
    pbs-never = Never verified: the newest snapshot of { $names }
    pbs-old = Verified more than { $days } d ago: the newest snapshot of { $names }
    pbs-full = { $percent } % full: there is room for { $free } GB
    pbs-filling = { $percent } % full, at this rate completely in { $days } d
    pbs-steady = { $percent } % full, and it does not grow
    pbs-roomy = { $percent } % full, room for more than a year
    pbs-used = { $percent } % full; how fast it fills is known after three days
    pbs-sync-warnings = Sync job { $job } left groups out ({ $problem }): the copy is not complete
    pbs-sync-failed = Sync job { $job } has failed: { $problem }
    pbs-sync-unknown = Nobody knows how the last run of sync job { $job } ended
    pbs-sync-never = Sync job { $job } has never run
    pbs-sync-none = No sync job fills this datastore
    pbs-sync-hidden = The token may not see all sync jobs (it lacks Remote.Audit), so nobody knows how they went
    pbs-sync-ok = Sync job { $job } ran { $unit ->
        [h] { $n } h
       *[d] { $n } d
      } ago
    pbs-verify-failed = Verification job { $job } has failed: { $problem }
    pbs-verify-unknown = Nobody knows how the last run of verification job { $job } ended
    pbs-verify-ok = Verification job { $job } ran { $unit ->
        [h] { $n } h
       *[d] { $n } d
      } ago
    pbs-verify-never = Verification job { $job } has never run
    pbs-verify-none = No verification job looks after it
    pbs-prune-failed = Prune job { $job } has failed: { $problem }
    pbs-prune-unknown = Nobody knows how the last run of prune job { $job } ended
    pbs-prune-ok = Prune job { $job } ran { $unit ->
        [h] { $n } h
       *[d] { $n } d
      } ago
    pbs-prune-never = Prune job { $job } has never run
    pbs-prune-disabled = Prune job { $job } is switched off
    pbs-prune-none = No prune job here: old snapshots go only if Proxmox VE removes them
    pbs-running = { $job } is running
    pbs-gc-never = Garbage was never collected: nothing that was pruned has freed any space
    pbs-gc-old = Garbage was last collected { $days } d ago: what was pruned since takes up space still
    pbs-gc-failed = The last garbage collection has failed: { $problem }
    pbs-gc-bad = Garbage collection found { $count ->
        [one] a damaged chunk
       *[other] { $count } damaged chunks
      } that no newer backup has replaced
    pbs-gc-ok = Garbage was collected { $unit ->
        [h] { $n } h
       *[d] { $n } d
      } ago
    pbs-gc-unscheduled = Garbage collection has no schedule
    pbs-unfinished = Unfinished, or without a readable manifest: { $names }
    pbs-groups-stale = No new snapshot for more than { $max } h: { $names }
    pbs-namespaces = Namespaces: { $names }
  `,
  ru: `
    pbs-line-ok = { $groups ->
        [one] { $groups } группа, новейший снимок проверен
        [few] { $groups } группы, новейший снимок каждой проверен
       *[many] { $groups } групп, новейший снимок каждой проверен
      }; занято { $percent } %
    pbs-untold = Сервер ничего не говорит об этом хранилище
    pbs-broken = Сервер не может открыть хранилище: { $problem }
    pbs-empty = В нём нет ни одной законченной копии
    pbs-damaged = { $count ->
        [one] Повреждён { $count } снимок
        [few] Повреждены { $count } снимка
       *[many] Повреждено { $count } снимков
      }: { $names }
    pbs-stale = Новейшему снимку { $hours } ч, допустимо { $max } ч
    pbs-stale-offsite = Новейшей копии { $hours } ч, допустимо { $max } ч
    pbs-never = Ни разу не проверен новейший снимок: { $names }
    pbs-old = Новейший снимок проверен больше { $days } дн. назад: { $names }
    pbs-full = Занято { $percent } %: осталось { $free } ГБ
    pbs-filling = Занято { $percent } %, такими темпами место кончится через { $days } дн.
    pbs-steady = Занято { $percent } %, и больше не становится
    pbs-roomy = Занято { $percent } %, места хватит больше чем на год
    pbs-used = Занято { $percent } %; как быстро заполняется, станет видно через трое суток
    pbs-sync-warnings = Задание синхронизации { $job } пропустило группы ({ $problem }): копия неполна
    pbs-sync-failed = Задание синхронизации { $job } не удалось: { $problem }
    pbs-sync-unknown = Чем кончился последний запуск синхронизации { $job }, неизвестно
    pbs-sync-never = Задание синхронизации { $job } ещё не запускалось
    pbs-sync-none = Ни одно задание синхронизации не наполняет это хранилище
    pbs-sync-hidden = Токен видит не все задания синхронизации (нет права Remote.Audit), и как они прошли — неизвестно
    pbs-sync-ok = Синхронизация { $job } прошла { $unit ->
        [h] { $n } ч
       *[d] { $n } дн.
      } назад
    pbs-verify-failed = Задание проверки { $job } не удалось: { $problem }
    pbs-verify-unknown = Чем кончился последний запуск проверки { $job }, неизвестно
    pbs-verify-ok = Проверка { $job } прошла { $unit ->
        [h] { $n } ч
       *[d] { $n } дн.
      } назад
    pbs-verify-never = Задание проверки { $job } ещё не запускалось
    pbs-verify-none = Заданий проверки у хранилища нет
    pbs-prune-failed = Задание очистки { $job } не удалось: { $problem }
    pbs-prune-unknown = Чем кончился последний запуск очистки { $job }, неизвестно
    pbs-prune-ok = Очистка { $job } прошла { $unit ->
        [h] { $n } ч
       *[d] { $n } дн.
      } назад
    pbs-prune-never = Задание очистки { $job } ещё не запускалось
    pbs-prune-disabled = Задание очистки { $job } выключено
    pbs-prune-none = Заданий очистки здесь нет: старые снимки уходят, только если их удаляет Proxmox VE
    pbs-running = { $job } выполняется
    pbs-gc-never = Сборка мусора ещё не запускалась: удаление снимков не освободило ничего
    pbs-gc-old = Последняя сборка мусора была { $days } дн. назад: удалённое с тех пор всё ещё занимает место
    pbs-gc-failed = Последняя сборка мусора не удалась: { $problem }
    pbs-gc-bad = Сборка мусора нашла { $count ->
        [one] { $count } повреждённый фрагмент, который не заменила ни одна новая копия
        [few] { $count } повреждённых фрагмента, которые не заменила ни одна новая копия
       *[many] { $count } повреждённых фрагментов, которые не заменила ни одна новая копия
      }
    pbs-gc-ok = Мусор собран { $unit ->
        [h] { $n } ч
       *[d] { $n } дн.
      } назад
    pbs-gc-unscheduled = Для сборки мусора нет расписания
    pbs-unfinished = Не закончены или не читаются: { $names }
    pbs-groups-stale = Больше { $max } ч нет новых снимков: { $names }
    pbs-namespaces = Пространства имён: { $names }
  `,
});
