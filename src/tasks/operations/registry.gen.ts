// Made by `npm run generate` from the files of the folder. Do not edit.
import type { Operation } from '../define.ts';
import ack from './ack.ts';
import backupGuest from './backup-guest.ts';
import backupPg from './backup-pg.ts';
import backupVolume from './backup-volume.ts';
import backups from './backups.ts';
import certs from './certs.ts';
import containerRestart from './container-restart.ts';
import digest from './digest.ts';
import drAbort from './dr-abort.ts';
import drBack from './dr-back.ts';
import drDone from './dr-done.ts';
import drFinish from './dr-finish.ts';
import drSkip from './dr-skip.ts';
import drStart from './dr-start.ts';
import dr from './dr.ts';
import drillAlert from './drill-alert.ts';
import drillRestore from './drill-restore.ts';
import drillSeen from './drill-seen.ts';
import drills from './drills.ts';
import expirePg from './expire-pg.ts';
import forget from './forget.ts';
import graph from './graph.ts';
import guestRestart from './guest-restart.ts';
import guestShutdown from './guest-shutdown.ts';
import guestStart from './guest-start.ts';
import guestStop from './guest-stop.ts';
import handover from './handover.ts';
import kit from './kit.ts';
import logs from './logs.ts';
import maintenance from './maintenance.ts';
import offsiteSync from './offsite-sync.ts';
import probes from './probes.ts';
import restoreEnd from './restore-end.ts';
import restorePg from './restore-pg.ts';
import restoreProduction from './restore-production.ts';
import runbook from './runbook.ts';
import silenceEnd from './silence-end.ts';
import silenceExtend from './silence-extend.ts';
import silence from './silence.ts';
import silences from './silences.ts';
import slo from './slo.ts';
import status from './status.ts';
import stormAck from './storm-ack.ts';
import stormList from './storm-list.ts';
import unack from './unack.ts';
import unsilence from './unsilence.ts';
import verify from './verify.ts';
import watchCancel from './watch-cancel.ts';
import watchGive from './watch-give.ts';
import watchTake from './watch-take.ts';
import watch from './watch.ts';

export const operations: readonly Operation[] = [
  ack,
  backupGuest,
  backupPg,
  backupVolume,
  backups,
  certs,
  containerRestart,
  digest,
  drAbort,
  drBack,
  drDone,
  drFinish,
  drSkip,
  drStart,
  dr,
  drillAlert,
  drillRestore,
  drillSeen,
  drills,
  expirePg,
  forget,
  graph,
  guestRestart,
  guestShutdown,
  guestStart,
  guestStop,
  handover,
  kit,
  logs,
  maintenance,
  offsiteSync,
  probes,
  restoreEnd,
  restorePg,
  restoreProduction,
  runbook,
  silenceEnd,
  silenceExtend,
  silence,
  silences,
  slo,
  status,
  stormAck,
  stormList,
  unack,
  unsilence,
  verify,
  watchCancel,
  watchGive,
  watchTake,
  watch,
];
