import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    alertmanager-ok = Alertmanager { $where }: answers, version { $version }
    alertmanager-settling = Alertmanager { $where }: its cluster is not ready ({ $cluster }). Notifications may come twice.
    err-alertmanager-unreachable = Alertmanager { $where } cannot be reached ({ $reason }). Check the service and its address.
    err-alertmanager-login = Alertmanager { $where } refused the login (HTTP { $status }). Check the token or the password.
    err-alertmanager-refused = Alertmanager { $where } refused the request: { $detail }
    err-alertmanager-answer = What answers at { $where } is not Alertmanager. Check the address.
    err-silence-too-wide = This silence ({ $matchers }) would mute everything. Name at least one label with a value.
    err-silence-times = A silence must end after it starts, and in the future.
    err-silence-not-found = There is no silence { $id } any more. It may have ended and been removed.
  `,
  ru: `
    alertmanager-ok = Alertmanager { $where }: отвечает, версия { $version }
    alertmanager-settling = Alertmanager { $where }: кластер не готов ({ $cluster }). Уведомления могут приходить дважды.
    err-alertmanager-unreachable = Alertmanager { $where } недоступен ({ $reason }). Проверьте службу и адрес.
    err-alertmanager-login = Alertmanager { $where } отклонил вход (HTTP { $status }). Проверьте токен или пароль.
    err-alertmanager-refused = Alertmanager { $where } отклонил запрос: { $detail }
    err-alertmanager-answer = По адресу { $where } отвечает не Alertmanager. Проверьте адрес.
    err-silence-too-wide = Такая заглушка ({ $matchers }) скрыла бы всё. Укажите хотя бы одну метку со значением.
    err-silence-times = Заглушка должна кончаться позже, чем начинается, и в будущем.
    err-silence-not-found = Заглушки { $id } больше нет: возможно, она закончилась и удалена.
  `,
});
