import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ENCRYPTION_FILE, type EncryptionKey, writingConfiguration } from "../../render/encryption";

const HEADER = `#!/bin/sh
[ "$1" = version ] && { echo "restic 0.18.1"; exit; }`;

/** The key that encrypts the Secrets of the backup. */
export const BACKUP_KEY: EncryptionKey = { name: "key1", provider: "secretbox", secret: "the key of the backup" };

export interface FakeBackup {
  /** PEM of the cluster's CA. */
  ca: string;
  kubernetes?: string;
  podSubnet?: string;
  /** Makes the snapshot one that was cut. */
  isDamaged?: boolean;
}

/**
 * Writes a program that answers like restic with one backup, and returns the folder that contains it.
 * @param id of the backup, eight hexadecimal digits
 */
export function writeFakeRestic(folder: string, id: string, backup: FakeBackup): string {
  const files = join(folder, "backup");
  const { ca, kubernetes = "1.36.3", podSubnet = "10.244.0.0/16", isDamaged = false } = backup;
  const data = Buffer.from("the data of etcd");
  const snapshot = Buffer.concat([data, createHash("sha256").update(data).digest()]);
  const facts = {
    ...{ stack: "dev", time: "2026-11-26T14:00:00.000Z", node: "cp-1", kubernetes, caHash: "00", nodes: ["cp-1"] },
    content: { revision: 1, hash: 2, compactRevision: 0, keys: {} },
  };
  const networking = { podSubnet, serviceSubnet: "10.10.0.0/16", dnsDomain: "cluster.local" };
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(files, path)), { recursive: true });
    writeFileSync(join(files, path), content);
  };
  write("cluster.json", JSON.stringify(facts));
  write("etcd.db", isDamaged ? snapshot.subarray(5) : snapshot);
  write("kubeadm-config.ClusterConfiguration.yaml", JSON.stringify({ networking }));
  write("machine/etc/kubernetes/pki/ca.crt", ca);
  write("machine/etc/kubernetes/pki/ca.key", "the key of the CA");
  write("machine/etc/kubernetes/audit/policy.yaml", "the policy of the backup");
  write(`machine${ENCRYPTION_FILE}`, writingConfiguration({ provider: "secretbox", keys: [BACKUP_KEY] }));
  const snapshots = JSON.stringify([{ id, short_id: id, time: facts.time, hostname: "cp-1" }]);
  const programs = join(folder, "bin");
  mkdirSync(programs, { recursive: true });
  const script = `${HEADER}
case "$*" in
  *snapshots*) echo '${snapshots}';;
  *"restore "*) cp -r '${files}/.' "$(echo "$*" | sed 's/.*--target //')";;
esac
`;
  writeFileSync(join(programs, "restic"), script, { mode: 0o755 });
  return programs;
}
