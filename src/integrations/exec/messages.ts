import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-exec-argv = Vakhta built an impossible command. This is a bug: please report it.
    err-exec-not-found = The program { $program } was not found on { $where }. Install it there, or correct its path in the configuration.
    err-exec-not-allowed = The program { $program } may not be started on { $where }. Check its permissions and the run-as user.
    err-exec-timeout = { $program } did not end within { $seconds } s and was stopped. Look at the load of the machine, then try again.
    err-exec-cancelled = { $program } was stopped because the run was cancelled.
    err-exec-env = The environment variable { $name } cannot be passed on: its name is not valid or its value has several lines.
    err-ssh-auth-refused = { $where } refused the login. Check that the public key stands in the authorized_keys of this user, and that the account is not locked.
    err-ssh-host-key = { $where } showed the host key { $seen }, but { $expected } is expected. Nothing was sent. If the machine was reinstalled, read the new key on its console and change host_key in the configuration; if not, somebody may stand in between.
    err-ssh-host-key-config = host_key of { $where } must be "TYPE BASE64" as in /etc/ssh/ssh_host_ed25519_key.pub, or its fingerprint as ssh-keygen -l prints it (SHA256:…).
    err-ssh-private-key = The private key for { $where } cannot be read. Use an OpenSSH key without a passphrase.
    err-ssh-unreachable = { $where } cannot be reached by SSH ({ $reason }). Check the machine and the network.
    err-ssh-handshake = { $where } speaks no SSH that we understand ({ $reason }). Check the port and the server's algorithms.
    err-ssh-connection-lost = The SSH connection to { $where } broke off; what the command did is not known.
    exec-probe-ok = { $where }: commands run
    exec-probe-failed = { $where }: a command cannot be run ({ $reason })
  `,
  ru: `
    err-exec-argv = Вахта составила невозможную команду. Это ошибка в программе: сообщите о ней разработчикам.
    err-exec-not-found = Программа { $program } не найдена ({ $where }). Установите её там или поправьте путь в конфигурации.
    err-exec-not-allowed = Программу { $program } нельзя запустить ({ $where }). Проверьте её права и пользователя, от имени которого она запускается.
    err-exec-timeout = { $program } не завершилась за { $seconds } с и была остановлена. Посмотрите на нагрузку машины и повторите.
    err-exec-cancelled = { $program } остановлена: запуск отменён.
    err-exec-env = Переменную окружения { $name } передать нельзя: недопустимое имя или значение из нескольких строк.
    err-ssh-auth-refused = { $where }: вход отклонён. Проверьте, что открытый ключ есть в authorized_keys этого пользователя и учётная запись не заблокирована.
    err-ssh-host-key = { $where }: сервер показал ключ { $seen }, а ожидается { $expected }. Ничего не отправлено. Если машину переустановили, прочитайте новый ключ в её консоли и исправьте host_key в конфигурации; если нет — возможно, кто-то встал посередине.
    err-ssh-host-key-config = host_key для { $where } должен иметь вид «ТИП BASE64», как в /etc/ssh/ssh_host_ed25519_key.pub, или быть отпечатком, как его печатает ssh-keygen -l (SHA256:…).
    err-ssh-private-key = Закрытый ключ для { $where } не читается. Нужен ключ OpenSSH без парольной фразы.
    err-ssh-unreachable = { $where }: нет связи по SSH ({ $reason }). Проверьте машину и сеть.
    err-ssh-handshake = { $where }: не удалось договориться по SSH ({ $reason }). Проверьте порт и алгоритмы сервера.
    err-ssh-connection-lost = SSH-соединение с { $where } оборвалось; что успела сделать команда, неизвестно.
    exec-probe-ok = { $where }: команды выполняются
    exec-probe-failed = { $where }: команда не выполняется ({ $reason })
  `,
});
