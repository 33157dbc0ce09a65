import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    pbs-probe-ok = Proxmox Backup Server { $version } answers, the token sees everything it needs
    pbs-probe-no-datastore = Proxmox Backup Server { $version } answers, but datastore { $store } is not there. Check its name under pbs → datastores
    pbs-probe-no-verify = Proxmox Backup Server { $version } answers. The token may look, but not verify ({ $store }): /verify is refused, unless it has DatastoreReader; the server’s own verification job does without
    pbs-probe-no-sync = Proxmox Backup Server { $version } answers, but the token may not see all sync jobs. Give it RemoteAudit on /remote
    pbs-probe-no-rights = Proxmox Backup Server { $version } answers, but the token lacks { $privilege } on { $path }. Give it DatastoreAudit: proxmox-backup-manager acl update { $path } DatastoreAudit --auth-id '{ $token }'. Its user needs the role too
    err-pbs-settings = The settings of backup server “{ $host }” are not usable: { $problem }
    err-pbs-unauthorized = { $host } does not accept the API token. Check the token id (user@realm!name), its secret and its expiry date
    err-pbs-permission = The API token of { $host } lacks { $privilege } on { $path }. A token may do only what both it and its user were given
    err-pbs-not-found = { $host } does not know { $path }. Its version is probably too old; 3.3 or newer is needed
    err-pbs-no-such-datastore = { $host } has no datastore “{ $store }”
    err-pbs-parameters = { $host } refused the parameters: { $problem }
    err-pbs-failed = { $host } reports an error: { $problem }
    err-pbs-unreachable = { $host } cannot be reached ({ $problem }). Check the address, the network and the service proxmox-backup-proxy
    err-pbs-unanswered = { $host } gave no answer ({ $problem }), and it is not known whether it began. Look at its task list before you repeat it
    err-pbs-tls = The certificate of { $host } is not trusted ({ $problem }). Name its CA (ca) or its SHA-256 fingerprint (fingerprint) in the configuration
    err-pbs-fingerprint = { $host } shows a certificate other than the pinned one: { $actual }. If it was renewed, put the new fingerprint into the configuration; otherwise somebody may be in between
    err-pbs-answer = The answer of the backup server cannot be understood ({ $problem }). Check that the address leads to Proxmox Backup Server itself
    err-pbs-upid = “{ $upid }” is not a task id of a Proxmox Backup Server
  `,
  ru: `
    pbs-probe-ok = Proxmox Backup Server { $version } отвечает, прав токена достаточно
    pbs-probe-no-datastore = Proxmox Backup Server { $version } отвечает, но хранилища { $store } на нём нет. Проверьте имя в pbs → datastores
    pbs-probe-no-verify = Proxmox Backup Server { $version } отвечает. Токен может смотреть, но не проверять ({ $store }): для /verify нужна роль DatastoreReader, собственному заданию проверки сервера — нет
    pbs-probe-no-sync = Proxmox Backup Server { $version } отвечает, но токен видит не все задания синхронизации. Выдайте ему RemoteAudit на /remote
    pbs-probe-no-rights = Proxmox Backup Server { $version } отвечает, но у токена нет права { $privilege } на { $path }. Выдайте DatastoreAudit: proxmox-backup-manager acl update { $path } DatastoreAudit --auth-id '{ $token }'. Та же роль нужна и его пользователю
    err-pbs-settings = Настройки сервера копий «{ $host }» непригодны: { $problem }
    err-pbs-unauthorized = { $host } не принимает API-токен. Проверьте идентификатор (user@realm!name), секрет и срок действия токена
    err-pbs-permission = У API-токена { $host } нет права { $privilege } на { $path }. Токен может только то, что выдано и ему, и его пользователю
    err-pbs-not-found = { $host } не знает { $path }. Скорее всего, версия слишком старая: нужна 3.3 или новее
    err-pbs-no-such-datastore = На { $host } нет хранилища «{ $store }»
    err-pbs-parameters = { $host } отклонил параметры: { $problem }
    err-pbs-failed = { $host } сообщает об ошибке: { $problem }
    err-pbs-unreachable = { $host } недоступен ({ $problem }). Проверьте адрес, сеть и службу proxmox-backup-proxy
    err-pbs-unanswered = { $host } не ответил ({ $problem }), и неизвестно, начал ли он работу. Прежде чем повторять, посмотрите его список задач
    err-pbs-tls = Сертификату { $host } нет доверия ({ $problem }). Укажите в конфигурации его центр сертификации (ca) или отпечаток SHA-256 (fingerprint)
    err-pbs-fingerprint = { $host } предъявил не тот сертификат, который закреплён: { $actual }. Если его обновляли, впишите новый отпечаток в конфигурацию; если нет — возможно, кто-то вклинился в соединение
    err-pbs-answer = Ответ сервера копий не удалось разобрать ({ $problem }). Проверьте, что адрес ведёт на сам Proxmox Backup Server
    err-pbs-upid = «{ $upid }» — не идентификатор задачи Proxmox Backup Server
  `,
});
