import { defineMessages } from '../../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    why-seen = In the chat
    why-seen-after = { $seconds } s after it came in
    why-not-seen = not shown yet
    why-edits = Redrawn
    why-hidden = … { $n } more
    why-file = Everything, to the millisecond, is in the file { $file }.
    why-week = How each message was delivered is kept for seven days, and these are over.
    why-refresh = ↻ Refresh
    why-burns = began to burn, by the word of its source
    why-received = came in: { $n ->
        [one] { $n } alert
       *[other] { $n } alerts
    } of the group, receiver { $receiver }
    why-repeated = Alertmanager repeated it { $n ->
        [one] once
       *[other] { $n } times
    } until { $clock }
    why-wanted = card for { $where }
    why-wanted-storm = shown by the storm card in { $where }
    why-shown = message { $message } in { $where }, after { $seconds } s
    why-shown-late = message { $message } in { $where }, late by { $seconds } s: { $why }
    why-late-unreachable = Telegram could not be reached
    why-late-flood = Telegram asked to wait (429)
    why-late-budget = the chat's budget was spent
    why-late-late = nobody was there to send it
    why-waited = a redraw waited { $seconds } s: { $why }
    why-tried = delivered at the { $attempts }. attempt; before: { $error }
    why-unknown-sent = perhaps delivered, nobody knows: { $error }
    why-failed = could not be delivered: { $error }
    why-dropped = delivery not needed any more: { $error }
    why-card-gone = card taken away
    why-run = { $who }: { $what }, run { $number }: { $state }
    why-run-pressed = { $who } pressed a button: { $what }, run { $number }: { $state }
    why-run-succeeded = done
    why-run-warning = done with a warning
    why-run-failed = failed
    why-run-cancelled = cancelled
    why-run-rejected = refused
    why-run-expired = expired
    why-run-open = under way
    why-refused = { $who } was refused: { $what }. { $reason }
    why-outsider = somebody without a role ({ $id }) pressed a button, to no effect
    why-verb-confirm = confirm a run
    why-verb-approve = approve a run
    why-verb-reject = refuse a run
    why-verb-cancel = cancel a run
    why-verb-comment = comment
    why-verb-press = press a button
    why-reason-lost = { $by } was faster.
    why-reason-stale = The button was outdated.
    why-reason-not-yours = The button was somebody else's.
    why-answer-confirmed = { $who } confirmed run { $number }: { $what }
    why-answer-approved = { $who } approved run { $number }: { $what }
    why-answer-rejected = { $who } refused run { $number }: { $what }
    why-answer-cancelled = { $who } cancelled run { $number }: { $what }
    why-answer-abandoned = { $who } gave up run { $number }: { $what }
    why-answer-step-up = { $who } typed name and code for run { $number }: { $what }
    why-answer-step-up-wrong = wrong code from { $who } for run { $number }: { $what }
    why-all = 📜 All { $n } steps
    why-page = { $page } of { $pages }
    why-overview = ‹ Summary
  `,
  ru: `
    why-seen = В чате
    why-seen-after = через { $seconds } с после получения
    why-not-seen = ещё не показан
    why-edits = Перерисован
    why-hidden = … и ещё { $n }
    why-file = Всё, до миллисекунды, — в файле { $file }.
    why-week = Как доставлялось каждое сообщение, хранится семь дней; они прошли.
    why-refresh = ↻ Обновить
    why-burns = загорелось, по словам источника
    why-received = получено: { $n ->
        [one] { $n } алерт
        [few] { $n } алерта
       *[other] { $n } алертов
    } группы, получатель { $receiver }
    why-repeated = Alertmanager повторил { $n ->
        [one] { $n } раз
        [few] { $n } раза
       *[other] { $n } раз
    }, последний — в { $clock }
    why-wanted = карточка для { $where }
    why-wanted-storm = показан на карточке шквала в { $where }
    why-shown = сообщение { $message } в { $where }, через { $seconds } с
    why-shown-late = сообщение { $message } в { $where }, с опозданием { $seconds } с: { $why }
    why-late-unreachable = Telegram был недоступен
    why-late-flood = Telegram просил подождать (429)
    why-late-budget = лимит чата был исчерпан
    why-late-late = отправить было некому
    why-waited = обновление ждало { $seconds } с: { $why }
    why-tried = доставлено с { $attempts }-й попытки; до того: { $error }
    why-unknown-sent = возможно, доставлено, точно неизвестно: { $error }
    why-failed = доставить не удалось: { $error }
    why-dropped = доставка стала не нужна: { $error }
    why-card-gone = карточка убрана
    why-run = { $who }: { $what }, запуск { $number }: { $state }
    why-run-pressed = нажата кнопка ({ $who }): { $what }, запуск { $number }: { $state }
    why-run-succeeded = выполнено
    why-run-warning = выполнено с замечанием
    why-run-failed = не удалось
    why-run-cancelled = отменено
    why-run-rejected = отказано
    why-run-expired = истекло
    why-run-open = выполняется
    why-refused = отказано, { $who }: { $what }. { $reason }
    why-outsider = кнопку нажал человек без роли ({ $id }), безрезультатно
    why-verb-confirm = подтвердить запуск
    why-verb-approve = одобрить запуск
    why-verb-reject = отклонить запуск
    why-verb-cancel = отменить запуск
    why-verb-comment = комментарий
    why-verb-press = нажатие кнопки
    why-reason-lost = Первым успел: { $by }.
    why-reason-stale = Кнопка устарела.
    why-reason-not-yours = Кнопка предназначалась другому.
    why-answer-confirmed = подтверждено ({ $who }), запуск { $number }: { $what }
    why-answer-approved = одобрено ({ $who }), запуск { $number }: { $what }
    why-answer-rejected = отклонено ({ $who }), запуск { $number }: { $what }
    why-answer-cancelled = отменено ({ $who }), запуск { $number }: { $what }
    why-answer-abandoned = больше не выясняется ({ $who }), запуск { $number }: { $what }
    why-answer-step-up = имя и код введены ({ $who }), запуск { $number }: { $what }
    why-answer-step-up-wrong = неверный код ({ $who }), запуск { $number }: { $what }
    why-all = 📜 Все шаги: { $n }
    why-page = { $page } из { $pages }
    why-overview = ‹ Кратко
  `,
});
