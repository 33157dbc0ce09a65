import { defineMessages } from '../../core/i18n.ts';

/** What the life cycle itself has to say: refusals, and how a run ended when the operation could not say it. */
export const messages = defineMessages({
  en: `
    err-internal = Something broke inside Vakhta. Please report the error id; the log has the details under it.
    err-unreachable = The system does not answer ({ $what }). Try again, or look at /status.
    err-timeout = No answer came in time. Try again, or look at /status.
    err-stopped = The work was stopped.
    err-bad-arguments = I do not understand { $operation }: { $problems }
    err-unknown-operation = There is no operation “{ $operation }”. /help shows what there is.
    err-no-role = This needs the role “{ $role }”. Ask an administrator.
    err-needs-person = This has to be confirmed by a person, so it cannot be started automatically. On the command line, say who you are: --as NAME
    err-no-run = There is no such run any more.
    err-key-reused = This request has the key of another one. Ask again.
    err-run-moved = Too late: run #{ $number } { $state ->
        [planning] is being planned.
        [confirming] waits for its confirmation.
        [approving] waits for approval.
        [queued] is in the queue already.
        [running] has started already.
        [verifying] is done already and is being checked.
        [reconciling] was interrupted; I am finding out what happened.
        [succeeded] has succeeded already.
        [warning] has ended already, with a warning.
        [failed] has failed already.
        [cancelled] was cancelled already.
        [rejected] was rejected already.
        [expired] was not answered in time. Ask again.
       *[other] has moved on.
    }
    err-own-run = Another person has to approve what you asked for.
    err-approver-unnamed = Only a person from the configuration can approve. On the command line, say who you are: --as NAME
    err-not-requester = Only { $requester }, who asked for it, can confirm this.
    err-typed-name = The name does not match. Type exactly: { $target }
    err-no-totp = You have no TOTP secret, so you cannot confirm this. Ask an administrator to add operators[].totp to the configuration.
    err-step-up-needed = Enter the six-digit code of your authenticator.
    err-step-up-checking = Your code is still being checked. Wait a moment.
    err-step-up-wrong = The code is wrong or was used before. { $left ->
        [0] No tries are left, the run is closed.
        [one] { $left } try is left.
       *[other] { $left } tries are left.
    }
    err-timed-out = Stopped after { $minutes } min, its time limit.
    err-cancelled = Cancelled by { $by }.
    err-abandoned = { $by } gave up waiting. What became of it is unknown: look at the system before you ask again.
    err-not-verified = It was carried out, but a check by another way does not see the result.
    err-lost = It was interrupted, and what became of it could not be found out. Look at the system before you ask again.
    err-port-missing = “{ $port }” is not configured. Add it to the configuration, then check with: vakhta doctor
    err-role-lost = { $who } may no longer do this. The role is checked again just before the start, so nothing was done.
    err-approval-missing = The approval it needs is missing, so nothing was done. Ask again.
    run-waits-lock = Waiting for run { $holder } { $what } ({ $kind ->
        [schedule] on schedule
        [system] by itself
       *[other] { $by }
    }), which holds { $key }
    run-reconciling = Interrupted; finding out what really happened
    run-reconciling-later = Interrupted; the system does not answer, so what happened is still unknown
    run-verify-unable = the check itself failed, look for yourself
    run-verify-stopped = the check was cut short, look for yourself
  `,
  ru: `
    err-internal = Внутренняя ошибка Вахты. Сообщите её номер: под ним в журнале все подробности.
    err-unreachable = Система не отвечает ({ $what }). Повторите позже или посмотрите /status.
    err-timeout = Ответа не дождались. Повторите позже или посмотрите /status.
    err-stopped = Работа остановлена.
    err-bad-arguments = Не понимаю { $operation }: { $problems }
    err-unknown-operation = Операции «{ $operation }» нет. Список — в /help.
    err-no-role = Для этого нужна роль «{ $role }». Обратитесь к администратору.
    err-needs-person = Это должен подтвердить человек, поэтому автоматически оно не запускается. В командной строке назовите себя: --as ИМЯ
    err-no-run = Такого запуска уже нет.
    err-key-reused = У этого запроса ключ другого запроса. Запросите заново.
    err-run-moved = Поздно: запуск #{ $number } { $state ->
        [planning] ещё планируется.
        [confirming] ждёт подтверждения.
        [approving] ждёт одобрения.
        [queued] уже в очереди.
        [running] уже выполняется.
        [verifying] уже выполнен, результат проверяется.
        [reconciling] прерван, выясняется, что произошло.
        [succeeded] уже успешно завершён.
        [warning] уже завершён с предупреждением.
        [failed] уже завершился неудачей.
        [cancelled] уже отменён.
        [rejected] уже отклонён.
        [expired] не дождался ответа вовремя. Запросите снова.
       *[other] уже в другом состоянии.
    }
    err-own-run = Ваш запрос должен одобрить другой человек.
    err-approver-unnamed = Одобрить может только человек из конфигурации. В командной строке назовите себя: --as ИМЯ
    err-not-requester = Подтвердить может только автор запроса — { $requester }.
    err-typed-name = Имя не совпадает. Введите точно: { $target }
    err-no-totp = У вас нет секрета TOTP, поэтому подтвердить нельзя. Попросите администратора добавить operators[].totp в конфигурацию.
    err-step-up-needed = Введите шестизначный код из приложения-аутентификатора.
    err-step-up-checking = Ваш код ещё проверяется. Подождите немного.
    err-step-up-wrong = Код неверен или уже использован. { $left ->
        [0] Попыток не осталось, запуск закрыт.
        [one] Осталась { $left } попытка.
        [few] Осталось { $left } попытки.
       *[many] Осталось { $left } попыток.
    }
    err-timed-out = Остановлено через { $minutes } мин: отведённое время вышло.
    err-cancelled = Отменил(а) { $by }.
    err-abandoned = { $by } больше не ждёт. Чем всё кончилось, неизвестно: прежде чем повторять, посмотрите на саму систему.
    err-not-verified = Выполнено, но проверка другим способом результата не видит.
    err-lost = Работа прервалась, и выяснить итог не удалось. Прежде чем повторять, посмотрите на саму систему.
    err-port-missing = «{ $port }» не настроено. Добавьте в конфигурацию и проверьте: vakhta doctor
    err-role-lost = У { $who } больше нет на это прав. Роль проверяется ещё раз перед самым запуском, поэтому ничего не сделано.
    err-approval-missing = Нужного одобрения нет, поэтому ничего не сделано. Запросите снова.
    run-waits-lock = Ждёт запуск { $holder } { $what } ({ $kind ->
        [schedule] по расписанию
        [system] сама Вахта
       *[other] { $by }
    }): занято { $key }
    run-reconciling = Работа прервалась, выясняю, что произошло на самом деле
    run-reconciling-later = Работа прервалась; система не отвечает, поэтому итог пока неизвестен
    run-verify-unable = сама проверка не удалась, посмотрите сами
    run-verify-stopped = проверка прервана, посмотрите сами
  `,
});
