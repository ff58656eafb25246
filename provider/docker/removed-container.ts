import { includes, parseCidr } from "../../render/cidr";
import { tryCommand } from "../../common/process";
import { findDaemon } from "./daemon";
import { LABELS } from "./labels";

const ADDRESSES =
  "{{range .NetworkSettings.Networks}}{{if .IPAMConfig}}{{.IPAMConfig.IPv4Address}}{{end}} {{.IPAddress}} {{end}}";

/**
 * Returns whether Docker proves that the machine at an address was a container that has been removed: the address
 * belongs to a network of Kubewright's, and no container has it, running or stopped. Returns false when Docker does not
 * answer.
 */
export async function isContainerRemoved(address: string, signal: AbortSignal): Promise<boolean> {
  if (!(await findDaemon(signal))) return false;
  const networks = await inspectAll(
    ["network", "ls", "--quiet", "--filter", `label=${LABELS.stack}`],
    ["network", "inspect", "--format", "{{.Name}} {{range .IPAM.Config}}{{.Subnet}}{{end}}"],
    signal,
  );
  const [network] = networks?.find(([, subnet = ""]) => isIn(address, subnet)) ?? [];
  if (network === undefined) return false;
  const containers = await inspectAll(
    ["ps", "--all", "--quiet", "--filter", `network=${network}`],
    ["container", "inspect", "--format", ADDRESSES],
    signal,
  );
  return containers !== undefined && !containers.flat().includes(address);
}

/**
 * Returns whether Docker proves that the machine at an address does not run: its container was removed or is stopped.
 * Returns false when Docker does not answer.
 */
export async function isContainerOff(address: string, signal: AbortSignal): Promise<boolean> {
  if (!(await findDaemon(signal))) return false;
  const containers = await inspectAll(
    ["ps", "--all", "--quiet", "--filter", `label=${LABELS.stack}`],
    ["container", "inspect", "--format", `{{.State.Running}} ${ADDRESSES}`],
    signal,
  );
  const state = containers?.find(([, ...addresses]) => addresses.includes(address))?.[0];
  return state === "false" || (state === undefined && (await isContainerRemoved(address, signal)));
}

function isIn(address: string, subnet: string): boolean {
  const cidr = parseCidr(subnet);
  return cidr !== undefined && includes(cidr, address);
}

/**
 * Lists ids and inspects them. Returns the space-separated fields of each object, or undefined when a command fails.
 */
async function inspectAll(
  list: readonly string[],
  inspect: readonly string[],
  signal: AbortSignal,
): Promise<string[][] | undefined> {
  const options = { step: "list Docker's networks and containers", signal };
  const listing = await tryCommand("docker", list, options);
  if (listing.code !== 0) return undefined;
  const ids = listing.stdout.split("\n").filter(Boolean);
  if (ids.length === 0) return [];
  const { code, stdout } = await tryCommand("docker", [...inspect, ...ids], options);
  return code === 0 ? stdout.split("\n").map((line) => line.split(" ").filter(Boolean)) : undefined;
}
