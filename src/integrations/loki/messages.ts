import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    loki-ok = Loki { $where } answers
    err-loki-unreachable = Loki { $where } cannot be reached ({ $reason }). Check the service and its address.
    err-loki-login = Loki { $where } refused the login (HTTP { $status }). Check the token or the password.
    err-loki-refused = Loki { $where } refused the request: { $detail }
    err-loki-answer = What answers at { $where } is not Loki. Check the address.
  `,
  ru: `
    loki-ok = Loki { $where } отвечает
    err-loki-unreachable = Loki { $where } недоступен ({ $reason }). Проверьте службу и адрес.
    err-loki-login = Loki { $where } отклонил вход (HTTP { $status }). Проверьте токен или пароль.
    err-loki-refused = Loki { $where } отклонил запрос: { $detail }
    err-loki-answer = По адресу { $where } отвечает не Loki. Проверьте адрес.
  `,
});
