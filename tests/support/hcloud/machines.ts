import { parse } from "yaml";
import { silent } from "../../../common/progress";
import type { CloudConfig } from "../../../render/cloud-init";
import { addressIn } from "../../../render/cidr";
import { ensureImage } from "../../../provider/docker/image";
import { DockerTraits } from "../../../provider/docker/probe";
import { ensureContainer, removeMachine, startMachine } from "../../../provider/docker/machine";
import { ensureNetwork, type Network } from "../../../provider/docker/network";
import { removeStack } from "../../../provider/docker/remove-stack";
import { run } from "../../../common/process";

/** Replaces the cloud-init command: `status --wait` ends when the emulated machine has applied its user data. */
const CLOUD_INIT = `#!/bin/sh
[ "$1" = status ] || exit 64
until [ -e /run/kubewright-cloud-init-done ]; do sleep 0.1; done
echo "status: done"
`;

const signal = (): AbortSignal => AbortSignal.timeout(180_000);

/** The machines behind the emulated API: containers that apply the user data as cloud-init would. */
export class Machines {
  private publicNetwork: Promise<Network> | undefined;

  constructor(private readonly stack: string) {}

  /** Creates a machine without starting it, so that networks can be attached. */
  async create(id: number, userData: string, keys: readonly string[]): Promise<{ container: string; address: string }> {
    const config = parse(userData) as CloudConfig;
    const network = await (this.publicNetwork ??= ensureNetwork(
      { stack: this.stack, avoid: ["10.244.0.0/16", "10.10.0.0/16"] },
      signal(),
    ));
    const image = await ensureImage("auto", silent, signal());
    const address = addressIn(network.subnet, 10 + (id % 200));
    const authorizedKey = [...new Set([...config.ssh_authorized_keys, ...keys].map((key) => key.trim()))].join("\n");
    const spec = {
      stack: this.stack,
      hostname: config.hostname,
      network: network.name,
      image: image.ref,
      address,
      authorizedKey,
    };
    const container = await ensureContainer(spec, new DockerTraits(), silent, signal());
    await put(container, {
      "/etc/ssh/ssh_host_ed25519_key": { mode: 0o600, content: config.ssh_keys.ed25519_private },
      "/etc/ssh/ssh_host_ed25519_key.pub": { mode: 0o644, content: `${config.ssh_keys.ed25519_public}\n` },
      "/usr/local/bin/cloud-init": { mode: 0o755, content: CLOUD_INIT },
    });
    return { container, address };
  }

  async createNetwork(name: string, subnet: string): Promise<string> {
    const { stdout } = await run("docker", [
      "network",
      "create",
      "--subnet",
      subnet,
      "--label",
      `io.kubewright.stack=${this.stack}`,
      name,
    ]);
    return String(stdout).trim();
  }

  async removeNetwork(network: string): Promise<void> {
    await run("docker", ["network", "rm", network], { reject: false });
  }

  async attach(container: string, network: string, address: string): Promise<void> {
    await run("docker", ["network", "connect", "--ip", address, network, container]);
  }

  /** Starts a machine. cloud-init ends two seconds after SSH answers, so that a client must wait for it. */
  async start(container: string, hostname: string): Promise<void> {
    await startMachine(container, hostname, silent, signal());
    await run("docker", ["exec", container, "sh", "-c", "sleep 2; touch /run/kubewright-cloud-init-done"]);
  }

  async remove(container: string): Promise<void> {
    await removeMachine(container, this.stack, signal());
  }

  async removeAll(): Promise<void> {
    await removeStack(this.stack, signal());
  }
}

async function put(container: string, files: Record<string, { mode: number; content: string }>): Promise<void> {
  const { pack } = await import("tar-stream");
  const archive = pack();
  for (const [path, { mode, content }] of Object.entries(files)) archive.entry({ name: path.slice(1), mode }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  await run("docker", ["cp", "-", `${container}:/`], { input: Buffer.concat(chunks) });
}
