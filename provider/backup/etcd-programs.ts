import { localPath, portableCachePath } from "../../common/portable-path";
import { StepError } from "../../common/errors";
import type { LocalFile } from "../../common/artifact-set";
import { ETCDUTL } from "../../render/backup/etcd-programs";
import { writeFiles } from "../host/files";
import type { Remote } from "../ssh/remote";
import { userCommand } from "../../common/user-command";

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
