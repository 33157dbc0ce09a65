import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { type Block, bold, code, type Inlines, line, list, quote, time, title } from '../../core/doc.ts';
import { formatDuration } from '../../core/format.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation, type View } from '../define.ts';
import { type ProbeLine, probeLine } from '../watcher/board.ts';

export const messages = defineMessages({
  en: `
    op-probes = What Vakhta itself tries to reach
    probes-head-ok = Probes · { $n ->
        [one] { $n } answers
       *[other] all { $n } answer
    }
    probes-head-down = Probes · { $bad } of { $n } failing
    probes-head-unknown = Probes · nothing known of { $bad } of { $n }
    probes-none = No probes are declared. Add them under probes in the configuration.
    probes-since = since
    probes-looked = last looked
    probes-never = not tried yet
    probes-failures = { $n } failed in a row
    probes-week = { $share } % in 7 days
    probes-refresh = ↻ Refresh
  `,
  ru: `
    op-probes = Что Вахта проверяет сама
    probes-head-ok = Проверки · { $n ->
        [one] { $n }, ответ есть
       *[other] все { $n } отвечают
    }
    probes-head-down = Проверки · не проходят: { $bad } из { $n }
    probes-head-unknown = Проверки · неизвестно: { $bad } из { $n }
    probes-none = Проверок не объявлено. Добавьте их в конфигурацию, раздел probes.
    probes-since = с
    probes-looked = проверено
    probes-never = ещё не проверялось
    probes-failures = неудач подряд: { $n }
    probes-week = { $share } % за 7 дней
    probes-refresh = ↻ Обновить
  `,
});

export default defineOperation({
  name: 'probes',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({}),
  result: z.object({ probes: z.array(probeLine) }),
  ports: ['probes'],
  inline: true,
  timeoutMs: seconds(10),
  plan: async () => ({ target: 'probes', lines: [] }),
  run: async ({ ports }) => ({ state: 'succeeded', result: { probes: [...(await ports.probes.list())] } }),
  report: ({ probes }, _args, view) => {
    const { t } = view;
    if (probes.length === 0) return { blocks: [title('info', t('probes-none'))] };
    const down = probes.filter(({ state }) => state === 'down');
    const unknown = probes.filter(({ state }) => state === 'unknown');
    const fine = probes.filter(({ state }) => state === 'up');
    const n = probes.length;
    const head =
      down.length > 0
        ? title('critical', bold(t('probes-head-down', { bad: down.length, n })))
        : unknown.length > 0
          ? title('unknown', bold(t('probes-head-unknown', { bad: unknown.length, n })))
          : title('ok', bold(t('probes-head-ok', { n })));
    const blocks: Block[] = [head];
    const loud = [...down, ...unknown];
    if (loud.length > 0) blocks.push(list(loud.map((one) => bad(one, view))));
    if (fine.length > 0) {
      blocks.push(
        quote(
          fine.map((one) => good(one, view)),
          fine.length > 8,
        ),
      );
    }
    const looked = probes.flatMap(({ checkedAt }) => checkedAt ?? []).toSorted((a, b) => a.getTime() - b.getTime());
    const oldest = looked[0];
    if (oldest) blocks.push(line(`${t('probes-looked')} `, time(oldest, 'ago')));
    const again = { kind: 'operation', operation: 'probes', args: {} } as const;
    return { blocks, buttons: [[{ kind: 'press', label: t('probes-refresh'), press: again }]] };
  },
});

const named = ({ name, instance }: ProbeLine): Inlines => (name === instance ? name : [`${name} · `, code(instance)]);

function bad(one: ProbeLine, { t }: View): Inlines {
  const { state, reason, since } = one;
  const why = reason === undefined ? (one.checkedAt ? [] : [` · ${t('probes-never')}`]) : [` · ${reason}`];
  const when = since && one.checkedAt ? [` · ${t('probes-since')} `, time(since)] : [];
  return [state === 'down' ? '🔴 ' : '❔ ', bold(...[named(one)].flat()), ...why, ...when, ...week(one, t)];
}

function good(one: ProbeLine, { t }: View): Inlines {
  const latency = one.latencyMs === undefined ? [] : [` · ${formatDuration(one.latencyMs, t)}`];
  const shaky = one.failures > 0 ? [` · ${t('probes-failures', { n: one.failures })}: ${one.reason ?? ''}`] : [];
  return [one.name, ...latency, ...shaky, ...week(one, t)];
}

/** Never rounded up to a hundred: what failed once did not always answer. */
function week({ week: share }: ProbeLine, t: View['t']): string[] {
  if (share === undefined || share === 1) return [];
  return [` · ${t('probes-week', { share: (Math.floor(share * 1000) / 10).toFixed(1) })}`];
}
