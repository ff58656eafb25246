import * as pulumi from "@pulumi/pulumi";
import { BALANCER_CONFIG, BALANCER_UNIT, balancerFiles } from "../../render/api-balancer";
import { octal } from "../../render/node-files";
import { Unit } from "../../sdk/host";
import { controlPlanesOf } from "./endpoint";
import type { ClusterMember } from "./member";
import { setupOptions } from "./node-preparation";
import type { MachineScope } from "./step";

/**
 * Runs the node's load balancer for the API, through which everything on the node reaches the API servers. It outlives
 * the loss of any control plane. A change of the control planes reloads it.
 */
export function installApiBalancer({ member, after }: MachineScope): Unit {
  return new Unit(
    member.resourceName("api-balancer"),
    {
      ...member.onMachine,
      unit: BALANCER_UNIT,
      files: balancerFilesOf(member),
      reloadable: [BALANCER_CONFIG],
      enabled: true,
      running: true,
    },
    setupOptions(member, after),
  );
}

function balancerFilesOf({ plan }: ClusterMember): pulumi.Output<ReturnType<typeof octal>> {
  const controlPlanes = controlPlanesOf(plan);
  return pulumi.all(controlPlanes.map(({ address }) => address)).apply((addresses) =>
    octal(
      balancerFiles({
        cluster: plan.name,
        servers: controlPlanes.map(({ name }, index) => ({ name, address: addresses[index] ?? "" })),
        nodes: plan.members.length,
      }),
    ),
  );
}
