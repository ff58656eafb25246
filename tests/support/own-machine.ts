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
  /** Name of the Docker network. */
  network: string;
  /** The machine's address in the network. The addresses of a stack's machines begin at 10. */
  hostNumber: number;
}

const TIMEOUT_MS = 120_000;

/** A machine on a cluster's network that belongs to no stack, like a user's existing server. */
export class OwnMachine {
  private constructor(
    private readonly label: string,
    readonly container: string,
    readonly address: string,
    private readonly folder: string,
  ) {}

  static async start({ hostname, network, hostNumber }: OwnMachineSpec): Promise<OwnMachine> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const folder = mkdtempSync(join(tmpdir(), "kubewright-own-"));
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    const authorizedKey = readFileSync(join(folder, "key.pub"), "utf8").trim();
    const image = await ensureImage("auto", silent, signal);
    const existing = await findNetwork(network, signal);
    if (!existing) throw new Error(`there is no network named ${network}`);
    const stack = `own-${network}`; // a label that differs from the cluster's
    const spec = {
      stack,
      hostname,
      network,
      authorizedKey,
      image: image.ref,
      address: addressIn(existing.subnet, hostNumber),
    };
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

  /** Runs a shell script on the machine with `docker exec`. */
  async on(script: string): Promise<string> {
    return await output("docker", ["exec", this.container, "sh", "-c", script]);
  }

  async remove(): Promise<void> {
    await removeStack(this.label, AbortSignal.timeout(TIMEOUT_MS));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
