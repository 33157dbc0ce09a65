import { certificateSeen, judgeCertificate } from '../../core/certificate.ts';
import { bold, code, type Doc, facts, type Inlines, line, time, title } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { certificate } from '../../store/certificates.ts';
import { endpointOfCard } from '../../tasks/certificates.ts';
import { defineCard } from './define.ts';

export const messages = defineMessages({
  en: `
    certcard-expiring = certificate ends soon
    certcard-broken = clients refuse the certificate
    certcard-ok = certificate is good
    certcard-unknown = certificate not seen
    certcard-until = Valid until
    certcard-left = Left
    certcard-days = { $days ->
        [one] { $days } day
       *[other] { $days } days
    }
    certcard-problems = What is wrong
    certcard-issuer = Issued by
    certcard-owner = Renewed by
    certcard-serial = Serial
    certcard-checked = Looked at
    certcard-refresh = ↻ Look again
    certcard-todo = Renew it, then press “Look again”: the card turns green when the endpoint serves the new one.
    certcard-todo-unknown = Without an answer nothing can be said about the certificate. Check that the service is running and can be reached, then press “Look again”.
  `,
  ru: `
    certcard-expiring = сертификат кончается
    certcard-broken = клиенты отвергают сертификат
    certcard-ok = сертификат в порядке
    certcard-unknown = сертификат не виден
    certcard-until = Действует до
    certcard-left = Осталось
    certcard-days = { $days ->
        [one] { $days } день
        [few] { $days } дня
       *[many] { $days } дней
    }
    certcard-problems = Что не так
    certcard-issuer = Выдан
    certcard-owner = Обновляет
    certcard-serial = Номер
    certcard-checked = Проверен
    certcard-refresh = ↻ Проверить снова
    certcard-todo = Обновите его и нажмите «Проверить снова»: карточка станет зелёной, когда сервер начнёт отдавать новый.
    certcard-todo-unknown = Без ответа о сертификате ничего не сказать. Проверьте, что сервис работает и доступен, и нажмите «Проверить снова».
  `,
});

export default defineCard({
  kind: 'certificate',
  messages,
  render: async ({ q, t, now, config, people }, card): Promise<Doc | 'gone'> => {
    const id = endpointOfCard(card.ref);
    const row = await certificate(q, id);
    const endpoint = config.certificates.endpoints.find((one) => one.id === id);
    if (!row || !endpoint) return 'gone';
    const seen = certificateSeen.parse(row.seen);
    const { state, daysLeft } = judgeCertificate(seen, now, config.certificates.warnDays);
    const { name: where } = endpoint;
    const urgent = state === 'broken' || (daysLeft ?? 0) <= 3;
    const icon = state === 'ok' ? 'ok' : state === 'unknown' ? 'unknown' : urgent ? 'critical' : 'warning';
    const problems = seen.problems.map((problem) => t(`cert-problem-${problem}`)).join(', ');
    const rows: (readonly [string, Inlines])[] = [];
    if (problems !== '') rows.push([t('certcard-problems'), bold(problems)]);
    if (seen.notAfter) rows.push([t('certcard-until'), time(seen.notAfter)]);
    if (daysLeft !== undefined && daysLeft >= 0)
      rows.push([t('certcard-left'), bold(t('certcard-days', { days: daysLeft }))]);
    if (seen.issuer) rows.push([t('certcard-issuer'), seen.issuer]);
    if (endpoint.owner) rows.push([t('certcard-owner'), people(endpoint.owner)?.name ?? endpoint.owner]);
    if (seen.serial && state === 'ok') rows.push([t('certcard-serial'), code(seen.serial)]);
    rows.push([t('certcard-checked'), time(row.checkedAt)]);
    return {
      blocks: [
        title(icon, [where, ` · ${t(`certcard-${state}`)}`]),
        facts(...rows),
        ...(state === 'ok' ? [] : [line(t(state === 'unknown' ? 'certcard-todo-unknown' : 'certcard-todo'))]),
      ],
      buttons: [
        [
          {
            kind: 'press',
            label: t('certcard-refresh'),
            press: { kind: 'operation', operation: 'certs', args: { endpoint: id } },
          },
        ],
      ],
    };
  },
});
