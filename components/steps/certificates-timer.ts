import { octal } from "../../render/node-files";
import { RENEWAL_SCRIPT, RENEWAL_TIMER, renewalFiles } from "../../render/renew-certificates";
import { Unit } from "../../sdk/host";
import type { MachineScope } from "./step";

/** Renews the leaves of a control plane that end between two runs. */
export function installRenewal({ member, after }: MachineScope): Unit {
  const healthySeconds = member.plan.timeouts.healthy;
  return new Unit(
    member.resourceName("renew-certificates"),
    {
      ...member.onMachine,
      unit: RENEWAL_TIMER,
      files: octal(renewalFiles({ node: member.name, healthySeconds })),
      enabled: true,
      running: true,
      probe: `sh ${RENEWAL_SCRIPT} check`,
    },
    member.options(member.groups.node, after),
  );
}
