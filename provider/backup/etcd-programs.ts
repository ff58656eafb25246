import { localPath, portableCachePath } from "../../common/portable-path";
import { StepError } from "../../common/errors";
import type { LocalFile } from "../../common/artifact-set";
import { ETCD_PKI } from "../../render/component-paths";
import { SOCKETS } from "../../render/runtime";
import { writeFiles } from "../host/files";
import { ETCDCTL } from "../../render/etcdctl";
import type { Remote } from "../ssh/remote";
import { userCommand } from "../../common/user-command";

/** Path of etcdutl on a control plane. It restores snapshots, and is copied there when a command needs it. */
export const ETCDUTL = "/var/lib/kubewright/backup/etcdutl";

/** Folder for files of backups and restores on a control plane. */
export const BACKUP_FOLDER = "/var/lib/kubewright/backup";

/**
 * Begins a script that uses etcd's programs outside of etcd's container. Sets `programs`, the folder of `etcd` and
 * `etcdctl`, and defines `live`, which is etcdctl for the member on this machine.
 */
export const ETCD_PROGRAMS = `${ETCDCTL}
if [ -S ${SOCKETS.docker} ]; then pid=$(docker inspect -f '{{.State.Pid}}' "$container")
else pid=$(ctr -n k8s.io tasks ls | awk -v id="$container" '$1 == id {print $2}')
fi
programs=/proc/$pid/root/usr/local/bin
live() { "$programs/etcdctl" "$@" --endpoints=https://127.0.0.1:2379 \\
  --cacert=${ETCD_PKI}/ca.crt --cert=${ETCD_PKI}/server.crt --key=${ETCD_PKI}/server.key; }`;

/**
 * Copies etcdutl to a control plane.
 * @throws StepError where the machine's etcd is of another minor version, whose data etcdutl may not restore
 */
export async function installEtcdutl(machine: Remote, file: LocalFile, signal: AbortSignal): Promise<void> {
  const step = "copying etcdutl";
  const { sha256, size } = file;
  const source = localPath(portableCachePath(file.path));
  await writeFiles(machine, [{ path: ETCDUTL, mode: "0755", sha256, size, body: { source } }], step, signal);
  const script = `${ETCDUTL} version | sed -n 's/^etcdutl version: //p'
sed -n 's/^ *image: .*:\\([0-9.]*\\)[^:]*$/\\1/p' /etc/kubernetes/manifests/etcd.yaml 2>/dev/null || true`;
  const { stdout } = await machine.read(script, { step, signal });
  const [own = "", etcd = own] = stdout.trim().split("\n");
  if (minorOf(own) === minorOf(etcd)) return;
  throw new StepError({
    step,
    machine: machine.label,
    cause: `etcd ${etcd} runs there, and etcdutl has version ${own}`,
    action: `upgrade the cluster with \`${userCommand("upgrade")}\`, then run this command again`,
  });
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
