import * as pulumi from "@pulumi/pulumi";
import { VIP_CONFIG, VIP_PROBE, VIP_UNIT, vipFiles } from "../../render/api-vip";
import { octal } from "../../render/node-files";
import { Unit } from "../../sdk/host";
import { API_PORT } from "../machines/api-load-balancer";
import { controlPlanesOf, virtualAddress } from "./endpoint";
import type { ClusterMember } from "./member";
import type { MachineScope } from "./step";

/** Whether the machine is a control plane of a cluster with a virtual address. */
export function hasVirtualAddress({ isControlPlane, plan }: ClusterMember): boolean {
  return isControlPlane && virtualAddress(plan) !== undefined;
}

/**
 * Runs keepalived, which gives the virtual address to one control plane that is ready. The API servers' certificates
 * have the address by then. A change of the control planes reloads it.
 */
export function installVirtualAddress({ member, after }: MachineScope): Unit {
  return new Unit(
    member.resourceName("api-vip"),
    {
      ...member.onMachine,
      unit: VIP_UNIT,
      files: vipFilesOf(member),
      reloadable: [VIP_CONFIG],
      enabled: true,
      running: true,
      probe: `sh ${VIP_PROBE}`,
    },
    member.options(member.groups.node, after),
  );
}

function vipFilesOf({ name, address, plan }: ClusterMember): pulumi.Output<ReturnType<typeof octal>> {
  const others = controlPlanesOf(plan).filter((other) => other.name !== name);
  return pulumi
    .all([pulumi.output(address), pulumi.all(others.map((other) => other.address))])
    .apply(([own, peers]) =>
      octal(vipFiles({ vip: virtualAddress(plan) ?? "", name, address: own, peers, port: API_PORT })),
    );
}
