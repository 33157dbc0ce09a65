// Made by `npm run generate` from the files of the folder. Do not edit.
import { cards } from './bot/cards/registry.gen.ts';
import type { Messages } from './core/i18n.ts';
import { commands } from './handlers/commands/registry.gen.ts';
import { operations } from './tasks/operations/registry.gen.ts';
import { messages as botRenderMessages } from './bot/render/messages.ts';
import { messages as configDoctorMessages } from './config/doctor-messages.ts';
import { messages as configMessages } from './config/messages.ts';
import { messages as coreFormat } from './core/format.ts';
import { messages as integrationsExecMessages } from './integrations/exec/messages.ts';
import { messages as integrationsPgbackrestMessages } from './integrations/pgbackrest/messages.ts';
import { messages as integrationsProxmoxMessages } from './integrations/proxmox/messages.ts';
import { messages as storeMessages } from './store/messages.ts';
import { messages as tasksLifecycleMessages } from './tasks/lifecycle/messages.ts';
import { messages as tasksOperationsBackupPg } from './tasks/operations/backup-pg.ts';
import { messages as tasksSeveral } from './tasks/several.ts';

/** All texts of the program. A module whose texts belong to a registered member counts once. */
export const allMessages: readonly Messages[] = [
  ...new Set<Messages>([
    botRenderMessages,
    configDoctorMessages,
    configMessages,
    coreFormat,
    integrationsExecMessages,
    integrationsPgbackrestMessages,
    integrationsProxmoxMessages,
    storeMessages,
    tasksLifecycleMessages,
    tasksOperationsBackupPg,
    tasksSeveral,
    ...[...operations, ...commands, ...cards].map((member) => member.messages),
  ]),
];
