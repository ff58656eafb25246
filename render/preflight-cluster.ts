import { includes, isIpv4, parseCidr } from "./cidr";
import type { Expectations, Finding, JudgedMachine } from "./preflight-types";

/** What only a look at all machines shows, and where they stand in the cluster's network. */
export function clusterFindings(machines: readonly JudgedMachine[], expectations: Expectations): Finding[] {
  return [
    ...shared(machines, "name", ({ name }) => name, "give each machine its own name"),
    ...shared(machines, "address", nodeAddress, "give each machine its own address"),
    ...shared(machines, "hostname", ({ facts }) => facts.hostname, "set another one with `hostnamectl set-hostname`"),
    ...shared(
      machines,
      "machine-id",
      ({ facts }) => facts.machineId,
      "it is a clone: remove /etc/machine-id, run `systemd-machine-id-setup` and reboot",
    ),
    ...machines.flatMap((machine) => addressFindings(machine, expectations)),
  ];
}

/** The address that the node registers with. */
export function nodeAddress({ privateAddress, address }: Pick<JudgedMachine, "address" | "privateAddress">): string {
  return privateAddress ?? address;
}

/** Reported once per machine but the first, naming the first. */
function shared(
  machines: readonly JudgedMachine[],
  what: string,
  key: (machine: JudgedMachine) => string,
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
            message: `it has the same ${what} as ${first} (${value})`,
            action,
          },
        ];
  });
}

function addressFindings(machine: JudgedMachine, { podCidr, serviceCidr }: Expectations): Finding[] {
  const address = nodeAddress(machine);
  const { addresses } = machine.facts;
  const found: Omit<Finding, "machine">[] = [];
  // A name is resolved by SSH, and what it resolves to may be a router's address: only an address can be compared.
  if (isIpv4(address) && !addresses.includes(address)) {
    found.push({
      severity: "error",
      message: `${address} is on none of its interfaces (it has ${addresses.join(", ")})`,
      action: "set its privateAddress to the address that the other nodes reach",
    });
  }
  for (const [property, range] of Object.entries({ "network.podCidr": podCidr, "network.serviceCidr": serviceCidr })) {
    const cidr = parseCidr(range);
    const inside = addresses.find(
      (candidate) => cidr !== undefined && includes(cidr, candidate) && !isOurBridge(machine),
    );
    if (inside !== undefined)
      found.push({
        severity: "error",
        message: `its address ${inside} is inside ${property} (${range})`,
        action: `choose another ${property}`,
      });
  }
  return found.map((finding) => ({ machine: machine.name, ...finding }));
}

/** A node has addresses of the pod range on cni0, and one with traces of Kubernetes may. */
function isOurBridge({ instanceAlreadyMember, facts }: JudgedMachine): boolean {
  return instanceAlreadyMember === true || facts.kubernetesState !== "none";
}
