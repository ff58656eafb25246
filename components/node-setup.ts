import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_RUNTIME, type Runtime } from "../common/runtime";
import { Binaries, Firewall, type Host, Hosts, Images, Kernel, Packages, Unit } from "../sdk/host";
import type { ConnectionArgs } from "../sdk/connection";
import type { Artifacts } from "../sdk/local";
import { firewallRules } from "../render/firewall";
import type { FlannelBackend } from "../render/flannel";
import { kernelModules, kernelSysctls } from "../render/kernel";
import { guardFiles, kubeletFiles, octal, type KubeletFilesOptions } from "../render/node-files";
import { nodeBinaries, requiredPackages } from "../render/node-contents";
import type { MachineRole } from "../render/preflight";
import { criSocket } from "../render/runtime";
import type { RunAs } from "../render/rung";
import { containerRuntime } from "./container-runtime";
import { type Machine, nodeAddress } from "./machines/machine";

export interface NodeSetupArgs {
  machine: Machine;
  connection: ConnectionArgs;
  host: Host;
  role: MachineRole;
  runtime: Runtime;
  /** Of the cluster's version. */
  artifacts: Artifacts;
  /** Of the kubelet's version, where that is another. */
  kubeletArtifacts?: Artifacts;
  network: { podCidr: string; serviceCidr: string; backend: FlannelBackend };
  /** All machines of the cluster: name to address. */
  neighbours: Record<string, pulumi.Input<string>>;
  kubelet: Pick<KubeletFilesOptions, "settings" | "extraArgs" | "version">;
  /** Present: the kubelet is not kubeadm's, and starts at once. */
  components?: { runAs: RunAs };
  /** What must have happened before the machine is touched: children do not inherit a component's dependsOn. */
  after: pulumi.Resource[];
}

/** Everything that a machine has before kubeadm runs on it: packages, kernel settings, binaries, the container runtime, images, kubelet. */
export class NodeSetup extends pulumi.ComponentResource {
  /** What kubeadm must wait for. */
  readonly ready: pulumi.Resource[];
  /** What the node needs to become Ready, beyond `ready`. */
  readonly images: Images;
  readonly packages: Packages;

  constructor(name: string, args: NodeSetupArgs, options: pulumi.ComponentResourceOptions) {
    super("kubewright:components:NodeSetup", name, {}, options);
    const { machine, connection, host, artifacts } = args;
    const onHost = { connection, instance: host.instance };
    const child = { parent: this, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) };
    const first = { ...child, dependsOn: args.after };
    const kubelet = pulumi.all([artifacts.binaries, (args.kubeletArtifacts ?? artifacts).binaries]);
    const contents = kubelet.apply(([all, older]) => nodeBinaries({ ...all, kubelet: older.kubelet }, args.runtime));

    const packages = new Packages(
      `${name}-packages`,
      { ...onHost, osFamily: host.facts.osFamily, packages: host.facts.apply(requiredPackages) },
      first,
    );
    this.packages = packages;
    const kernel = new Kernel(
      `${name}-kernel`,
      {
        ...onHost,
        modules: [...kernelModules],
        sysctls: { ...kernelSysctls },
        swapOff: args.kubelet.settings?.failSwapOn !== false,
      },
      { ...child, dependsOn: [packages] },
    );
    const binaries = new Binaries(
      `${name}-binaries`,
      { ...onHost, files: contents.files, sources: contents.sources },
      first,
    );

    const runtime = containerRuntime(
      name,
      { ...onHost, runtime: args.runtime, host, artifacts, hashes: contents.hashes },
      { ...child, dependsOn: [binaries, kernel, packages] },
    );
    const guard = new Unit(
      `${name}-guard`,
      {
        ...onHost,
        unit: "kubewright-guard.service",
        files: octal(guardFiles(args.network)),
        enabled: true,
        running: true,
      },
      { ...child, dependsOn: [packages] },
    );
    const firewall = new Firewall(
      `${name}-firewall`,
      { ...onHost, ...firewallRules({ ...args.network, role: args.role }) },
      { ...child, dependsOn: [packages] },
    );
    // Nothing waits for it: a machine that waits for its turn (turns.ts) has no address before this one's node is Ready.
    new Hosts(`${name}-hosts`, { ...onHost, entries: args.neighbours }, { ...child, dependsOn: [packages] });
    const kubeletUnit = new Unit(
      `${name}-kubelet`,
      {
        ...onHost,
        unit: "kubelet.service",
        files: pulumi.all([host.facts, nodeAddress(machine)]).apply(([facts, nodeIp]) =>
          octal(
            kubeletFiles({
              ...args.kubelet,
              runtime: args.runtime,
              facts,
              nodeIp,
              ...(args.components
                ? { standalone: { criSocket: criSocket(args.runtime), nodeName: machine.name } }
                : {}),
            }),
          ),
        ),
        enabled: true,
        running: true,
        ...(args.components ? {} : { startWhenExists: "/var/lib/kubelet/config.yaml" }),
        restartOn: { kubelet: contents.hashes.kubelet },
      },
      // A kubelet that starts at once finds its runtime.
      { ...child, dependsOn: [binaries, packages, kernel, ...(args.components ? [runtime] : [])] },
    );

    const target = { ...onHost, ...(args.runtime === DEFAULT_RUNTIME ? {} : { runtime: args.runtime }) };
    // A control plane starts on its own images; those of the node come while it does.
    const own =
      args.role === "control-plane" && args.components?.runAs !== "systemd"
        ? [
            imagesOf(`${name}-control-plane-images`, target, artifacts, "controlPlane", {
              ...child,
              dependsOn: [runtime],
            }),
          ]
        : [];
    this.images = imagesOf(`${name}-images`, target, artifacts, "worker", { ...child, dependsOn: [runtime, ...own] });
    this.ready = [...(own.length > 0 ? own : [this.images]), guard, firewall, kubeletUnit];
    this.registerOutputs({});
  }
}

type ImageSet = "worker" | "controlPlane";

/** The images of one purpose: brought to the machine where we have them as an archive, else pulled by it. */
function imagesOf(
  name: string,
  target: { connection: ConnectionArgs; instance: pulumi.Output<string>; runtime?: Runtime },
  artifacts: Artifacts,
  set: ImageSet,
  options: pulumi.CustomResourceOptions,
): Images {
  const plan = artifacts.images.apply((images) => {
    if (images.kind === "pull") return { archives: {}, sources: {}, pull: images[set] };
    // Images of examples and tests come with the node where it cannot pull them: also with one that was rebuilt.
    const archives = { [set]: images[set], ...(set === "worker" && images.extras ? { extras: images.extras } : {}) };
    return {
      archives: mapped(archives, ({ sha256, refs }) => ({ sha256, refs })),
      sources: Object.fromEntries(Object.values(archives).map(({ sha256, path }) => [sha256, path])),
      pull: [],
    };
  });
  return new Images(name, { ...target, archives: plan.archives, sources: plan.sources, pull: plan.pull }, options);
}

function mapped<T, U>(given: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, change(value)]));
}
