import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    run-number = Run
    run-planning = Working out what will happen …
    run-confirming = Look at the plan. Shall I go on?
    run-checking-code = Checking the code …
    run-approving = A second person has to approve this.
    run-queued = Waiting for its turn
    run-starts = Starts at
    run-started = Starting …
    run-verifying = Done; checking by another way that it worked …
    run-rejected = Rejected; nothing was done.
    run-expired = Nobody answered in time; nothing was done.
    run-left = { $time } left
    run-plan = What will happen
    run-asked = Asked
    run-confirmed = Confirmed
    run-approved = Approved
    run-cancel-asked = Being cancelled
    run-took = Took
    run-open-until = Open until
    run-verified = Checked
    run-not-verified = Not confirmed
    run-error-id = Error
    run-by-schedule = schedule { $id }
    run-by-cli = command line ({ $id })
    run-by-http = HTTP ({ $id })
    run-by-system = Vakhta
    run-button-confirm = Confirm
    run-button-approve = Approve
    run-button-reject = Reject
    run-button-cancel = Cancel
    run-button-abandon = Stop waiting
    run-button-undo = ↩ Undo
    run-button-again = Ask again
  `,
  ru: `
    run-number = Запуск
    run-planning = Выясняю, что произойдёт …
    run-confirming = Посмотрите план. Выполнять?
    run-checking-code = Проверяю код …
    run-approving = Нужно одобрение второго человека.
    run-queued = Ждёт своей очереди
    run-starts = Начнётся в
    run-started = Начинаю …
    run-verifying = Сделано; проверяю другим способом, что получилось …
    run-rejected = Отклонено; ничего не сделано.
    run-expired = Никто не ответил вовремя; ничего не сделано.
    run-left = осталось { $time }
    run-plan = Что произойдёт
    run-asked = Запросил(а)
    run-confirmed = Подтвердил(а)
    run-approved = Одобрил(а)
    run-cancel-asked = Отменяет
    run-took = Заняло
    run-open-until = Ответить до
    run-verified = Проверено
    run-not-verified = Не подтвердилось
    run-error-id = Ошибка
    run-by-schedule = расписание { $id }
    run-by-cli = командная строка ({ $id })
    run-by-http = HTTP ({ $id })
    run-by-system = Вахта
    run-button-confirm = Подтвердить
    run-button-approve = Одобрить
    run-button-reject = Отклонить
    run-button-cancel = Отменить
    run-button-abandon = Больше не ждать
    run-button-undo = ↩ Вернуть как было
    run-button-again = Запросить снова
  `,
});
