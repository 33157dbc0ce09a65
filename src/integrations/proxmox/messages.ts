import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    proxmox-probe-ok = Proxmox VE { $version } answers, the token sees everything it needs
    proxmox-probe-limited = Proxmox VE { $version } answers, but the token sees only a part ({ $kinds }). Give it PVEAuditor on / if the lists should be complete
    proxmox-probe-no-rights = Proxmox VE { $version } answers, but the token lacks { $privilege } on { $path }. Give it a role that holds it (PVEAuditor for reading), e.g. pveum acl modify / --tokens '{ $token }' --roles PVEAuditor
    err-proxmox-settings = The Proxmox VE settings “{ $host }” are not usable: { $problem }
    err-proxmox-unauthorized = { $host } does not accept the API token. Check the token id (USER@REALM!NAME), its secret and its expiry date
    err-proxmox-permission = The API token of { $host } lacks { $privilege } on { $path }. Give the token a role that holds it: tokens with privilege separation do not inherit their user's rights
    err-proxmox-not-implemented = { $host } does not know { $path }. Its Proxmox VE version is probably too old
    err-proxmox-parameters = { $host } refused the parameters: { $problem }
    err-proxmox-node-unreachable = { $host } cannot reach the node: { $problem }. Check whether the node is up
    err-proxmox-unreachable = { $host } cannot be reached ({ $problem }). Check the address, the network and the service pveproxy
    err-proxmox-unanswered = { $host } gave no answer ({ $problem }), and it is not known whether it began the action. Look at the task list before you repeat it
    err-proxmox-tls = The certificate of { $host } is not trusted ({ $problem }). Name its CA (ca) or its SHA-256 fingerprint (fingerprint) in the configuration
    err-proxmox-fingerprint = { $host } shows a certificate other than the pinned one: { $actual }. If the certificate was renewed, put the new fingerprint into the configuration; otherwise somebody may be in between
    err-proxmox-answer = The answer of the Proxmox VE host cannot be understood ({ $problem }). Check that the address leads to Proxmox VE itself
    err-proxmox-no-such-guest = { $host } has no guest “{ $guest }”. Look at /status for names and numbers
    err-proxmox-guest-ambiguous = The name “{ $guest }” belongs to several guests: { $candidates }. Give the number
    err-proxmox-no-such-storage = { $host } has no storage “{ $storage }”
    err-proxmox-no-such-node = There is no such node: { $problem }
    err-proxmox-no-such-task = { $host } no longer knows this task: { $problem }
    err-proxmox-guest-state = { $host } says: { $problem }
    err-proxmox-template = { $guest } is a template: it cannot be started or stopped
    err-proxmox-locked = The guest is locked: { $problem }. Wait until the other task ends, then repeat
    err-proxmox-failed = { $host } reports an error: { $problem }
    err-proxmox-upid = “{ $upid }” is not a Proxmox VE task id
  `,
  ru: `
    proxmox-probe-ok = Proxmox VE { $version } отвечает, прав токена достаточно
    proxmox-probe-limited = Proxmox VE { $version } отвечает, но токен видит не всё ({ $kinds }). Чтобы списки были полными, выдайте ему PVEAuditor на /
    proxmox-probe-no-rights = Proxmox VE { $version } отвечает, но у токена нет права { $privilege } на { $path }. Выдайте роль с этим правом (для чтения — PVEAuditor), например: pveum acl modify / --tokens '{ $token }' --roles PVEAuditor
    err-proxmox-settings = Настройки Proxmox VE «{ $host }» непригодны: { $problem }
    err-proxmox-unauthorized = { $host } не принимает API-токен. Проверьте идентификатор (USER@REALM!NAME), секрет и срок действия токена
    err-proxmox-permission = У API-токена { $host } нет права { $privilege } на { $path }. Выдайте токену роль с этим правом: токен с разделением привилегий не наследует права пользователя
    err-proxmox-not-implemented = { $host } не знает { $path }. Скорее всего, версия Proxmox VE слишком старая
    err-proxmox-parameters = { $host } отклонил параметры: { $problem }
    err-proxmox-node-unreachable = { $host } не может связаться с узлом: { $problem }. Проверьте, работает ли узел
    err-proxmox-unreachable = { $host } недоступен ({ $problem }). Проверьте адрес, сеть и службу pveproxy
    err-proxmox-unanswered = { $host } не ответил ({ $problem }), и неизвестно, начал ли он действие. Прежде чем повторять, посмотрите список задач
    err-proxmox-tls = Сертификату { $host } нет доверия ({ $problem }). Укажите в конфигурации его центр сертификации (ca) или отпечаток SHA-256 (fingerprint)
    err-proxmox-fingerprint = { $host } предъявил не тот сертификат, который закреплён: { $actual }. Если сертификат обновляли, впишите новый отпечаток в конфигурацию; если нет — возможно, кто-то вклинился в соединение
    err-proxmox-answer = Ответ узла Proxmox VE не удалось разобрать ({ $problem }). Проверьте, что адрес ведёт на сам Proxmox VE
    err-proxmox-no-such-guest = На { $host } нет гостя «{ $guest }». Имена и номера — в /status
    err-proxmox-guest-ambiguous = Имя «{ $guest }» носят несколько гостей: { $candidates }. Укажите номер
    err-proxmox-no-such-storage = На { $host } нет хранилища «{ $storage }»
    err-proxmox-no-such-node = Такого узла нет: { $problem }
    err-proxmox-no-such-task = { $host } больше не знает этой задачи: { $problem }
    err-proxmox-guest-state = { $host } отвечает: { $problem }
    err-proxmox-template = { $guest } — шаблон: его нельзя запустить или остановить
    err-proxmox-locked = Гость заблокирован: { $problem }. Дождитесь окончания другой задачи и повторите
    err-proxmox-failed = { $host } сообщает об ошибке: { $problem }
    err-proxmox-upid = «{ $upid }» — не идентификатор задачи Proxmox VE
  `,
});
