import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { Preflight, type PreflightMachineArgs } from "../../sdk/kubernetes";
import type { ClusterMember, ClusterPlan } from "./member";

type Machine = PreflightMachineArgs & { name: string };

/**
 * The preflight checks of a cluster: one resource that checks all machines together, and one for each machine.
 *
 * A new cluster is checked as a whole before the first machine is changed; the machines' own checks then have nothing
 * to add. The nodes of an existing cluster are changed one after the other by a `RollingUpdate`, so no change of the
 * first may wait for a check of the last: there each machine's own check comes first, and the whole is checked once
 * all machines can be reached.
 */
export class Preflights {
  private readonly byMachine = new Map<string, Preflight>();

  constructor(plan: ClusterPlan) {
    const { name, network, runtime, components, cluster: parent, rollingUpdate } = plan;
    const { podCidr, serviceCidr, proxyMode } = network;
    const rules = {
      podCidr,
      serviceCidr,
      proxyMode,
      runtime,
      ...optional({ bootstrap: components ? ("components" as const) : undefined }),
    };
    const machines = plan.members.map(machineToCheck);
    const isExisting = (machine: Machine) => rollingUpdate?.isMember(machine.name) ?? pulumi.output(false);
    // The whole waits for the machines' own checks or the other way round. Both decide by `isExisting`, so only one
    // of them waits.
    const passedAlone = machines.map((machine) =>
      isExisting(machine).apply((existing) => (existing ? this.of(machine.name).passed : {})),
    );
    const judged = pulumi.all(passedAlone).apply((passed) => Object.assign({}, ...passed) as Record<string, string>);
    const whole = new Preflight(`${name}-preflight`, { ...rules, machines, judged }, { parent });
    for (const machine of machines) {
      const passedBefore = isExisting(machine).apply((existing) => (existing ? {} : whole.passed));
      this.byMachine.set(
        machine.name,
        new Preflight(
          plan.resourceName(`${machine.name}-preflight`),
          { ...rules, machines: [machine], judged: passedBefore },
          { parent },
        ),
      );
    }
  }

  /** The check that must have passed before anything is changed on the machine. */
  of(machine: string): Preflight {
    const preflight = this.byMachine.get(machine);
    if (!preflight) throw new Error(`machine ${machine} has no preflight check`);
    return preflight;
  }
}

function machineToCheck({ name, connection, role, settings, machine }: ClusterMember): Machine {
  return {
    name,
    connection,
    role,
    swapAllowed: settings.kubelet?.failSwapOn === false,
    ...optional({ privateAddress: machine.privateAddress }),
  };
}
