import { z } from 'zod';
import { certificateSeen } from '../../core/certificate.ts';
import { minutes } from '../../core/clock.ts';
import { type Block, bold, type Inlines, line, list, quote, time, title } from '../../core/doc.ts';
import { defineMessages, type Translate } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';

export const messages = defineMessages({
  en: `
    op-certs = Check the TLS certificates
    op-certs-arg-endpoint = Which endpoint?
    certs-step = { $done } of { $total } checked
    certs-head-ok = Certificates · { $n ->
        [one] { $n } endpoint in order
       *[other] all { $n } in order
    }
    certs-head-bad = Certificates · { $bad } of { $n } need attention
    certs-none = No endpoints are declared. Add them under certificates.endpoints in the configuration.
    certs-days = { $days ->
        [one] { $days } day left
       *[other] { $days } days left
    }
    certs-names = names: { $names }
    certs-issuer = issued by { $issuer }
    certs-until = until
    cert-problem-unreachable = cannot be reached
    cert-problem-handshake-failed = no TLS handshake
    cert-problem-expired = has expired
    cert-problem-not-yet-valid = not valid yet
    cert-problem-wrong-host = is for other names
    cert-problem-self-signed = self-signed
    cert-problem-incomplete-chain = chain is incomplete
    cert-problem-untrusted = CA is not trusted
  `,
  ru: `
    op-certs = Проверить TLS-сертификаты
    op-certs-arg-endpoint = Какой адрес?
    certs-step = проверено { $done } из { $total }
    certs-head-ok = Сертификаты · { $n ->
        [one] { $n } адрес в порядке
       *[other] все { $n } в порядке
    }
    certs-head-bad = Сертификаты · требуют внимания: { $bad } из { $n }
    certs-none = Адресов не объявлено. Добавьте их в конфигурацию, раздел certificates.endpoints.
    certs-days = { $days ->
        [one] остался { $days } день
        [few] осталось { $days } дня
       *[many] осталось { $days } дней
    }
    certs-names = имена: { $names }
    certs-issuer = выдан { $issuer }
    certs-until = до
    cert-problem-unreachable = нет ответа
    cert-problem-handshake-failed = нет TLS-соединения
    cert-problem-expired = просрочен
    cert-problem-not-yet-valid = ещё не действует
    cert-problem-wrong-host = выдан на другие имена
    cert-problem-self-signed = самоподписанный
    cert-problem-incomplete-chain = неполная цепочка
    cert-problem-untrusted = центр сертификации не доверенный
  `,
});

const rowSchema = z.object({
  id: z.string(),
  where: z.string(),
  state: z.enum(['ok', 'expiring', 'broken', 'unknown']),
  daysLeft: z.number().optional(),
  seen: certificateSeen,
});
type Row = z.output<typeof rowSchema>;

export default defineOperation({
  name: 'certs',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ endpoint: z.string().max(64).optional() }),
  fields: { endpoint: { choices: (known) => known.endpoints } },
  result: z.object({ rows: z.array(rowSchema) }),
  ports: ['certificates'],
  timeoutMs: minutes(5),
  plan: async ({ ports }, { endpoint }) => {
    if (endpoint !== undefined) ports.certificates.endpoints.get(endpoint);
    return { target: endpoint ?? 'certificates', lines: [] };
  },
  run: async ({ ports, signal, progress }, { endpoint }) => {
    const { endpoints } = ports.certificates;
    const asked = endpoint === undefined ? endpoints.all : [endpoints.get(endpoint)];
    const checked = await ports.certificates.check(asked, {
      signal,
      onResult: (done, total) =>
        progress({ step: { key: 'certs-step', args: { done, total } }, percent: (done / total) * 100 }),
    });
    const rows = checked.map(
      ({ endpoint: { id, name }, seen, verdict }): Row => ({
        id,
        where: name,
        state: verdict.state,
        ...(verdict.daysLeft === undefined ? {} : { daysLeft: verdict.daysLeft }),
        seen,
      }),
    );
    return { state: 'succeeded', result: { rows } };
  },
  report: ({ rows }, args, { t }) => {
    if (rows.length === 0) return { blocks: [title('info', t('certs-none'))] };
    const sorted = rows.toSorted((a, b) => weight(a) - weight(b));
    const bad = rows.filter(({ state }) => state !== 'ok').length;
    const worst = sorted[0]?.state;
    const icon =
      worst === 'broken' ? 'critical' : worst === 'expiring' ? 'warning' : worst === 'unknown' ? 'unknown' : 'ok';
    const head = bold(
      bad === 0 ? t('certs-head-ok', { n: rows.length }) : t('certs-head-bad', { bad, n: rows.length }),
    );
    const blocks: Block[] = [title(icon, head)];
    const loud = sorted.filter(({ state }) => state !== 'ok');
    const fine = sorted.filter(({ state }) => state === 'ok');
    if (loud.length > 0) blocks.push(list(loud.map((row) => brief(row, t))));
    if (fine.length > 0)
      blocks.push(
        quote(
          fine.map((row) => brief(row, t)),
          fine.length > 5,
        ),
      );
    if (args.endpoint !== undefined) for (const row of rows) blocks.push(...whole(row, t));
    return {
      blocks,
      buttons: [
        [{ kind: 'press', label: t('ov-button-refresh'), press: { kind: 'operation', operation: 'certs', args } }],
      ],
    };
  },
});

/** The worst first: broken, unknown, then by days left. */
function weight({ state, daysLeft }: Row): number {
  if (state === 'broken') return -2_000_000 + (daysLeft ?? 0);
  if (state === 'unknown') return -1_000_000;
  return daysLeft ?? 0;
}

function brief({ where, state, daysLeft, seen }: Row, t: Translate): Inlines {
  const problems = seen.problems.map((code) => (t.has(`cert-problem-${code}`) ? t(`cert-problem-${code}`) : code));
  const left = daysLeft === undefined || daysLeft < 0 ? [] : [t('certs-days', { days: daysLeft })];
  const said = state === 'ok' || state === 'expiring' ? left : [...problems, ...left];
  return [state === 'ok' ? where : bold(where), ` · ${said.join(', ')}`];
}

function whole({ seen }: Row, t: Translate): Block[] {
  if (!seen.notAfter) return seen.detail ? [line(seen.detail)] : [];
  return [
    quote([
      [`${t('certs-until')} `, time(seen.notAfter)],
      t('certs-names', { names: seen.names?.join(', ') ?? '—' }),
      t('certs-issuer', { issuer: seen.issuer ?? '—' }),
      ...(seen.detail ? [seen.detail] : []),
    ]),
  ];
}
