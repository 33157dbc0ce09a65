import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    fix-label = Fix
    fix-run = run { $number }
    fix-state = { $state ->
        [planning] is being prepared
        [confirming] waits for a confirmation
        [approving] waits for an approval
        [queued] waits for its turn
        [running] is running
        [verifying] is being checked
        [reconciling] broke off; it is being found out how far it came
       *[other] has ended
    }
    fix-running = is running, { $percent } %
    fix-waiting = ran; waiting for the alert to clear until { $clock }
    fix-cleared = fixed by { $who } with “{ $what }” in { $time }
    fix-failed = { $why ->
        [expired] nobody answered in time
        [still-firing] ran, but the alert still fires
       *[failed] failed
    }
    fix-dropped = { $why ->
        [cancelled] was cancelled
        [rejected] was rejected
        [before] ran; the alert had ended before
       *[unseen] ran; the alert went quiet without an end, so look for yourself
    }
    fix-button = 🛠 { $what }
    fix-more = 🛠 More fixes
    fix-choose = What may mend it:
    fix-none = Nothing can be offered now.
    fix-page-still-firing = “{ $operation }” was run (run { $run }), and the alert still fires.
    fix-page-failed = “{ $operation }” was to mend it, and failed (run { $run }).
    fix-page-expired = “{ $operation }” was to mend it, but nobody answered its question in time (run { $run }).
    incident-event-fix-started = { $actor } began a fix: { $operation } (run { $run })
    incident-event-fix-cleared = the fix helped (run { $run })
    incident-event-fix-failed = { $why ->
        [failed] the fix failed (run { $run })
        [expired] nobody answered the question of the fix (run { $run })
       *[other] the fix was run, and the alert still fires (run { $run })
    }
    incident-event-fix-dropped = { $why ->
        [before] the alert had ended before the fix ran (run { $run })
        [unseen] the alert went quiet after the fix, without an end (run { $run })
       *[other] the fix was taken back (run { $run })
    }
    err-fix-running = The same fix of incident #{ $incident } is under way already. Its card shows how it goes.
    doctor-fixes = { $n ->
        [one] { $n } fix can be offered
       *[other] { $n } fixes can be offered
    }
    doctor-fixes-unknown-operation = fixes: there is no operation “{ $detail }”.
    doctor-fixes-unknown-operation-todo = Names stand in docs/reference/commands.md, with a dot: container.restart.
    doctor-fixes-no-fix = fixes: “{ $detail }” changes nothing outside, so it cannot mend an alert.
    doctor-fixes-no-fix-todo = Name an operation that acts, such as container.restart.
    doctor-fixes-unknown-argument = fixes: { $operation } has no argument “{ $detail }”.
    doctor-fixes-unknown-argument-todo = Its arguments stand in docs/reference/commands.md.
    doctor-fixes-bad-arguments = fixes: { $operation } does not accept what is given as “{ $detail }”, or it is missing.
    doctor-fixes-bad-arguments-todo = Give a value that the operation accepts, or a label of the alert as {"{{label}}"}.
  `,
  ru: `
    fix-label = Исправление
    fix-run = запуск { $number }
    fix-state = { $state ->
        [planning] готовится
        [confirming] ждёт подтверждения
        [approving] ждёт одобрения
        [queued] ждёт своей очереди
        [running] выполняется
        [verifying] проверяется
        [reconciling] прервалось; выясняется, что успело произойти
       *[other] завершено
    }
    fix-running = выполняется, { $percent } %
    fix-waiting = выполнено; ждём до { $clock }, погаснет ли алерт
    fix-cleared = { $who }: исправлено за { $time }, «{ $what }»
    fix-failed = { $why ->
        [expired] никто не ответил вовремя
        [still-firing] выполнено, но алерт горит
       *[failed] не удалось
    }
    fix-dropped = { $why ->
        [cancelled] отменено
        [rejected] отклонено
        [before] выполнено; алерт погас ещё раньше
       *[unseen] выполнено; алерт замолчал без отбоя, проверьте сами
    }
    fix-button = 🛠 { $what }
    fix-more = 🛠 Другие исправления
    fix-choose = Что может помочь:
    fix-none = Сейчас предложить нечего.
    fix-page-still-firing = Операция «{ $operation }» выполнена (запуск { $run }), а алерт горит.
    fix-page-failed = Операция «{ $operation }» должна была помочь, но не удалась (запуск { $run }).
    fix-page-expired = Операция «{ $operation }» должна была помочь, но на её вопрос никто не ответил (запуск { $run }).
    incident-event-fix-started = { $actor }: начато исправление { $operation } (запуск { $run })
    incident-event-fix-cleared = исправление помогло (запуск { $run })
    incident-event-fix-failed = { $why ->
        [failed] исправление не удалось (запуск { $run })
        [expired] на вопрос исправления никто не ответил (запуск { $run })
       *[other] исправление выполнено, а алерт горит (запуск { $run })
    }
    incident-event-fix-dropped = { $why ->
        [before] алерт погас ещё до исправления (запуск { $run })
        [unseen] после исправления алерт замолчал без отбоя (запуск { $run })
       *[other] исправление отозвано (запуск { $run })
    }
    err-fix-running = Это исправление инцидента #{ $incident } уже идёт. Как — видно на карточке.
    doctor-fixes = { $n ->
        [one] { $n } исправление можно предложить
        [few] { $n } исправления можно предложить
       *[other] { $n } исправлений можно предложить
    }
    doctor-fixes-unknown-operation = fixes: операции «{ $detail }» нет.
    doctor-fixes-unknown-operation-todo = Имена — в docs/reference/commands.ru.md, через точку: container.restart.
    doctor-fixes-no-fix = fixes: операция «{ $detail }» снаружи ничего не меняет и исправить алерт не может.
    doctor-fixes-no-fix-todo = Назовите операцию, которая действует, например container.restart.
    doctor-fixes-unknown-argument = fixes: у { $operation } нет аргумента «{ $detail }».
    doctor-fixes-unknown-argument-todo = Аргументы перечислены в docs/reference/commands.ru.md.
    doctor-fixes-bad-arguments = fixes: { $operation } не принимает «{ $detail }», или этого аргумента нет.
    doctor-fixes-bad-arguments-todo = Задайте допустимое значение или метку алерта в виде {"{{label}}"}.
  `,
});
