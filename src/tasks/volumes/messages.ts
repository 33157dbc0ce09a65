import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    volume-step-stopping = Stopping containers
    volume-step-dumping = Dumping the database
    volume-step-copying = Copying files
    volume-state-ok = last snapshot { $hours ->
        [0] less than an hour ago
        [one] { $hours } hour ago
       *[other] { $hours } hours ago
    }
    volume-state-old = last snapshot { $hours } h ago, it may be { $most } h
    volume-state-amber = last snapshot { $hours } h ago, without some files
    volume-state-none = no snapshot yet
    volume-state-incomplete = The newest snapshot lacks what could not be read: { $count }. Look at the card of that backup.
    volume-state-locked = Locked { $kind ->
        [exclusive] against everything
       *[other] against check and prune
    } for { $minutes } min by process { $pid } on { $host }
    volume-drill-plan = snapshot { $snapshot } of { $at }, { $size } GB, goes to { $dir } and is removed afterwards
    volume-drill-price = { $read } GB are read from elsewhere, which costs about { $price } { $currency }
    volume-drill-read = { $read } GB are read from elsewhere
    volume-drill-restoring = Restoring and reading back
    volume-drill-comparing = Comparing files
    volume-proof-read-back = What was restored was read back and is what the snapshot holds
    volume-proof-listed = Files { $files }, bytes { $bytes }: as the snapshot lists them
    volume-proof-not-listed = Restored are files { $files }, bytes { $bytes }; the snapshot lists { $listed } and { $listedBytes }
    volume-proof-live = Files that have not changed since are the same as the living ones: { $compared } of { $all } compared
    volume-proof-not-live = Files that differ from the living ones: { $bad } of { $compared }, the first is { $first }
    volume-proof-dump = The dump { $file } is there, bytes: { $bytes }
    volume-proof-no-dump = The dump { $file } is missing or empty
    volume-check-reading = Reading share { $part } of { $of }
    volume-check-read = Share { $part } of { $of } was read, packs { $packs } of { $all }: no damage. Read so far: { $done } of { $of } shares
    volume-check-failed = Damage in share { $part } of { $of }. Do not prune. Copy the repository away first, then see docs/recovery.md
    volume-check-finding = { $finding }
    volume-check-decoy = Damaging a repository made for it
    volume-check-caught = One changed byte in a scratch repository was found
    volume-check-missed = One changed byte in a scratch repository was not found
    volume-check-decoy-bad = A new scratch repository was called damaged before anything was done to it: { $finding }
    err-volume-nothing = { $volume } names neither a volume of an engine nor paths. Complete it in the configuration.
    err-volume-no-offsite = { $set } has no copy elsewhere. Add “offsite” to it in the configuration.
    err-volume-no-snapshot = There is no snapshot of { $volume } there. Back it up first.
    err-volume-no-room = { $volume } needs { $need } GB in { $dir }, and { $free } GB are free. Make room, or set scratch_dir to another disk.
    err-volume-cost = Restoring { $volume } from elsewhere would read { $read } GB; allowed are { $limit } GB (read_limit_gb). Raise it if that is worth the price.
    err-volume-dump-empty = The dump of { $volume } is empty, so nothing was kept. Try its command by hand.
    err-volume-dump-file = “{ $file }” cannot be the name of a dump.
    err-volume-still-running = { $set }: restic still runs there.
  `,
  ru: `
    volume-step-stopping = Останавливаем контейнеры
    volume-step-dumping = Выгружаем базу
    volume-step-copying = Копируем файлы
    volume-state-ok = последний снимок { $hours ->
        [0] меньше часа назад
        [one] { $hours } час назад
        [few] { $hours } часа назад
       *[many] { $hours } часов назад
    }
    volume-state-old = последний снимок { $hours } ч назад, можно { $most } ч
    volume-state-amber = последний снимок { $hours } ч назад, без части файлов
    volume-state-none = снимков ещё нет
    volume-state-incomplete = В последнем снимке нет того, что не прочиталось: { $count }. Смотрите карточку той копии.
    volume-state-locked = Занят { $kind ->
        [exclusive] полностью
       *[other] для проверки и очистки
    } уже { $minutes } мин процессом { $pid } на { $host }
    volume-drill-plan = снимок { $snapshot } от { $at }, { $size } ГБ, будет развёрнут в { $dir } и затем удалён
    volume-drill-price = из внешней копии будет прочитано { $read } ГБ, это примерно { $price } { $currency }
    volume-drill-read = из внешней копии будет прочитано { $read } ГБ
    volume-drill-restoring = Восстанавливаем и перечитываем
    volume-drill-comparing = Сверяем файлы
    volume-proof-read-back = Восстановленное перечитано и совпадает со снимком
    volume-proof-listed = Файлов { $files }, байт { $bytes }: столько же, сколько в снимке
    volume-proof-not-listed = Восстановлено файлов { $files }, байт { $bytes }; в снимке { $listed } и { $listedBytes }
    volume-proof-live = Не менявшиеся с тех пор файлы совпадают с рабочими: сверено { $compared } из { $all }
    volume-proof-not-live = Отличаются от рабочих: { $bad } из { $compared }, первый — { $first }
    volume-proof-dump = Выгрузка { $file } на месте, байт: { $bytes }
    volume-proof-no-dump = Выгрузки { $file } нет, или она пуста
    volume-check-reading = Читаем долю { $part } из { $of }
    volume-check-read = Прочитана доля { $part } из { $of }, пакетов { $packs } из { $all }: повреждений нет. Всего прочитано долей: { $done } из { $of }
    volume-check-failed = Повреждения в доле { $part } из { $of }. Не запускайте prune. Сначала скопируйте репозиторий, затем см. docs/recovery.ru.md
    volume-check-finding = { $finding }
    volume-check-decoy = Портим репозиторий, созданный для этого
    volume-check-caught = Один изменённый байт во временном репозитории найден
    volume-check-missed = Один изменённый байт во временном репозитории не найден
    volume-check-decoy-bad = Новый временный репозиторий назван повреждённым ещё до порчи: { $finding }
    err-volume-nothing = У { $volume } не указаны ни том движка, ни пути. Дополните конфигурацию.
    err-volume-no-offsite = У { $set } нет внешней копии. Добавьте «offsite» в конфигурацию.
    err-volume-no-snapshot = Снимков { $volume } там нет. Сначала сделайте копию.
    err-volume-no-room = Для { $volume } нужно { $need } ГБ в { $dir }, свободно { $free } ГБ. Освободите место или укажите в scratch_dir другой диск.
    err-volume-cost = Чтобы восстановить { $volume } из внешней копии, надо прочитать { $read } ГБ; разрешено { $limit } ГБ (read_limit_gb). Поднимите предел, если это стоит своей цены.
    err-volume-dump-empty = Выгрузка { $volume } пуста, поэтому ничего не сохранено. Выполните её команду вручную.
    err-volume-dump-file = «{ $file }» не годится как имя выгрузки.
    err-volume-still-running = { $set }: restic там ещё работает.
  `,
});
