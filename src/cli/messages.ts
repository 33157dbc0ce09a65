import { defineMessages } from '../core/i18n.ts';

export const messages = defineMessages({
  en: `
    cli-about = The watch over a small infrastructure, from Telegram and from here
    cli-config = Configuration file
    cli-start = Bot and worker in one process
    cli-bot = Telegram, webhooks and schedules; needs no infrastructure credentials
    cli-worker = The queue: everything that talks to the infrastructure
    cli-demo = A whole installation with simulated surroundings and a web chat
    cli-migrate = Bring the database up to date
    cli-run = Ask for an operation, and wait for its end
    cli-runs = Recent runs
    cli-doctor = Check the configuration and reach every configured system
    cli-audit = The record of decisions
    cli-audit-verify = Check that no entry was altered or removed
    cli-answer = { $verb } a waiting run
    cli-kit = The emergency kit: all that is needed when everything is gone
    cli-kit-make = Make one and send the copy; needs neither Telegram nor the queue, and goes without the database
    cli-kit-check = Open one, and compare every file in it; needs no configuration
    cli-kit-identity = File with a secret key of age; can be given several times
    cli-kit-run = In the history of runs and in the audit as run { $number }.
    cli-kit-no-run = The database does not answer: this kit is neither in the history of runs nor in the audit.
    cli-kit-ok = The kit is whole: { $n } files, made { $at } for { $site } by Vakhta { $version }.
    cli-as = Act as this operator (id); otherwise as the person on this machine
    cli-yes = Answer the question “are you sure?” beforehand
    cli-typed = The name of the target, for what destroys
    cli-code = Step-up code, for what destroys
    cli-json = Print the run as JSON
    cli-started = Run #{ $number }: { $operation }
    cli-plan = Plan:
    cli-confirm-hint = It waits for your confirmation: vakhta confirm { $number }  (or run it again with --yes)
    cli-approve-hint = It waits for another person: vakhta approve { $number } --as OPERATOR
    cli-verified = Seen: { $what }
    cli-failed = Failed (error { $id }): { $what }
    cli-migrated = { $n ->
        [0] The database is up to date.
        [one] { $n } migration was applied.
       *[other] { $n } migrations were applied.
    }
    cli-audit-ok = { $n } entries, none altered. Head: { $head }
    cli-audit-bad = Entry { $seq } is wrong: { $why }
    cli-no-runs = Nothing has been run yet.
    cli-stopping = Stopping: finishing what runs …
    err-cli-as = This needs a person with a role and a step-up code: add --as OPERATOR.
    err-no-operator = There is no operator “{ $id }” in the configuration.
    err-port-taken = { $address } is taken by another program. Set http.port in the configuration to a free one, or stop the other program.
  `,
  ru: `
    cli-about = Вахта у небольшой инфраструктуры: из Telegram и отсюда
    cli-config = Файл конфигурации
    cli-start = Бот и исполнитель в одном процессе
    cli-bot = Telegram, вебхуки и расписания; доступы к инфраструктуре не нужны
    cli-worker = Очередь: всё, что обращается к инфраструктуре
    cli-demo = Целая установка с имитацией окружения и веб-чатом
    cli-migrate = Обновить базу данных
    cli-run = Запросить операцию и дождаться конца
    cli-runs = Последние запуски
    cli-doctor = Проверить конфигурацию и достучаться до каждой системы
    cli-audit = Журнал решений
    cli-audit-verify = Проверить, что записи не изменены и не удалены
    cli-answer = { $verb }: ответить ждущему запуску
    cli-kit = Аварийный набор: всё, что нужно, когда не осталось ничего
    cli-kit-make = Создать и отправить копию; не нужны ни Telegram, ни очередь, обходится и без базы
    cli-kit-check = Открыть и сверить каждый файл; конфигурация не нужна
    cli-kit-identity = Файл с секретным ключом age; можно указать несколько раз
    cli-kit-run = В истории запусков и в журнале аудита — запуск { $number }.
    cli-kit-no-run = База не отвечает: этого набора нет ни в истории запусков, ни в журнале аудита.
    cli-kit-ok = Набор цел: файлов { $n }, создан { $at } для { $site }, Вахта { $version }.
    cli-as = Действовать от имени этого оператора (id); иначе — человека за этой машиной
    cli-yes = Заранее ответить на вопрос «вы уверены?»
    cli-typed = Имя цели, для разрушительного
    cli-code = Код подтверждения, для разрушительного
    cli-json = Вывести запуск как JSON
    cli-started = Запуск #{ $number }: { $operation }
    cli-plan = План:
    cli-confirm-hint = Ждёт вашего подтверждения: vakhta confirm { $number }  (или повторите с --yes)
    cli-approve-hint = Ждёт другого человека: vakhta approve { $number } --as ОПЕРАТОР
    cli-verified = Проверено: { $what }
    cli-failed = Неудача (ошибка { $id }): { $what }
    cli-migrated = { $n ->
        [0] База уже актуальна.
        [one] Применена { $n } миграция.
        [few] Применены { $n } миграции.
       *[many] Применено { $n } миграций.
    }
    cli-audit-ok = Записей: { $n }, ни одна не изменена. Вершина: { $head }
    cli-audit-bad = Запись { $seq } неверна: { $why }
    cli-no-runs = Пока ничего не запускали.
    cli-stopping = Останавливаюсь: заканчиваю начатое …
    err-cli-as = Для этого нужен человек с ролью и кодом подтверждения: добавьте --as ОПЕРАТОР.
    err-no-operator = Оператора «{ $id }» в конфигурации нет.
    err-port-taken = { $address } занят другой программой. Укажите в http.port свободный порт или остановите её.
  `,
});
