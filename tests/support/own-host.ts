import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../common/progress";
import { ensureImage } from "../../provider/docker/image";
import { ensureContainer, removeMachine, startMachine } from "../../provider/docker/machine";
import { findNetwork, networkName } from "../../provider/docker/network";
import { addressIn } from "../../render/cidr";
import { output } from "../../scripts/lib/exec";

/** A machine that a person has: of no stack, on the network of one, with an account that has sudo. */
export interface OwnHost {
  name: string;
  address: string;
  user: string;
  privateKeyPath: string;
  /** A shell command on it, past everything that is ours. */
  on(script: string): Promise<string>;
  remove(): Promise<void>;
}

/** @param stackId of the stack on whose network it is to be. @param place its address there, counted from the network's own. */
export async function ownHost(name: string, stackId: string, place: number): Promise<OwnHost> {
  const { signal } = new AbortController();
  const folder = await mkdtemp(join(tmpdir(), `kubewright-${name}-`));
  const privateKeyPath = join(folder, "id");
  await output("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", privateKeyPath]);
  const network = await findNetwork(networkName(stackId), signal);
  if (!network) throw new Error(`stack ${stackId} has no network`);
  const address = addressIn(network.subnet, place);
  const { ref: image } = await ensureImage("auto", silent, signal);
  const stack = `own-${name}`; // what a killed test run left is taken over
  const authorizedKey = await readFile(`${privateKeyPath}.pub`, "utf8");
  const id = await ensureContainer({ stack, hostname: name, image, network: network.name, address, authorizedKey }, silent, signal);
  const remove = async () => {
    await removeMachine(id, stack, signal);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await startMachine(id, name, silent, signal);
  } catch (error) {
    await remove();
    throw error;
  }
  return { name, address, user: "admin", privateKeyPath, on: (script) => output("docker", ["exec", id, "sh", "-c", script]), remove };
}
