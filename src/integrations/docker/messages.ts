import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    err-docker-name = “{ $container }” is no name that a container can have.
    err-docker-no-container = { $engine } has no container { $container }. Look at /status, or run “docker ps --all” there.
    err-docker-volume-name = “{ $volume }” is no name that a volume can have.
    err-docker-no-volume = { $engine } has no volume { $container }. Look at “docker volume ls” there.
    err-docker-down = The Docker engine { $engine } does not answer. Look at “systemctl status docker” there.
    err-docker-denied = { $engine }: the user may not use Docker ({ $detail }). Put it into the group docker, or set run_as and allow it in sudoers.
    err-docker-failed = Docker on { $engine } reports: { $detail }
    err-docker-answer = Docker on { $engine } answered in a form that Vakhta does not know.
    docker-probe-ok = Docker { $version }, containers running: { $running } of { $all }
  `,
  ru: `
    err-docker-name = «{ $container }» не может быть именем контейнера.
    err-docker-no-container = { $engine }: контейнера { $container } нет. Посмотрите /status или выполните там «docker ps --all».
    err-docker-volume-name = «{ $volume }» не может быть именем тома.
    err-docker-no-volume = { $engine }: тома { $container } нет. Посмотрите там «docker volume ls».
    err-docker-down = Движок Docker { $engine } не отвечает. Посмотрите там «systemctl status docker».
    err-docker-denied = { $engine }: пользователю нельзя обращаться к Docker ({ $detail }). Добавьте его в группу docker или задайте run_as и разрешите в sudoers.
    err-docker-failed = Docker на { $engine } сообщает: { $detail }
    err-docker-answer = Docker на { $engine } ответил в незнакомом Вахте виде.
    docker-probe-ok = Docker { $version }, контейнеров работает: { $running } из { $all }
  `,
});
