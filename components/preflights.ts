import * as pulumi from "@pulumi/pulumi";
import { Preflight, type PreflightArgs, type PreflightMachineArgs } from "../sdk/kubernetes";
import type { Turns } from "./rolling-update";

type Machine = PreflightMachineArgs & { name: string };
type Rules = Omit<PreflightArgs, "machines" | "judged">;

/**
 * One preflight over all machines, and one for each. A cluster that is brought up is judged as a whole before anything is changed, and
 * each machine's own has nothing to add. Machines that serve already have their turns (turns.ts) one after the other, so nothing on
 * the first may wait for a look at the last: there its own judges what was rebuilt, and the whole comes when all are there.
 */
export class Preflights {
  private readonly own = new Map<string, Preflight>();

  constructor(name: string, machines: Machine[], rules: Rules, turns: Turns | undefined, parent: pulumi.Resource) {
    const alone = (machine: Machine) => turns?.isKnown(machine.name) ?? pulumi.output(false);
    // Each of the two waits for the other, so both ask first which way round it is: then only one of them does.
    const judgedAlone = machines.map((machine) =>
      alone(machine).apply((known) => (known ? this.of(machine.name).passed : {})),
    );
    const judged = pulumi.all(judgedAlone).apply((passed) => Object.assign({}, ...passed) as Record<string, string>);
    const whole = new Preflight(`${name}-preflight`, { ...rules, machines, judged }, { parent });
    for (const machine of machines) {
      const before = alone(machine).apply((known) => (known ? {} : whole.passed));
      this.own.set(
        machine.name,
        new Preflight(`${machine.name}-preflight`, { ...rules, machines: [machine], judged: before }, { parent }),
      );
    }
  }

  /** What must have passed before anything is changed on the machine. */
  of(machine: string): Preflight {
    const found = this.own.get(machine);
    if (!found) throw new Error(`machine ${machine} is not among those that are judged`);
    return found;
  }
}
