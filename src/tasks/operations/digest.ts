import { z } from 'zod';
import { hours, seconds } from '../../core/clock.ts';
import { type Block, bold, type Button, code, type Inlines, line, list, strike, time } from '../../core/doc.ts';
import { defineMessages } from '../../core/i18n.ts';
import { titleIn } from '../../core/own-alert.ts';
import { defineOperation, type View } from '../define.ts';
import { type NightData, nightSchema, overviewSchema } from '../overview.ts';
import { chunk, firingBlocks, overviewButtons, systemBlocks, verdictBlock, waitingBlocks } from '../overview-doc.ts';
import { peopleBlocks, takenBlocks } from '../watch/people-doc.ts';
import { watcherBlocks } from '../watcher/state-doc.ts';
import { drillBlocks } from '../recovery/overview.ts';

export const messages = defineMessages({
  en: `
    op-digest = The morning digest, now
    digest-head = Morning digest
    digest-late = This digest is late: Vakhta was not running when it was due.
    digest-night = Since
    digest-quiet = a quiet night: no incidents
    digest-incidents = { $n ->
        [one] { $n } incident
       *[other] { $n } incidents
    }, of which { $over } resolved
    digest-runs = Operations
    digest-runs-line = started { $n }, failed { $failed }
    digest-failed = #{ $number } { $operation } failed
    digest-unconfirmed = { $n ->
        [one] { $n } message may not have arrived
       *[other] { $n } messages may not have arrived
    }: the connection to Telegram broke while sending.
  `,
  ru: `
    op-digest = Утренняя сводка прямо сейчас
    digest-head = Утренняя сводка
    digest-late = Сводка опоздала: в назначенное время Вахта не работала.
    digest-night = С
    digest-quiet = спокойная ночь, инцидентов не было
    digest-incidents = { $n ->
        [one] { $n } инцидент
        [few] { $n } инцидента
       *[many] { $n } инцидентов
    }, из них закончено { $over }
    digest-runs = Операции
    digest-runs-line = запусков { $n }, неудачных { $failed }
    digest-failed = #{ $number } { $operation }: неудача
    digest-unconfirmed = { $n ->
        [one] { $n } сообщение могло не дойти
        [few] { $n } сообщения могли не дойти
       *[many] { $n } сообщений могли не дойти
    }: связь с Telegram оборвалась при отправке.
  `,
});

export default defineOperation({
  name: 'digest',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({ hours: z.coerce.number().int().min(1).max(168).default(24), due: z.iso.datetime().optional() }),
  fields: { hours: { hidden: true }, due: { hidden: true } },
  result: z.object({ overview: overviewSchema, night: nightSchema }),
  ports: ['overview'],
  timeoutMs: seconds(60),
  plan: async () => ({ target: 'digest', lines: [] }),
  run: async ({ ports, clock, signal }, args) => {
    const from = new Date(clock.now().getTime() - hours(args.hours));
    const [overview, night] = await Promise.all([ports.overview.collect(signal), ports.overview.night(from)]);
    return { state: 'succeeded', result: { overview, night } };
  },
  report: ({ overview, night }, args, view) => {
    const { t } = view;
    const blocks: Block[] = [verdictBlock(overview, t('digest-head'), t)];
    if (args.due !== undefined) blocks.push(line(`${t('digest-late')} `, time(new Date(args.due))));
    blocks.push(
      ...nightBlocks(night, view),
      ...drillBlocks(night.drills, view),
      ...firingBlocks(overview, view),
      ...takenBlocks(overview.firing, view),
      ...peopleBlocks(overview.people, view),
      ...systemBlocks(overview, view),
      ...watcherBlocks(overview.watcher, view),
      ...waitingBlocks(overview, view),
    );
    if (night.unconfirmed > 0) blocks.push(line(t('digest-unconfirmed', { n: night.unconfirmed })));
    const again = night.failedRuns.slice(0, 3).map(
      ({ number, operation, args: same }): Button => ({
        kind: 'press',
        label: t('ov-button-again', { number: String(number) }),
        press: { kind: 'operation', operation, args: same },
      }),
    );
    return { blocks, buttons: [...overviewButtons(overview, view), ...chunk(again, 3)] };
  },
});

function nightBlocks(night: NightData, { t }: View): Block[] {
  const over = night.incidents.filter(({ resolvedAt }) => resolvedAt).length;
  const summary =
    night.incidents.length === 0 ? t('digest-quiet') : t('digest-incidents', { n: night.incidents.length, over });
  const blocks: Block[] = [line(bold(`${t('digest-night')} `), time(night.from), ': ', summary)];
  const items = night.incidents
    .filter(({ resolvedAt }) => resolvedAt)
    .slice(-4)
    .map((one): Inlines => [code(`#${one.id}`), ' ', time(one.startedAt, 'clock'), ' ', strike(titleIn(t, one))]);
  if (items.length > 0) blocks.push(list(items, over > items.length ? `… +${over - items.length}` : undefined));
  blocks.push(
    line(bold(t('digest-runs')), `: ${t('digest-runs-line', { n: night.runs, failed: night.failedRuns.length })}`),
  );
  if (night.failedRuns.length > 0) {
    blocks.push(
      list(
        night.failedRuns
          .slice(0, 5)
          .map(({ number, operation }) =>
            bold(t('digest-failed', { number: String(number), operation: `/${operation.replaceAll('.', ' ')}` })),
          ),
      ),
    );
  }
  return blocks;
}
