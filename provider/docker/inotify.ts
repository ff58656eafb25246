import { tryCommand } from "../../common/process";

import { LABELS } from "./labels";

const KEY = "fs.inotify.max_user_instances";
/** Measured average of a cluster: a machine without Kubernetes uses 4 instances, a worker 13, a control plane 27. */
const PER_MACHINE = 18;

/**
 * Returns a warning if the host's limit of inotify instances is too low for its machines. The limit is per user and the
 * machines' root users share it. Kubewright does not change it, because it belongs to the host.
 */
export async function readInotifyShortage(id: string, signal: AbortSignal): Promise<string | undefined> {
  const options = { step: `read ${KEY}`, signal, timeout: 10 };
  const limit = await tryCommand("docker", ["exec", id, "cat", "/proc/sys/fs/inotify/max_user_instances"], options);
  const running = await tryCommand("docker", ["ps", "--quiet", "--filter", `label=${LABELS.machine}`], options);
  if (limit.code !== 0 || running.code !== 0) return undefined;
  return inotifyShortage(Number(limit.stdout), running.stdout.split("\n").filter(Boolean).length);
}

export function inotifyShortage(limit: number, machines: number): string | undefined {
  if (!(limit < machines * PER_MACHINE)) return undefined;
  const demand = `${machines} machines (about ${PER_MACHINE} each)`;
  const shortage = `the host allows ${limit} inotify instances, too few for ${demand}`;
  return `${shortage}: programs may fail with "too many open files"; run \`sysctl -w ${KEY}=1024\` on the host`;
}
