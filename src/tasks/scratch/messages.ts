import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    scratch-kind = { $kind ->
        [pg-cluster] scratch cluster
        [pg-stage] cluster made beside production
        [guest] restored guest
        [folder] folder
        [pg-decoy] damaged copy
        [repository] repository
        [repository-lock] lock of a repository
        [paused-container] stopped container
       *[other] { $kind }
    }
    scratch-left-summary = Left over: { $what } on { $place }
    scratch-left-description = { $details }. Its run has ended, but it could not be removed: { $why }. Vakhta goes on trying; look what keeps it there.
    scratch-left-row = Left over
    scratch-left-one = { $what } on { $place }
    err-scratch-no-remover = Nothing here knows how to remove “{ $kind }”. Was it configured before?
    doctor-leftovers = nothing temporary is left over
    doctor-leftovers-some = { $n ->
        [one] { $n } temporary thing is
       *[other] { $n } temporary things are
    } left over and cannot be removed: { $things }
    doctor-leftovers-some-todo = Look at { $places }: what keeps it there? Vakhta goes on trying by itself.
    err-scratch-run-over = The run has ended meanwhile, so nothing more was made for it. Ask again.
  `,
  ru: `
    scratch-kind = { $kind ->
        [pg-cluster] временный кластер
        [pg-stage] кластер рядом с рабочей базой
        [guest] восстановленный гость
        [folder] папка
        [pg-decoy] повреждённая копия
        [repository] репозиторий
        [repository-lock] блокировка репозитория
        [paused-container] остановленный контейнер
       *[other] { $kind }
    }
    scratch-left-summary = Не убрано за собой: { $what } на { $place }
    scratch-left-description = { $details }. Запуск завершён, но убрать это не удаётся: { $why }. Вахта продолжает попытки; посмотрите, что мешает.
    scratch-left-row = Не убрано
    scratch-left-one = { $what } на { $place }
    err-scratch-no-remover = Здесь нечем убрать «{ $kind }». Было в конфигурации раньше?
    doctor-leftovers = ничего временного не осталось
    doctor-leftovers-some = не удаётся убрать временное ({ $n }): { $things }
    doctor-leftovers-some-todo = Посмотрите на { $places }: что мешает? Вахта продолжает попытки сама.
    err-scratch-run-over = Запуск тем временем завершился, поэтому ничего больше для него не создано. Запросите снова.
  `,
});
