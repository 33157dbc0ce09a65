// Made by `npm run generate` from the files of the folder. Do not edit.
import { cards } from './bot/cards/registry.gen.ts';
import type { Messages } from './core/i18n.ts';
import { commands } from './handlers/commands/registry.gen.ts';
import { operations } from './tasks/operations/registry.gen.ts';
import { messages as appDoctorPeople } from './app/doctor-people.ts';
import { messages as appDoctorWatcher } from './app/doctor-watcher.ts';
import { messages as appMessages } from './app/messages.ts';
import { messages as botCardsAlerts } from './bot/cards/alerts.ts';
import { messages as botCardsCertificate } from './bot/cards/certificate.ts';
import { messages as botCardsDr } from './bot/cards/dr.ts';
import { messages as botCardsDrill } from './bot/cards/drill.ts';
import { messages as botCardsIncidentChanges } from './bot/cards/incident/changes.ts';
import { messages as botCardsIncidentFolding } from './bot/cards/incident/folding.ts';
import { messages as botCardsIncidentMessages } from './bot/cards/incident/messages.ts';
import { messages as botCardsIncidentPeople } from './bot/cards/incident/people.ts';
import { messages as botCardsIncidentSilence } from './bot/cards/incident/silence.ts';
import { messages as botCardsPage } from './bot/cards/page.ts';
import { messages as botCardsQuiet } from './bot/cards/quiet.ts';
import { messages as botCardsRunMessages } from './bot/cards/run.messages.ts';
import { messages as botCardsSilence } from './bot/cards/silence.ts';
import { messages as botCardsStormMessages } from './bot/cards/storm/messages.ts';
import { messages as botCardsWatch } from './bot/cards/watch.ts';
import { messages as botCardsWhyMessages } from './bot/cards/why/messages.ts';
import { messages as botComments } from './bot/comments.ts';
import { messages as botMessages } from './bot/messages.ts';
import { messages as botOutboxMessages } from './bot/outbox/messages.ts';
import { messages as botRenderMessages } from './bot/render/messages.ts';
import { messages as cliMessages } from './cli/messages.ts';
import { messages as configDoctorMessages } from './config/doctor-messages.ts';
import { messages as configMessages } from './config/messages.ts';
import { messages as configRecoveryMessages } from './config/recovery-messages.ts';
import { messages as coreFormat } from './core/format.ts';
import { messages as coreSchedule } from './core/schedule.ts';
import { messages as demoLedger } from './demo/ledger.ts';
import { messages as demoMessages } from './demo/messages.ts';
import { messages as handlersCommandsAlerts } from './handlers/commands/alerts.ts';
import { messages as handlersCommandsCancel } from './handlers/commands/cancel.ts';
import { messages as handlersCommandsHelp } from './handlers/commands/help.ts';
import { messages as handlersCommandsLanguage } from './handlers/commands/language.ts';
import { messages as handlersCommandsStart } from './handlers/commands/start.ts';
import { messages as handlersCommandsWhoami } from './handlers/commands/whoami.ts';
import { messages as handlersCommandsWhy } from './handlers/commands/why.ts';
import { messages as handlersWebhooksDeployments } from './handlers/webhooks/deployments.ts';
import { messages as handlersWebhooksMessages } from './handlers/webhooks/messages.ts';
import { messages as integrationsAlertmanagerMessages } from './integrations/alertmanager/messages.ts';
import { messages as integrationsDockerMessages } from './integrations/docker/messages.ts';
import { messages as integrationsExecMessages } from './integrations/exec/messages.ts';
import { messages as integrationsHeartbeatHeartbeat } from './integrations/heartbeat/heartbeat.ts';
import { messages as integrationsLokiMessages } from './integrations/loki/messages.ts';
import { messages as integrationsPbsMessages } from './integrations/pbs/messages.ts';
import { messages as integrationsPgbackrestMessages } from './integrations/pgbackrest/messages.ts';
import { messages as integrationsPostgresMessages } from './integrations/postgres/messages.ts';
import { messages as integrationsPostgresProduction } from './integrations/postgres/production.ts';
import { messages as integrationsPostgresPsql } from './integrations/postgres/psql.ts';
import { messages as integrationsPrometheusMessages } from './integrations/prometheus/messages.ts';
import { messages as integrationsProxmoxMessages } from './integrations/proxmox/messages.ts';
import { messages as integrationsResticMessages } from './integrations/restic/messages.ts';
import { messages as integrationsTlsMessages } from './integrations/tls/messages.ts';
import { messages as integrationsVaultMessages } from './integrations/vault/messages.ts';
import { messages as integrationsWalGWalG } from './integrations/wal-g/wal-g.ts';
import { messages as storeMessages } from './store/messages.ts';
import { messages as tasksDrMessages } from './tasks/dr/messages.ts';
import { messages as tasksFixesMessages } from './tasks/fixes/messages.ts';
import { messages as tasksGuestPower } from './tasks/guest-power.ts';
import { messages as tasksIncidents } from './tasks/incidents.ts';
import { messages as tasksKitMessages } from './tasks/kit/messages.ts';
import { messages as tasksLifecycleMessages } from './tasks/lifecycle/messages.ts';
import { messages as tasksOperationsAck } from './tasks/operations/ack.ts';
import { messages as tasksOperationsBackupGuest } from './tasks/operations/backup-guest.ts';
import { messages as tasksOperationsBackupPg } from './tasks/operations/backup-pg.ts';
import { messages as tasksOperationsBackupVolume } from './tasks/operations/backup-volume.ts';
import { messages as tasksOperationsBackups } from './tasks/operations/backups.ts';
import { messages as tasksOperationsCerts } from './tasks/operations/certs.ts';
import { messages as tasksOperationsContainerRestart } from './tasks/operations/container-restart.ts';
import { messages as tasksOperationsDigest } from './tasks/operations/digest.ts';
import { messages as tasksOperationsDrAbort } from './tasks/operations/dr-abort.ts';
import { messages as tasksOperationsDrBack } from './tasks/operations/dr-back.ts';
import { messages as tasksOperationsDrDone } from './tasks/operations/dr-done.ts';
import { messages as tasksOperationsDrFinish } from './tasks/operations/dr-finish.ts';
import { messages as tasksOperationsDrSkip } from './tasks/operations/dr-skip.ts';
import { messages as tasksOperationsDrStart } from './tasks/operations/dr-start.ts';
import { messages as tasksOperationsDr } from './tasks/operations/dr.ts';
import { messages as tasksOperationsDrillAlert } from './tasks/operations/drill-alert.ts';
import { messages as tasksOperationsDrillRestore } from './tasks/operations/drill-restore.ts';
import { messages as tasksOperationsDrillSeen } from './tasks/operations/drill-seen.ts';
import { messages as tasksOperationsDrills } from './tasks/operations/drills.ts';
import { messages as tasksOperationsExpirePg } from './tasks/operations/expire-pg.ts';
import { messages as tasksOperationsForget } from './tasks/operations/forget.ts';
import { messages as tasksOperationsGraph } from './tasks/operations/graph.ts';
import { messages as tasksOperationsGuestRestart } from './tasks/operations/guest-restart.ts';
import { messages as tasksOperationsGuestShutdown } from './tasks/operations/guest-shutdown.ts';
import { messages as tasksOperationsGuestStart } from './tasks/operations/guest-start.ts';
import { messages as tasksOperationsGuestStop } from './tasks/operations/guest-stop.ts';
import { messages as tasksOperationsHandover } from './tasks/operations/handover.ts';
import { messages as tasksOperationsKit } from './tasks/operations/kit.ts';
import { messages as tasksOperationsLogs } from './tasks/operations/logs.ts';
import { messages as tasksOperationsMaintenance } from './tasks/operations/maintenance.ts';
import { messages as tasksOperationsOffsiteSync } from './tasks/operations/offsite-sync.ts';
import { messages as tasksOperationsProbes } from './tasks/operations/probes.ts';
import { messages as tasksOperationsRestoreEnd } from './tasks/operations/restore-end.ts';
import { messages as tasksOperationsRestorePg } from './tasks/operations/restore-pg.ts';
import { messages as tasksOperationsRestoreProduction } from './tasks/operations/restore-production.ts';
import { messages as tasksOperationsRunbook } from './tasks/operations/runbook.ts';
import { messages as tasksOperationsSilenceEnd } from './tasks/operations/silence-end.ts';
import { messages as tasksOperationsSilenceExtend } from './tasks/operations/silence-extend.ts';
import { messages as tasksOperationsSilence } from './tasks/operations/silence.ts';
import { messages as tasksOperationsSilences } from './tasks/operations/silences.ts';
import { messages as tasksOperationsSlo } from './tasks/operations/slo.ts';
import { messages as tasksOperationsStatus } from './tasks/operations/status.ts';
import { messages as tasksOperationsStormAck } from './tasks/operations/storm-ack.ts';
import { messages as tasksOperationsStormList } from './tasks/operations/storm-list.ts';
import { messages as tasksOperationsUnack } from './tasks/operations/unack.ts';
import { messages as tasksOperationsUnsilence } from './tasks/operations/unsilence.ts';
import { messages as tasksOperationsVerify } from './tasks/operations/verify.ts';
import { messages as tasksOperationsWatchCancel } from './tasks/operations/watch-cancel.ts';
import { messages as tasksOperationsWatchGive } from './tasks/operations/watch-give.ts';
import { messages as tasksOperationsWatchTake } from './tasks/operations/watch-take.ts';
import { messages as tasksOperationsWatch } from './tasks/operations/watch.ts';
import { messages as tasksOverviewDoc } from './tasks/overview-doc.ts';
import { messages as tasksRecoveryBoardDoc } from './tasks/recovery/board-doc.ts';
import { messages as tasksRecoveryBoard } from './tasks/recovery/board.ts';
import { messages as tasksRecoveryDesk } from './tasks/recovery/desk.ts';
import { messages as tasksRecoveryGuestRights } from './tasks/recovery/guest-rights.ts';
import { messages as tasksRecoveryGuestsDrill } from './tasks/recovery/guests-drill.ts';
import { messages as tasksRecoveryGuestsState } from './tasks/recovery/guests-state.ts';
import { messages as tasksRecoveryMoments } from './tasks/recovery/moments.ts';
import { messages as tasksRecoveryOverview } from './tasks/recovery/overview.ts';
import { messages as tasksRecoveryPbsMessages } from './tasks/recovery/pbs-messages.ts';
import { messages as tasksRecoveryPbsVerify } from './tasks/recovery/pbs-verify.ts';
import { messages as tasksRecoveryPostgresDrill } from './tasks/recovery/postgres-drill.ts';
import { messages as tasksRecoveryPostgresMessages } from './tasks/recovery/postgres-messages.ts';
import { messages as tasksRecoveryPostgresProduction } from './tasks/recovery/postgres-production.ts';
import { messages as tasksRecoveryPostgresProof } from './tasks/recovery/postgres-proof.ts';
import { messages as tasksRecoveryPostgresRestore } from './tasks/recovery/postgres-restore.ts';
import { messages as tasksRecoveryPostgresVerify } from './tasks/recovery/postgres-verify.ts';
import { messages as tasksRecoverySlo } from './tasks/recovery/slo.ts';
import { messages as tasksRecoveryWatch } from './tasks/recovery/watch.ts';
import { messages as tasksRecoveryWords } from './tasks/recovery/words.ts';
import { messages as tasksScratchMessages } from './tasks/scratch/messages.ts';
import { messages as tasksSeveral } from './tasks/several.ts';
import { messages as tasksStorms } from './tasks/storms.ts';
import { messages as tasksVolumesMessages } from './tasks/volumes/messages.ts';
import { messages as tasksWatchFolding } from './tasks/watch/folding.ts';
import { messages as tasksWatchMessages } from './tasks/watch/messages.ts';
import { messages as tasksWatchPeopleDoc } from './tasks/watch/people-doc.ts';
import { messages as tasksWatchPlacement } from './tasks/watch/placement.ts';
import { messages as tasksWatchSetAside } from './tasks/watch/set-aside.ts';
import { messages as tasksWatchWatchDoc } from './tasks/watch/watch-doc.ts';
import { messages as tasksWatcherDrillDoc } from './tasks/watcher/drill-doc.ts';
import { messages as tasksWatcherDrills } from './tasks/watcher/drills.ts';
import { messages as tasksWatcherProber } from './tasks/watcher/prober.ts';
import { messages as tasksWatcherStateDoc } from './tasks/watcher/state-doc.ts';
import { messages as tasksWatcherWatchdog } from './tasks/watcher/watchdog.ts';

