import { defineMessages } from '../../core/i18n.ts';

/** What the life cycle itself has to say: refusals, and how a run ended when the operation could not say it. */
export const messages = defineMessages({
  en: `
    err-internal = Something broke inside Vakhta. Nothing was changed by this step. Please report the error id.
    err-unreachable = The system does not answer ({ $what }). Try again, or look at /status.
    err-timeout = It took too long and was stopped.
    err-bad-arguments = I do not understand { $operation }: { $problems }
    err-unknown-operation = There is no operation “{ $operation }”. /help shows what there is.
    err-no-role = This needs the role “{ $role }”. Ask an administrator.
    err-no-run = There is no such run any more.
    err-run-moved = Too late: run #{ $number } is already “{ $state }”.
    err-own-run = Another person has to approve what you asked for.
    err-not-requester = Only { $requester } can confirm this.
    err-typed-name = The name does not match. Type exactly: { $target }
    err-no-totp = Your entry in the configuration has no TOTP secret, so you cannot confirm this. Add operators[].totp and restart.
    err-step-up-needed = A six-digit code of your authenticator is needed.
    err-step-up-wrong = The code is wrong or was used before. { $left ->
        [0] No tries are left, the run is closed.
        [one] { $left } try is left.
       *[other] { $left } tries are left.
    }
    err-timed-out = Stopped after { $minutes } min, its time limit.
    err-cancelled = Cancelled by { $by }.
    err-not-verified = It said it was done, but that could not be seen: { $why }
    err-lost = The worker died in the middle, and what became of it could not be found out: { $why }
    err-port-missing = “{ $port }” is not configured. Add it to the configuration, then check with: vakhta doctor
    err-role-lost = { $who } may no longer do this; the role was checked again just before the start.
    err-queue-down = The queue does not answer. The run is kept and starts as soon as the queue is back.
    run-waits-lock = waits for { $holder }, which holds { $key }
    run-reconciling = finding out what really happened
  `,
  ru: `
    err-internal = Внутренняя ошибка Вахты. Этот шаг ничего не изменил. Сообщите номер ошибки.
    err-unreachable = Система не отвечает ({ $what }). Повторите или посмотрите /status.
    err-timeout = Слишком долго, остановлено.
    err-bad-arguments = Не понимаю { $operation }: { $problems }
    err-unknown-operation = Операции «{ $operation }» нет. Что есть — покажет /help.
    err-no-role = Для этого нужна роль «{ $role }». Обратитесь к администратору.
    err-no-run = Такого запуска уже нет.
    err-run-moved = Поздно: запуск #{ $number } уже в состоянии «{ $state }».
    err-own-run = То, о чём вы просили, должен одобрить другой человек.
    err-not-requester = Подтвердить может только { $requester }.
    err-typed-name = Имя не совпадает. Введите точно: { $target }
    err-no-totp = У вас в конфигурации нет секрета TOTP, подтвердить нельзя. Добавьте operators[].totp и перезапустите.
    err-step-up-needed = Нужен шестизначный код из приложения-аутентификатора.
    err-step-up-wrong = Код неверен или уже использован. { $left ->
        [0] Попыток не осталось, запуск закрыт.
        [one] Осталась { $left } попытка.
        [few] Осталось { $left } попытки.
       *[many] Осталось { $left } попыток.
    }
    err-timed-out = Остановлено через { $minutes } мин: вышло отведённое время.
    err-cancelled = Отменил(а) { $by }.
    err-not-verified = Операция сообщила об успехе, но увидеть его не удалось: { $why }
    err-lost = Исполнитель упал посреди работы, и выяснить итог не удалось: { $why }
    err-port-missing = «{ $port }» не настроено. Добавьте в конфигурацию и проверьте: vakhta doctor
    err-role-lost = У { $who } больше нет на это прав: роль проверена ещё раз перед самым запуском.
    err-queue-down = Очередь не отвечает. Запуск сохранён и начнётся, как только она вернётся.
    run-waits-lock = ждёт { $holder }: занято { $key }
    run-reconciling = выясняю, что произошло на самом деле
  `,
});
