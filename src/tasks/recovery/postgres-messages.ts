import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    pg-state-ok = The last good backup is { $label }
    pg-state-old = The last good backup { $label } is older than { $hours } h
    pg-state-verify-failed = The last verification found damage in the repository
    pg-state-archive-off = Archiving is off (archive_mode): nothing after the last backup can be restored
    pg-state-archive-none = archive_command is empty: WAL piles up, and nothing after the last backup can be restored
    pg-state-archive-other = archive_command does not call { $driver }: its repository gets no WAL
    pg-state-archive-fails = Archiving fails: segment { $wal } does not reach the archive
    pg-state-archive-failed = Archiving failed { $count ->
        [one] { $count } time
       *[other] { $count } times
    } within the last hour
    pg-state-rpo = What was written in the last { $minutes } min is not in the archive yet; { $target } is the limit
    pg-state-left = All backups are of a timeline that this cluster has left: nothing of the present can be restored. Make a full backup
    pg-note-left = Of a timeline that this cluster has left, and not counted: { $count }, the last one { $label }
    pg-note-lock = { $driver } works on this stanza now: a backup, an expiry or somebody else’s run
    pg-note-lock-percent = A backup of this stanza is running: { $percent } % copied
    pg-note-page-errors = { $label } holds damaged pages: do not rely on it
    pg-note-idle = Next to nothing was written since the last archived segment
    pg-note-archive-unasked = The archive could not be asked: { $detail }
    pg-note-archive-unwatched = The archive is not watched: the configuration names no cluster for it
    pg-note-standby = This server is a standby: it archives nothing itself
    pg-state-repo-empty = Repository { $repo } holds no backup; if it is the copy elsewhere, name it as offsite_repo
    pg-note-walg = WAL-G cannot read its backups over: only a restore drill proves them
  `,
  ru: `
    pg-state-ok = Последняя годная копия — { $label }
    pg-state-old = Последней годной копии { $label } больше { $hours } ч
    pg-state-verify-failed = Последняя проверка нашла повреждения в репозитории
    pg-state-archive-off = Архивирование выключено (archive_mode): восстановить можно только саму последнюю копию
    pg-state-archive-none = archive_command пуста: WAL копится, восстановить можно только саму последнюю копию
    pg-state-archive-other = archive_command не вызывает { $driver }: WAL в его репозиторий не попадает
    pg-state-archive-fails = Архивирование не работает: сегмент { $wal } не попадает в архив
    pg-state-archive-failed = За последний час архивирование не удалось { $count ->
        [one] { $count } раз
        [few] { $count } раза
       *[other] { $count } раз
    }
    pg-state-rpo = Записанное за последние { $minutes } мин ещё не в архиве; предел — { $target }
    pg-state-left = Все копии — с линии времени, от которой кластер ушёл: восстановить из них нынешнее нельзя. Сделайте полную копию
    pg-note-left = Копии с линии времени, от которой кластер ушёл, не в счёт: { $count }, последняя — { $label }
    pg-note-lock = { $driver } сейчас занят этой станзой: копирование, очистка или чужой запуск
    pg-note-lock-percent = Идёт копирование этой станзы: { $percent } %
    pg-note-page-errors = В { $label } повреждённые страницы: полагаться на неё нельзя
    pg-note-idle = После последнего архивного сегмента почти ничего не записано
    pg-note-archive-unasked = Узнать об архиве не удалось: { $detail }
    pg-note-archive-unwatched = За архивом никто не следит: в конфигурации не указан его кластер
    pg-note-standby = Этот сервер — реплика: сам он ничего не архивирует
    pg-state-repo-empty = В репозитории { $repo } нет ни одной копии; если это внешняя копия, укажите его в offsite_repo
    pg-note-walg = WAL-G не умеет перечитывать свои копии: их доказывает только пробное восстановление
  `,
});
