import * as pulumi from "@pulumi/pulumi";
import { accessFiles, accessOptions } from "../../render/backup/access";
import {
  BACKUP_SCRIPT,
  BACKUP_TIMER,
  DRILL_SCRIPT,
  DRILL_TIMER,
  backupTimerFiles,
  drillTimerFiles,
} from "../../render/backup/timer";
import { octal } from "../../render/node-files";
import { Unit } from "../../sdk/host";
import { BackupAccess } from "../../sdk/kubernetes";
import type { BackupTimerArgs } from "../nodes/settings";
import type { ClusterMember } from "./member";
import type { MachineScope } from "./step";

/** Whether the machine backs up the cluster on a schedule. */
export function hasBackupTimer({ isControlPlane, plan }: ClusterMember): boolean {
  return isControlPlane && plan.backup !== undefined;
}

/** Whether the machine stores backups by SFTP, for which restic calls ssh. */
export function backsUpBySftp(member: ClusterMember): boolean {
  return hasBackupTimer(member) && timerOf(member).repository.startsWith("sftp:");
}

/** Gives a control plane access to the repository of backups. The first one creates the repository. */
export function giveBackupAccess({ member, after }: MachineScope): BackupAccess {
  const { repository, access } = timerOf(member);
  return new BackupAccess(
    member.resourceName("backup-access"),
    {
      ...member.onMachine,
      files: pulumi.secret(octal(accessFiles(access))),
      repository,
      options: accessOptions(access),
      creates: member.isFirst,
      etcdutl: member.artifacts.binaries.etcdutl,
    },
    member.options(member.groups.node, after),
  );
}

/** Backs up the cluster from a control plane on a schedule. */
export function installBackupTimer({ member, after }: MachineScope): Unit {
  const { schedule, repository, keep, access } = timerOf(member);
  const stack = pulumi.getStack();
  const options = accessOptions(access);
  return new Unit(
    member.resourceName("backup"),
    {
      ...member.onMachine,
      unit: BACKUP_TIMER,
      files: octal(backupTimerFiles({ node: member.name, stack, schedule, repository, options, keep })),
      enabled: true,
      running: true,
      probe: `sh ${BACKUP_SCRIPT} check`,
    },
    member.options(member.groups.node, after),
  );
}

/** Whether the machine tries backups on a schedule. */
export function hasDrillTimer(member: ClusterMember): boolean {
  return hasBackupTimer(member) && timerOf(member).drillSchedule !== undefined;
}

/** Tries the newest backup on a control plane on a schedule, with the scripts of the timer of backups. */
export function installDrillTimer({ member, after }: MachineScope): Unit {
  const { drillSchedule } = timerOf(member);
  if (drillSchedule === undefined) throw new Error("the cluster has no scheduled drills");
  return new Unit(
    member.resourceName("backup-drill"),
    {
      ...member.onMachine,
      unit: DRILL_TIMER,
      files: octal(drillTimerFiles(drillSchedule)),
      enabled: true,
      running: true,
      probe: `sh ${DRILL_SCRIPT} check`,
    },
    member.options(member.groups.node, after),
  );
}

function timerOf({ plan: { name, backup } }: ClusterMember): BackupTimerArgs {
  if (backup) return backup;
  throw new Error(`cluster ${name} has no scheduled backups`);
}
