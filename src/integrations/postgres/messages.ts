import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    pg-step-starting = starting PostgreSQL on the copy
    pg-step-replaying = replaying WAL up to the moment

    err-pg-program = { $program } failed on { $where }: { $detail }
    err-pg-output = { $program } on { $where } answered something that cannot be read: { $detail }
    err-pg-target-not-reached = The archive ends before { $target }: PostgreSQL replayed it up to { $reached } and stopped. Choose an earlier moment, or “latest”.
    err-pg-start-failed = PostgreSQL did not start on the restored copy: { $detail }
    err-pg-scratch-full = Not enough space in { $dir }: { $needed } MB are needed, { $free } MB are free, and { $kept } MB have to stay free. Nothing was restored.
    err-pg-scratch-dir = The folder for scratch clusters { $dir } cannot be used: { $detail }. Create it for the user that runs pgBackRest, mode 0700.
    err-pg-scratch-inside = The folder for scratch clusters { $dir } lies inside the data folder of the running cluster. Nothing was done; choose another one (scratch.dir).
    err-pg-scratch-path = The path { $dir } is too long for a Unix socket. Choose a shorter scratch.dir.
    err-pg-scratch-foreign = { $dir } does not carry the mark of this run, so it was left alone. Look at it, and remove it by hand if it is rubbish.
    err-pg-scratch-port = All ports for scratch clusters are taken ({ $from }–{ $to }). End a restore that is kept up (/restore end), or widen the range.
    err-pg-scratch-archive = Archiving is on in the restored copy. It was stopped at once; nothing was archived from it.
  `,
  ru: `
    pg-step-starting = запускаем PostgreSQL на восстановленной копии
    pg-step-replaying = накатываем WAL до нужного момента

    err-pg-program = { $program } завершилась с ошибкой ({ $where }): { $detail }
    err-pg-output = Не удалось разобрать ответ { $program } ({ $where }): { $detail }
    err-pg-target-not-reached = Архив кончается раньше { $target }: PostgreSQL накатил его до { $reached } и остановился. Выберите момент раньше или «latest».
    err-pg-start-failed = PostgreSQL не запустился на восстановленной копии: { $detail }
    err-pg-scratch-full = В { $dir } мало места: нужно { $needed } МБ, свободно { $free } МБ, из них { $kept } МБ должны остаться свободными. Ничего не восстановлено.
    err-pg-scratch-dir = Каталог для временных кластеров { $dir } использовать нельзя: { $detail }. Создайте его для пользователя, от имени которого работает pgBackRest, с правами 0700.
    err-pg-scratch-inside = Каталог для временных кластеров { $dir } лежит внутри каталога данных рабочего кластера. Ничего не сделано; выберите другой (scratch.dir).
    err-pg-scratch-path = Путь { $dir } слишком длинный для сокета Unix. Выберите scratch.dir покороче.
    err-pg-scratch-foreign = На { $dir } нет метки этого запуска, поэтому каталог не тронут. Посмотрите, что в нём, и удалите вручную, если он не нужен.
    err-pg-scratch-port = Все порты для временных кластеров заняты ({ $from }–{ $to }). Завершите копию, которую держат запущенной (/restore end), или расширьте диапазон.
    err-pg-scratch-archive = На восстановленной копии включён архив WAL. Она сразу остановлена; из неё ничего не заархивировано.
  `,
});
