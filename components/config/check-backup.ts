import type { ClusterConfig, CrossProblem } from "./types";

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
