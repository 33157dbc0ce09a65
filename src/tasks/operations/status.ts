import { z } from 'zod';
import { seconds } from '../../core/clock.ts';
import { defineMessages } from '../../core/i18n.ts';
import { defineOperation } from '../define.ts';
import { overviewSchema } from '../overview.ts';
import {
  firingBlocks,
  overviewButtons,
  selfBlocks,
  systemBlocks,
  verdictBlock,
  waitingBlocks,
} from '../overview-doc.ts';
import { peopleBlocks } from '../watch/people-doc.ts';
import { watcherBlocks } from '../watcher/state-doc.ts';

export const messages = defineMessages({
  en: `
    op-status = State of the whole infrastructure
    status-head = Status
  `,
  ru: `
    op-status = Состояние всей инфраструктуры
    status-head = Состояние
  `,
});

export default defineOperation({
  name: 'status',
  messages,
  role: 'viewer',
  risk: 'read',
  args: z.object({}),
  result: overviewSchema,
  ports: ['overview'],
  timeoutMs: seconds(30),
  plan: async () => ({ target: 'status', lines: [] }),
  run: async ({ ports, signal }) => ({ state: 'succeeded', result: await ports.overview.collect(signal) }),
  report: (data, _args, view) => ({
    blocks: [
      verdictBlock(data, view.t('status-head'), view.t),
      ...firingBlocks(data, view),
      ...systemBlocks(data, view),
      ...watcherBlocks(data.watcher, view),
      ...peopleBlocks(data.people, view),
      ...waitingBlocks(data, view),
      ...selfBlocks(data, view),
    ],
    buttons: [
      ...overviewButtons(data, view),
      [
        {
          kind: 'press',
          label: view.t('ov-button-refresh'),
          press: { kind: 'operation', operation: 'status', args: {} },
        },
      ],
    ],
  }),
});
