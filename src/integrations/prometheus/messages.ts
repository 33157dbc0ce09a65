import { defineMessages } from '../../core/i18n.ts';

export const messages = defineMessages({
  en: `
    prometheus-ok = Prometheus { $where }: { $targets ->
        [one] { $targets } target is up
       *[other] all { $targets } targets are up
    }
    prometheus-targets-down = Prometheus { $where }: { $down } of { $targets } targets do not answer, first { $first }. See Status → Targets there.
    prometheus-no-targets = Prometheus { $where }: watches nothing. Add scrape_configs.
    err-prometheus-unreachable = Prometheus { $where } cannot be reached ({ $reason }). Check the service and its address.
    err-prometheus-login = Prometheus { $where } refused the login (HTTP { $status }). Check the token or the password.
    err-prometheus-refused = Prometheus { $where } refused the request: { $detail }
    err-prometheus-answer = What answers at { $where } is not Prometheus. Check the address.
  `,
  ru: `
    prometheus-ok = Prometheus { $where }: { $targets ->
        [one] отвечает { $targets } цель
        [few] отвечают все { $targets } цели
       *[other] отвечают все { $targets } целей
    }
    prometheus-targets-down = Prometheus { $where }: не отвечают { $down } из { $targets }, первая — { $first }. Подробности там же: Status → Targets.
    prometheus-no-targets = Prometheus { $where }: ни за чем не следит. Добавьте scrape_configs.
    err-prometheus-unreachable = Prometheus { $where } недоступен ({ $reason }). Проверьте службу и адрес.
    err-prometheus-login = Prometheus { $where } отклонил вход (HTTP { $status }). Проверьте токен или пароль.
    err-prometheus-refused = Prometheus { $where } отклонил запрос: { $detail }
    err-prometheus-answer = По адресу { $where } отвечает не Prometheus. Проверьте адрес.
  `,
});
