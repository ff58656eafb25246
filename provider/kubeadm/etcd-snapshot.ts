import { quote } from "../../common/quote";
import { ETCD_DATA } from "../../render/component-paths";
import type { Remote } from "../ssh/remote";
import { ETCDCTL } from "./etcdctl";

const FOLDER = "/var/lib/kubewright/etcd-snapshots";
const SECONDS = 300;

/**
 * Saves a snapshot of etcd on the disk of a control plane before a member leaves. A later snapshot for the same node
 * replaces it. Only etcd's data folder exists inside its container and outside.
 * @returns the snapshot's path
 */
export async function saveSnapshot(machine: Remote, leaving: string, signal: AbortSignal): Promise<string> {
  const [arriving, path] = [`${ETCD_DATA}/kubewright-snapshot.db`, `${FOLDER}/before-${leaving}-left.db`];
  const script = `${ETCDCTL}
umask 077
mkdir -p ${FOLDER}
rm -f ${arriving} ${arriving}.part
etcdctl snapshot save ${arriving} >/dev/null
mv -fT ${arriving} ${quote(path)}`;
  await machine.run(script, {
    step: "saving a snapshot of etcd",
    signal,
    timeout: SECONDS,
    action: "free space on the machine's disk, then run again",
  });
  return path;
}
