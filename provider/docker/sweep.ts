import { attempt, run } from "./command";
import { findDaemon } from "./daemon";
import { LABELS } from "./labels";

export interface Swept {
  containers: number;
  networks: number;
  volumes: number;
}

const NOTHING: Swept = { containers: 0, networks: 0, volumes: 0 };

/**
 * Removes everything that carries the stack's label, known to a state or not: containers with their volumes, networks, and
 * volumes that a cut-off removal left. @returns how much it was; nothing where no daemon answers, as then nothing runs.
 */
export async function removeStack(stack: string, signal: AbortSignal): Promise<Swept> {
  if (!(await findDaemon(signal))) return NOTHING;
  const containers = await sweep(stack, ["ps", "--all", "--quiet"], ["rm", "--force", "--volumes"], signal);
  const networks = await sweep(stack, ["network", "ls", "--quiet"], ["network", "rm"], signal);
  const volumes = await sweep(stack, ["volume", "ls", "--quiet"], ["volume", "rm", "--force"], signal);
  return { containers, networks, volumes };
}

async function sweep(
  stack: string,
  list: readonly string[],
  remove: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const find = async () => {
    const found = await run("docker", [...list, "--filter", `label=${LABELS.stack}=${stack}`], {
      step: `looking for what is left of ${stack}`,
      signal,
    });
    return found.split("\n").filter(Boolean);
  };
  const ids = await find();
  if (ids.length === 0) return 0;
  const options = { step: `removing what is left of ${stack}`, signal };
  const outcome = await attempt("docker", [...remove, ...ids], options);
  // Another run may have removed some of it meanwhile: what counts is that nothing is left.
  if (outcome.code !== 0 && (await find()).length > 0) await run("docker", [...remove, ...(await find())], options);
  return ids.length;
}