/** All texts of the program. A module whose texts belong to a registered member counts once. */
export const allMessages: readonly Messages[] = [
  ...new Set<Messages>([
    appDoctorPeople,
    appDoctorWatcher,
    appMessages,
    botCardsAlerts,
    botCardsCertificate,
    botCardsDr,
    botCardsDrill,
    botCardsIncidentChanges,
    botCardsIncidentFolding,
    botCardsIncidentMessages,
    botCardsIncidentPeople,
    botCardsIncidentSilence,
    botCardsPage,
    botCardsQuiet,
    botCardsRunMessages,
    botCardsSilence,
    botCardsStormMessages,
    botCardsWatch,
    botCardsWhyMessages,
    botComments,
    botMessages,
    botOutboxMessages,
    botRenderMessages,
    cliMessages,
    configDoctorMessages,
    configMessages,
    configRecoveryMessages,
    coreFormat,
    coreSchedule,
    demoLedger,
    demoMessages,
    handlersCommandsAlerts,
    handlersCommandsCancel,
    handlersCommandsHelp,
    handlersCommandsLanguage,
    handlersCommandsStart,
    handlersCommandsWhoami,
    handlersCommandsWhy,
    handlersWebhooksDeployments,
    handlersWebhooksMessages,
    integrationsAlertmanagerMessages,
    integrationsDockerMessages,
    integrationsExecMessages,
    integrationsHeartbeatHeartbeat,
    integrationsLokiMessages,
    integrationsPbsMessages,
    integrationsPgbackrestMessages,
    integrationsPostgresMessages,
    integrationsPostgresProduction,
    integrationsPostgresPsql,
    integrationsPrometheusMessages,
    integrationsProxmoxMessages,
    integrationsResticMessages,
    integrationsTlsMessages,
    integrationsVaultMessages,
    integrationsWalGWalG,
    storeMessages,
    tasksDrMessages,
    tasksFixesMessages,
    tasksGuestPower,
    tasksIncidents,
    tasksKitMessages,
    tasksLifecycleMessages,
    tasksOperationsAck,
    tasksOperationsBackupGuest,
    tasksOperationsBackupPg,
    tasksOperationsBackupVolume,
    tasksOperationsBackups,
    tasksOperationsCerts,
    tasksOperationsContainerRestart,
    tasksOperationsDigest,
    tasksOperationsDrAbort,
    tasksOperationsDrBack,
    tasksOperationsDrDone,
    tasksOperationsDrFinish,
    tasksOperationsDrSkip,
    tasksOperationsDrStart,
    tasksOperationsDr,
    tasksOperationsDrillAlert,
    tasksOperationsDrillRestore,
    tasksOperationsDrillSeen,
    tasksOperationsDrills,
    tasksOperationsExpirePg,
    tasksOperationsForget,
    tasksOperationsGraph,
    tasksOperationsGuestRestart,
    tasksOperationsGuestShutdown,
    tasksOperationsGuestStart,
    tasksOperationsGuestStop,
    tasksOperationsHandover,
    tasksOperationsKit,
    tasksOperationsLogs,
    tasksOperationsMaintenance,
    tasksOperationsOffsiteSync,
    tasksOperationsProbes,
    tasksOperationsRestoreEnd,
    tasksOperationsRestorePg,
    tasksOperationsRestoreProduction,
    tasksOperationsRunbook,
    tasksOperationsSilenceEnd,
    tasksOperationsSilenceExtend,
    tasksOperationsSilence,
    tasksOperationsSilences,
    tasksOperationsSlo,
    tasksOperationsStatus,
    tasksOperationsStormAck,
    tasksOperationsStormList,
    tasksOperationsUnack,
    tasksOperationsUnsilence,
    tasksOperationsVerify,
    tasksOperationsWatchCancel,
    tasksOperationsWatchGive,
    tasksOperationsWatchTake,
    tasksOperationsWatch,
    tasksOverviewDoc,
    tasksRecoveryBoardDoc,
    tasksRecoveryBoard,
    tasksRecoveryDesk,
    tasksRecoveryGuestRights,
    tasksRecoveryGuestsDrill,
    tasksRecoveryGuestsState,
    tasksRecoveryMoments,
    tasksRecoveryOverview,
    tasksRecoveryPbsMessages,
    tasksRecoveryPbsVerify,
    tasksRecoveryPostgresDrill,
    tasksRecoveryPostgresMessages,
    tasksRecoveryPostgresProduction,
    tasksRecoveryPostgresProof,
    tasksRecoveryPostgresRestore,
    tasksRecoveryPostgresVerify,
    tasksRecoverySlo,
    tasksRecoveryWatch,
    tasksRecoveryWords,
    tasksScratchMessages,
    tasksSeveral,
    tasksStorms,
    tasksVolumesMessages,
    tasksWatchFolding,
    tasksWatchMessages,
    tasksWatchPeopleDoc,
    tasksWatchPlacement,
    tasksWatchSetAside,
    tasksWatchWatchDoc,
    tasksWatcherDrillDoc,
    tasksWatcherDrills,
    tasksWatcherProber,
    tasksWatcherStateDoc,
    tasksWatcherWatchdog,
    ...[...operations, ...commands, ...cards].map((member) => member.messages),
  ]),
];
