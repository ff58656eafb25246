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

/**
 * @param more Steps that are needed besides the usual ones: before the runtime and before the kubelet is installed.
 */
export function preparation<More extends string = never>(
  more: { runtime?: readonly More[]; kubelet?: readonly (keyof PreparationSteps)[] } = {},
): PreparationList<More> {
  const { runtime = [], kubelet = [] } = more;
  const on = () => true;
  return {
    facts: { on, register: ({ member }) => member.host },
    preflight: { on, needs: ["facts"], register: ({ member }) => member.preflight },
    packages: { on, needs: ["preflight"], register: prepare.installPackages },
    binaries: { on, needs: ["preflight"], register: prepare.installBinaries },
    kernel: { on, needs: ["packages"], register: prepare.configureKernel },
    runtime: { on, needs: ["binaries", "kernel", "packages", ...runtime], register: installRuntime },
    guard: { on, needs: ["kernel"], register: prepare.installGuard },
    firewall: { on, needs: ["packages"], register: prepare.openFirewall },
    "hosts file": { on, needs: ["packages"], register: prepare.writeHosts },
    kubelet: { on, needs: ["binaries", "packages", "kernel", ...kubelet], register: prepare.installKubelet },
    "control plane images": { on: runsControlPlanePods, needs: ["runtime"], register: loadControlPlaneImages },
    "node images": { on, needs: ["runtime", "control plane images"], register: loadNodeImages },
  };
}

/** Steps that must be done on a machine before it can become a node. */
export const PREPARED = [["control plane images", "node images"], "guard", "firewall", "kubelet"] as const;
