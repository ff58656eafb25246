import { includes, isIpv4, parseCidr } from "./cidr";
import type { Expectations, Finding, PreflightMachine } from "./preflight-types";

/** Checks the machines against one another, and their addresses against the cluster's networks. */
export function clusterFindings(machines: readonly PreflightMachine[], expectations: Expectations): Finding[] {
  return [
    ...duplicates(machines, "name", ({ name }) => name, "give each machine its own name"),
    ...duplicates(machines, "address", nodeAddress, "give each machine its own address"),
    ...duplicates(machines, "hostname", ({ facts }) => facts.hostname, "run `hostnamectl set-hostname` on one of them"),
    ...duplicates(
      machines,
      "machine-id",
      ({ facts }) => facts.machineId,
      "the machine is a clone: remove /etc/machine-id, run `systemd-machine-id-setup` and reboot",
    ),
    ...machines.flatMap((machine) => addressFindings(machine, expectations)),
  ];
}

/** Returns the address with which the node registers. */
export function nodeAddress({ privateAddress, address }: Pick<PreflightMachine, "address" | "privateAddress">): string {
  return privateAddress ?? address;
}

/** Reports machines with the same value. Each finding names the first machine that has it. */
function duplicates(
  machines: readonly PreflightMachine[],
  property: string,
  key: (machine: PreflightMachine) => string,
  action: string,
): Finding[] {
  const firstWith = new Map<string, string>();
  return machines.flatMap((machine) => {
    const value = key(machine);
    const first = firstWith.get(value);
    if (first === undefined) firstWith.set(value, machine.name);
    return first === undefined
      ? []
      : [
          {
            machine: machine.name,
            severity: "error" as const,
            message: `it has the same ${property} as ${first} (${value})`,
            action,
          },
        ];
  });
}

function addressFindings(machine: PreflightMachine, { podCidr, serviceCidr }: Expectations): Finding[] {
  const address = nodeAddress(machine);
  const { addresses } = machine.facts;
  const findings: Omit<Finding, "machine">[] = [];
  // A DNS name is not compared, because it may resolve to the address of a router.
  if (isIpv4(address) && !addresses.includes(address)) {
    findings.push({
      severity: "error",
      message: `none of its interfaces has the address ${address} (they have ${addresses.join(", ")})`,
      action: "set privateAddress to the address at which other nodes reach the machine",
    });
  }
  for (const [property, range] of Object.entries({ "network.podCidr": podCidr, "network.serviceCidr": serviceCidr })) {
    const cidr = parseCidr(range);
    const inside = addresses.find(
      (candidate) => cidr !== undefined && includes(cidr, candidate) && !canHaveBridge(machine),
    );
    if (inside !== undefined)
      findings.push({
        severity: "error",
        message: `its address ${inside} is inside ${property} (${range})`,
        action: `choose another ${property}`,
      });
  }
  return findings.map((finding) => ({ machine: machine.name, ...finding }));
}

/**
 * Returns whether an address of the pod range can be that of cni0, because the machine is a node or has parts of
 * Kubernetes.
 */
function canHaveBridge({ instanceAlreadyMember, facts }: PreflightMachine): boolean {
  return instanceAlreadyMember === true || facts.kubernetesState !== "none";
}
