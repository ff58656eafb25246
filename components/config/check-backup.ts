import type { ClusterConfig, ConfigEnvironment, CrossProblem } from "./types";

/** Refuses backups where their restore is not supported. */
export function backupOfKubeadm({ backup, bootstrap }: ClusterConfig): CrossProblem[] {
  if (backup === undefined || bootstrap === "kubeadm") return [];
  return [
    {
      path: "backup",
      reason: "a cluster that is built by components has no backups",
      action: "leave it out, or set bootstrap: kubeadm",
      about: ["bootstrap"],
    },
  ];
}

/** Requires the access key of a repository in S3. */
export function backupAccess({ backup }: ClusterConfig): CrossProblem[] {
  if (backup === undefined || !backup.repository.startsWith("s3:") || backup.s3 !== undefined) return [];
  return [
    {
      path: "backup.s3",
      reason: "is missing, but the repository is in S3",
      action: "set backup.s3.accessKeyId and backup.s3.secretAccessKey",
      about: ["backup.repository"],
    },
  ];
}

/** Refuses settings of SFTP without effect, and the path of a key that `up` needs and that does not exist. */
export function backupBySftp({ backup }: ClusterConfig, { fileExists }: ConfigEnvironment): CrossProblem[] {
  if (backup?.sftp === undefined) return [];
  if (!backup.repository.startsWith("sftp:"))
    return [
      {
        path: "backup.sftp",
        reason: "is set, but the repository is not reached by SFTP",
        action: "remove it, or write backup.repository like sftp:user@host:/path",
        about: ["backup.repository"],
      },
    ];
  const { key } = backup.sftp;
  // Otherwise only the commands for backups need the key, and they run on a computer that has it.
  if (key === undefined || backup.restoreFrom === undefined || fileExists(key)) return [];
  return [
    {
      path: "backup.sftp.key",
      reason: `there is no file ${key}`,
      action: "give the path of the private key on this computer",
      about: ["backup.restoreFrom"],
    },
  ];
}

/** Refuses a schedule with a repository that control planes cannot reach or log in to. */
export function backupSchedule({ backup }: ClusterConfig): CrossProblem[] {
  if (backup?.schedule === undefined) return drillWithoutSchedule(backup);
  if (backup.repository.startsWith("s3:")) return [];
  if (!backup.repository.startsWith("sftp:"))
    return [
      {
        path: "backup.schedule",
        reason: "control planes cannot reach the repository, which is a folder on this computer",
        action:
          "use a repository in S3 or by SFTP, or remove it and run `npm run backup` from cron on this computer " +
          "(docs/backup.md)",
        about: ["backup.repository"],
      },
    ];
  const missing = (["key", "hostKey"] as const).filter((name) => backup.sftp?.[name] === undefined);
  return missing.map((name) => ({
    path: `backup.sftp.${name}`,
    reason: "is missing, and control planes have no SSH agent and no known_hosts of yours",
    action: name === "key" ? "set it to the path of a key without a passphrase" : "set it to the server's host key",
    about: ["backup.schedule"],
  }));
}

/** Without scheduled backups, control planes have no access to the repository. */
function drillWithoutSchedule(backup: ClusterConfig["backup"]): CrossProblem[] {
  if (backup?.drillSchedule === undefined) return [];
  return [
    {
      path: "backup.drillSchedule",
      reason: "control planes have no access to the repository without backup.schedule",
      action: "set backup.schedule, or remove it and run `npm run backup:drill` from cron on this computer",
      about: ["backup.schedule"],
    },
  ];
}
