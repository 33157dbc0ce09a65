import { defineMessages } from '../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-database-down = The database does not answer. Check that PostgreSQL runs and that DATABASE_URL is right; nothing was lost.
    err-database-newer = The database belongs to a newer version of Vakhta (it knows the change “{ $migration }”). Upgrade this program.
    err-migration-failed = The database could not be brought up to date: { $reason }
    err-data-dir-in-use = Another Vakhta already uses the folder { $dir }. Stop it first, or give this one another data_dir.
    err-embedded-failed = The built-in PostgreSQL did not start. The last lines of { $log }: { $reason }
    err-embedded-version = The folder { $dir } holds PostgreSQL { $found }, but the built-in one is { $expected }. Set DATABASE_URL, or dump with version { $found } and restore.
    err-embedded-root = PostgreSQL does not run as root, and the user “postgres” cannot use { $path }. Run Vakhta as another user, choose another data_dir, or set DATABASE_URL.
    err-embedded-password = The password of the built-in PostgreSQL is missing from { $path }. Restore that file from a backup.
    err-run-move = Internal error: a run cannot go from “{ $from }” to “{ $to }”. Please report it.
    err-queue-down = The job queue does not answer. The run is kept and will be queued by itself when the queue is back.
    err-bad-job-id = Internal error: a job id must not contain a colon. Please report it.
  `,
  ru: `
    err-database-down = База данных не отвечает. Проверьте, что PostgreSQL работает и что DATABASE_URL указан верно; ничего не потеряно.
    err-database-newer = База данных принадлежит более новой версии Вахты (в ней есть изменение «{ $migration }»). Обновите программу.
    err-migration-failed = Не удалось обновить базу данных: { $reason }
    err-data-dir-in-use = Папку { $dir } уже использует другая Вахта. Остановите её или укажите для этой другой data_dir.
    err-embedded-failed = Встроенный PostgreSQL не запустился. Последние строки { $log }: { $reason }
    err-embedded-version = В папке { $dir } лежат данные PostgreSQL { $found }, а встроенный имеет версию { $expected }. Укажите DATABASE_URL или сделайте дамп версией { $found } и восстановите его.
    err-embedded-root = PostgreSQL не работает от root, а пользователю «postgres» недоступен путь { $path }. Запустите Вахту от другого пользователя, выберите другой data_dir или укажите DATABASE_URL.
    err-embedded-password = В { $path } нет пароля встроенного PostgreSQL. Восстановите этот файл из резервной копии.
    err-run-move = Внутренняя ошибка: задача не может перейти из «{ $from }» в «{ $to }». Сообщите о ней разработчикам.
    err-queue-down = Очередь задач не отвечает. Задача сохранена и сама встанет в очередь, когда связь восстановится.
    err-bad-job-id = Внутренняя ошибка: в номере задания не может быть двоеточия. Сообщите о ней разработчикам.
  `,
});
