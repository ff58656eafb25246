import { attempt, failure, run } from "./command";

/** What the daemon's host grants and has; it may be another host than the controller. */
export interface Traits {
  /** May containers have CAP_SYS_RESOURCE? Without it, asking for it fails the start. */
  sysResource: boolean;
  /** Is there a /lib/modules that a machine can load from? */
  hostModules: boolean;
  /** Does the daemon make MAC addresses out of IP addresses by itself? Then it may not take one per network. */
  derivesMac: boolean;
  /** The resolv.conf that the daemon would give a container on its default network: its host's real resolvers. */
  resolvConf: string;
}

/** What is asked by trying. */
type Wishes = Pick<Traits, "sysResource" | "hostModules">;

/** From this API version on the MAC address is the client's to set. */
const SETTABLE_MAC = { major: 1, minor: 44 };

/** What the Docker daemon grants to containers of an image; tried once per image, by a container that exits immediately. */
export class DockerTraits {
  private readonly probed = new Map<string, Promise<Traits>>();

  async traits(image: string, signal: AbortSignal): Promise<Traits> {
    const traits = this.probed.get(image) ?? gather(image, signal);
    this.probed.set(image, traits);
    return await traits.catch((error: unknown) => {
      this.probed.delete(image);
      throw error;
    });
  }
}

async function gather(image: string, signal: AbortSignal): Promise<Traits> {
  const format = ["version", "--format", "{{.Server.APIVersion}}"];
  const version = await run("docker", format, { step: "asking for Docker's version", signal, timeout: 20 });
  return { ...(await probe(image, signal, { sysResource: true, hostModules: true })), derivesMac: derivesMac(version) };
}

/** Pure. @param apiVersion `1.41` */
export function derivesMac(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  return major < SETTABLE_MAC.major || (major === SETTABLE_MAC.major && minor < SETTABLE_MAC.minor);
}

async function probe(image: string, signal: AbortSignal, wishes: Wishes): Promise<Wishes & Pick<Traits, "resolvConf">> {
  const options = { step: "asking what Docker can do", signal, timeout: 120 };
  const outcome = await attempt("docker", probeArguments(image, wishes), options);
  if (outcome.code === 0) return { ...wishes, resolvConf: `${outcome.stdout}\n` };
  const refused = refusal(outcome.stderr);
  if (!refused || !wishes[refused]) throw failure("docker", outcome, options);
  return await probe(image, signal, { ...wishes, [refused]: false });
}

function probeArguments(image: string, { sysResource, hostModules }: Wishes): string[] {
  return [
    ...["run", "--rm", "--network", "bridge", "--entrypoint", "cat"],
    ...(sysResource ? ["--cap-add", "SYS_RESOURCE"] : []),
    ...(hostModules ? ["--mount", "type=bind,src=/lib/modules,dst=/mnt,readonly"] : []),
    ...[image, "/etc/resolv.conf"],
  ];
}

/** Pure: which of the wishes the daemon's complaint is about. */
export function refusal(complaint: string): "sysResource" | "hostModules" | undefined {
  if (/bind source path does not exist|bind mount.*\/lib\/modules|mounts denied/i.test(complaint)) return "hostModules";
  if (/unable to apply caps|capabilit|can't apply cap|operation not permitted/i.test(complaint)) return "sysResource";
  return undefined;
}
