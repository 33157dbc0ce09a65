import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    pgbackrest-step-checkpoint = waiting for PostgreSQL's checkpoint
    pgbackrest-step-copying = copying files
    pgbackrest-step-wal = waiting until the WAL is archived
    pgbackrest-step-expire = removing expired backups
    pgbackrest-step-restoring = restoring files

    pgbackrest-stanza-ok = { $stanza }: last backup { $label }, { $hours ->
        [0] less than an hour old
        [one] { $hours } hour old
       *[other] { $hours } hours old
    }
    pgbackrest-stanza-page-errors = { $stanza }: the last backup { $label } holds damaged pages. Look at its error list (pgbackrest info --set) and at the disk of the database.
    pgbackrest-stanza-missing-stanza-path = { $stanza }: not in the repository. Run pgbackrest stanza-create, or correct the name.
    pgbackrest-stanza-no-valid-backups = { $stanza }: there is no backup yet. Make a full one.
    pgbackrest-stanza-missing-stanza-data = { $stanza }: its data in the repository is missing. Check the repository, then run pgbackrest stanza-create.
    pgbackrest-stanza-different-across-repos = { $stanza }: its repositories are in different states. Compare them with pgbackrest info.
    pgbackrest-stanza-database-mismatch = { $stanza }: the repositories belong to different databases. Run pgbackrest stanza-upgrade where it is missing.
    pgbackrest-stanza-backup-not-found = { $stanza }: the requested backup is not in the repository.
    pgbackrest-stanza-other = { $stanza }: the repository cannot be read ({ $detail }). A wrong passphrase looks like this too.

    err-pgbackrest-restore-words = Vakhta was about to hand pgBackRest a wrong value ({ $value }). This is a bug: please report it.
    err-pgbackrest-failed = pgBackRest { $stanza } failed (exit { $exit }): { $detail }
    err-pgbackrest-output = The answer of pgBackRest cannot be understood: { $detail }
    err-pgbackrest-backup-vanished = pgBackRest reported success for { $stanza }, but backup { $label } is not listed. Check it with pgbackrest info.
    err-pgbackrest-verify-silent = pgBackRest verify of { $stanza } ended without a verdict, so nothing is known to be verified.
    err-pgbackrest-config = The configuration file of pgBackRest is not valid: { $detail }
    err-pgbackrest-option = pgBackRest does not accept an option: { $detail }. Check binary and config of the stanza { $stanza }.
    err-pgbackrest-stanza-unknown = pgBackRest does not know the stanza { $stanza } ({ $detail }). Check its name and the path of pgbackrest.conf.
    err-pgbackrest-postgres-running = PostgreSQL is running where { $stanza } would be restored. Stop it first, or restore to another path.
    err-pgbackrest-path-not-empty = The directory to restore { $stanza } into is not empty. Choose an empty one.
    err-pgbackrest-archive-duplicate = A WAL segment of { $stanza } is already in the archive with other contents. Two servers may be writing to one archive: check archive_command on all copies.
    err-pgbackrest-host-connect = pgBackRest { $stanza } cannot reach the other host: { $detail }
    err-pgbackrest-lock-held = Another backup is running for { $stanza }. Wait until it has ended, then start again.
    err-pgbackrest-file-missing = A file of { $stanza } is missing in the repository ({ $detail }). If the stanza is new, run pgbackrest stanza-create.
    err-pgbackrest-db-connect = pgBackRest cannot connect to PostgreSQL of { $stanza }. Start PostgreSQL, and check pg1-path, pg1-port and pg1-socket-path.
    err-pgbackrest-db-mismatch = The database and the repository of { $stanza } do not belong together. After an upgrade of PostgreSQL run pgbackrest stanza-upgrade.
    err-pgbackrest-stopped = pgBackRest was stopped for { $stanza } on purpose. When maintenance is over, run pgbackrest start.
    err-pgbackrest-terminated = pgBackRest { $stanza } was terminated by a signal. No backup was made; start it again.
    err-pgbackrest-archive-command = archive_command of { $stanza } does not call pgBackRest. Correct it in postgresql.conf and reload PostgreSQL.
    err-pgbackrest-backup-set-invalid = The backup asked for does not exist for { $stanza }, or is not valid: { $detail }
    err-pgbackrest-archive-timeout = WAL of { $stanza } did not reach the archive in time. Look at archive_command in the PostgreSQL log and at the free space of the repository.
    err-pgbackrest-archive-disabled = archive_mode is off for { $stanza }. Set it to on and restart PostgreSQL.
    err-pgbackrest-crypto = The repository of { $stanza } cannot be decrypted. Check repo1-cipher-pass.
    err-pgbackrest-repo-invalid = The repository of { $stanza } is not valid: { $detail }
    err-pgbackrest-command = pgBackRest { $stanza } was called in a way that it does not allow: { $detail }
    err-pgbackrest-access = pgBackRest { $stanza } was denied access: { $detail }
    err-pgbackrest-clock = The clocks of the hosts of { $stanza } differ too much. Synchronise them (NTP).
  `,
  ru: `
    pgbackrest-step-checkpoint = ждём контрольную точку PostgreSQL
    pgbackrest-step-copying = копируем файлы
    pgbackrest-step-wal = ждём, пока WAL попадёт в архив
    pgbackrest-step-expire = удаляем устаревшие копии
    pgbackrest-step-restoring = восстанавливаем файлы

    pgbackrest-stanza-ok = { $stanza }: последняя копия { $label }, { $hours ->
        [0] меньше часа назад
        [one] { $hours } час назад
        [few] { $hours } часа назад
       *[other] { $hours } часов назад
    }
    pgbackrest-stanza-page-errors = { $stanza }: в последней копии { $label } повреждённые страницы. Посмотрите список ошибок (pgbackrest info --set) и проверьте диск базы.
    pgbackrest-stanza-missing-stanza-path = { $stanza }: в репозитории такой станзы нет. Выполните pgbackrest stanza-create или поправьте имя.
    pgbackrest-stanza-no-valid-backups = { $stanza }: копий ещё нет. Сделайте полную.
    pgbackrest-stanza-missing-stanza-data = { $stanza }: в репозитории нет данных станзы. Проверьте репозиторий, затем выполните pgbackrest stanza-create.
    pgbackrest-stanza-different-across-repos = { $stanza }: репозитории в разном состоянии. Сравните их командой pgbackrest info.
    pgbackrest-stanza-database-mismatch = { $stanza }: репозитории принадлежат разным базам. Выполните pgbackrest stanza-upgrade там, где его не было.
    pgbackrest-stanza-backup-not-found = { $stanza }: запрошенной копии в репозитории нет.
    pgbackrest-stanza-other = { $stanza }: репозиторий не читается ({ $detail }). Так выглядит и неверная парольная фраза.

    err-pgbackrest-restore-words = Вахта чуть не передала pgBackRest негодное значение ({ $value }). Это ошибка в программе: сообщите о ней разработчикам.
    err-pgbackrest-failed = pgBackRest { $stanza } завершился с ошибкой (код { $exit }): { $detail }
    err-pgbackrest-output = Не удалось понять ответ pgBackRest: { $detail }
    err-pgbackrest-backup-vanished = pgBackRest сообщил об успехе для { $stanza }, но копии { $label } в списке нет. Проверьте командой pgbackrest info.
    err-pgbackrest-verify-silent = pgBackRest verify { $stanza } завершился без вердикта: ничего не проверено.
    err-pgbackrest-config = Ошибка в файле настроек pgBackRest: { $detail }
    err-pgbackrest-option = pgBackRest не принимает параметр: { $detail }. Проверьте binary и config станзы { $stanza }.
    err-pgbackrest-stanza-unknown = pgBackRest не знает станзу { $stanza } ({ $detail }). Проверьте имя и путь к pgbackrest.conf.
    err-pgbackrest-postgres-running = Там, куда нужно восстановить { $stanza }, работает PostgreSQL. Остановите его или выберите другой каталог.
    err-pgbackrest-path-not-empty = Каталог для восстановления { $stanza } не пуст. Выберите пустой.
    err-pgbackrest-archive-duplicate = Сегмент WAL станзы { $stanza } уже есть в архиве с другим содержимым. Возможно, в один архив пишут два сервера: проверьте archive_command на всех копиях.
    err-pgbackrest-host-connect = pgBackRest { $stanza } не может соединиться с другим узлом: { $detail }
    err-pgbackrest-lock-held = Для { $stanza } уже идёт другое копирование. Дождитесь его окончания и запустите снова.
    err-pgbackrest-file-missing = В репозитории { $stanza } не хватает файла ({ $detail }). Если станза новая, выполните pgbackrest stanza-create.
    err-pgbackrest-db-connect = pgBackRest не может подключиться к PostgreSQL станзы { $stanza }. Запустите PostgreSQL, проверьте pg1-path, pg1-port и pg1-socket-path.
    err-pgbackrest-db-mismatch = База и репозиторий { $stanza } не подходят друг другу. После обновления PostgreSQL выполните pgbackrest stanza-upgrade.
    err-pgbackrest-stopped = pgBackRest для { $stanza } остановлен намеренно. Когда работы закончатся, выполните pgbackrest start.
    err-pgbackrest-terminated = pgBackRest { $stanza } прерван сигналом. Копия не сделана, запустите её снова.
    err-pgbackrest-archive-command = archive_command станзы { $stanza } не вызывает pgBackRest. Исправьте postgresql.conf и перечитайте настройки PostgreSQL.
    err-pgbackrest-backup-set-invalid = Нужной копии { $stanza } нет, или она негодна: { $detail }
    err-pgbackrest-archive-timeout = WAL станзы { $stanza } не попал в архив вовремя. Посмотрите ошибки archive_command в журнале PostgreSQL и свободное место в репозитории.
    err-pgbackrest-archive-disabled = Для { $stanza } выключен archive_mode. Включите его и перезапустите PostgreSQL.
    err-pgbackrest-crypto = Репозиторий { $stanza } не расшифровывается. Проверьте repo1-cipher-pass.
    err-pgbackrest-repo-invalid = Репозиторий { $stanza } негоден: { $detail }
    err-pgbackrest-command = pgBackRest { $stanza } вызван недопустимым образом: { $detail }
    err-pgbackrest-access = pgBackRest { $stanza }: отказано в доступе: { $detail }
    err-pgbackrest-clock = Часы узлов { $stanza } слишком расходятся. Синхронизируйте их (NTP).
  `,
});
