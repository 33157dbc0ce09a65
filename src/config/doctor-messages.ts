import { defineMessages } from '../core/i18n.ts';

export const messages = defineMessages({
  en: `
    doctor-ok = ok
    doctor-warn = warn
    doctor-fail = fail
    doctor-summary = { $ok } ok, { $warn } to look at, { $fail } failed

    doctor-not-looked = was not looked at: this version has no check for it.
    doctor-timeout = no answer within { $seconds } s.
    doctor-timeout-todo = Check address, port and firewall, and that the system is running.
    doctor-threw = the check itself failed: { $message }
    doctor-threw-todo = Please report this to the developers.

    doctor-file = { $file } is valid
    doctor-file-warnings = { $file } is valid, with { $warnings ->
        [one] { $warnings } warning
       *[other] { $warnings } warnings
      }.
    doctor-file-warnings-todo = They are listed above.
    doctor-file-errors = { $file } has { $errors ->
        [one] { $errors } error
       *[other] { $errors } errors
      }.
    doctor-file-errors-todo = They are listed above, each with its place and how to mend it.

    doctor-secrets = { $all ->
        [one] the one secret reference can be read
       *[other] all { $all } secret references can be read
      }
    doctor-secrets-open = other users of this machine can read the files of secrets.
    doctor-secrets-open-todo = Run: chmod 600 { $files }
    doctor-secrets-missing = { $missing } of { $all } secret references cannot be read: { $which }.
    doctor-secrets-missing-todo = Set the variables, or create the files, for the user that runs Vakhta.

    doctor-clock = the clock agrees within { $seconds } s
    doctor-clock-off = the clock is { $seconds } s off.
    doctor-clock-off-todo = Step-up codes and times on cards would be wrong: switch on NTP (timedatectl set-ntp true).

    doctor-data-dir = { $path } can be written
    doctor-data-dir-failed = { $path } cannot be written ({ $why }).
    doctor-data-dir-failed-todo = Create the folder and give it to the user that runs Vakhta.
  `,
  ru: `
    doctor-ok = норма
    doctor-warn = внимание
    doctor-fail = сбой
    doctor-summary = в норме: { $ok }, требуют внимания: { $warn }, сбоев: { $fail }

    doctor-not-looked = не проверено: в этой версии такой проверки нет.
    doctor-timeout = нет ответа за { $seconds } с.
    doctor-timeout-todo = Проверьте адрес, порт, межсетевой экран и то, что система запущена.
    doctor-threw = сбой самой проверки: { $message }
    doctor-threw-todo = Пожалуйста, сообщите об этом разработчикам.

    doctor-file = в { $file } ошибок нет
    doctor-file-warnings = в { $file } ошибок нет, но есть { $warnings ->
        [one] { $warnings } предупреждение
        [few] { $warnings } предупреждения
       *[many] { $warnings } предупреждений
      }.
    doctor-file-warnings-todo = Они перечислены выше.
    doctor-file-errors = в { $file } { $errors ->
        [one] { $errors } ошибка
        [few] { $errors } ошибки
       *[many] { $errors } ошибок
      }.
    doctor-file-errors-todo = Они перечислены выше: где и как исправить.

    doctor-secrets = ссылки на секреты читаются: { $all } из { $all }
    doctor-secrets-open = файлы с секретами могут прочитать другие пользователи этой машины.
    doctor-secrets-open-todo = Выполните: chmod 600 { $files }
    doctor-secrets-missing = не читается ссылок на секреты: { $missing } из { $all }: { $which }.
    doctor-secrets-missing-todo = Задайте переменные или создайте файлы для пользователя, от имени которого работает Vakhta.

    doctor-clock = часы идут верно, расхождение не больше { $seconds } с
    doctor-clock-off = часы расходятся на { $seconds } с.
    doctor-clock-off-todo = Одноразовые коды и время на карточках будут неверны: включите NTP (timedatectl set-ntp true).

    doctor-data-dir = в { $path } можно писать
    doctor-data-dir-failed = в { $path } писать нельзя ({ $why }).
    doctor-data-dir-failed-todo = Создайте каталог и отдайте его пользователю, от имени которого работает Vakhta.
  `,
});
