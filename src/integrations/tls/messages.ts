import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    tls-ok = { $where }: certificate good, { $days ->
        [one] { $days } day left
       *[other] { $days } days left
    }
    tls-unreachable = { $where }: cannot be reached ({ $detail }). Check the service, the name and the network.
    tls-handshake-failed = { $where }: answers, but no TLS handshake comes about ({ $detail }). Check the port and the server's TLS settings.
    tls-expired = { $where }: the certificate has expired. Renew it now; clients refuse the connection.
    tls-not-yet-valid = { $where }: the certificate is not valid yet. Check the clock of the machine that issued it.
    tls-wrong-host = { $where }: the certificate is for other names ({ $detail }). Issue it for this name, or correct the virtual host.
    tls-self-signed = { $where }: the certificate is self-signed. Have it issued by a CA, or trust it in the configuration.
    tls-incomplete-chain = { $where }: the server does not send the intermediate certificate, or its CA is unknown. Put leaf and intermediates into the certificate file (fullchain).
    tls-untrusted = { $where }: the chain ends at a CA that is not trusted ({ $detail }). If it is your own CA, add its root to the configuration.
  `,
  ru: `
    tls-ok = { $where }: сертификат в порядке, { $days ->
        [one] остался { $days } день
        [few] осталось { $days } дня
       *[other] осталось { $days } дней
    }
    tls-unreachable = { $where }: нет связи ({ $detail }). Проверьте службу, имя и сеть.
    tls-handshake-failed = { $where }: отвечает, но TLS-соединение не устанавливается ({ $detail }). Проверьте порт и настройки TLS на сервере.
    tls-expired = { $where }: сертификат просрочен. Обновите его сейчас: клиенты отказываются от соединения.
    tls-not-yet-valid = { $where }: срок действия сертификата ещё не начался. Проверьте часы машины, которая его выпустила.
    tls-wrong-host = { $where }: сертификат выдан на другие имена ({ $detail }). Выпустите его на это имя или поправьте виртуальный хост.
    tls-self-signed = { $where }: сертификат самоподписанный. Выпустите его в удостоверяющем центре или добавьте в доверенные в конфигурации.
    tls-incomplete-chain = { $where }: сервер не отдаёт промежуточный сертификат, или его центр неизвестен. Положите в файл сертификата всю цепочку (fullchain).
    tls-untrusted = { $where }: цепочка ведёт к недоверенному центру ({ $detail }). Если это ваш центр, добавьте его корень в конфигурацию.
  `,
});
