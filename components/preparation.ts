import type { Binaries, Firewall, Host, Hosts, Images, Kernel, Packages, Unit } from "../sdk/host";
import type { Preflight } from "../sdk/kubernetes";
import { installRuntime } from "./steps/container-runtime";
import { loadControlPlaneImages, loadNodeImages, runsControlPlanePods } from "./steps/images";
import * as prepare from "./steps/node-preparation";
import type { Step } from "./steps/step";

/** Steps that prepare a machine, whatever builds the cluster. */
export interface PreparationSteps {
  facts: Host;
  preflight: Preflight;
  packages: Packages;
  binaries: Binaries;
  kernel: Kernel;
  runtime: Unit;
  guard: Unit;
  firewall: Firewall;
  "hosts file": Hosts;
  kubelet: Unit;
  "control plane images": Images;
  "node images": Images;
}

type PreparationList<More extends string> = {
  [Name in keyof PreparationSteps]: Step<PreparationSteps[Name], keyof PreparationSteps | More>;
};

/** @param beforeRuntime Steps that the runtime needs besides the usual ones. */
export function preparation<More extends string = never>(...beforeRuntime: More[]): PreparationList<More> {
  const on = () => true;
  return {
    facts: { on, register: ({ member }) => member.host },
    preflight: { on, needs: ["facts"], register: ({ member }) => member.preflight },
    packages: { on, needs: ["preflight"], register: prepare.installPackages },
    binaries: { on, needs: ["preflight"], register: prepare.installBinaries },
    kernel: { on, needs: ["packages"], register: prepare.configureKernel },
    runtime: { on, needs: ["binaries", "kernel", "packages", ...beforeRuntime], register: installRuntime },
    guard: { on, needs: ["kernel"], register: prepare.installGuard },
    firewall: { on, needs: ["packages"], register: prepare.openFirewall },
    "hosts file": { on, needs: ["packages"], register: prepare.writeHosts },
    // A kubelet that starts while the runtime restarts exits, and would count as crash-looping.
    kubelet: { on, needs: ["binaries", "packages", "kernel", "runtime"], register: prepare.installKubelet },
    "control plane images": { on: runsControlPlanePods, needs: ["runtime"], register: loadControlPlaneImages },
    "node images": { on, needs: ["runtime", "control plane images"], register: loadNodeImages },
  };
}

/** Steps that must be done on a machine before it can become a node. */
export const PREPARED = [["control plane images", "node images"], "guard", "firewall", "kubelet"] as const;
