import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    restic-probe-ok = restic { $version }, snapshots: { $count }
    err-restic-no-repository = { $set }: there is no repository. If there was one, its disk is not mounted or its address is wrong. If there never was: “/backup volume NAME new” makes it, and “/offsite sync { $set } new” the one elsewhere.
    err-restic-locked = { $set }: the repository is locked by process { $pid } on { $host } since { $since }. Wait for it; when that process is gone for sure, run “restic unlock”.
    err-restic-password = { $set }: the password does not open the repository. Compare the configured reference with the one it was made with.
    err-restic-cancelled = { $set }: restic was stopped.
    err-restic-denied = { $set }: sudo refuses. Allow the command and its variables (SETENV) in sudoers, see docs/recovery.md.
    err-restic-exists = { $set }: there is a repository already.
    err-restic-disk-full = { $set }: the disk is full ({ $detail }). Make room, then ask again.
    err-restic-unreachable = { $set }: the place of the repository does not answer ({ $detail }).
    err-restic-keys = { $set }: the place of the repository does not accept the keys ({ $detail }). Compare the references of env (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or those of rclone) with the provider; the key may have been revoked.
    err-restic-clock = { $set }: the place of the repository refuses, for the clock of this machine is wrong ({ $detail }). Set it right, see timedatectl.
    err-restic-no-bucket = { $set }: there is no such bucket ({ $detail }). Correct the address, or create the bucket: Vakhta makes repositories, not buckets.
    err-restic-place-denied = { $set }: the place of the repository does not allow it ({ $detail }). The key has to list, read and write there, and to delete below locks/.
    err-restic-certificate = { $set }: the certificate of the place is not trusted ({ $detail }). Correct the address, or name its CA: binary [restic, --cacert, FILE].
    err-restic-source-missing = { $set }: what is to be backed up is not there: { $detail }. Correct the paths of the configuration, or mount it.
    err-restic-no-snapshot = { $set }: there is no such snapshot ({ $detail }).
    err-restic-append-only = { $set }: the place of the repository only takes new data and refuses to remove any ({ $detail }).
    err-restic-failed = { $set }: restic reports: { $detail }
    err-restic-answer = { $set }: restic { $command } answered in a form that Vakhta does not know.
    err-restic-variables = { $set }: the variable { $name } has two values, one for the repository and one for the copy elsewhere; restic can be given one only. Use a remote of rclone for one of them.
    err-restic-restore-damaged = { $set }: the snapshot cannot be restored whole: { $detail }
    err-files-path = “{ $path }” is no absolute path.
    err-files-space = The free space of { $path } cannot be told.
    err-files-outside = A path outside of the scratch folder was refused.
    err-files-not-ours = { $folder } does not bear the mark of this program, so it was left alone. Look at it, and remove it by hand.
    err-files-command-failed = { $where }: { $program } reports: { $detail }
  `,
  ru: `
    restic-probe-ok = restic { $version }, снимков: { $count }
    err-restic-no-repository = { $set }: репозитория нет. Если он был, не смонтирован его диск или неверен адрес. Если не было никогда, его создаст «/backup volume ИМЯ new», а внешний — «/offsite sync { $set } new».
    err-restic-locked = { $set }: репозиторий занят процессом { $pid } на { $host } с { $since }. Дождитесь его; если процесса точно нет, выполните «restic unlock».
    err-restic-password = { $set }: пароль не открывает репозиторий. Сверьте ссылку в конфигурации с тем паролем, с которым он создан.
    err-restic-cancelled = { $set }: restic остановлен.
    err-restic-denied = { $set }: sudo не разрешает. Разрешите в sudoers команду и её переменные (SETENV), см. docs/recovery.ru.md.
    err-restic-exists = { $set }: репозиторий уже есть.
    err-restic-disk-full = { $set }: диск заполнен ({ $detail }). Освободите место и запросите снова.
    err-restic-unreachable = { $set }: место хранения не отвечает ({ $detail }).
    err-restic-keys = { $set }: место хранения не принимает ключи ({ $detail }). Сверьте ссылки в env (AWS_ACCESS_KEY_ID и AWS_SECRET_ACCESS_KEY или переменные rclone) с тем, что у провайдера; возможно, ключ отозван.
    err-restic-clock = { $set }: место хранения отказывает, потому что часы этого узла неверны ({ $detail }). Исправьте их, см. timedatectl.
    err-restic-no-bucket = { $set }: такого бакета нет ({ $detail }). Исправьте адрес или создайте бакет: Вахта создаёт репозитории, но не бакеты.
    err-restic-place-denied = { $set }: место хранения этого не разрешает ({ $detail }). Ключу нужно право смотреть список, читать и писать там и удалять внутри locks/.
    err-restic-certificate = { $set }: сертификату места хранения нет доверия ({ $detail }). Исправьте адрес или укажите его CA: binary [restic, --cacert, ФАЙЛ].
    err-restic-source-missing = { $set }: того, что надо копировать, нет: { $detail }. Исправьте пути в конфигурации или смонтируйте.
    err-restic-no-snapshot = { $set }: такого снимка нет ({ $detail }).
    err-restic-append-only = { $set }: место хранения принимает только новые данные и ничего не удаляет ({ $detail }).
    err-restic-failed = { $set }: restic сообщает: { $detail }
    err-restic-answer = { $set }: restic { $command } ответил в незнакомом Вахте виде.
    err-restic-variables = { $set }: у переменной { $name } два значения, для репозитория и для внешней копии, а restic принимает одно. Задайте одно из мест через rclone.
    err-restic-restore-damaged = { $set }: снимок не восстанавливается целиком: { $detail }
    err-files-path = «{ $path }» — не абсолютный путь.
    err-files-space = Свободное место для { $path } узнать не удалось.
    err-files-outside = Путь вне временной папки отклонён.
    err-files-not-ours = На { $folder } нет метки этой программы, поэтому она не тронута. Посмотрите и удалите вручную.
    err-files-command-failed = { $where }: { $program } сообщает: { $detail }
  `,
});
