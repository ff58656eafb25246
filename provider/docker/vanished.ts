import { includes, parseCidr } from "../../render/cidr";
import { attempt } from "./command";
import { findDaemon } from "./daemon";
import { LABELS } from "./labels";

const ADDRESSES =
  "{{range .NetworkSettings.Networks}}{{if .IPAMConfig}}{{.IPAMConfig.IPv4Address}}{{end}} {{.IPAddress}} {{end}}";

/**
 * Does Docker itself say that a machine was one of our containers, and is no more? Its address is in one of our networks then, and no
 * container has it, running or not. Where Docker cannot tell, nothing is proved.
 */
export async function hasVanished(address: string, signal: AbortSignal): Promise<boolean> {
  if (!(await findDaemon(signal))) return false;
  const networks = await listed(
    ["network", "ls", "--quiet", "--filter", `label=${LABELS.stack}`],
    ["network", "inspect", "--format", "{{.Name}} {{range .IPAM.Config}}{{.Subnet}}{{end}}"],
    signal,
  );
  const [network] = networks?.find(([, subnet = ""]) => isIn(address, subnet)) ?? [];
  if (network === undefined) return false;
  const containers = await listed(
    ["ps", "--all", "--quiet", "--filter", `network=${network}`],
    ["container", "inspect", "--format", ADDRESSES],
    signal,
  );
  return containers !== undefined && !containers.flat().includes(address);
}

function isIn(address: string, subnet: string): boolean {
  const cidr = parseCidr(subnet);
  return cidr !== undefined && includes(cidr, address);
}

/** The words of a line on each thing that a command lists the ids of; undefined where one of the two failed. */
async function listed(
  ids: readonly string[],
  inspect: readonly string[],
  signal: AbortSignal,
): Promise<string[][] | undefined> {
  const options = { step: "asking Docker what is there", signal };
  const found = await attempt("docker", [...ids], options);
  if (found.code !== 0) return undefined;
  const names = found.stdout.split("\n").filter(Boolean);
  if (names.length === 0) return [];
  const { code, stdout } = await attempt("docker", [...inspect, ...names], options);
  return code === 0 ? stdout.split("\n").map((line) => line.split(" ").filter(Boolean)) : undefined;
}
