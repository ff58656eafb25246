import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { silent, type Progress } from "../../common/progress";
import { DockerTraits } from "../../provider/docker/probe";
import { ensureContainer, startMachine } from "../../provider/docker/machine";
import { dockerEnvironment, ensureDaemon } from "../../provider/docker/daemon";
import { ensureImage } from "../../provider/docker/image";
import { ensureNetwork } from "../../provider/docker/network";
import { addressIn } from "../../render/cidr";
import { removeStack } from "../../provider/docker/remove-stack";
import { output, run } from "../../common/process";

export const CONTROL_PLANE = "control-plane-1";
export const WORKERS = ["worker-1", "worker-2"] as const;
export const CONTROL_PLANES = [CONTROL_PLANE, "control-plane-2", "control-plane-3"] as const;
export const RANGES = { pods: "10.244.0.0/16", services: "10.10.0.0/16" };
const FIRST_ADDRESS = 10;

/** The role follows from the name. */
export function isWorker(name: string): boolean {
  return name.startsWith("worker");
}

export interface BenchMachine {
  name: string;
  address: string;
  hostKey: string;
}

/** Returns fresh machines that answer ssh, of the kind that `npm start` makes; the same for both opponents. */
export async function createMachines(
  stack: string,
  names: readonly string[],
  keyFolder: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<BenchMachine[]> {
  await ensureDaemon(dockerEnvironment(process.env), progress, signal);
  const image = await ensureImage("auto", progress, signal);
  await removeStack(stack, signal); // left by an interrupted run
  const network = await ensureNetwork({ stack, avoid: Object.values(RANGES) }, signal);
  const authorizedKey = await createKey(keyFolder);
  return await Promise.all(
    names.map(async (hostname, index) => {
      const address = addressIn(network.subnet, FIRST_ADDRESS + index);
      const id = await ensureContainer(
        { stack, hostname, image: image.ref, network: network.name, address, authorizedKey },
        new DockerTraits(),
        silent,
        signal,
      );
      const machine = await startMachine(id, hostname, silent, signal);
      return { name: hostname, address: machine.privateAddress, hostKey: machine.hostKey };
    }),
  );
}

async function createKey(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "kubewright-bench", "-f", keyPath(folder)], {
    reject: false,
    input: "n\n",
  });
  return readFileSync(`${keyPath(folder)}.pub`, "utf8").trim();
}

export const keyPath = (folder: string) => join(folder, "id_ed25519");

/** Does what the guard does on a node: nothing outside may answer at the cluster's addresses. */
export async function shieldRanges(stack: string): Promise<void> {
  const containers = (await output("docker", ["ps", "-q", "--filter", `label=io.kubewright.stack=${stack}`])).split(
    "\n",
  );
  const script = Object.values(RANGES)
    .map((range) => `ip route replace unreachable ${range}`)
    .join(" && ");
  await Promise.all(containers.map((container) => run("docker", ["exec", container, "sh", "-c", script])));
}
