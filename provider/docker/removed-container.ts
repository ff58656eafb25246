import { includes, parseCidr } from "../../render/cidr";
import { tryCommand } from "../../common/process";
import { findDaemon } from "./daemon";
import { LABELS } from "./labels";

/** See machine-id(5). systemd writes another text before the first boot is complete. */
const MACHINE_ID = /^[0-9a-f]{32}$/;
const ADDRESSES =
  "{{range .NetworkSettings.Networks}}{{if .IPAMConfig}}{{.IPAMConfig.IPv4Address}}{{end}} {{.IPAddress}} {{end}}";

/** A machine that may have been a container. */
export interface RecordedMachine {
  address: string;
  /** The machine-id that was recorded. */
  instance: string;
}

/**
 * Returns whether Docker proves that a machine was a container that has been removed: its address belongs to a network
 * of Kubewright's, and no container has it, running or stopped, or the one that has it is another machine. Returns
 * false when Docker does not answer.
 */
export async function isContainerRemoved(
  { address, instance }: RecordedMachine,
  signal: AbortSignal,
): Promise<boolean> {
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
    ["container", "inspect", "--format", `{{.Id}} ${ADDRESSES}`],
    signal,
  );
  if (!containers) return false;
  const [id] = containers.find(([, ...addresses]) => addresses.includes(address)) ?? [];
  return id === undefined || (await isAnotherMachine(id, instance, signal));
}

/** Asks the container itself: over SSH, its host key cannot be verified. A stopped container proves nothing. */
async function isAnotherMachine(container: string, instance: string, signal: AbortSignal): Promise<boolean> {
  const options = { step: "read the machine-id of a container", signal, timeout: 20 };
  const { code, stdout } = await tryCommand("docker", ["exec", container, "cat", "/etc/machine-id"], options);
  return code === 0 && MACHINE_ID.test(stdout.trim()) && stdout.trim() !== instance;
}

/**
 * Returns whether Docker proves that a machine does not run: its container was removed or is stopped. Returns false
 * when Docker does not answer.
 */
export async function isContainerOff(machine: RecordedMachine, signal: AbortSignal): Promise<boolean> {
  if (!(await findDaemon(signal))) return false;
  const containers = await inspectAll(
    ["ps", "--all", "--quiet", "--filter", `label=${LABELS.stack}`],
    ["container", "inspect", "--format", `{{.State.Running}} ${ADDRESSES}`],
    signal,
  );
  const state = containers?.find(([, ...addresses]) => addresses.includes(machine.address))?.[0];
  return state === "false" || (await isContainerRemoved(machine, signal));
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
