import * as pulumi from "@pulumi/pulumi";
import { Binaries, type Host, Images, Kernel, Packages, Unit } from "../provider/sdk/host";
import type { ConnectionArgs } from "../provider/sdk/connection";
import type { Artifacts } from "../provider/sdk/local";
import { kernelModules, kernelSysctls } from "../render/kernel";
import { everyRegistry } from "../render/containerd";
import { guardFiles, kubeletFiles, runtimeFiles, type KubeletFilesOptions, type NodeFiles } from "../render/node-files";
import { nodeBinaries, requiredPackages } from "../render/node-contents";
import type { MachineRole } from "../render/preflight";
import { type Machine, nodeAddress } from "./machines/machine";

export interface NodeSetupArgs {
  machine: Machine;
  connection: ConnectionArgs;
  host: Host;
  role: MachineRole;
  /** Of the cluster's version. */
  artifacts: Artifacts;
  /** Of the kubelet's version, where that is another. */
  kubeletArtifacts?: Artifacts;
  network: { podCidr: string; serviceCidr: string };
  kubelet: Pick<KubeletFilesOptions, "settings" | "extraArgs">;
  /** What must have happened before the machine is touched: children do not inherit a component's dependsOn. */
  after: pulumi.Resource[];
}

/** Everything that a machine has before kubeadm runs on it: packages, kernel settings, binaries, containerd, images, kubelet. */
export class NodeSetup extends pulumi.ComponentResource {
  /** What kubeadm must wait for. */
  readonly ready: pulumi.Resource[];
  /** What the node needs to become Ready, beyond `ready`. */
  readonly images: Images;

  constructor(name: string, args: NodeSetupArgs, options: pulumi.ComponentResourceOptions) {
    super("kubewright:components:NodeSetup", name, {}, options);
    const { machine, connection, host, artifacts } = args;
    const onHost = { connection, instance: host.instance };
    const child = { parent: this, ...(machine.madeBy ? { deletedWith: machine.madeBy } : {}) };
    const first = { ...child, dependsOn: args.after };
    const kubelet = pulumi.all([artifacts.binaries, (args.kubeletArtifacts ?? artifacts).binaries]);
    const contents = kubelet.apply(([all, older]) => nodeBinaries({ ...all, kubelet: older.kubelet }));

    const packages = new Packages(`${name}-packages`, { ...onHost, osFamily: host.facts.osFamily, packages: host.facts.apply(requiredPackages) }, first);
    const kernel = new Kernel(`${name}-kernel`, { ...onHost, modules: [...kernelModules], sysctls: { ...kernelSysctls } }, { ...child, dependsOn: [packages] });
    const binaries = new Binaries(`${name}-binaries`, { ...onHost, files: contents.files, sources: contents.sources }, first);

    const containerd = new Unit(
      `${name}-containerd`,
      {
        ...onHost,
        unit: "containerd.service",
        files: pulumi.all([host.facts, artifacts.refs, artifacts.images]).apply(([facts, refs, images]) => {
          const mirror = images.kind === "pull" ? images.registryMirror : undefined;
          return octal(runtimeFiles({ facts, pauseImage: refs.pause, ...(mirror ? { mirrors: everyRegistry(mirror) } : {}) }));
        }),
        enabled: true,
        running: true,
        restartOn: { containerd: contents.hashes.containerd, runc: contents.hashes.runc },
      },
      { ...child, dependsOn: [binaries, kernel, packages] },
    );
    const guard = new Unit(
      `${name}-guard`,
      { ...onHost, unit: "kubewright-guard.service", files: octal(guardFiles(args.network)), enabled: true, running: true },
      { ...child, dependsOn: [packages] },
    );
    const kubeletUnit = new Unit(
      `${name}-kubelet`,
      {
        ...onHost,
        unit: "kubelet.service",
        files: pulumi.all([host.facts, nodeAddress(machine)]).apply(([facts, nodeIp]) => octal(kubeletFiles({ ...args.kubelet, facts, nodeIp }))),
        enabled: true,
        running: true,
        startWhenExists: "/var/lib/kubelet/config.yaml",
        restartOn: { kubelet: contents.hashes.kubelet },
      },
      { ...child, dependsOn: [binaries, packages, kernel] },
    );

    // A control plane starts on its own images; those of the node come while it does.
    const own = args.role === "control-plane" ? [imagesOf(`${name}-control-plane-images`, onHost, artifacts, "controlPlane", { ...child, dependsOn: [containerd] })] : [];
    this.images = imagesOf(`${name}-images`, onHost, artifacts, "worker", { ...child, dependsOn: [containerd, ...own] });
    this.ready = [...(own.length > 0 ? own : [this.images]), guard, kubeletUnit];
    this.registerOutputs({});
  }
}

type ImageSet = "worker" | "controlPlane";

/** The images of one purpose: brought to the machine where we have them as an archive, else pulled by it. */
function imagesOf(
  name: string,
  onHost: { connection: ConnectionArgs; instance: pulumi.Output<string> },
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
  return new Images(name, { ...onHost, archives: plan.archives, sources: plan.sources, pull: plan.pull }, options);
}

function octal(files: NodeFiles): Record<string, { content: string; mode: string }> {
  return Object.fromEntries(Object.entries(files).map(([path, { content, mode }]) => [path, { content, mode: mode.toString(8).padStart(4, "0") }]));
}

function mapped<T, U>(given: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, change(value)]));
}
