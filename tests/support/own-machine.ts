import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../common/progress";
import { ensureImage } from "../../provider/docker/image";
import { DockerTraits } from "../../provider/docker/probe";
import { ensureContainer, startMachine } from "../../provider/docker/machine";
import { findNetwork } from "../../provider/docker/network";
import { addressIn } from "../../render/cidr";
import { removeStack } from "../../provider/docker/remove-stack";
import { output, run } from "../../common/process";

export interface OwnMachineSpec {
  hostname: string;
  /** Name of the network. */
  network: string;
  /** Its slot in the network. The slots of a stack's machines start at 10. */
  place: number;
}

const MINUTES_MS = 120_000;

/** A machine that a user has already: from the machine image, on a cluster's network, and not created by any stack. */
export class OwnMachine {
  private constructor(
    private readonly label: string,
    readonly container: string,
    readonly address: string,
    private readonly folder: string,
  ) {}

  static async start({ hostname, network, place }: OwnMachineSpec): Promise<OwnMachine> {
    const signal = AbortSignal.timeout(MINUTES_MS);
    const folder = mkdtempSync(join(tmpdir(), "kubewright-own-"));
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    const authorizedKey = readFileSync(join(folder, "key.pub"), "utf8").trim();
    const image = await ensureImage("auto", silent, signal);
    const found = await findNetwork(network, signal);
    if (!found) throw new Error(`there is no network ${network}`);
    const stack = `own-${network}`; // not labeled as the cluster's, which must never touch it
    const spec = { stack, hostname, network, authorizedKey, image: image.ref, address: addressIn(found.subnet, place) };
    const id = await ensureContainer(spec, new DockerTraits(), silent, signal);
    const { privateAddress } = await startMachine(id, hostname, silent, signal);
    return new OwnMachine(stack, id, privateAddress, folder);
  }

  get keyPath(): string {
    return join(this.folder, "key");
  }

  get publicKey(): string {
    return readFileSync(`${this.keyPath}.pub`, "utf8").trim();
  }

  /** Runs a shell command on the machine, without the provider. */
  async on(script: string): Promise<string> {
    return await output("docker", ["exec", this.container, "sh", "-c", script]);
  }

  async remove(): Promise<void> {
    await removeStack(this.label, AbortSignal.timeout(MINUTES_MS));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
