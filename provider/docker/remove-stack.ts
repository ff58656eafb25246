import { runCommand, tryCommand } from "../../common/process";
import { findDaemon } from "./daemon";
import { LABELS } from "./labels";

/** Numbers of removed objects. */
export interface RemovedObjects {
  containers: number;
  networks: number;
  volumes: number;
}

const NOTHING: RemovedObjects = { containers: 0, networks: 0, volumes: 0 };

/**
 * Removes every object with the stack's label, whether in the state or not: containers with their volumes, networks,
 * and volumes left by an interrupted removal. Returns their numbers, which are 0 when no daemon answers, because then
 * no machine runs.
 */
export async function removeStack(stack: string, signal: AbortSignal): Promise<RemovedObjects> {
  if (!(await findDaemon(signal))) return NOTHING;
  const containers = await removeLabelled(stack, ["ps", "--all", "--quiet"], ["rm", "--force", "--volumes"], signal);
  const networks = await removeLabelled(stack, ["network", "ls", "--quiet"], ["network", "rm"], signal);
  const volumes = await removeLabelled(stack, ["volume", "ls", "--quiet"], ["volume", "rm", "--force"], signal);
  return { containers, networks, volumes };
}

async function removeLabelled(
  stack: string,
  list: readonly string[],
  remove: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const listIds = async () => {
    const options = { step: `list the Docker objects of ${stack}`, signal };
    const output = await runCommand("docker", [...list, "--filter", `label=${LABELS.stack}=${stack}`], options);
    return output.split("\n").filter(Boolean);
  };
  const ids = await listIds();
  if (ids.length === 0) return 0;
  const options = { step: `remove the Docker objects of ${stack}`, signal };
  const outcome = await tryCommand("docker", [...remove, ...ids], options);
  if (outcome.code === 0) return ids.length;
  // Another run may have removed some of them, which is not a failure. The remaining ones are tried again.
  const left = await listIds();
  if (left.length > 0) await runCommand("docker", [...remove, ...left], options);
  return ids.length;
}
