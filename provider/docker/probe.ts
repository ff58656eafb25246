import { SharedWork } from "../../common/shared-work";
import { commandError, runCommand, tryCommand } from "../../common/process";

/** Capabilities of the Docker host, which may be another computer than the controller. */
export interface HostTraits {
  /** Containers may have CAP_SYS_RESOURCE. Where they may not, a container that requests it does not start. */
  sysResource: boolean;
  /** The host has a /lib/modules from which a machine can load modules. */
  hostModules: boolean;
  /** The daemon derives MAC addresses from IP addresses itself. It may then not accept one per network. */
  derivesMac: boolean;
  /** The resolv.conf of a container on the daemon's default network, with the real resolvers of its host. */
  resolvConf: string;
}

/** Traits that are probed by starting a container. */
type ProbedTraits = Pick<HostTraits, "sysResource" | "hostModules">;

/** From this API version on, clients can set the MAC address per network. */
const SETTABLE_MAC = { major: 1, minor: 44 };

/** The traits of the Docker host, probed once per image with a short-lived container. */
export class DockerTraits {
  private readonly byImage = new Map<string, SharedWork<HostTraits>>();

  async read(image: string, signal: AbortSignal): Promise<HostTraits> {
    const traits = this.byImage.get(image) ?? new SharedWork((own) => probeHost(image, own));
    this.byImage.set(image, traits);
    return await traits.get(signal);
  }
}

async function probeHost(image: string, signal: AbortSignal): Promise<HostTraits> {
  const args = ["version", "--format", "{{.Server.APIVersion}}"];
  const version = await runCommand("docker", args, { step: "read Docker's API version", signal, timeout: 20 });
  const probed = await probeContainer(image, signal, { sysResource: true, hostModules: true });
  return { ...probed, derivesMac: canDeriveMac(version) };
}

/** Returns whether a daemon derives MAC addresses itself. @param apiVersion `1.41` */
export function canDeriveMac(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  return major < SETTABLE_MAC.major || (major === SETTABLE_MAC.major && minor < SETTABLE_MAC.minor);
}

/** Starts a container with the requested traits, and without those that the daemon refuses. */
async function probeContainer(
  image: string,
  signal: AbortSignal,
  requested: ProbedTraits,
): Promise<ProbedTraits & Pick<HostTraits, "resolvConf">> {
  const options = { step: "probe the Docker host", signal, timeout: 120 };
  const outcome = await tryCommand("docker", probeArguments(image, requested), options);
  if (outcome.code === 0) return { ...requested, resolvConf: `${outcome.stdout}\n` };
  const refused = refusedTrait(outcome.stderr);
  if (!refused || !requested[refused]) throw commandError("docker", outcome, options);
  return await probeContainer(image, signal, { ...requested, [refused]: false });
}

function probeArguments(image: string, { sysResource, hostModules }: ProbedTraits): string[] {
  return [
    ...["run", "--rm", "--network", "bridge", "--entrypoint", "cat"],
    ...(sysResource ? ["--cap-add", "SYS_RESOURCE"] : []),
    ...(hostModules ? ["--mount", "type=bind,src=/lib/modules,dst=/mnt,readonly"] : []),
    ...[image, "/etc/resolv.conf"],
  ];
}

/** Returns the trait that the daemon refuses, from its error message. */
export function refusedTrait(message: string): "sysResource" | "hostModules" | undefined {
  if (/bind source path does not exist|bind mount.*\/lib\/modules|mounts denied/i.test(message)) return "hostModules";
  if (/unable to apply caps|capabilit|can't apply cap|operation not permitted/i.test(message)) return "sysResource";
  return undefined;
}
